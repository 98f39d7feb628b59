//! A mail server for tests: it takes every mail for everybody, keeps it in memory, and can be told to fail.
//!
//! It passes nothing on, and lives on this machine's own address alone.

use std::{
    collections::VecDeque,
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tempfile::TempDir;
use tokio::{
    net::TcpListener,
    sync::{oneshot, watch},
    task::{JoinHandle, JoinSet},
};
use tokio_rustls::TlsAcceptor;

use crate::config::{Mail, SmtpTls, Transport};

mod certificate;
mod received;
mod session;

pub use received::SinkMail;

/// How long a test waits for a mail.
const PATIENCE: Duration = Duration::from_secs(20);

/// A mail server that keeps what it gets.
pub struct SmtpSink {
    /// Where it listens, and again after [`SmtpSink::restart`].
    pub address: SocketAddr,
    tls: SmtpTls,
    shared: Arc<Shared>,
    running: tokio::sync::Mutex<Option<Running>>,
    folder: TempDir,
}

/// What the conversations share.
struct Shared {
    acceptor: TlsAcceptor,
    mails: watch::Sender<Vec<SinkMail>>,
    mishaps: Mutex<VecDeque<(String, Mishap)>>,
    account: Mutex<Option<(String, String)>>,
    connections: AtomicUsize,
}

/// What is to go wrong.
enum Mishap {
    Refuse(u16, String),
    Silence,
}

struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

impl SmtpSink {
    /// Starts one without TLS, on a free port.
    pub async fn start() -> Self {
        Self::open(SmtpTls::None, 0).await
    }

    /// Starts one without TLS on this port.
    pub async fn start_on(port: u16) -> Self {
        Self::open(SmtpTls::None, port).await
    }

    /// Starts one that speaks TLS in this way, with a certificate for `localhost` and `127.0.0.1` of an authority that
    /// only [`SmtpSink::ca_file`] vouches for.
    pub async fn with_tls(tls: SmtpTls) -> Self {
        Self::open(tls, 0).await
    }

    async fn open(tls: SmtpTls, port: u16) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let (acceptor, authority) = certificate::make();
        std::fs::write(folder.path().join("ca.pem"), authority).expect("the temporary folder takes a file");
        let shared = Arc::new(Shared {
            acceptor,
            mails: watch::Sender::default(),
            mishaps: Mutex::default(),
            account: Mutex::default(),
            connections: AtomicUsize::new(0),
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.expect("the port is free");
        let address = listener.local_addr().expect("a listener has an address");
        let running = tokio::sync::Mutex::new(Some(run(listener, tls, Arc::clone(&shared))));
        Self { address, tls, shared, running, folder }
    }

    /// Settings that send mail here.
    pub fn settings(&self) -> Mail {
        let (smtp_username, password) = lock(&self.shared.account).clone().unwrap_or_default();
        Mail {
            transport: Transport::Smtp,
            from: "Example <no-reply@example.com>".into(),
            product_name: "Example".into(),
            links: "https://app.example.com".into(),
            smtp_host: self.address.ip().to_string(),
            smtp_port: self.address.port(),
            smtp_tls: self.tls,
            smtp_username,
            smtp_password: password.into(),
            smtp_ca_file: if self.tls == SmtpTls::None { String::new() } else { self.ca_file().display().to_string() },
            ..Mail::default()
        }
    }

    /// The authority behind its certificate, as a file in PEM.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// What has come so far, the oldest first.
    pub fn mails(&self) -> Vec<SinkMail> {
        self.shared.mails.borrow().clone()
    }

    /// Waits until there are so many mails, and returns all; a test for which they never come fails.
    pub async fn wait_for(&self, count: usize) -> Vec<SinkMail> {
        let mut mails = self.shared.mails.subscribe();
        let waited = tokio::time::timeout(PATIENCE, mails.wait_for(|mails| mails.len() >= count)).await;
        match waited {
            Ok(mails) => mails.expect("the sink is there as long as `self`").clone(),
            Err(_) => panic!("waited for {count} mails and got {:#?}", self.mails()),
        }
    }

    /// Forgets the mails that came.
    pub fn clear(&self) {
        self.shared.mails.send_modify(Vec::clear);
    }

    /// Refuses the next recipient with this code, such as 451 or 550. Several calls refuse several, in that order.
    pub fn refuse_next(&self, code: u16) {
        self.refuse_next_at("RCPT", code);
    }

    /// Refuses the next command of this name: a verb of RFC 5321 in capitals, `CONNECT` for the connection itself, or `.`
    /// for a mail that was sent whole. After 421 the connection is closed.
    pub fn refuse_next_at(&self, command: &str, code: u16) {
        self.answer_next(command, code, "the test wants it so");
    }

    /// The same in these words.
    pub fn answer_next(&self, command: &str, code: u16, words: &str) {
        lock(&self.shared.mishaps).push_back((command.into(), Mishap::Refuse(code, words.into())));
    }

    /// Never answers the next command of this name, as [`SmtpSink::refuse_next_at`] has them.
    pub fn ignore_next_at(&self, command: &str) {
        lock(&self.shared.mishaps).push_back((command.into(), Mishap::Silence));
    }

    /// Takes mail only from whoever signs in with this name and password.
    pub fn demand_sign_in(&self, username: &str, password: &str) {
        *lock(&self.shared.account) = Some((username.into(), password.into()));
    }

    /// How many connections were made to it.
    pub fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Ends every conversation and stops listening; from here on connections are refused.
    pub async fn stop(&self) {
        if let Some(Running { stop, task }) = self.running.lock().await.take() {
            let _ = stop.send(());
            task.await.expect("the sink's task ends by itself");
        }
    }

    /// Listens again at the same address after [`SmtpSink::stop`]; the mails that came before are still there.
    pub async fn restart(&self) {
        self.stop().await;
        let listener = TcpListener::bind(self.address).await.expect("the port is still free");
        *self.running.lock().await = Some(run(listener, self.tls, Arc::clone(&self.shared)));
    }
}

fn run(listener: TcpListener, tls: SmtpTls, shared: Arc<Shared>) -> Running {
    let (stop, mut stopped) = oneshot::channel();
    let task = tokio::spawn(async move {
        let mut conversations = JoinSet::new();
        loop {
            let (stream, _) = tokio::select! {
                accepted = listener.accept() => accepted.expect("connections can be accepted"),
                _ = &mut stopped => break,
            };
            shared.connections.fetch_add(1, Ordering::SeqCst);
            // Clients that go away in the middle are no fault of the sink's.
            let conversation = session::converse(stream, tls, Arc::clone(&shared));
            conversations.spawn(async move { conversation.await.unwrap_or_default() });
        }
        drop(listener);
        conversations.shutdown().await;
    });
    Running { stop, task }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

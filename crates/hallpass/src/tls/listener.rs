//! Accepts connections that speak TLS, each handshake in its own task and within a time.
//!
//! A client that stalls holds up no other. One that speaks plain HTTP is told so, and gets nothing else.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use axum::serve::Listener;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, rustls::ServerConfig, server::TlsStream};

/// How long a handshake may take.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// A listener whose connections have shaken hands.
pub(crate) struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    /// Those who still do, or failed.
    handshakes: JoinSet<Option<(TlsStream<TcpStream>, SocketAddr)>>,
    /// What plain HTTP is answered.
    hint: Arc<str>,
}

impl TlsListener {
    /// Speaks TLS on `listener`, which clients reach at `public_url`.
    pub(crate) fn new(listener: TcpListener, config: Arc<ServerConfig>, public_url: &str) -> Self {
        let text = format!("This port speaks TLS: use {public_url}\n");
        let hint = format!(
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{text}",
            text.len()
        );
        Self { listener, acceptor: config.into(), handshakes: JoinSet::new(), hint: hint.into() }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, address) = Listener::accept(&mut self.listener) => {
                    let (acceptor, hint) = (self.acceptor.clone(), self.hint.clone());
                    self.handshakes.spawn(async move {
                        let stream = timeout(HANDSHAKE, shake(&acceptor, stream, &hint)).await;
                        Some((stream.ok()?.ok()?, address))
                    });
                }
                Some(done) = self.handshakes.join_next() => {
                    if let Ok(Some(connection)) = done {
                        return connection;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

async fn shake(acceptor: &TlsAcceptor, mut stream: TcpStream, hint: &str) -> io::Result<TlsStream<TcpStream>> {
    let mut first = [0];
    stream.peek(&mut first).await?;
    // A handshake begins with 22 (RFC 8446 section 5.1), a request with a letter.
    if first[0].is_ascii_alphabetic() {
        // What was not read would make the system tear the answer away.
        let _ = stream.read(&mut [0; 16 * 1024]).await?;
        stream.write_all(hint.as_bytes()).await?;
        stream.shutdown().await?;
        return Err(io::ErrorKind::InvalidData.into());
    }
    acceptor.accept(stream).await
}

//! `hallpass serve`: opens everything, listens, and stops in good order.
//!
//! Holds nothing of what is served: the router comes from `hallpass-axum`, the rules behind it from `hallpass-core`.

use std::{ffi::OsString, io, net::SocketAddr, pin::Pin, time::Duration};

use anyhow::{Result, bail};
use hallpass_axum::{AppState, Clock};
use hallpass_core::config::{Presence, Transport};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
};

use super::{banner, runtime};
use crate::{
    settings::{Problems, Settings, master_key::Absent},
    store, telemetry,
    tls::{self, TlsListener},
};

/// How long requests that have begun may take to end once the server is told to stop.
const DRAIN: Duration = Duration::from_secs(30);

pub(crate) fn run(settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
    settings.check(environment)?;
    telemetry::start(&settings.log)?;
    runtime()?.block_on(serve(settings, environment))
}

async fn serve(settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
    let mut signals = Signals::listen()?;
    let listener = TcpListener::bind(settings.listen).await.map_err(|error| cannot_listen(settings.listen, &error))?;
    let address = listener.local_addr()?;
    let public_url = settings.public_url(address.port());
    let clock = Clock::system();
    let hosts = settings.dev_hosts(&public_url);
    let dev_tls =
        settings.dev_domain().map(|domain| tls::open(&settings.dev_tls_folder(), domain, &hosts, clock.now()));
    let dev_tls = dev_tls.transpose()?;
    let opened = store::open(settings, environment, settings.core(&public_url), Absent::Make, clock.now()).await?;
    let db = opened.hallpass.db().clone();
    let state = AppState::new(opened.hallpass.clone(), &settings.web(&public_url), clock).map_err(Problems)?;
    let maintenance = tokio::spawn(hallpass_axum::maintain(state.clone()));

    banner::show(settings, &opened, &public_url, dev_tls.as_ref()).await;
    let config = opened.hallpass.config();
    if config.mail.transport == Transport::Off && config.accounts.email != Presence::Off {
        tracing::warn!(
            "nobody who forgets a password can set a new one: `mail.transport` is `off`, and only `hallpass accounts \
             set-password` helps"
        );
    }
    for unsafe_setting in settings.dialects.iter().flat_map(|dialect| dialect.insecure()) {
        tracing::warn!("{unsafe_setting}");
    }
    tracing::info!(%address, public_url, database = settings.database_shown(), "listening");

    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let router = hallpass_axum::router(state);
    let mut serving: Pin<Box<dyn Future<Output = ()>>> = match dev_tls {
        Some(tls) => {
            let listener = TlsListener::new(listener, tls.config, &public_url);
            Box::pin(hallpass_axum::serve(listener, router, shutdown, DRAIN))
        }
        None => Box::pin(hallpass_axum::serve(listener, router, shutdown, DRAIN)),
    };
    tokio::select! {
        () = &mut serving => {}
        name = signals.next() => {
            tracing::info!(signal = name, "stopping: open requests have 30 seconds, a second signal stops at once");
            let _ = stop.send(());
            tokio::select! {
                () = &mut serving => {}
                _ = signals.next() => bail!("stopped at once, maybe while requests were being answered"),
            }
        }
    }
    maintenance.abort();
    // Until it has put back what it was about to write.
    let _ = maintenance.await;
    if let Err(error) = hallpass_core::statistics::flush(&opened.hallpass).await {
        tracing::warn!(%error, "what was counted in the last seconds is not written down");
    }
    db.close().await;
    tracing::info!("stopped");
    Ok(())
}

/// What asks this process to stop.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// The name of the next one.
    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "interrupt",
            _ = self.terminate.recv() => "terminate",
        }
    }
}

fn cannot_listen(address: SocketAddr, error: &io::Error) -> anyhow::Error {
    let advice = match error.kind() {
        io::ErrorKind::AddrInUse => {
            let next = SocketAddr::new(address.ip(), address.port().saturating_add(1));
            format!("another program listens there: stop it, or take another port with `--listen {next}`")
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a permission: take a higher one with `--listen`".into()
        }
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have this address: take another one with `--listen`".into()
        }
        _ => error.to_string(),
    };
    anyhow::anyhow!("cannot listen on `{address}`: {advice}")
}

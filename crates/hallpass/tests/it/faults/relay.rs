//! A way to PostgreSQL that can be closed, or fall silent: what is sent then is neither delivered nor refused.

use std::{
    io::Result,
    net::{IpAddr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};
use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Open,
    /// Every connection is cut, and no new one is carried.
    Closed,
    Silent,
}

pub(crate) struct Relay {
    /// The database by this way.
    pub(crate) url: String,
    way: watch::Sender<Way>,
    carrying: JoinHandle<()>,
}

impl Relay {
    /// Leads to the database at `url` from an address of this machine.
    pub(crate) async fn start(from: IpAddr, url: &str) -> Self {
        let mut url = Url::parse(url).unwrap();
        let to = format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind((from, 0)).await.unwrap();
        let SocketAddr::V4(address) = listener.local_addr().unwrap() else { panic!("an IPv4 address was asked for") };
        url.set_host(Some(&address.ip().to_string())).unwrap();
        url.set_port(Some(address.port())).unwrap();
        let (way, follow) = watch::channel(Way::Open);
        let carrying = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, to.clone(), follow.clone()));
            }
        });
        Self { url: url.into(), way, carrying }
    }

    pub(crate) fn set(&self, way: Way) {
        self.way.send_replace(way);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

async fn carry(client: TcpStream, to: String, way: watch::Receiver<Way>) {
    if *way.borrow() == Way::Closed {
        return;
    }
    let Ok(server) = TcpStream::connect(to).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    let mut closed = way.clone();
    let both = async { tokio::join!(pump(from_client, to_server, way.clone()), pump(from_server, to_client, way)) };
    tokio::select! {
        _ = both => {}
        _ = closed.wait_for(|way| *way == Way::Closed) => {}
    }
}

async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) -> Result<()> {
    let mut bytes = [0; 16 * 1024];
    loop {
        let length = from.read(&mut bytes).await?;
        // A relay that is gone carries nothing.
        let _ = way.wait_for(|way| *way != Way::Silent).await;
        if length == 0 {
            return to.shutdown().await;
        }
        to.write_all(&bytes[..length]).await?;
    }
}

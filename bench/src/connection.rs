//! One HTTP/1.1 connection that stays open, and opens again when the server has closed it.
//!
//! It asks for one thing at a time, and is driven by whoever waits for the answer: no task of its own, no hand-over.

use std::{
    future::{Future, poll_fn},
    pin::{Pin, pin},
};

use anyhow::{Context as _, Result};
use axum::{
    body::Bytes,
    http::{HeaderMap, Request, StatusCode},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

type Driver = Pin<Box<http1::Connection<TokioIo<TcpStream>, Full<Bytes>>>>;

/// What a server answered.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    /// Empty unless it was asked for.
    pub(crate) body: Bytes,
    /// Bytes of the body.
    pub(crate) length: usize,
}

/// Whether the body of an answer is wanted, or only read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Body {
    Kept,
    Drained,
}

/// A connection to `HOST:PORT`.
pub(crate) struct Connection {
    address: String,
    open: Option<Open>,
}

struct Open {
    sender: SendRequest<Full<Bytes>>,
    /// `None` once the connection is closed.
    driver: Option<Driver>,
}

impl Connection {
    pub(crate) fn to(address: &str) -> Self {
        Self { address: address.to_owned(), open: None }
    }

    /// Sends a request and reads the whole answer.
    pub(crate) async fn ask(&mut self, request: Request<Full<Bytes>>, body: Body) -> Result<Answer> {
        let mut open = match self.open.take() {
            Some(open) => open,
            None => Open::new(&self.address).await?,
        };
        if !open.is_usable().await {
            open = Open::new(&self.address).await?;
        }
        let answer = open.ask(request, body).await?;
        self.open = Some(open);
        Ok(answer)
    }
}

impl Open {
    async fn new(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("`{address}` lets nobody connect"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Self { sender, driver: Some(Box::pin(connection)) })
    }

    async fn is_usable(&mut self) -> bool {
        driven(&mut self.driver, self.sender.ready()).await.is_ok()
    }

    async fn ask(&mut self, request: Request<Full<Bytes>>, body: Body) -> Result<Answer> {
        let answer = driven(&mut self.driver, self.sender.send_request(request)).await?;
        let (head, mut incoming) = answer.into_parts();
        let mut answer = Answer { status: head.status, headers: head.headers, body: Bytes::new(), length: 0 };
        match body {
            Body::Kept => {
                answer.body = driven(&mut self.driver, incoming.collect()).await?.to_bytes();
                answer.length = answer.body.len();
            }
            Body::Drained => {
                while let Some(frame) = driven(&mut self.driver, incoming.frame()).await {
                    answer.length += frame?.data_ref().map_or(0, Bytes::len);
                }
            }
        }
        Ok(answer)
    }
}

/// Waits for `work`, which goes on as the connection does.
async fn driven<T>(driver: &mut Option<Driver>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|context| {
        // Whatever went wrong with the connection, the work hears of it.
        if driver.as_mut().is_some_and(|driver| driver.as_mut().poll(context).is_ready()) {
            *driver = None;
        }
        work.as_mut().poll(context)
    })
    .await
}

//! A server that answers everything with the same bytes: what the framework and the machine allow, authentication aside.

use std::{fs, path::PathBuf};

use anyhow::{Context as _, Result};
use axum::{
    Router,
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode},
    serve::ListenerExt as _,
};
use tokio::net::TcpListener;

use crate::answer::Kept;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The address and port to listen on.
    #[arg(long)]
    listen: String,
    /// What `answer` printed.
    #[arg(long)]
    answer: PathBuf,
}

/// Serves until it is killed.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let kept: Kept = serde_json::from_slice(&fs::read(&arguments.answer).context("no answer was kept")?)?;
    let status = StatusCode::from_u16(kept.status)?;
    let mut headers = HeaderMap::new();
    for (name, value) in kept.headers {
        headers.insert(HeaderName::try_from(name)?, HeaderValue::try_from(value)?);
    }
    let body = Bytes::from(kept.body);
    let router = Router::new().fallback(async move || {
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        response
    });
    let listener = TcpListener::bind(&arguments.listen).await?.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await?;
    Ok(())
}

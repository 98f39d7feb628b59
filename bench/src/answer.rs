//! What a server answers to a request with a token, kept so that [`crate::limit`] can answer the same.

use anyhow::{Result, ensure};
use axum::http::{HeaderMap, HeaderValue};
use serde::{Deserialize, Serialize};

use crate::{
    client,
    connection::{Body, Connection},
    load::Server,
    target::Person,
};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: Server,
}

/// What was answered, and with which token.
#[derive(Serialize, Deserialize)]
pub(crate) struct Kept {
    token: String,
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// Prints it as JSON.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let wire = arguments.server.target.wire();
    let mut connection = Connection::to(arguments.server.first()?);
    let person = Person { name: "answered".to_owned() };
    let session = client::sign_up_and_in(wire, &mut connection, &person).await?;
    let call = wire.checked(&session);
    let answer = connection.ask(call.request(), Body::Kept).await?;
    ensure!(answer.status == call.expected, "answered with {}", answer.status);
    let kept = Kept {
        token: session.token,
        status: answer.status.as_u16(),
        headers: readable(&answer.headers),
        body: String::from_utf8(answer.body.to_vec())?,
    };
    println!("{}", serde_json::to_string(&kept)?);
    Ok(())
}

/// All but what every server adds by itself.
fn readable(headers: &HeaderMap) -> Vec<(String, String)> {
    let own = headers.iter().filter(|(name, _)| !["date", "content-length"].contains(&name.as_str()));
    let text = |value: &HeaderValue| value.to_str().unwrap_or_default().to_owned();
    own.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

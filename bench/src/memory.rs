//! How much memory a server takes, when it has just started or with many sessions and open connections.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    connection::{Body, Connection},
    load::{self, Server},
    processes,
    report::Watched,
    target::Call,
};

/// How long the server has to come to rest.
const REST: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    watched: Watched,
    /// How many connections stay open, each after a sign-in; with none, one stranger asks for `/`.
    #[arg(long, default_value_t = 0)]
    connections: usize,
    /// How many sessions there are in the end; each has used its token.
    #[arg(long, default_value_t = 0)]
    sessions: usize,
}

/// Prints what is in memory.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { server, watched, connections, sessions } = arguments;
    let mut stranger = Connection::to(server.first()?);
    stranger.ask(Call::get("/").request(), Body::Drained).await?;
    let mut opening = JoinSet::new();
    for (number, mut client) in server.clients("open", connections).await?.into_iter().enumerate() {
        let share = (number..sessions).step_by(connections).count();
        opening.spawn(async move {
            client.sign_in_again().await?;
            // One was made with the account, and one just now.
            for _ in 2..share {
                client.one_more_session().await?;
            }
            Ok(client)
        });
    }
    // Nobody's connection is closed before memory is read.
    let clients = load::all(opening).await?;
    tokio::time::sleep(REST).await;
    let memory = processes::memory(&watched.server)?;
    println!("{}", json!({ "resident_kib": memory.resident, "peak_kib": memory.peak, "connections": clients.len() }));
    Ok(())
}

//! A closed loop: each client asks, waits for the answer and asks again.
//!
//! It never hides a fault: whatever is not answered as expected is counted by its kind.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::task::JoinSet;

use crate::{
    client::Client,
    report::{self, Record, Rounds, Schedule, Watched},
    scenario::Scenario,
    target::{Person, Target},
};

/// The server that is measured.
#[derive(clap::Args, Clone)]
pub(crate) struct Server {
    /// What it is.
    #[arg(long)]
    pub(crate) target: Target,
    /// Where it is, as `HOST:PORT`; of several each client uses one.
    #[arg(long, required = true)]
    pub(crate) address: Vec<String>,
}

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    watched: Watched,
    #[command(flatten)]
    rounds: Rounds,
    /// What is asked for; can be given several times, and is measured in this order.
    #[arg(long, required = true)]
    scenario: Vec<Scenario>,
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Sign nobody up and ask with this token, of a server that does not look at it.
    #[arg(long)]
    token: Option<String>,
}

/// Prints a line for each scenario.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { server, watched, rounds, connections, .. } = arguments;
    let mut clients = match &arguments.token {
        Some(token) => server.with_token(connections, token),
        None => server.clients("bench", connections).await?,
    };
    for scenario in arguments.scenario {
        // Tokens do not live long.
        clients = signed_in_again(clients).await?;
        let schedule = rounds.begin();
        let mut asking = JoinSet::new();
        for (number, client) in clients.into_iter().enumerate() {
            asking.spawn(ask(client, scenario, number, schedule));
        }
        let taken = schedule.watch(&watched).await?;
        let mut all = Record::new(&schedule)?;
        clients = Vec::new();
        while let Some(done) = asking.join_next().await {
            let (client, record) = done??;
            clients.push(client);
            all.add(&record)?;
        }
        report::print(scenario.name(), connections, &schedule, all, &taken)?;
    }
    Ok(())
}

async fn ask(mut client: Client, scenario: Scenario, number: usize, schedule: Schedule) -> Result<(Client, Record)> {
    let mut record = Record::new(&schedule)?;
    // They do not all sign in at the same moment, where only some do.
    let mut step = number * 3 + 1;
    loop {
        let due = Instant::now();
        if due >= schedule.end() {
            return Ok((client, record));
        }
        let asked = client.ask(scenario.kind(step)).await;
        record.note(&schedule, due, asked);
        step += 1;
    }
}

impl Server {
    /// The first of its addresses.
    pub(crate) fn first(&self) -> Result<&str> {
        self.address.first().map(String::as_str).context("no address")
    }

    /// Signs so many people up; names begin with `prefix` and are not used again by another load.
    pub(crate) async fn clients(&self, prefix: &str, count: usize) -> Result<Vec<Client>> {
        let wire = self.target.wire();
        let mut signing_up = JoinSet::new();
        for (number, address) in (0..count).zip(self.address.clone().into_iter().cycle()) {
            let person = Person { name: format!("{prefix}{}x{number}", std::process::id()) };
            signing_up.spawn(async move { Client::new(wire, &address, person).await });
        }
        all(signing_up).await
    }

    fn with_token(&self, count: usize, token: &str) -> Vec<Client> {
        let addresses = (0..count).zip(self.address.iter().cycle());
        addresses.map(|(_, address)| Client::with_token(self.target.wire(), address, token)).collect()
    }
}

/// Gives each a new session.
pub(crate) async fn signed_in_again(clients: Vec<Client>) -> Result<Vec<Client>> {
    let mut signing_in = JoinSet::new();
    for mut client in clients {
        signing_in.spawn(async move { client.sign_in_again().await.map(|()| client) });
    }
    let clients = all(signing_in).await;
    // What the server does after the answers is not part of what is measured.
    tokio::time::sleep(Duration::from_millis(200)).await;
    clients
}

/// What the tasks made, or the first error.
pub(crate) async fn all<T: Send + 'static>(mut tasks: JoinSet<Result<T>>) -> Result<Vec<T>> {
    let mut made = Vec::new();
    while let Some(done) = tasks.join_next().await {
        made.push(done??);
    }
    Ok(made)
}

//! Many sign-ins that wait at once, and what they do to everybody else.
//!
//! The others ask at a steady rate, whether answers come or not, and a request's time begins when it was due: one that
//! had to wait for an answer before it counts with that wait.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::Result;
use tokio::{
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
    task::JoinSet,
    time::sleep,
};

use crate::{
    client::{Client, Kind},
    load::{self, Server},
    report::{self, Record, Rounds, Schedule, Watched},
};

/// When somebody who was sent away comes back, as `Retry-After` of the answer says.
const RETRY_AFTER: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    watched: Watched,
    #[command(flatten)]
    rounds: Rounds,
    /// How many sign-ins wait at a time, each to another account.
    #[arg(long, default_value_t = 200)]
    sign_ins: usize,
    /// Requests with tokens, each second.
    #[arg(long, default_value_t = 500)]
    rate: u32,
    /// On how many connections.
    #[arg(long, default_value_t = 32)]
    connections: usize,
}

/// Prints `quiet`, then `storm` and, beside it, `storm-sign-in`.
pub(crate) async fn run(arguments: Arguments) -> Result<()> {
    let Arguments { server, watched, rounds, rate, .. } = &arguments;
    let waiting = server.clients("storm", arguments.sign_ins).await?;
    let clients = server.clients("steady", arguments.connections).await?;

    let clients = load::signed_in_again(clients).await?;
    let schedule = rounds.begin();
    let steady = begin(clients, *rate, schedule);
    let taken = schedule.watch(watched).await?;
    let (clients, record) = together(steady, &schedule).await?;
    report::print("quiet".to_owned(), arguments.connections, &schedule, record, &taken)?;

    let clients = load::signed_in_again(clients).await?;
    let schedule = rounds.begin();
    let mut signing_in = JoinSet::new();
    for client in waiting {
        signing_in.spawn(sign_in(client, schedule));
    }
    let steady = begin(clients, *rate, schedule);
    let taken = schedule.watch(watched).await?;
    let (_, record) = together(steady, &schedule).await?;
    report::print("storm".to_owned(), arguments.connections, &schedule, record, &taken)?;
    let (_, record) = together(signing_in, &schedule).await?;
    report::print("storm-sign-in".to_owned(), arguments.sign_ins, &schedule, record, &taken)
}

type Asking = JoinSet<Result<(Client, Record)>>;

async fn together(mut asking: Asking, schedule: &Schedule) -> Result<(Vec<Client>, Record)> {
    let (mut clients, mut all) = (Vec::new(), Record::new(schedule)?);
    while let Some(done) = asking.join_next().await {
        let (client, record) = done??;
        clients.push(client);
        all.add(&record)?;
    }
    Ok((clients, all))
}

/// Signs in again and again. Whoever is sent away comes back, and that wait counts.
async fn sign_in(mut client: Client, schedule: Schedule) -> Result<(Client, Record)> {
    let mut record = Record::new(&schedule)?;
    let mut due = Instant::now();
    while Instant::now() < schedule.end() {
        let asked = client.ask(Kind::SignIn).await;
        let is_in = asked.fault.is_none();
        record.note(&schedule, due, asked);
        if is_in {
            due = Instant::now();
        } else {
            sleep(RETRY_AFTER).await;
        }
    }
    Ok((client, record))
}

/// Begins to ask at a rate, the clients in turn.
fn begin(clients: Vec<Client>, rate: u32, schedule: Schedule) -> Asking {
    let mut asking = JoinSet::new();
    let mut turns = Vec::new();
    for client in clients {
        let (turn, due) = unbounded_channel();
        turns.push(turn);
        asking.spawn(ask(client, due, schedule));
    }
    // A thread of its own: the runtime's timer has only whole milliseconds.
    thread::spawn(move || pace(&turns, rate, schedule.end()));
    asking
}

/// Tells each in its turn, until the end. It sleeps to keep the pace: here the time is what is asked for.
fn pace(turns: &[UnboundedSender<Instant>], rate: u32, end: Instant) {
    let pause = Duration::from_secs(1) / rate.max(1);
    let mut due = Instant::now();
    for turn in turns.iter().cycle() {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if due >= end || turn.send(due).is_err() {
            return;
        }
        due += pause;
    }
}

async fn ask(mut client: Client, mut due: UnboundedReceiver<Instant>, schedule: Schedule) -> Result<(Client, Record)> {
    let mut record = Record::new(&schedule)?;
    while let Some(due) = due.recv().await {
        let asked = client.ask(Kind::Checked).await;
        record.note(&schedule, due, asked);
    }
    Ok((client, record))
}

//! Hallpass itself, and the two limits that it is compared with.
//!
//! It runs as behind a proxy in production: nothing is turned off, and rate limits count, for clients of many addresses.

use std::{fs, process::Command};

use anyhow::{Context as _, Result};
use serde_json::Value;

use super::{
    figures::{Figures, median},
    stage::{MANY, Place, Running, Stage, printed},
};
use crate::servers::Hallpass;

/// Every refresh makes the secret before it useless at once, as those of others do.
pub(super) const NO_WINDOW: [(&str, &str); 1] = [("SESSIONS__REPLAY_WINDOW", "0")];

/// So many sessions on so many connections, in a full run.
const SESSIONS: &str = "10000";
const CONNECTIONS: &str = "1000";

/// One server on SQLite or PostgreSQL.
pub(super) fn one(stage: &Stage, figures: &mut Figures, name: &str, postgres: bool) -> Result<()> {
    let place = Place::new(postgres)?;
    let hallpass = settled(&place, &[])?;
    hallpass.migrate()?;
    {
        let (running, _) = serve(stage, &place, &hallpass)?;
        take_memory(figures, name, "idle", &running.measure(stage, "memory", &[])?)?;
        figures.take(name, "", &running.load(stage, &["checked", "me", "refresh-window"])?)?;
        figures.take(name, "", &running.load_hashing(stage, &["sign-in", "sign-up"])?)?;
        figures.take(name, "", &running.measure(stage, "storm", &stage.rounds())?)?;
    }
    {
        let without = settled(&place, &NO_WINDOW)?;
        let (running, _) = serve(stage, &place, &without)?;
        figures.take(name, "", &running.load(stage, &["refresh"])?)?;
        figures.take(name, "", &running.load_hashing(stage, &["mixed"])?)?;
    }
    let starts = (0..5).map(|_| Ok(serve(stage, &place, &hallpass)?.1.as_secs_f64() * 1_000.0));
    let starts = starts.collect::<Result<Vec<_>>>()?;
    figures.set(name, "start", "milliseconds", median(starts).context("never started")?);
    // It takes minutes, and the database has no part in it.
    if !stage.quick && !postgres {
        let (running, _) = serve(stage, &place, &hallpass)?;
        let arguments = ["--sessions", SESSIONS, "--connections", CONNECTIONS];
        take_memory(figures, name, "connections", &running.measure(stage, "memory", &arguments)?)?;
    }
    Ok(())
}

/// Two servers on one PostgreSQL, each with half of the clients.
pub(super) fn two(stage: &Stage, figures: &mut Figures, name: &str) -> Result<()> {
    let place = Place::new(true)?;
    let hallpass = settled(&place, &NO_WINDOW)?;
    hallpass.migrate()?;
    let of = |port| command(&hallpass, port);
    let (running, _) = Running::start(stage, &place, "hallpass", "/readyz", &[&of, &of])?;
    figures.take(name, "", &running.load(stage, &["checked", "me", "refresh"])?)?;
    figures.take(name, "", &running.load_hashing(stage, &["sign-in", "mixed"])?)
}

/// A bare handler, asked with the same bytes and answering the same.
pub(super) fn limit(stage: &Stage, figures: &mut Figures) -> Result<()> {
    let place = Place::new(false)?;
    let hallpass = settled(&place, &[])?;
    hallpass.migrate()?;
    let answer = {
        let (running, _) = serve(stage, &place, &hallpass)?;
        running.measure(stage, "answer", &[])?.pop().context("no answer was printed")?
    };
    let kept = place.folder.join("answer.json");
    fs::write(&kept, answer.to_string())?;
    let token = answer.get("token").and_then(Value::as_str).context("the answer came without its token")?;
    let of = |port| {
        let mut command = stage.bench(&["limit", "--listen", &format!("127.0.0.1:{port}"), "--answer"]);
        command.arg(&kept);
        command
    };
    let (running, _) = Running::start(stage, &place, "hallpass", "/", &[&of])?;
    let arguments = ["--connections", MANY, "--scenario", "checked", "--token", token];
    let arguments: Vec<&str> = arguments.into_iter().chain(stage.rounds()).collect();
    figures.take("limit", "", &running.measure(stage, "load", &arguments)?)
}

/// Hashes on all cores.
pub(super) fn argon2(stage: &Stage, figures: &mut Figures) -> Result<()> {
    let mut command = stage.bench(&["argon2"]);
    // It needs no time to warm up.
    let [_, _, rounds @ ..] = stage.rounds();
    command.args(rounds);
    let line = printed(&mut command)?.pop().context("nothing was printed")?;
    let rounds = line.get("hashes_per_second").and_then(Value::as_array).context("no rounds were printed")?;
    let hashes = median(rounds.iter().filter_map(Value::as_f64)).context("nothing was hashed")?;
    figures.set("argon2", "sign-in", "requests_per_second", hashes);
    Ok(())
}

/// The program with its settings, and these.
pub(super) fn settled(place: &Place, settings: &[(&str, &str)]) -> Result<Hallpass> {
    let mut all = vec![
        ("DEV", "false"),
        ("PUBLIC_URL", "https://login.example.com"),
        ("NETWORK__TRUSTED_PROXIES", "127.0.0.1"),
        ("LOG__LEVEL", "warn"),
    ];
    all.extend(place.postgres.iter().map(|postgres| ("DATABASE", postgres.as_str())));
    all.extend(settings);
    Hallpass::new("release", &place.folder, &all)
}

pub(super) fn serve(stage: &Stage, place: &Place, hallpass: &Hallpass) -> Result<(Running, std::time::Duration)> {
    Running::start(stage, place, "hallpass", "/readyz", &[&|port| command(hallpass, port)])
}

fn command(hallpass: &Hallpass, port: u16) -> Command {
    hallpass.command(&["serve", "--listen", &format!("127.0.0.1:{port}")])
}

/// Takes what the command `memory` printed, in MiB.
pub(super) fn take_memory(figures: &mut Figures, server: &str, scenario: &str, lines: &[Value]) -> Result<()> {
    for (member, measure) in [("resident_kib", "resident_mib"), ("peak_kib", "peak_mib")] {
        let kibibytes = lines.first().and_then(|line| line.get(member)?.as_f64()).context("no memory was printed")?;
        figures.set(server, scenario, measure, kibibytes / 1024.0);
    }
    Ok(())
}

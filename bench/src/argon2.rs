//! Argon2id on all cores and nothing else, each hash in memory of its own, which holds no other password's traces.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, anyhow};
use argon2::{Algorithm, Argon2, Params, Version};
use serde_json::json;

use crate::target::Person;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[arg(long, default_value_t = 19_456)]
    memory_kib: u32,
    #[arg(long, default_value_t = 2)]
    iterations: u32,
    #[arg(long, default_value_t = 1)]
    lanes: u32,
    /// As many as there are cores, unless it is given.
    #[arg(long)]
    threads: Option<usize>,
    /// The length of a round.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Prints hashes a second of each round.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { memory_kib, iterations, lanes, .. } = *arguments;
    let params = Params::new(memory_kib, iterations, lanes, None).map_err(|error| anyhow!("{error}"))?;
    let threads = arguments.threads.map_or_else(|| thread::available_parallelism().map(Into::into), Ok)?;
    let length = Duration::from_secs_f64(arguments.seconds);
    let mut rounds = Vec::new();
    for _ in 0..arguments.rounds {
        rounds.push(thread::scope(|scope| {
            let hashing: Vec<_> = (0..threads).map(|_| scope.spawn(|| hash(&params, length))).collect();
            hashing.into_iter().map(|rate| rate.join().map_err(|_| anyhow!("a thread died"))?).sum::<Result<f64>>()
        })?);
    }
    println!("{}", json!({ "threads": threads, "hashes_per_second": rounds }));
    Ok(())
}

/// Hashes for so long; how often a second.
fn hash(params: &Params, length: Duration) -> Result<f64> {
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
    let (mut hashes, mut out, began) = (0.0, [0; 32], Instant::now());
    while began.elapsed() < length {
        argon2
            .hash_password_into(Person::PASSWORD.as_bytes(), &[7; 16], &mut out)
            .map_err(|error| anyhow!("{error}"))?;
        hashes += 1.0;
    }
    Ok(hashes / began.elapsed().as_secs_f64())
}

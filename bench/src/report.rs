//! When the rounds of a measurement are, what was counted in them, and how it is printed.
//!
//! A request counts in the round in which its answer came; what comes before the first or after the last does not
//! count, but for faults.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use hdrhistogram::Histogram;
use serde::Serialize;
use tokio::time::sleep_until;

use crate::{client::Asked, processes};

/// Latencies above this count as this, in microseconds.
const LONGEST: u64 = 60_000_000;

/// How long and how often is measured.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct Rounds {
    /// How long the load goes on before anything is measured, in seconds.
    #[arg(long, default_value_t = 1.0)]
    warm_up: f64,
    /// The length of a round, in seconds.
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Those of a load that has begun.
#[derive(Clone, Copy)]
pub(crate) struct Schedule {
    first: Instant,
    length: Duration,
    rounds: usize,
}

impl Rounds {
    pub(crate) fn begin(self) -> Schedule {
        let first = Instant::now() + Duration::from_secs_f64(self.warm_up);
        Schedule { first, length: Duration::from_secs_f64(self.seconds), rounds: self.rounds }
    }
}

impl Schedule {
    pub(crate) fn end(&self) -> Instant {
        self.first + self.length * u32::try_from(self.rounds).unwrap_or(u32::MAX)
    }

    fn round(&self, moment: Instant) -> Option<usize> {
        let since = moment.checked_duration_since(self.first)?;
        let round = usize::try_from(since.as_nanos() / self.length.as_nanos().max(1)).ok()?;
        (round < self.rounds).then_some(round)
    }

    /// Waits for each round's beginning and end, and notes what the processes have taken until then.
    pub(crate) async fn watch(&self, watched: &Watched) -> Result<Vec<Taken>> {
        let mut taken = Vec::new();
        for round in 0..=u32::try_from(self.rounds)? {
            sleep_until((self.first + self.length * round).into()).await;
            taken.push(Taken {
                server: processes::processor_time(&watched.server)?,
                database: processes::processor_time(&watched.database)?,
            });
        }
        Ok(taken)
    }
}

/// The processes whose processor time is read.
#[derive(clap::Args, Clone)]
pub(crate) struct Watched {
    /// A process of the server; can be given several times.
    #[arg(long = "server-process")]
    pub(crate) server: Vec<u32>,
    /// A process of its database.
    #[arg(long = "database-process")]
    pub(crate) database: Vec<u32>,
}

/// Processor time, in microseconds.
pub(crate) struct Taken {
    server: u64,
    database: u64,
}

/// What one client has seen, or all together.
pub(crate) struct Record {
    rounds: Vec<Histogram<u32>>,
    faults: BTreeMap<String, u64>,
}

impl Record {
    pub(crate) fn new(schedule: &Schedule) -> Result<Self> {
        let rounds = (0..schedule.rounds).map(|_| Histogram::new_with_bounds(1, LONGEST, 3));
        Ok(Self { rounds: rounds.collect::<Result<_, _>>()?, faults: BTreeMap::new() })
    }

    /// Counts a request that was due at this moment.
    pub(crate) fn note(&mut self, schedule: &Schedule, due: Instant, asked: Asked) {
        if let Some(fault) = asked.fault {
            *self.faults.entry(fault).or_default() += 1;
        } else if let Some(round) = schedule.round(asked.answered).and_then(|round| self.rounds.get_mut(round)) {
            let latency = asked.answered.saturating_duration_since(due).as_micros();
            round.saturating_record(u64::try_from(latency).unwrap_or(LONGEST).clamp(1, LONGEST));
        }
    }

    pub(crate) fn add(&mut self, other: &Self) -> Result<()> {
        for (mine, theirs) in self.rounds.iter_mut().zip(&other.rounds) {
            mine.add(theirs)?;
        }
        for (fault, count) in &other.faults {
            *self.faults.entry(fault.clone()).or_default() += count;
        }
        Ok(())
    }
}

/// A line that is printed.
#[derive(Serialize)]
struct Line {
    scenario: String,
    connections: usize,
    rounds: Vec<Round>,
    /// How often what went wrong, from the beginning to the end.
    faults: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct Round {
    requests: u64,
    requests_per_second: f64,
    p50_us: u64,
    p99_us: u64,
    p999_us: u64,
    max_us: u64,
    /// For each request, as the database's.
    server_cpu_us: f64,
    database_cpu_us: f64,
}

/// Prints a line of JSON.
pub(crate) fn print(
    scenario: String,
    connections: usize,
    schedule: &Schedule,
    record: Record,
    taken: &[Taken],
) -> Result<()> {
    let rounds = record.rounds.iter().zip(taken.windows(2)).map(|(latencies, taken)| {
        let requests = latencies.len();
        let each = |read: fn(&Taken) -> u64| {
            let spent = taken.last().map_or(0, read).saturating_sub(taken.first().map_or(0, read));
            Duration::from_micros(spent).as_secs_f64() * 1e6 / whole(requests.max(1))
        };
        Round {
            requests,
            requests_per_second: whole(requests) / schedule.length.as_secs_f64(),
            p50_us: latencies.value_at_quantile(0.5),
            p99_us: latencies.value_at_quantile(0.99),
            p999_us: latencies.value_at_quantile(0.999),
            max_us: latencies.max(),
            server_cpu_us: each(|taken| taken.server),
            database_cpu_us: each(|taken| taken.database),
        }
    });
    let line = Line { scenario, connections, rounds: rounds.collect(), faults: record.faults };
    println!("{}", serde_json::to_string(&line)?);
    Ok(())
}

/// A count as a number to divide; none here comes near 2^32.
fn whole(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_counts_in_the_round_of_its_answer_with_the_time_since_it_was_due() {
        let schedule = Rounds { warm_up: 1.0, seconds: 2.0, rounds: 2 }.begin();
        let mut record = Record::new(&schedule).unwrap();
        let moment = |seconds| schedule.first + Duration::from_secs_f64(seconds) - Duration::from_secs(1);
        for (due, answered) in [(0.1, 0.9), (0.5, 1.5), (1.9, 2.9), (3.0, 3.5), (4.9, 5.1)] {
            record.note(&schedule, moment(due), Asked { answered: moment(answered), fault: None });
        }
        let asked = Asked { answered: moment(0.1), fault: Some("500".to_owned()) };
        record.note(&schedule, moment(0.0), asked);
        let counts: Vec<u64> = record.rounds.iter().map(Histogram::len).collect();
        assert_eq!(counts, [2, 1]);
        assert_eq!(record.rounds[1].max() / 1_000, 500);
        assert_eq!(record.faults["500"], 1);
    }
}

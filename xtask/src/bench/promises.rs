//! What Hallpass promises of its speed, each as a figure of one run or the ratio of two, and whether it holds.
//!
//! A promise of which a figure is missing, as the product was not measured, is neither kept nor broken.

use std::fmt;

use super::figures::{Figures, total};

const RATE: &str = "requests_per_second";

/// Where a figure is: server, scenario, measure.
type Place = (&'static str, &'static str, &'static str);

struct Promise {
    what: &'static str,
    of: Place,
    /// What it is divided by.
    by: Option<Place>,
    bound: Bound,
}

#[derive(Clone, Copy)]
pub(super) enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

/// A promise that was looked at.
pub(super) struct Verdict {
    pub(super) what: &'static str,
    pub(super) value: f64,
    pub(super) bound: Bound,
}

impl Verdict {
    pub(super) fn is_kept(&self) -> bool {
        match self.bound {
            Bound::AtLeast(bound) => self.value >= bound,
            Bound::AtMost(bound) => self.value <= bound,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(bound) => write!(to, "at least {bound}"),
            Self::AtMost(bound) => write!(to, "at most {bound}"),
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = if self.is_kept() { "kept" } else { "broken" };
        write!(to, "{}: {:.2}, {} ({kept})", self.what, self.value, self.bound)
    }
}

/// Each promise of which the figures are there, and that nothing failed.
pub(super) fn verdicts(figures: &Figures) -> Vec<Verdict> {
    let get = |(server, scenario, measure): Place| figures.get(server, scenario, measure);
    let mut verdicts: Vec<Verdict> = promises()
        .into_iter()
        .filter_map(|promise| {
            let by = promise.by.map_or(Some(1.0), get)?;
            Some(Verdict { what: promise.what, value: get(promise.of)? / by, bound: promise.bound })
        })
        .collect();
    let scenarios = figures.servers().flat_map(|(_, scenarios)| scenarios);
    // Who waits in a storm of sign-ins may be sent away; nobody else is.
    let faults = scenarios.filter(|(scenario, _)| *scenario != "storm-sign-in");
    let faults = total(faults.filter_map(|(_, measures)| measures.get("faults").copied()));
    verdicts.push(Verdict { what: "requests that failed", value: faults, bound: Bound::AtMost(0.0) });
    verdicts
}

fn promises() -> Vec<Promise> {
    use Bound::{AtLeast, AtMost};
    let alone = |what, of, bound| Promise { what, of, by: None, bound };
    let ratio = |what, of, by, bound| Promise { what, of, by: Some(by), bound };
    let rates = |what, (server, scenario), (other, others), bound| {
        ratio(what, (server, scenario, RATE), (other, others, RATE), bound)
    };
    let (sqlite, postgres) = ("hallpass-sqlite", "hallpass-postgres");
    vec![
        rates("checked requests, of the bare framework's", (sqlite, "checked"), ("limit", "checked"), AtLeast(0.85)),
        ratio(
            "their processor time, of the bare framework's",
            (sqlite, "checked", "server_cpu_us"),
            ("limit", "checked", "server_cpu_us"),
            AtMost(1.5),
        ),
        rates("checked, of Django's on SQLite", (sqlite, "checked"), ("django-sqlite", "checked"), AtLeast(45.0)),
        rates(
            "checked, of Django's on PostgreSQL",
            (postgres, "checked"),
            ("django-postgres", "checked"),
            AtLeast(45.0),
        ),
        rates("checked, of PocketBase's", (sqlite, "checked"), ("pocketbase", "checked"), AtLeast(10.0)),
        rates("checked, of Better Auth's", (postgres, "checked"), ("better-auth", "checked"), AtLeast(100.0)),
        rates("`me`, of Django's on SQLite", (sqlite, "me"), ("django-sqlite", "me"), AtLeast(15.0)),
        rates("`me`, of Django's on PostgreSQL", (postgres, "me"), ("django-postgres", "me"), AtLeast(15.0)),
        rates("`me`, of PocketBase's", (sqlite, "me"), ("pocketbase", "me"), AtLeast(4.0)),
        rates("refreshes, of Django's on SQLite", (sqlite, "refresh"), ("django-sqlite", "refresh"), AtLeast(50.0)),
        rates(
            "refreshes, of Django's on PostgreSQL",
            (postgres, "refresh"),
            ("django-postgres", "refresh"),
            AtLeast(50.0),
        ),
        rates("refreshes, of PocketBase's", (sqlite, "refresh"), ("pocketbase", "refresh"), AtLeast(3.0)),
        rates("sign-ins on SQLite, of bare hashes", (sqlite, "sign-in"), ("argon2", "sign-in"), AtLeast(0.9)),
        rates("sign-ins on PostgreSQL, of bare hashes", (postgres, "sign-in"), ("argon2", "sign-in"), AtLeast(0.9)),
        ratio(
            "p99 while 200 wait to sign in, of the quiet one's",
            (sqlite, "storm", "p99_us"),
            (sqlite, "quiet", "p99_us"),
            AtMost(3.0),
        ),
        alone("milliseconds to start", (sqlite, "start", "milliseconds"), AtMost(100.0)),
        alone("MiB in memory, idle", (sqlite, "idle", "resident_mib"), AtMost(30.0)),
        alone("MiB with 10,000 sessions and 1,000 connections", (sqlite, "connections", "resident_mib"), AtMost(80.0)),
        alone("MiB of the program", ("hallpass", "binary", "mib"), AtMost(40.0)),
        rates(
            "checked with 1,000,000 accounts, of 1,000",
            (sqlite, "1000000-accounts checked"),
            (sqlite, "1000-accounts checked"),
            AtLeast(0.9),
        ),
        rates(
            "refreshes with 1,000,000 accounts, of 1,000",
            (sqlite, "1000000-accounts refresh"),
            (sqlite, "1000-accounts refresh"),
            AtLeast(0.75),
        ),
        rates(
            "sign-ins with 1,000,000 accounts, of 1,000",
            (sqlite, "1000000-accounts sign-in"),
            (sqlite, "1000-accounts sign-in"),
            AtLeast(0.95),
        ),
        rates(
            "checked with 1,000,000 revocations, of none",
            (sqlite, "1000000-revocations checked"),
            (sqlite, "1000000-accounts checked"),
            AtLeast(0.9),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_is_kept_broken_or_not_looked_at() {
        let mut figures = Figures::default();
        figures.set("hallpass-sqlite", "checked", RATE, 900.0);
        figures.set("limit", "checked", RATE, 1_000.0);
        figures.set("hallpass-sqlite", "start", "milliseconds", 101.0);
        figures.set("hallpass-sqlite", "storm-sign-in", "faults", 7.0);
        let verdicts = verdicts(&figures);
        let kept: Vec<bool> = verdicts.iter().map(Verdict::is_kept).collect();
        assert_eq!(kept, [true, false, true], "{}", verdicts.iter().map(|it| format!("{it}\n")).collect::<String>());
    }

    #[test]
    fn whatever_fails_breaks_a_promise() {
        let mut figures = Figures::default();
        figures.set("hallpass-sqlite", "storm", "faults", 1.0);
        assert!(!verdicts(&figures)[0].is_kept());
    }
}

//! `hallpass audit`: what happened to accounts and keys.
//!
//! Only reads; nothing can change what was recorded, but that it is forgotten after 180 days.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, builder::PossibleValuesParser};
use hallpass_core::{
    accounts,
    audit::{self, Entry, Event, Filter},
};
use jiff::{Span, SpanRelativeTo, Timestamp, civil::Date, tz::TimeZone};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    Output, print, print_json,
    table::{lined_up, moment},
    with_hallpass,
};
use crate::settings::{Settings, master_key::Absent};

/// Show what happened to accounts and keys, newest first
///
/// Sign-ins, also those that failed, changes of accounts, ends of sessions, changes of keys: who, whose, from where,
/// and why. It goes back 180 days.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass audit --account ada --since 7d
  hallpass audit --event sign_in_failed --since 2026-01-31 --json")]
pub(crate) struct Audit {
    /// Only what happened to this account: an id, a user name or an e-mail address
    #[arg(long, value_name = "WHO")]
    account: Option<String>,
    /// Only what is of this kind
    #[arg(long, value_name = "NAME", value_parser = PossibleValuesParser::new(Event::ALL.iter().map(|event| event.as_str())))]
    event: Option<String>,
    /// Only what happened since then: `90m`, `12h`, `7d` ago, or `2026-01-31`, or `2026-01-31T08:00:00Z`
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Since>,
    /// Only what happened before the event with this id
    #[arg(long, value_name = "ID")]
    before: Option<Uuid>,
    /// At most this many, up to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    output: Output,
}

/// A moment, as the command line names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Since {
    /// So many seconds ago.
    Ago(i64),
    /// Seconds since 1970 (UTC).
    At(i64),
}

fn since(text: &str) -> Result<Since, String> {
    let moment = text.parse::<Timestamp>().or_else(|_| {
        text.parse::<Date>().and_then(|day| day.to_zoned(TimeZone::UTC)).map(|midnight| midnight.timestamp())
    });
    if let Ok(moment) = moment {
        return Ok(Since::At(moment.as_second()));
    }
    let span = text.parse::<Span>().and_then(|span| span.to_duration(SpanRelativeTo::days_are_24_hours()));
    match span {
        Ok(span) if span.is_positive() => Ok(Since::Ago(span.as_secs())),
        _ => Err("give a time like `90m`, `12h`, `7d`, `2026-01-31` or `2026-01-31T08:00:00Z`".into()),
    }
}

impl Audit {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        let entries = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, ctx| {
            let account = match &self.account {
                Some(who) => Some(accounts::find(hallpass, who).await?.id),
                None => None,
            };
            let filter = Filter {
                account,
                event: self.event.as_deref().and_then(Event::parse),
                since: self.since.map(|since| match since {
                    Since::Ago(seconds) => ctx.now.saturating_sub(seconds),
                    Since::At(moment) => moment,
                }),
                until: None,
                before: self.before,
                limit: self.limit,
            };
            Ok(audit::list(hallpass, filter).await?)
        })?;
        if self.output.json {
            return print_json(&Value::Array(entries.iter().map(as_json).collect()));
        }
        let row = |entry: &Entry| {
            [
                moment(entry.at),
                entry.event.clone(),
                entry.account.map(|id| id.to_string()).unwrap_or_default(),
                entry.actor.clone(),
                entry.ip.clone().unwrap_or_default(),
                entry.cause.clone().unwrap_or_default(),
            ]
        };
        let titles = ["TIME", "EVENT", "ACCOUNT", "BY", "ADDRESS", "CAUSE"];
        print(&lined_up(titles, entries.iter().map(row).collect()))?;
        if let Some(last) = entries.last().filter(|_| entries.len() == self.limit as usize) {
            eprintln!("there may be more: `--before {}`", last.id);
        }
        Ok(())
    }
}

/// Times are seconds since 1970 (UTC), as everywhere in the interface.
fn as_json(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "at": entry.at,
        "event": entry.event,
        "account": entry.account,
        "session": entry.session,
        "ip": entry.ip,
        "user_agent": entry.user_agent,
        "request_id": entry.request_id,
        "actor": entry.actor,
        "cause": entry.cause,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_can_be_named_by_its_distance_its_day_or_its_time() {
        for (text, expected) in [
            ("90m", Since::Ago(5400)),
            ("12h", Since::Ago(43_200)),
            ("7d", Since::Ago(604_800)),
            ("2w 1d", Since::Ago(1_296_000)),
            ("2026-01-31", Since::At(1_769_817_600)),
            ("2026-01-31T08:00:00Z", Since::At(1_769_846_400)),
            ("2026-01-31T08:00:00+02:00", Since::At(1_769_839_200)),
        ] {
            assert_eq!(since(text), Ok(expected), "{text}");
        }
        for text in ["", "7", "yesterday", "-7d", "0s", "7d ago", "1 month", "2026-13-01", "12:00"] {
            assert!(since(text).is_err(), "{text}");
        }
    }
}

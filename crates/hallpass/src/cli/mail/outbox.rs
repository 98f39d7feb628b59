//! `hallpass mail queue` and `hallpass mail retry`: the mails that have not gone out.
//!
//! Shows neither whom they are for nor what they say: that is sealed.

use std::ffi::OsString;

use anyhow::Result;
use hallpass_core::mail::{self, Waiting};
use serde_json::{Value, json};

use crate::{
    cli::{
        Output, print, print_json,
        table::{lined_up, moment},
        with_hallpass,
    },
    settings::{Settings, master_key::Absent},
};

/// The most that `queue` shows.
const SHOWN: u32 = 1000;

pub(super) fn queue(settings: &Settings, environment: &[(OsString, OsString)], output: Output) -> Result<()> {
    let all = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, _ctx| {
        Ok(mail::waiting(hallpass, SHOWN).await?)
    })?;
    if output.json {
        return print_json(&Value::Array(all.iter().map(as_json).collect()));
    }
    if all.is_empty() {
        eprintln!("every mail has gone out");
        return Ok(());
    }
    let row = |mail: &Waiting| {
        [
            mail.kind.clone(),
            moment(mail.created_at),
            mail.attempts.to_string(),
            mail.due_at.map_or_else(|| "given up".into(), moment),
            mail.last_error.clone().unwrap_or_default(),
        ]
    };
    print(&lined_up(["KIND", "ORDERED", "ATTEMPTS", "NEXT ATTEMPT", "LAST ERROR"], all.iter().map(row).collect()))?;
    if all.len() == SHOWN as usize {
        eprintln!("there may be more than these {SHOWN}");
    }
    if all.iter().any(|mail| mail.due_at.is_none()) {
        eprintln!("`hallpass mail retry` has the server try again what was given up");
    }
    Ok(())
}

/// Times are seconds since 1970 (UTC), as everywhere in the interface.
fn as_json(mail: &Waiting) -> Value {
    json!({
        "kind": mail.kind,
        "created_at": mail.created_at,
        "attempts": mail.attempts,
        "due_at": mail.due_at,
        "last_error": mail.last_error,
    })
}

pub(super) fn retry(settings: &Settings, environment: &[(OsString, OsString)], output: Output) -> Result<()> {
    let count = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, ctx| {
        Ok(mail::retry(hallpass, ctx).await?)
    })?;
    if output.json {
        return print_json(&json!({ "due": count }));
    }
    match count {
        0 => eprintln!("no mail was given up"),
        count => eprintln!("{count} mail(s) are due again: the running server sends them in the next seconds"),
    }
    Ok(())
}

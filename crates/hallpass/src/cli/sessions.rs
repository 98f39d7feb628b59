//! `hallpass sessions`: the sessions of all accounts at once.
//!
//! Shows none of them: what one account's owner sees of them is nothing for a list of everybody's.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, Subcommand};
use hallpass_axum::Clock;
use hallpass_core::{Ctx, sessions};
use serde_json::json;

use super::{Output, print_json, prompt, with_hallpass};
use crate::settings::{Settings, master_key::Absent};

#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// End every session of every account: everybody signs in again
    ///
    /// For a database that was restored from a backup, where sessions that ended since then live again, and for secrets
    /// that may be in the wrong hands. Running servers know of it within a second or two. It can be interrupted and run
    /// again: what was ended stays so.
    #[command(after_long_help = "Examples:
  hallpass sessions end-all
  hallpass sessions end-all --yes --json")]
    EndAll(EndAll),
}

#[derive(Debug, Args)]
pub(crate) struct EndAll {
    /// Do not ask whether you are sure
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    output: Output,
}

impl Sessions {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        let Self::EndAll(EndAll { yes, output }) = self;
        if !prompt::confirm("Sign everybody out, on every device?", *yes)? {
            eprintln!("nothing was changed");
            return Ok(());
        }
        let count = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, _ctx| {
            let clock = Clock::system();
            let mut count = 0;
            loop {
                // Each part at its own time: until then its sessions can have got new tokens.
                let ended = sessions::end_some(hallpass, &Ctx::operator(clock.now())).await?;
                count += ended.count;
                if !ended.more {
                    return Ok(count);
                }
            }
        })?;
        if output.json {
            return print_json(&json!({ "ended": count }));
        }
        eprintln!("ended {count} sessions");
        Ok(())
    }
}

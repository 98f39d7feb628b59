//! `hallpass migrate`: brings the schema of the database up to date.
//!
//! Never needs the master key, and never changes anything with `--dry-run`.

use anyhow::Result;
use clap::Args;
use serde_json::json;

use super::{Output, print, print_json, runtime};
use crate::{settings::Settings, settings::master_key::Absent, store};

/// Bring the database schema up to date
///
/// With SQLite, and with `--dev`, the server does this by itself when it starts. With PostgreSQL run it once before the
/// servers of a new version start; it is safe to run again, and from several machines at once.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass migrate --dry-run
  HALLPASS_DATABASE=postgres://… hallpass migrate")]
pub(crate) struct Migrate {
    /// Only name the migrations that would be applied
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
}

impl Migrate {
    pub(crate) fn run(&self, settings: &Settings) -> Result<()> {
        let names = runtime()?.block_on(async {
            // Looking must not make a database where there is none.
            let absent = if self.dry_run { Absent::Refuse } else { Absent::Make };
            let db = store::database(settings, absent).await?;
            let names = if self.dry_run { db.pending().await } else { db.migrate().await };
            db.close().await;
            anyhow::Ok(names?)
        })?;
        if self.output.json {
            return print_json(&json!(names));
        }
        for name in &names {
            print(name)?;
        }
        match (names.len(), self.dry_run) {
            (0, _) => eprintln!("the schema of `{}` is up to date", settings.database_shown()),
            (count, true) => eprintln!("{count} migration(s) would be applied to `{}`", settings.database_shown()),
            (count, false) => eprintln!("{count} migration(s) applied to `{}`", settings.database_shown()),
        }
        Ok(())
    }
}

//! `hallpass import`: copying accounts from somewhere else.

use anyhow::Result;
use clap::{Args, Subcommand};
use hallpass_core::{
    Db,
    import::{self, Progress},
};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::{Output, print, print_json, runtime};
use crate::{settings::Settings, settings::master_key::Absent, store};

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    Django(Django),
}

/// Copy the users of a Django project, with their passwords, groups and addresses
///
/// Reads the project's database and writes into ours. Ids stay as they are where they are whole numbers. Who is there
/// already is left as is, so a copy that was interrupted goes on when it is started again.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass import django --from sqlite:db.sqlite3
  hallpass import django --from postgres://… --user-table accounts_user")]
pub(crate) struct Django {
    /// The project's database: `sqlite:PATH` or `postgres://…`
    #[arg(long, value_name = "URL", env = "HALLPASS_IMPORT_FROM", hide_env_values = true)]
    from: String,
    /// The table of the project's user model
    #[arg(long, value_name = "TABLE", default_value = "auth_user")]
    user_table: String,
    #[command(flatten)]
    output: Output,
}

impl Import {
    pub(crate) fn run(&self, settings: &Settings) -> Result<()> {
        match self {
            Self::Django(django) => django.run(settings),
        }
    }
}

impl Django {
    fn run(&self, settings: &Settings) -> Result<()> {
        let bar = ProgressBar::no_length();
        // It is drawn on stderr, and only for somebody who looks.
        bar.set_style(ProgressStyle::with_template("{wide_bar} {pos}/{len} users, {eta} left")?);
        let tell = |progress: &Progress| {
            bar.set_length(progress.all);
            bar.set_position(progress.done());
        };
        let done = runtime()?.block_on(async {
            let source = Db::open_to_look(&self.from).await?;
            let (target, _) = store::migrated(settings, Absent::Make).await?;
            let done = import::django(&target, &source, &self.user_table, tell).await;
            source.close().await;
            target.close().await;
            anyhow::Ok(done?)
        });
        bar.finish_and_clear();
        let Progress { all, copied, there, remarks } = done?;
        if self.output.json {
            return print_json(&json!({ "all": all, "copied": copied, "there": there, "remarks": remarks }));
        }
        remarks.iter().try_for_each(|remark| print(remark))?;
        eprintln!("{copied} users copied, {there} were there already");
        Ok(())
    }
}

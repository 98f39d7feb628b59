//! `hallpass adopt-django` and `hallpass unadopt-django`: taking over a Django project's database in place, and giving it
//! back.
//!
//! What is printed on stdout is SQL; without `--apply` nothing is done and nothing is written.

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use clap::Args;
use hallpass_core::{
    Db,
    adopt::{self, Plan, Wishes},
};

use super::{WrongUse, print, runtime};
use crate::{settings::Settings, settings::master_key::Absent, store};

/// Make the users of a Django project's database our accounts, where they are
///
/// `accounts` becomes a view over the user table; our other tables lie beside Django's, which stay as they are. Without
/// `--apply` it looks at the database, says what would be done, and does nothing. A second time it makes the view anew,
/// as after a change of the user model.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass adopt-django --database sqlite:db.sqlite3
      what would be done, as SQL
  HALLPASS_DATABASE=postgres://… hallpass adopt-django --apply
  hallpass adopt-django --user-table accounts_user --default phone= --apply
      a user model of the project's own, which has a field that every user needs")]
pub(crate) struct AdoptDjango {
    /// The table of the project's user model
    #[arg(long, value_name = "TABLE", default_value = "auth_user")]
    user_table: String,
    /// What a new user gets in a column that Django fills and we know nothing of; can be given several times
    #[arg(long = "default", value_name = "COLUMN=VALUE")]
    defaults: Vec<String>,
    /// Do it
    #[arg(long)]
    apply: bool,
}

/// Leave nothing of ours in a Django project's database
///
/// The users stay as they are now, with those who signed up meanwhile: Django goes on alone. Without `--apply` it says
/// what would be done, and does nothing.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass unadopt-django --database sqlite:db.sqlite3
  HALLPASS_DATABASE=postgres://… hallpass unadopt-django --apply")]
pub(crate) struct UnadoptDjango {
    /// Do it
    #[arg(long)]
    apply: bool,
}

impl AdoptDjango {
    pub(crate) fn run(&self, settings: &Settings) -> Result<()> {
        let wishes = Wishes { user_table: self.user_table.clone(), defaults: self.defaults()? };
        let done = carry_out(settings, self.apply, async |db| Ok(adopt::plan(db, &wishes).await?))?;
        eprintln!("{done}: the users of `{}` in `{}` as accounts", self.user_table, settings.database_shown());
        Ok(())
    }

    fn defaults(&self) -> Result<BTreeMap<String, String>> {
        let one = |given: &String| {
            let (column, value) = given
                .split_once('=')
                .ok_or_else(|| WrongUse(format!("`--default {given}`: write it as `--default COLUMN=VALUE`")))?;
            Ok((column.to_owned(), value.to_owned()))
        };
        self.defaults.iter().map(one).collect()
    }
}

impl UnadoptDjango {
    pub(crate) fn run(&self, settings: &Settings) -> Result<()> {
        let done = carry_out(settings, self.apply, async |db| Ok(adopt::plan_to_undo(db).await?))?;
        eprintln!("{done}: leaving `{}` to Django", settings.database_shown());
        Ok(())
    }
}

/// Plans, prints the plan, and does it if that was asked for.
fn carry_out(settings: &Settings, apply: bool, plan: impl AsyncFn(&Db) -> Result<Plan>) -> Result<&'static str> {
    runtime()?.block_on(async {
        if settings.database_file().is_some_and(|file| !file.exists()) {
            return Err(anyhow!("there is no database at `{}`", settings.database_shown()));
        }
        let db = Db::open_to_look(&settings.database()).await?;
        let planned = plan(&db).await;
        db.close().await;
        let planned = planned?;
        show(&planned)?;
        if !apply {
            return Ok("nothing was done; `--apply` does it");
        }
        let db = store::database(settings, Absent::Refuse).await?;
        let applied = adopt::apply(&db, &planned).await;
        db.close().await;
        applied?;
        Ok("done")
    })
}

fn show(plan: &Plan) -> Result<()> {
    for remark in &plan.remarks {
        print(&format!("-- {remark}."))?;
    }
    if !plan.migrations.is_empty() {
        print("\n-- Our own tables:\n")?;
    }
    for migration in &plan.migrations {
        print(&format!("{migration}\n"))?;
    }
    print("-- All or nothing:\n")?;
    plan.statements.iter().try_for_each(|statement| print(&format!("{statement};\n")))
}

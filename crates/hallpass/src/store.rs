//! Opening what commands work on: the database, its schema, the master key.
//!
//! Never sets up anything in a place that the operator did not mean: commands that only look refuse where there is
//! nothing.

use std::{ffi::OsString, fs, path::PathBuf};

use anyhow::{Result, anyhow};
use hallpass_core::{Code, Config, Db, Error, Hallpass};

use crate::settings::{
    Settings,
    master_key::{self, Absent},
};

/// An open Hallpass, and what had to be done to open it.
pub(crate) struct Opened {
    pub(crate) hallpass: Hallpass,
    /// The migrations that were applied.
    pub(crate) migrated: Vec<String>,
    /// The master key file, if it was made.
    pub(crate) key_made: Option<PathBuf>,
}

/// Opens everything; `absent` says whether what is not there may be made.
pub(crate) async fn open(
    settings: &Settings,
    environment: &[(OsString, OsString)],
    config: Config,
    absent: Absent,
    now: i64,
) -> Result<Opened> {
    if absent == Absent::Refuse {
        refuse_if_missing(settings)?;
    }
    let (key, key_made) = match master_key::from_environment(settings, environment)? {
        Some(key) => (key, None),
        None => master_key::from_file(settings, absent)?,
    };
    // A key that was made a moment ago and that the database does not know must not stay behind to be taken for its
    // own.
    let forget_key = || key_made.as_ref().map(fs::remove_file);
    let (db, migrated) = match migrated(settings, absent).await {
        Ok(done) => done,
        Err(error) => {
            forget_key();
            return Err(error);
        }
    };
    match Hallpass::open(db, &key, config, now).await {
        Ok(hallpass) => Ok(Opened { hallpass, migrated, key_made }),
        Err(error) => {
            if error.code == Code::InvalidRequest {
                forget_key();
            }
            Err(error.into())
        }
    }
}

/// Opens the database alone, as it is.
pub(crate) async fn database(settings: &Settings, absent: Absent) -> Result<Db> {
    match absent {
        Absent::Refuse => refuse_if_missing(settings)?,
        Absent::Make if settings.database.is_empty() => master_key::make_private_folder(&settings.data_dir)?,
        Absent::Make => {}
    }
    Ok(Db::open(&settings.database()).await?)
}

/// The database with its schema up to date.
///
/// A file of SQLite has one server, which can bring it up to date by itself. A PostgreSQL server can have many, of
/// which the older ones may still run: there the operator says when.
pub(crate) async fn migrated(settings: &Settings, absent: Absent) -> Result<(Db, Vec<String>)> {
    let db = database(settings, absent).await?;
    if matches!(db, Db::Sqlite { .. }) || settings.dev {
        let migrated = db.migrate().await?;
        return Ok((db, migrated));
    }
    match db.pending().await?.len() {
        0 => Ok((db, Vec::new())),
        count => {
            Err(anyhow!("the database schema is {count} migration(s) behind: run `hallpass migrate`, then try again"))
        }
    }
}

fn refuse_if_missing(settings: &Settings) -> Result<()> {
    match settings.database_file() {
        Some(file) if !file.exists() => {
            let detail = format!(
                "There is no database at `{}`: give its place with `--database` or `--data-dir`, or make one with \
                 `hallpass serve`, `hallpass migrate` or `hallpass createsuperuser`",
                file.display()
            );
            Err(Error::new(Code::Unavailable, detail).into())
        }
        _ => Ok(()),
    }
}

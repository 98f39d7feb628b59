//! `hallpass config`: what the settings are once every source is read, and whether a server would start with them.
//!
//! Never shows a password, and never opens the database.

use std::ffi::OsString;

use anyhow::Result;
use clap::Subcommand;

use super::{Output, print, print_json};
use crate::settings::Settings;

#[derive(Debug, Subcommand)]
pub(crate) enum Config {
    /// Print every setting with the value that it has now, as a settings file
    ///
    /// The output can be kept as `hallpass.toml`. A password in `database`, the one in
    /// `mail.smtp_password` and the whole of `revocation.redis` are replaced by `***`.
    Show(Output),
    /// Say whether a server would start with these settings, and if not, everything that is wrong
    Check,
}

impl Config {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        match self {
            Self::Show(output) => {
                let mut shown = settings.clone();
                if !shown.database.is_empty() {
                    shown.database = settings.database_shown();
                }
                if output.json {
                    print_json(&serde_json::to_value(&shown)?)
                } else {
                    print(toml::to_string(&shown)?.trim_end())
                }
            }
            Self::Check => {
                settings.check(environment)?;
                eprintln!("the settings are fine");
                Ok(())
            }
        }
    }
}

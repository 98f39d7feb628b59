//! `hallpass keys`: the keys that sign access tokens.
//!
//! Never shows a private half; running servers see every change within seconds.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, Subcommand};
use hallpass_core::keys::{self, KeyInfo};
use serde_json::{Value, json};

use super::{
    Output, print, print_json,
    table::{lined_up, moment},
    with_hallpass,
};
use crate::settings::{Settings, master_key::Absent};

#[derive(Debug, Subcommand)]
pub(crate) enum Keys {
    /// List the keys and what each is for
    List(Output),
    /// Let the next key sign from now on, and publish a new next one
    ///
    /// Tokens of the key before stay good until they expire. Verifiers have known the next key for a while, so nobody
    /// is signed out. This happens by itself every `tokens.key_rotation_days`.
    Rotate(Output),
    /// Drop a key at once: everything that it signed is refused
    ///
    /// For a key that may be in the wrong hands. Sessions go on: clients refresh and get a token under another key.
    /// Other back ends that keep the key set in a cache accept the key until they fetch it again (15 minutes at most).
    Revoke(Revoke),
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The key's id, as `hallpass keys list` shows it
    kid: String,
    #[command(flatten)]
    output: Output,
}

impl Keys {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        let output = match self {
            Self::List(output) | Self::Rotate(output) => output,
            Self::Revoke(revoke) => &revoke.output,
        };
        let all = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, ctx| {
            match self {
                Self::List(_) => {}
                Self::Rotate(_) => {
                    keys::rotate(hallpass, ctx).await?;
                }
                Self::Revoke(revoke) => {
                    keys::revoke(hallpass, ctx, &revoke.kid).await?;
                }
            }
            Ok(keys::list(hallpass).await?)
        })?;
        if output.json {
            return print_json(&Value::Array(all.iter().map(as_json).collect()));
        }
        let row = |key: &KeyInfo| {
            [key.kid.clone(), key.algorithm.to_string(), key.state.as_str().to_owned(), moment(key.created_at)]
        };
        print(&lined_up(["KID", "ALGORITHM", "STATE", "CREATED"], all.iter().map(row).collect()))
    }
}

fn as_json(key: &KeyInfo) -> Value {
    json!({
        "kid": key.kid,
        "algorithm": key.algorithm.to_string(),
        "state": key.state.as_str(),
        "created_at": key.created_at,
        "current_since": key.current_since,
        "retired_at": key.retired_at,
    })
}

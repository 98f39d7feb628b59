//! `hallpass clients`: the programs that may follow what was taken back, and ask about tokens.
//!
//! Shows a secret once, when it is made; nothing that is kept brings it back.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, Subcommand};
use hallpass_core::clients::{self, Client};
use serde_json::{Value, json};

use super::{
    Output, print, print_json,
    table::{lined_up, moment},
    with_hallpass,
};
use crate::settings::{Settings, master_key::Absent};

#[derive(Debug, Subcommand)]
pub(crate) enum Clients {
    /// Make a client, and show its id and its secret: the secret never again
    ///
    /// A back end that checks access tokens follows `GET /api/v1/revocations` with them, or asks `POST
    /// /api/v1/introspect`. One client for each back end, so that each can be removed by itself.
    Create(Create),
    /// List the clients
    List(Output),
    /// Remove a client: it is told nothing from now on, and what it has open ends within a minute
    Remove(Remove),
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What you call it
    name: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The client's id, as `hallpass clients list` shows it
    id: String,
    #[command(flatten)]
    output: Output,
}

impl Clients {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        match self {
            Self::Create(create) => create.run(settings, environment),
            Self::List(output) => {
                let work = async |hallpass: &_, _: &_| Ok(clients::list(hallpass).await?);
                show(&with_hallpass(settings, environment, Absent::Refuse, work)?, *output)
            }
            Self::Remove(remove) => {
                let left = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, ctx| {
                    clients::remove(hallpass, ctx, &remove.id).await?;
                    Ok(clients::list(hallpass).await?)
                })?;
                show(&left, remove.output)
            }
        }
    }
}

impl Create {
    fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        let made = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, ctx| {
            Ok(clients::create(hallpass, ctx, &self.name).await?)
        })?;
        if self.output.json {
            let Client { id, name, created_at } = &made.client;
            return print_json(&json!({ "id": id, "name": name, "created_at": created_at, "secret": made.secret }));
        }
        print(&format!("id      {}\nsecret  {}", made.client.id, made.secret))?;
        eprintln!("keep the secret now: it is not stored, and nobody sees it a second time");
        Ok(())
    }
}

fn show(all: &[Client], output: Output) -> Result<()> {
    if output.json {
        return print_json(&Value::Array(all.iter().map(as_json).collect()));
    }
    let row = |client: &Client| [client.id.clone(), client.name.clone(), moment(client.created_at)];
    print(&lined_up(["ID", "NAME", "CREATED"], all.iter().map(row).collect()))
}

fn as_json(client: &Client) -> Value {
    json!({ "id": client.id, "name": client.name, "created_at": client.created_at })
}

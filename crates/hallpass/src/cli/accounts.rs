//! `hallpass accounts` and `hallpass createsuperuser`: the operator's side of accounts.
//!
//! Holds no rule: what is allowed, what ends sessions and what makes tokens stale is decided in the core.

use std::ffi::OsString;

use anyhow::Result;
use clap::{Args, Subcommand};
use hallpass_core::{
    AccountId, Ctx, Hallpass,
    accounts::{self, Account, Page, Standing},
};
use serde_json::{Value, json};

use super::{
    Output,
    new_account::NewAccountArgs,
    print, print_json, prompt,
    table::{lined_up, moment},
    with_hallpass,
};
use crate::{
    settings::{Settings, master_key::Absent},
    text::plain,
};

/// Create an account that may do everything
///
/// Asks for what is not given. There is no account and no password by default, so this is how the first one comes to
/// be.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:
  hallpass createsuperuser
  hallpass createsuperuser --username ada --password-stdin < password.txt")]
pub(crate) struct CreateSuperuser {
    /// The user name
    #[arg(long, value_name = "NAME")]
    username: Option<String>,
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    email: Option<String>,
    /// Ask nothing; read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Accounts {
    /// List accounts, in the order of their ids
    List(List),
    #[command(flatten)]
    One(One),
}

/// What is done with one account.
#[derive(Debug, Subcommand)]
pub(crate) enum One {
    /// Show one account
    Show(Who),
    /// Create an account
    #[command(after_long_help = "Examples:
  hallpass accounts create
  hallpass accounts create --username ada --role editor --password-stdin < password.txt")]
    Create(Create),
    /// Sign a person out everywhere and let them in no more
    Deactivate(Who),
    /// Let a deactivated person sign in again
    Activate(Who),
    /// Set a new password and sign the person out everywhere
    SetPassword(SetPassword),
    /// Give an account a role; its tokens say so after their next refresh, seconds later
    #[command(alias = "grant")]
    GrantRole(Role),
    /// Take a role away; tokens that still state it are refused, and nobody is signed out
    RevokeRole(Role),
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Begin behind the account with this id
    #[arg(long, value_name = "ID")]
    after: Option<AccountId>,
    /// At most this many, up to 1000
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Who {
    /// An id, a user name or an e-mail address
    account: String,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    account: NewAccountArgs,
    /// Mark the account as one of the operator's own people
    #[arg(long)]
    staff: bool,
    /// Let the account do everything
    #[arg(long)]
    superuser: bool,
    /// Take the address for the owner's, without a mail that asks for it
    #[arg(long)]
    email_verified: bool,
    /// Give the account a role; can be repeated
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<String>,
    #[command(flatten)]
    output: Output,
}

#[derive(Debug, Args)]
pub(crate) struct SetPassword {
    #[command(flatten)]
    who: Who,
    /// Read the password from the first line of stdin
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Role {
    #[command(flatten)]
    who: Who,
    /// 1 to 64 letters, digits or `.` `_` `:` `-` `/`
    role: String,
}

impl CreateSuperuser {
    pub(crate) fn run(self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        let account = NewAccountArgs {
            username: self.username,
            email: self.email,
            password_stdin: self.password_stdin,
            ..NewAccountArgs::default()
        };
        // Whoever runs this knows whose address it is.
        let standing = Standing { is_staff: true, is_superuser: true, email_verified: true, ..Standing::default() };
        // Before anything is set up: a command that was wrong leaves nothing behind.
        let password = account.given_password()?;
        let account = with_hallpass(settings, environment, Absent::Make, async |hallpass, ctx| {
            account.create(hallpass, ctx, &standing, password).await
        })?;
        report(&account, Some("created"), self.output)
    }
}

impl Accounts {
    pub(crate) fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        match self {
            Self::List(list) => list.run(settings, environment),
            Self::One(one) => {
                let work = async |hallpass: &Hallpass, ctx: &Ctx| one.work(hallpass, ctx).await;
                let (account, done) = with_hallpass(settings, environment, Absent::Refuse, work)?;
                report(&account, done.as_deref(), one.output())
            }
        }
    }
}

impl One {
    /// Does what the command says; returns the account as it is then and, for a change, what was done in words.
    async fn work(&self, hallpass: &Hallpass, ctx: &Ctx) -> Result<(Account, Option<String>)> {
        let id = async |who: &Who| accounts::find(hallpass, &who.account).await.map(|account| account.id);
        let (account, done) = match self {
            Self::Show(who) => return Ok((accounts::find(hallpass, &who.account).await?, None)),
            Self::Create(create) => {
                let standing = Standing {
                    is_staff: create.staff,
                    is_superuser: create.superuser,
                    roles: create.roles.clone(),
                    email_verified: create.email_verified,
                };
                (
                    create.account.clone().create(hallpass, ctx, &standing, create.account.given_password()?).await?,
                    "created".into(),
                )
            }
            Self::Deactivate(who) => (
                accounts::set_active(hallpass, ctx, id(who).await?, false).await?,
                "deactivated and signed out:".into(),
            ),
            Self::Activate(who) => {
                (accounts::set_active(hallpass, ctx, id(who).await?, true).await?, "activated".into())
            }
            Self::SetPassword(set) => {
                let id = id(&set.who).await?;
                accounts::set_password(hallpass, ctx, id, prompt::new_password(set.password_stdin)?).await?;
                (accounts::get(hallpass, id).await?, "set a new password and signed out:".into())
            }
            Self::GrantRole(Role { who, role }) => {
                (accounts::grant_role(hallpass, ctx, id(who).await?, role).await?, format!("granted `{role}` to"))
            }
            Self::RevokeRole(Role { who, role }) => {
                (accounts::revoke_role(hallpass, ctx, id(who).await?, role).await?, format!("revoked `{role}` from"))
            }
        };
        Ok((account, Some(done)))
    }

    fn output(&self) -> Output {
        match self {
            Self::Show(who) | Self::Deactivate(who) | Self::Activate(who) => who.output,
            Self::Create(create) => create.output,
            Self::SetPassword(SetPassword { who, .. })
            | Self::GrantRole(Role { who, .. })
            | Self::RevokeRole(Role { who, .. }) => who.output,
        }
    }
}

impl List {
    fn run(&self, settings: &Settings, environment: &[(OsString, OsString)]) -> Result<()> {
        let page = Page { after: self.after, limit: self.limit };
        let accounts = with_hallpass(settings, environment, Absent::Refuse, async |hallpass, _ctx| {
            Ok(accounts::list(hallpass, page).await?)
        })?;
        if self.output.json {
            return print_json(&Value::Array(accounts.iter().map(as_json).collect()));
        }
        let row = |account: &Account| {
            [
                account.id.to_string(),
                account.username.clone().unwrap_or_default(),
                account.email.clone().unwrap_or_default(),
                status(account).to_owned(),
                account.roles.join(","),
                account.last_login.map(moment).unwrap_or_default(),
            ]
        };
        let titles = ["ID", "USER NAME", "E-MAIL", "STATUS", "ROLES", "LAST SIGN-IN"];
        print(&lined_up(titles, accounts.iter().map(row).collect()))?;
        if let Some(last) = accounts.last().filter(|_| accounts.len() == self.limit as usize) {
            eprintln!("there may be more: `--after {}`", last.id);
        }
        Ok(())
    }
}

/// Prints the account for programs, all of it for people who asked for it, or one line about what was done.
fn report(account: &Account, done: Option<&str>, output: Output) -> Result<()> {
    match done {
        _ if output.json => print_json(&as_json(account)),
        Some(done) => {
            let name = account.username.as_deref().or(account.email.as_deref()).unwrap_or_default();
            eprintln!("{done} `{}` (id {})", plain(name), account.id);
            Ok(())
        }
        None => print(lined_up(["", ""], everything(account)).trim_start()),
    }
}

fn everything(account: &Account) -> Vec<[String; 2]> {
    let profile = account.profile.iter().map(|(name, value)| (format!("profile.{name}"), value.to_string()));
    let rows = [
        ("id", account.id.to_string()),
        ("user name", account.username.clone().unwrap_or_default()),
        ("e-mail", account.email.clone().unwrap_or_default()),
        ("e-mail verified", account.email_verified.to_string()),
        ("name", format!("{} {}", account.first_name, account.last_name).trim().to_owned()),
        ("status", status(account).to_owned()),
        ("roles", account.roles.join(", ")),
        ("language", account.locale.clone().unwrap_or_default()),
        ("joined", moment(account.date_joined)),
        ("last sign-in", account.last_login.map(moment).unwrap_or_default()),
        ("will be deleted", account.delete_at.map(moment).unwrap_or_default()),
    ];
    rows.map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .chain(profile)
        .map(|(name, value)| [name, value])
        .collect()
}

fn status(account: &Account) -> &'static str {
    match account {
        Account { is_active: false, .. } => "deactivated",
        Account { is_superuser: true, .. } => "superuser",
        Account { is_staff: true, .. } => "staff",
        _ => "active",
    }
}

/// Times are seconds since 1970 (UTC), as everywhere in the interface.
fn as_json(account: &Account) -> Value {
    json!({
        "id": account.id,
        "username": account.username,
        "email": account.email,
        "email_verified": account.email_verified,
        "first_name": account.first_name,
        "last_name": account.last_name,
        "is_active": account.is_active,
        "is_staff": account.is_staff,
        "is_superuser": account.is_superuser,
        "roles": account.roles,
        "profile": account.profile,
        "locale": account.locale,
        "date_joined": account.date_joined,
        "last_login": account.last_login,
        "delete_at": account.delete_at,
    })
}

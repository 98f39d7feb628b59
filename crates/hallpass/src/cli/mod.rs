//! The command line: what can be said, and how a command's outcome becomes an exit code.
//!
//! Data goes to stdout, talk to stderr; a password is never taken as an argument, where other users could see it.

use std::{
    ffi::OsString,
    fmt,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
    path::PathBuf,
    process::ExitCode,
};

use anyhow::Result;
use clap::{Args, CommandFactory, Parser, Subcommand};
use hallpass_axum::Clock;
use hallpass_core::{
    Code, Ctx, Error, Hallpass,
    config::{Transport, Verification},
};

use crate::{
    settings::{Log, Problems, Settings, master_key::Absent, sources},
    store, telemetry,
    text::plain,
};

mod accounts;
mod adopt;
mod audit;
mod banner;
mod clients;
mod config;
mod doctor;
mod import;
mod keys;
mod mail;
mod migrate;
mod new_account;
mod openapi;
mod prompt;
mod reference;
mod serve;
mod sessions;
mod table;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  failed, bad settings included
  2  wrong use of the command line
  3  not found
  4  refused by a rule: a value that is not allowed, a name that is taken
  5  the database is not available

Settings come from `hallpass.toml`, then from the environment, then from flags;
the later wins. A variable is `HALLPASS_` and the name in upper case, with `__`
between levels: `HALLPASS_PASSWORDS__MIN_LENGTH=20`. `hallpass config show`
prints every setting.

Start here:
  hallpass serve --dev        a server on http://localhost:8000, with ./data
  hallpass createsuperuser    the first account, which may do everything";

/// JWT login for separate front ends that you can actually log out of
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    flags: Flags,
    #[command(subcommand)]
    command: Command,
}

/// The settings that have a flag of their own.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct Flags {
    /// Read settings from this file instead of `./hallpass.toml`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Use this database: `sqlite:PATH` or `postgres://…` (put one with a password into `HALLPASS_DATABASE`)
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) database: Option<String>,
    /// Keep the SQLite database and the master key in this folder
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data_dir: Option<String>,
    /// Listen on this address and port; port `0` takes a free one
    #[arg(long, global = true, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<SocketAddr>,
    /// Development: plain http on this machine only
    #[arg(long, global = true)]
    pub(crate) dev: bool,
    /// Development over https with real names, by certificates of this machine's own
    #[arg(long, global = true)]
    pub(crate) dev_tls: bool,
    /// The domain of `--dev-tls` [default: example.test]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) domain: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server
    ///
    /// Makes what is not there yet: the folder, the master key, the SQLite database with its schema, the signing keys.
    /// A PostgreSQL database is brought up to date by `hallpass migrate`. Ctrl-C or SIGTERM lets open requests end, for
    /// 30 seconds at most; a second one stops at once.
    #[command(after_long_help = "Examples:
  hallpass serve --dev
      for development, on http://localhost:8000
  hallpass serve --dev --listen 127.0.0.1:0
      the same on a free port, which it prints
  hallpass serve --dev-tls --domain example.test
      for development, on https://api.example.test:8000
  HALLPASS_PUBLIC_URL=https://login.example.org hallpass serve
      behind a proxy that speaks https")]
    Serve,
    /// Bring the database schema up to date
    Migrate(migrate::Migrate),
    /// Create an account that may do everything
    Createsuperuser(accounts::CreateSuperuser),
    /// List, show, create and change accounts
    #[command(subcommand)]
    Accounts(accounts::Accounts),
    Audit(audit::Audit),
    AdoptDjango(adopt::AdoptDjango),
    UnadoptDjango(adopt::UnadoptDjango),
    /// Copy accounts from somewhere else
    #[command(subcommand)]
    Import(import::Import),
    /// List, rotate and revoke the keys that sign access tokens
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Sign everybody out
    #[command(subcommand)]
    Sessions(sessions::Sessions),
    /// Make, list and remove the programs that ask about tokens
    #[command(subcommand)]
    Clients(clients::Clients),
    /// Look at the mails, try the way by which they leave, and see which wait
    #[command(subcommand)]
    Mail(mail::Mail),
    /// Show and check the settings
    #[command(subcommand)]
    Config(config::Config),
    Doctor(doctor::Doctor),
    /// Print the OpenAPI description of the HTTP interface as JSON
    Openapi,
    /// Print a page of the reference as Markdown
    #[command(hide = true)]
    Reference(reference::Reference),
}

/// How a command prints its data.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Output {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// The command line was wrong in a way that only showed while running.
#[derive(Debug)]
pub(crate) struct WrongUse(String);

impl fmt::Display for WrongUse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongUse {}

/// Runs the command that `arguments` name and says how it went.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>, environment: &[(OsString, OsString)]) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and the version come this way too, with exit code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match dispatch(cli, environment) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            for line in explain(&error) {
                eprintln!("error: {}", plain(&line));
            }
            ExitCode::from(exit_code(&error))
        }
    }
}

fn dispatch(cli: Cli, environment: &[(OsString, OsString)]) -> Result<()> {
    let settings = || sources::load(&cli.flags, environment);
    match cli.command {
        Command::Serve => serve::run(&settings()?, environment),
        Command::Migrate(migrate) => migrate.run(&settings()?),
        Command::Createsuperuser(create) => create.run(&settings()?, environment),
        Command::Accounts(accounts) => accounts.run(&settings()?, environment),
        Command::Audit(audit) => audit.run(&settings()?, environment),
        Command::AdoptDjango(adopt) => adopt.run(&settings()?),
        Command::UnadoptDjango(unadopt) => unadopt.run(&settings()?),
        Command::Import(import) => import.run(&settings()?),
        Command::Keys(keys) => keys.run(&settings()?, environment),
        Command::Sessions(sessions) => sessions.run(&settings()?, environment),
        Command::Clients(clients) => clients.run(&settings()?, environment),
        Command::Mail(mail) => mail.run(&settings()?, environment),
        Command::Config(config) => config.run(&settings()?, environment),
        Command::Doctor(doctor) => doctor.run(&settings()?, environment),
        Command::Openapi => openapi::run(),
        Command::Reference(reference) => reference.run(Cli::command()),
    }
}

/// Runs `work` on an open Hallpass, for a command that is done when it returns.
fn with_hallpass<T>(
    settings: &Settings,
    environment: &[(OsString, OsString)],
    absent: Absent,
    work: impl AsyncFnOnce(&Hallpass, &Ctx) -> Result<T>,
) -> Result<T> {
    // People at a terminal see what a command says; a script's stderr also keeps the audit lines of what it did.
    let quiet = Log { level: "warn".into(), ..settings.log.clone() };
    telemetry::start(if io::stderr().is_terminal() { &quiet } else { &settings.log })?;
    let config = core(settings);
    let problems = config.check();
    if !problems.is_empty() {
        return Err(Problems(problems).into());
    }
    let now = Clock::system().now();
    runtime()?.block_on(async {
        let opened = store::open(settings, environment, config, absent, now).await?;
        let done = work(&opened.hallpass, &Ctx::operator(now)).await;
        opened.hallpass.db().close().await;
        done
    })
}

/// What a command tells the core. None issues a token or sends a link that works, so one that runs without the server's
/// `public_url` needs no better address than this.
fn core(settings: &Settings) -> hallpass_core::Config {
    let public_url = Some(settings.public_url(settings.listen.port())).filter(|url| !url.is_empty());
    let mut config = settings.core(public_url.as_deref().unwrap_or("http://localhost"));
    let needs_mail = config.accounts.verify_email == Verification::Required || config.accounts.sign_in_links;
    if needs_mail && config.mail.transport == Transport::Off {
        // A server starts with these settings for development only, whether or not the command says `--dev` as well.
        config.mail.transport = Transport::Mailbox;
    }
    config
}

fn runtime() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()
}

/// Writes data to stdout; a reader that has seen enough, such as `head`, is no failure.
fn print(text: &str) -> Result<()> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn print_json(value: &serde_json::Value) -> Result<()> {
    print(&serde_json::to_string_pretty(value)?)
}

/// What went wrong, one line for each thing that has to change.
fn explain(error: &anyhow::Error) -> Vec<String> {
    if let Some(Problems(problems)) = error.downcast_ref() {
        return problems.clone();
    }
    error.downcast_ref().map_or_else(|| vec![format!("{error:#}")], explain_refusal)
}

/// The same for what the core refused.
fn explain_refusal(error: &Error) -> Vec<String> {
    if !error.fields.is_empty() {
        return error.fields.iter().map(|field| format!("{}: {}", field.field, field.detail)).collect();
    }
    // Whoever runs commands is the operator: the sources, which no client sees, are for exactly this reader.
    let mut line = error.detail.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !line.contains(&cause_text) {
            line = format!("{line}: {cause_text}");
        }
        source = cause.source();
    }
    vec![line]
}

fn exit_code(error: &anyhow::Error) -> u8 {
    if error.is::<WrongUse>() {
        return 2;
    }
    match error.downcast_ref::<Error>().map(|error| error.code) {
        Some(Code::NotFound) => 3,
        Some(Code::ValidationFailed | Code::UsernameTaken | Code::EmailTaken | Code::Forbidden) => 4,
        Some(Code::Unavailable | Code::Busy | Code::DeadlineExceeded) => 5,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_contradicts_itself_nowhere() {
        Cli::command().debug_assert();
    }
}

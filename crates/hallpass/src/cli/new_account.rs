//! What a new account is made of, from arguments and questions.
//!
//! Judges nothing: the core does, and at a terminal what it refuses is asked for again.

use anyhow::Result;
use clap::Args;
use hallpass_core::{
    Code, Ctx, Error, Hallpass,
    accounts::{self, Account, NewAccount, Standing},
    config::Presence,
};
use secrecy::SecretString;

use super::{explain_refusal, prompt};

/// The parts of a new account that can be given as arguments.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct NewAccountArgs {
    /// The user name
    #[arg(long, value_name = "NAME")]
    pub(crate) username: Option<String>,
    /// The e-mail address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) email: Option<String>,
    /// The first name
    #[arg(long, value_name = "NAME")]
    pub(crate) first_name: Option<String>,
    /// The last name
    #[arg(long, value_name = "NAME")]
    pub(crate) last_name: Option<String>,
    /// Ask nothing; read the password from the first line of stdin
    #[arg(long)]
    pub(crate) password_stdin: bool,
    /// Ask nothing; the account gets no password, and nobody can sign in to it until it has one
    #[arg(long, conflicts_with = "password_stdin")]
    pub(crate) no_password: bool,
}

impl NewAccountArgs {
    /// The password that a script gives; `None` if there is to be none, or if there is somebody to ask.
    pub(crate) fn given_password(&self) -> Result<Option<SecretString>> {
        if self.no_password || self.asks() { Ok(None) } else { prompt::new_password(self.password_stdin).map(Some) }
    }

    fn asks(&self) -> bool {
        prompt::possible() && !self.password_stdin && !self.no_password
    }

    /// Creates the account; at a terminal it asks for what is missing, and again for what is refused.
    pub(crate) async fn create(
        mut self,
        hallpass: &Hallpass,
        ctx: &Ctx,
        standing: &Standing,
        mut password: Option<SecretString>,
    ) -> Result<Account> {
        loop {
            if self.asks() {
                ask(&mut self.username, "User name", hallpass.config().accounts.username)?;
                ask(&mut self.email, "E-mail address", hallpass.config().accounts.email)?;
            }
            if self.asks() && password.is_none() {
                password = Some(prompt::new_password(false)?);
            }
            let new = NewAccount {
                username: self.username.clone(),
                email: self.email.clone(),
                password: password.clone(),
                first_name: self.first_name.clone().unwrap_or_default(),
                last_name: self.last_name.clone().unwrap_or_default(),
                ..NewAccount::default()
            };
            match accounts::create(hallpass, ctx, new, standing.clone()).await {
                Err(error) if self.asks() && self.forget_refused(&error, &mut password) => {
                    for line in explain_refusal(&error) {
                        eprintln!("{line}");
                    }
                }
                created => return Ok(created?),
            }
        }
    }

    /// Drops the answers that `error` refuses; says whether there were any.
    fn forget_refused(&mut self, error: &Error, password: &mut Option<SecretString>) -> bool {
        let refused =
            |field: &str, code: Code| error.code == code || error.fields.iter().any(|wrong| wrong.field == field);
        let mut forgot = false;
        if refused("username", Code::UsernameTaken) {
            forgot |= self.username.take().is_some();
        }
        if refused("email", Code::EmailTaken) {
            forgot |= self.email.take().is_some();
        }
        if error.fields.iter().any(|wrong| wrong.field == "password") {
            forgot |= password.take().is_some();
        }
        forgot
    }
}

fn ask(answer: &mut Option<String>, question: &str, presence: Presence) -> Result<()> {
    match presence {
        Presence::Required if answer.is_none() => *answer = prompt::text(question, false)?,
        // An empty answer is an answer: it is kept, so that the question does not come back.
        Presence::Optional if answer.is_none() => {
            *answer = Some(prompt::text(&format!("{question} (may be empty)"), true)?.unwrap_or_default());
        }
        _ => {}
    }
    Ok(())
}

//! Asking for what the command line did not say: at a terminal by question, from a script by one line of stdin.
//!
//! A password is never shown, never an argument and never kept longer than the command runs.

use std::io::{self, BufRead, IsTerminal, Read};

use anyhow::Result;
use dialoguer::{Confirm, Input, Password};
use secrecy::SecretString;

use super::WrongUse;

/// More than any password that is accepted, so that the rules and not this limit refuse what is too long.
const LONGEST_LINE: u64 = 16 * 1024;

/// Whether somebody is there to answer.
pub(crate) fn possible() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Asks for a text; with `may_be_empty` an empty answer means none.
pub(crate) fn text(question: &str, may_be_empty: bool) -> Result<Option<String>> {
    let answer: String = Input::new().with_prompt(question).allow_empty(may_be_empty).interact_text()?;
    Ok(Some(answer).filter(|answer| !answer.is_empty()))
}

/// Asks whether to go on, unless that was said already.
pub(crate) fn confirm(question: &str, said: bool) -> Result<bool> {
    if said {
        return Ok(true);
    }
    if !possible() {
        return Err(WrongUse("there is no terminal to ask on: say that you are sure with `--yes`".into()).into());
    }
    Ok(Confirm::new().with_prompt(question).default(false).interact()?)
}

/// A new password: asked for twice, or the first line of stdin.
pub(crate) fn new_password(from_stdin: bool) -> Result<SecretString> {
    if from_stdin {
        return line_of_stdin();
    }
    if !possible() {
        return Err(WrongUse("there is no terminal to ask on: pass the password with `--password-stdin`".into()).into());
    }
    let password = Password::new()
        .with_prompt("Password")
        .with_confirmation("Password again", "these were not the same")
        .report(false)
        .interact()?;
    Ok(password.into())
}

fn line_of_stdin() -> Result<SecretString> {
    let mut line = String::new();
    io::stdin().lock().take(LONGEST_LINE).read_line(&mut line)?;
    let password = line.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        return Err(WrongUse("there is no password on stdin: write it as the first line".into()).into());
    }
    Ok(password.into())
}

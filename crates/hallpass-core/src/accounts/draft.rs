//! What a new account must be like before it is written, and writing it.
//!
//! Every rule that needs no other account is checked here, all at once, so that a person corrects a form once. Whether the
//! names are free is for the database to say: nothing here asks it before.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Account, NewAccount};
use crate::{
    Code, Ctx, Error, FieldError, Hallpass, Result, addresses,
    config::{NameRules, Presence, ProfileType},
    names::{self, Email, Username},
    passwords::Password,
    store::{self, accounts::AccountRow, accounts::UniqueNames, is_taken},
};

/// An account that passed every rule and is ready to be written.
pub(crate) struct Draft {
    pub(super) row: AccountRow,
    username: Option<Username>,
    email: Option<Email>,
    list_address: bool,
}

impl Draft {
    /// The address that the account is to have, whether or not it stands for it, if mail can be sent there.
    pub(crate) fn mail_address(&self) -> Option<Email> {
        self.row.email.as_deref().and_then(|email| Email::parse(email).ok())
    }
}

/// Checks everything that can be checked without the other accounts, and hashes the password.
pub(crate) async fn draft(hallpass: &Hallpass, ctx: &Ctx, new: NewAccount) -> Result<Draft> {
    let rules = &hallpass.0.config;
    let mut wrong = Vec::new();
    let as_django = rules.accounts.names == NameRules::Django;
    let parse = |typed: &str| parse_username(hallpass, typed);
    let username = parse_name(new.username, rules.accounts.username, "username", parse, &mut wrong);
    let (email, bare_email) = if as_django {
        let text = |typed: &str| {
            // The domain in lower case, as Django's managers write it.
            let (local, domain) = typed.rsplit_once('@').unwrap_or((typed, ""));
            Ok(if domain.is_empty() { typed.to_owned() } else { format!("{local}@{}", domain.to_lowercase()) })
        };
        let typed = parse_name(new.email, rules.accounts.email, "email", text, &mut wrong);
        (standing_for_nobody_else(hallpass, typed.as_deref()).await?, typed)
    } else {
        (parse_name(new.email, rules.accounts.email, "email", Email::parse, &mut wrong), None)
    };
    let mut keep = |parsed: Result<String, FieldError>| parsed.map_err(|error| wrong.push(error)).unwrap_or_default();
    let first_name = keep(names::person_name("first_name", &new.first_name));
    let last_name = keep(names::person_name("last_name", &new.last_name));
    let password = match new.password {
        None => None,
        Some(password) => Password::parse("password", &password).map_err(|error| wrong.push(error)).ok(),
    };
    if let Err(error) = check_profile(&rules.accounts.profile, &new.profile) {
        wrong.push(error);
    }
    if let Some(Err(error)) = new.locale.as_deref().map(check_locale) {
        wrong.push(error);
    }
    if let Some(password) = password.as_ref().filter(|_| !new.insecure_any_password) {
        let own = [username.as_ref().map(Username::as_str), email.as_ref().map(Email::as_str)];
        let own =
            own.into_iter().flatten().chain([first_name.as_str(), last_name.as_str()]).map(str::to_owned).collect();
        wrong.extend(hallpass.0.hasher.judge(&rules.passwords, password, "password", own).await?);
    }
    if !wrong.is_empty() {
        return Err(Error::validation(wrong));
    }
    let hash = match &password {
        Some(password) => Some(hallpass.0.hasher.hash(password).await?),
        None => None,
    };
    let row = AccountRow {
        id: 0,
        username: username.as_ref().map(|name| name.as_str().to_owned()),
        email: bare_email.or_else(|| email.as_ref().map(|email| email.as_str().to_owned())),
        email_verified: false,
        first_name,
        last_name,
        password: hash,
        is_active: true,
        is_staff: false,
        is_superuser: false,
        roles: "[]".into(),
        profile: Value::Object(new.profile).to_string(),
        version: 1,
        date_joined: ctx.now,
        last_login: None,
        locale: new.locale.or_else(|| preferred(hallpass, ctx)),
        delete_at: None,
    };
    Ok(Draft { row, username, email, list_address: new.list_address })
}

/// The address, if it is one that can stand for the account: mail can be sent there, and nobody else has it.
async fn standing_for_nobody_else(hallpass: &Hallpass, typed: Option<&str>) -> Result<Option<Email>> {
    let Some(email) = typed.and_then(|typed| Email::parse(typed).ok()) else { return Ok(None) };
    let taken = store::addresses::receiver(hallpass.0.db.read().await?.conn(), email.key()).await?.is_some();
    Ok((!taken).then_some(email))
}

/// Writes a checked account; the database decides whether its names are free.
pub(crate) async fn insert(tx: &mut store::Tx, draft: Draft) -> Result<Account> {
    let names = UniqueNames {
        username_key: draft.username.as_ref().map(Username::key),
        email_key: draft.email.as_ref().map(Email::key),
    };
    let id = store::accounts::insert(tx.conn(), &draft.row, names).await.map_err(|error| {
        if is_taken(&error, "username") {
            username_taken()
        } else if is_taken(&error, "email") {
            email_taken()
        } else {
            error.into()
        }
    })?;
    if let Some(email) = draft.row.email.as_deref().filter(|_| draft.list_address) {
        addresses::list(tx, id, email).await?;
    }
    AccountRow { id: id.0, ..draft.row }.try_into()
}

pub(crate) fn email_taken() -> Error {
    Error::new(Code::EmailTaken, "There is an account with this e-mail address: sign in, or use another one")
}

fn username_taken() -> Error {
    Error::new(Code::UsernameTaken, "Choose another user name: this one belongs to somebody")
}

/// Gives an account the user name that it is to have; the database decides whether it is free.
pub(super) async fn rename(tx: &mut store::Tx, account: &Account) -> Result<()> {
    let name = account.username.as_deref();
    let renamed = store::accounts::rename(tx.conn(), account.id, name, name.map(names::username_key).as_deref()).await;
    renamed.map_err(|error| if is_taken(&error, "username") { username_taken() } else { error.into() })
}

/// Parses a user name by the rules of `accounts.names`.
pub(super) fn parse_username(hallpass: &Hallpass, typed: &str) -> Result<Username, FieldError> {
    match hallpass.0.config.accounts.names {
        NameRules::Django => Username::parse_as_django(typed),
        NameRules::Strict => Username::parse(typed),
    }
}

/// Parses a name if there is one, and notes what is wrong with it or with its absence.
fn parse_name<T>(
    name: Option<String>,
    presence: Presence,
    field: &'static str,
    parse: impl Fn(&str) -> Result<T, FieldError>,
    wrong: &mut Vec<FieldError>,
) -> Option<T> {
    // Forms send an empty string for what was left out.
    let problem = match (name.filter(|name| !name.is_empty()), presence) {
        (None, Presence::Required) => FieldError::new(field, "required", format!("`{field}` is required")),
        (None, _) => return None,
        (Some(_), Presence::Off) => {
            FieldError::new(field, "not_used", format!("`{field}` is not used here: leave it out"))
        }
        (Some(name), _) => match parse(&name) {
            Ok(parsed) => return Some(parsed),
            Err(problem) => problem,
        },
    };
    wrong.push(problem);
    None
}

/// Whether every field is one of the settings' and of its type; null, which removes one, always is.
pub(super) fn check_profile(
    allowed: &BTreeMap<String, ProfileType>,
    profile: &Map<String, Value>,
) -> Result<(), FieldError> {
    /// Whole numbers that every JSON reader keeps exact (RFC 8259 section 6).
    const EXACT: i64 = 1 << 53;
    for (name, value) in profile {
        let Some(kind) = allowed.get(name) else {
            let detail = format!("There is no profile field `{name}`");
            return Err(FieldError::new(format!("profile.{name}"), "profile_unknown", detail));
        };
        let (fits, wanted) = match kind {
            ProfileType::String => {
                (value.as_str().is_some_and(|text| text.chars().count() <= 1000), "text of at most 1,000 characters")
            }
            ProfileType::Boolean => (value.is_boolean(), "`true` or `false`"),
            ProfileType::Integer => {
                (value.as_i64().is_some_and(|number| (-EXACT..=EXACT).contains(&number)), "a whole number")
            }
            ProfileType::Json => (value.to_string().len() <= 4096, "JSON of at most 4 KiB"),
        };
        if !fits && !value.is_null() {
            let detail = format!("`{name}` must be {wanted}");
            return Err(FieldError::new(format!("profile.{name}"), "profile_invalid", detail));
        }
    }
    Ok(())
}

/// Whether `locale` can be a language tag (RFC 5646 section 2.1), of whatever language.
pub(super) fn check_locale(locale: &str) -> Result<(), FieldError> {
    let part = |part: &str| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let first = |part: &str| part.len() >= 2 && part.bytes().all(|b| b.is_ascii_alphabetic());
    if locale.len() <= 35 && locale.split('-').all(part) && locale.split('-').next().is_some_and(first) {
        return Ok(());
    }
    Err(FieldError::new("locale", "locale_invalid", "A language is a tag such as `en` or `de-AT`"))
}

/// The language of ours that the client prefers, if it says anything.
fn preferred(hallpass: &Hallpass, ctx: &Ctx) -> Option<String> {
    let languages = ctx.languages.as_deref()?;
    Some(hallpass.0.templates.choose(None, Some(languages)).to_owned())
}

/// The most bytes that the roles of an account have together, so that a token can state them all.
const LARGEST_ROLES: usize = 2000;

/// Whether an account can have these roles.
pub(crate) fn check_roles(roles: &[String]) -> Result<()> {
    roles.iter().try_for_each(|role| check_role(role))?;
    // As they stand in the token: each in quotes, with a comma.
    if roles.iter().map(|role| role.len() + 3).sum::<usize>() <= LARGEST_ROLES {
        return Ok(());
    }
    let detail = "The roles of an account have at most 2000 characters together, with three more for each";
    Err(Error::validation(vec![FieldError::new("role", "too_many", detail)]))
}

/// Whether `role` can be the name of one. A part that is `.` or `..` would lead elsewhere in the address of an operation.
pub(crate) fn check_role(role: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._:-/".contains(&b);
    let leads_elsewhere = role.split('/').any(|part| matches!(part, "." | ".."));
    if (1..=64).contains(&role.len()) && role.bytes().all(plain) && !leads_elsewhere {
        return Ok(());
    }
    let detail = "A role has 1 to 64 letters, digits or `.` `_` `:` `-` `/`, and no `.` or `..` between slashes";
    Err(Error::validation(vec![FieldError::new("role", "role_invalid", detail)]))
}

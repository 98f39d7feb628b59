//! Changing a password, and setting a new one by mail.
//!
//! What goes wrong is said in Django's words. A new password ends the account's other sessions, here and everywhere; one
//! that was set by mail ends all, and signs nobody in.

use axum::http::{Method, StatusCode};
use hallpass_core::{
    Code, Ctx, Error,
    accounts::Account,
    django::reset_tokens::{self, Project},
    login,
    mail::Links,
    passwords::{self, Owner},
    recovery, sessions,
};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::{
    super::{
        drf::{Call, Outcome, Refusal, Reply},
        fields::{Fields, NEEDED, Rules},
    },
    Dialect,
};

/// Characters of the longest password.
pub(super) const LONGEST: usize = 128;
const MISMATCH: &str = "The two password fields didn\u{2019}t match.";
const WRONG_OLD: &str = "Your old password was entered incorrectly. Please enter it again.";

pub(super) async fn change(dialect: &Dialect, call: &Call) -> Outcome {
    let caller = dialect.authenticate(call).await?;
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let asks = !dialect.settings.insecure_change_without_password;
    let old = if asks { fields.text("old_password", LIMITED) } else { None };
    let (new, again) = (fields.text("new_password1", LIMITED), fields.text("new_password2", LIMITED));
    fields.check()?;
    let (hallpass, account, session) = (dialect.app.hallpass(), &caller.account, caller.session);
    let judged = dialect.judge(new.as_deref(), again.as_deref(), account).await?;
    let changed = match (old.map(SecretString::from), judged) {
        (None, Err(wrong)) => return Err(wrong),
        (None, Ok(new)) => login::insecure_change_password(hallpass, &call.ctx, account.id, session, new).await,
        (Some(old), Ok(new)) => login::change_password(hallpass, &call.ctx, account.id, session, old, new, None).await,
        // Whoever does not know the old password learns nothing of the new one.
        (Some(old), Err(wrong)) => {
            let known = login::confirm_password(hallpass, &call.ctx, account.id, session, old, None).await;
            known.map_err(of_change)?;
            return Err(wrong);
        }
    };
    changed.map_err(of_change)?;
    let mut reply = Reply::new(StatusCode::OK, json!({ "detail": "New password has been saved." }));
    if dialect.settings.logout_on_password_change {
        let until = call.ctx.now + dialect.settings.refresh_lifetime;
        sessions::end_family(hallpass, &call.ctx, session, until).await?;
    } else {
        dialect.keep_session_alone(call, &mut reply, session);
    }
    Ok(reply)
}

pub(super) async fn reset(dialect: &Dialect, call: &Call) -> Outcome {
    dialect.admit(call)?;
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let email = fields.email("email", NEEDED);
    fields.check()?;
    let ctx = dialect.mailing(call);
    quietly(recovery::request(dialect.app.hallpass(), &ctx, &email.unwrap_or_default()).await)?;
    Ok(Reply::new(StatusCode::OK, json!({ "detail": "Password reset e-mail has been sent." })))
}

pub(super) async fn confirm(dialect: &Dialect, call: &Call) -> Outcome {
    dialect.admit(call)?;
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let (new, again) = (fields.text("new_password1", LIMITED), fields.text("new_password2", LIMITED));
    let (uid, token) = (fields.text("uid", NEEDED), fields.text("token", NEEDED));
    fields.check()?;
    let (uid, token) = (uid.unwrap_or_default(), token.unwrap_or_default());
    let project = Project { secret_key: dialect.secret.text(), allauth: dialect.settings.allauth };
    let (hallpass, ctx) = (dialect.app.hallpass(), &call.ctx);
    let account = reset_tokens::look(hallpass, ctx, project, &uid, &token).await.map_err(of_reset)?;
    let new = dialect.judge(new.as_deref(), again.as_deref(), &account).await??;
    reset_tokens::reset(hallpass, ctx, project, &uid, &token, new).await.map_err(of_reset)?;
    Ok(Reply::new(StatusCode::OK, json!({ "detail": "Password has been reset with the new password." })))
}

impl Dialect {
    /// The new password, if it was given twice and Django would take it; otherwise what it would say.
    async fn judge(
        &self,
        new: Option<&str>,
        again: Option<&str>,
        account: &Account,
    ) -> Result<Result<SecretString, Refusal>, Error> {
        if new != again {
            return Ok(Err(wrong("new_password2", [MISMATCH])));
        }
        let new = SecretString::from(new.unwrap_or_default());
        let sentences =
            passwords::validate(self.app.hallpass(), &self.settings.validators, &new, Owner::from(account)).await?;
        Ok(if sentences.is_empty() { Ok(new) } else { Err(wrong("new_password2", sentences)) })
    }

    /// The circumstances of a call, with where the links lead that it has mailed.
    pub(super) fn mailing(&self, call: &Call) -> Ctx {
        let uid = if self.settings.allauth { "{uid}" } else { "{uidb64}" };
        let links =
            Links { verify: self.settings.verify_link.clone(), reset: self.settings.reset_link.replace("{uid}", uid) };
        Ctx { links: Some(links), ..call.ctx.clone() }
    }
}

const LIMITED: Rules = Rules { longest: Some(LONGEST), ..NEEDED };

/// The answer to whoever asks for mail, which says nothing of whether there is somebody to get it: an address to which
/// none can be sent has none.
pub(super) fn quietly(asked: Result<(), Error>) -> Result<(), Refusal> {
    match asked {
        Err(error) if error.code == Code::MailOff => {
            Err(Refusal::detail(StatusCode::SERVICE_UNAVAILABLE, "This server sends no mail."))
        }
        Err(error) if error.code != Code::ValidationFailed => Err(error.into()),
        _ => Ok(()),
    }
}

/// 400 with what is wrong with one field.
pub(super) fn wrong<T: Into<Value>>(field: &str, sentences: impl IntoIterator<Item = T>) -> Refusal {
    let sentences = sentences.into_iter().map(Into::into).collect();
    Refusal::new(StatusCode::BAD_REQUEST, Value::Object(Map::from_iter([(field.to_owned(), Value::Array(sentences))])))
}

fn of_change(error: Error) -> Refusal {
    match error.code {
        Code::PasswordIncorrect => wrong("old_password", [WRONG_OLD]),
        // Of the old password only: none that long or odd is anybody's.
        Code::ValidationFailed if error.fields.iter().any(|field| field.field == "current_password") => {
            wrong("old_password", [WRONG_OLD])
        }
        Code::ValidationFailed => of_rules("new_password2", &error),
        _ => error.into(),
    }
}

fn of_reset(error: Error) -> Refusal {
    match error.code {
        Code::NotFound => wrong("uid", ["Invalid value"]),
        Code::LinkInvalid => wrong("token", ["Invalid value"]),
        Code::ValidationFailed => of_rules("new_password2", &error),
        _ => error.into(),
    }
}

/// What our own rules say of a password that Django's let pass.
pub(super) fn of_rules(field: &str, error: &Error) -> Refusal {
    wrong(field, error.fields.iter().map(|wrong| wrong.detail.to_string()))
}

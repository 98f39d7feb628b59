//! What happened to whom, as one structured line in the log each.
//!
//! It never writes a secret, and never a name that somebody typed: people type passwords into the wrong field.

use hallpass_token::{AccountId, SessionId};

use crate::{Ctx, ctx::Actor};

/// Something worth remembering about an account.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event {
    SignedUp,
    SignedIn,
    SignInFailed,
    AccountCreated,
    AccountChanged,
    AccountDeactivated,
    AccountActivated,
    RoleGranted,
    RoleRevoked,
    PasswordChanged,
    PasswordSet,
    SessionEnded,
    KeyRotated,
    KeyRevoked,
}

impl Event {
    fn as_str(self) -> &'static str {
        match self {
            Event::SignedUp => "signed_up",
            Event::SignedIn => "signed_in",
            Event::SignInFailed => "sign_in_failed",
            Event::AccountCreated => "account_created",
            Event::AccountChanged => "account_changed",
            Event::AccountDeactivated => "account_deactivated",
            Event::AccountActivated => "account_activated",
            Event::RoleGranted => "role_granted",
            Event::RoleRevoked => "role_revoked",
            Event::PasswordChanged => "password_changed",
            Event::PasswordSet => "password_set",
            Event::SessionEnded => "session_ended",
            Event::KeyRotated => "key_rotated",
            Event::KeyRevoked => "key_revoked",
        }
    }
}

/// Writes the line; `cause` says why, in one stable word.
pub(crate) fn record(
    ctx: &Ctx,
    event: Event,
    account: Option<AccountId>,
    session: Option<SessionId>,
    cause: Option<&'static str>,
) {
    let actor = match ctx.actor {
        Actor::Anonymous => "anonymous".to_owned(),
        Actor::Account(account, _) => format!("account {account}"),
        Actor::Operator => "operator".to_owned(),
    };
    tracing::info!(
        target: "hallpass::audit",
        event = event.as_str(),
        account = account.map(|id| id.0),
        session = session.map(tracing::field::display),
        cause,
        actor,
        ip = ctx.ip.map(tracing::field::display),
        user_agent = ctx.user_agent.as_deref(),
        request_id = ctx.request_id,
        at = ctx.now,
    );
}

//! What programs ask about a token that they were shown (RFC 7662), and how they end its session (RFC 7009).
//!
//! The database is asked each time, so the answer is never behind, whichever server did what. Asking changes nothing:
//! no refresh secret is used up by it.

use std::sync::Arc;

use hallpass_token::{AccountId, Claims, SessionId};

use crate::{
    Ctx, Hallpass, Result,
    refresh_secret::RefreshSecret,
    rotation::{self, Decision},
    sessions::{self, EndCause},
    store,
};

/// What a token that is good now stands for.
#[derive(Debug, Clone, PartialEq)]
pub enum Active {
    /// An access token, and what it says.
    Access(Arc<Claims>),
    /// A refresh secret: it proves a session to this server, and opens nothing anywhere else.
    Refresh(Grant),
}

/// What a refresh secret stands for. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Whose session it is.
    pub account: AccountId,
    /// The session.
    pub session: SessionId,
    /// When its owner signed in.
    pub auth_time: i64,
    /// How its owner signed in (RFC 8176 section 2).
    pub amr: String,
    /// When it was last refreshed.
    pub issued_at: i64,
    /// When it ends if it is not refreshed.
    pub expires_at: i64,
}

/// What a token stands for; `None` if it is not good now, whyever, or none of ours.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn introspect(hallpass: &Hallpass, ctx: &Ctx, token: &str) -> Result<Option<Active>> {
    if let Some(secret) = RefreshSecret::decode(token, &hallpass.0.secrets.refresh) {
        return Ok(grant(hallpass, ctx, secret).await?.map(Active::Refresh));
    }
    let Ok(claims) = hallpass.verifier().verify(token, ctx.now) else { return Ok(None) };
    let mut reader = hallpass.0.db.read().await?;
    let (session, account, version) = (claims.sid, claims.sub, claims.account_version);
    let spared = store::revocations::spares(reader.conn(), session, account, version, ctx.now).await?;
    Ok(spared.then_some(Active::Access(claims)))
}

/// What a refresh secret stands for, if a refresh by it would succeed now.
async fn grant(hallpass: &Hallpass, ctx: &Ctx, secret: RefreshSecret) -> Result<Option<Grant>> {
    let mut reader = hallpass.0.db.read().await?;
    let session = store::sessions::by_id(reader.conn(), secret.session).await?;
    let Some(row) = session.filter(|row| row.is_live(ctx.now)) else { return Ok(None) };
    let account = AccountId(row.account_id);
    let active = store::accounts::by_id(reader.conn(), account).await?.is_some_and(|account| account.is_active);
    let window = hallpass.config().sessions.replay_window;
    let reused = rotation::decide(row.rotation(), secret.generation, ctx.now, window) == Decision::Reuse;
    let grant = Grant {
        account,
        session: row.id(),
        auth_time: row.created_at,
        amr: row.amr,
        issued_at: row.last_used_at,
        expires_at: row.idle_end,
    };
    Ok((active && !reused).then_some(grant))
}

/// Ends the session of an access token or a refresh secret of ours, be it old, used or over. Anything else is fine: it
/// opens nothing, as was wished.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then the session is not over.
pub async fn revoke(hallpass: &Hallpass, ctx: &Ctx, token: &str) -> Result<()> {
    let claimed = hallpass.verifier().identify(token).ok().map(|claims| claims.sid);
    match claimed.or_else(|| sessions::session_of(hallpass, token)) {
        Some(session) => sessions::end_unless_over(hallpass, ctx, session, EndCause::EndedByClient).await,
        None => Ok(()),
    }
}

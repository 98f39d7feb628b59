//! Sessions for wire formats that have no room for a refresh secret of ours: found by the name of a token, or by when they
//! began. Whoever calls this has seen the token proven by its signature.

use hallpass_token::{AccountId, Revocation, SessionId};
use uuid::Uuid;

use super::{EndCause, over, sign_out, used_by_many};
use crate::{
    Code, Ctx, Hallpass, Result,
    revocation::{self, Pending},
    store::{self, sessions::SessionRow},
};

/// What a wire format can put into the name of a token to say which session and generation it is for: the session's id
/// with the generation in its last 24 bits. It proves nothing; the token's signature has to.
pub fn name_of(session: SessionId, generation: i64) -> Uuid {
    Uuid::from_u128(session.0.as_u128() ^ (generation as u128 & GENERATIONS))
}

/// What [`name_of`] put into a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// The session.
    pub session: SessionId,
    /// The generation of its secret.
    pub generation: i64,
    /// Whether somebody or something ended it.
    pub ended: bool,
}

/// What [`name_of`] put into a name; `None` for any other.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn of_name(hallpass: &Hallpass, name: Uuid) -> Result<Option<Named>> {
    let (low, high) = (name.as_u128() & !GENERATIONS, name.as_u128() | GENERATIONS);
    let mut reader = hallpass.0.db.read().await?;
    let found = store::sessions::between(reader.conn(), Uuid::from_u128(low), Uuid::from_u128(high)).await?;
    Ok(found.map(|(id, ended_at)| Named {
        session: SessionId(id),
        generation: i64::try_from(name.as_u128() ^ id.as_u128()).unwrap_or_default(),
        ended: ended_at.is_some(),
    }))
}

/// The bits of a session's id that a generation is written over; what is left tells sessions apart.
const GENERATIONS: u128 = (1 << 24) - 1;

/// Whose session this is, be it over; `None` if it is not known.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn owner(hallpass: &Hallpass, session: SessionId) -> Result<Option<AccountId>> {
    let found = store::sessions::by_id(hallpass.0.db.read().await?.conn(), session).await?;
    Ok(found.map(|row| AccountId(row.account_id)))
}

/// Counts a use of a session whose token is still good, where the wire format has no refresh secret to show. False if no
/// such session is known.
///
/// # Errors
/// [`Code::SessionEnded`], [`Code::Unavailable`].
pub async fn extend(hallpass: &Hallpass, ctx: &Ctx, session: SessionId) -> Result<bool> {
    for _ in 0..100 {
        let found = store::sessions::by_id(hallpass.0.db.read().await?.conn(), session).await?;
        let Some(row) = found else { return Ok(false) };
        if !row.is_live(ctx.now) {
            return Err(over(row.end_cause.as_deref().and_then(EndCause::parse)));
        }
        let mut tx = hallpass.0.db.begin().await?;
        if store::sessions::rotate(tx.conn(), &row, row.rotation(), ctx.now).await? {
            tx.commit().await?;
            return Ok(true);
        }
    }
    Err(used_by_many())
}

/// The same for a session of this account that is known by nothing but the second in which it began. Of several that
/// began in it one that lives counts.
///
/// # Errors
/// [`Code::SessionEnded`] if there were some and all are over; [`Code::Unavailable`].
pub async fn extend_begun_at(hallpass: &Hallpass, ctx: &Ctx, account: AccountId, began: i64) -> Result<bool> {
    let mut ended = None;
    for row in begun_at(hallpass, account, began).await? {
        match extend(hallpass, ctx, row.id()).await {
            Err(error) if error.code == Code::SessionEnded => ended = Some(error),
            extended => return extended,
        }
    }
    ended.map_or(Ok(false), Err)
}

/// Ends the sessions of this account that began in that second.
///
/// # Errors
/// [`Code::Unavailable`]; then some may not be over.
pub async fn sign_out_begun_at(hallpass: &Hallpass, ctx: &Ctx, account: AccountId, began: i64) -> Result<()> {
    for row in begun_at(hallpass, account, began).await? {
        sign_out(hallpass, ctx, row.id()).await?;
    }
    Ok(())
}

async fn begun_at(hallpass: &Hallpass, account: AccountId, began: i64) -> Result<Vec<SessionRow>> {
    let rows = store::sessions::of_account(hallpass.0.db.read().await?.conn(), account).await?;
    Ok(rows.into_iter().filter(|row| row.created_at == began).collect())
}

/// Ends a session; for one that is not known here, makes its tokens worthless until `until`, or as long as those of any
/// session: whoever made them had the same key.
///
/// # Errors
/// [`Code::Unavailable`]; then it is not over.
pub async fn end_family(hallpass: &Hallpass, ctx: &Ctx, session: SessionId, until: i64) -> Result<()> {
    let known = store::sessions::by_id(hallpass.0.db.read().await?.conn(), session).await?;
    if known.is_some() {
        return sign_out(hallpass, ctx, session).await;
    }
    let forget_at = revocation::forget_at(hallpass, ctx.now).max(until);
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    let line = Revocation::Session { session, forget_at };
    pending.append(ctx, &mut tx, line, EndCause::SignedOut.as_str()).await?;
    pending.commit(hallpass, tx).await
}

//! The end of an account, at its owner's wish.
//!
//! Between the wish and the end the owner may come back: signing in calls it off. Afterwards nothing of the account is
//! left but one event that names its id; ids are never given again.

use hallpass_token::{AccountId, SessionId};
use secrecy::SecretString;

use crate::{
    Code, Ctx, Error, Hallpass, Result, admin,
    audit::Event,
    limits, login,
    mail::{self, Job, name},
    revocation::Pending,
    sessions::EndCause,
    status_lists,
    store::{self, accounts::AccountRow},
};

const DAY: i64 = 86_400;
/// Accounts that one pass of the background work deletes.
const AT_ONCE: i64 = 100;

/// Schedules the end of an account and signs its owner out everywhere. Returns when the account goes, in seconds since
/// 1970 (UTC).
///
/// # Errors
/// [`Code::PasswordIncorrect`], [`Code::RateLimited`], [`Code::LastSuperuser`], [`Code::NotFound`], [`Code::Busy`],
/// [`Code::Unavailable`].
pub async fn schedule(
    hallpass: &Hallpass,
    ctx: &Ctx,
    id: AccountId,
    session: SessionId,
    password: SecretString,
    device: Option<&str>,
) -> Result<i64> {
    let (row, attempt) = login::prove(hallpass, ctx, id, session, "password", &password, device).await?;
    let delete_at = ctx.now + hallpass.config().accounts.deletion_grace_days * DAY;
    let mut tx = hallpass.0.db.begin().await?;
    if !store::accounts::set_delete_at(tx.conn(), id, row.password.as_deref().unwrap_or_default(), delete_at).await? {
        return Err(Error::new(Code::PasswordIncorrect, "The password was changed this moment: sign in again"));
    }
    attempt.forgive(&mut tx).await?;
    // Asked once the row is held: it may have become one while the password was compared.
    if store::accounts::by_id(tx.conn(), id).await?.is_some_and(|row| row.is_superuser) {
        admin::keep_a_superuser(&mut tx, id).await?;
    }
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, id, None, EndCause::AccountDeleted).await?;
    if delete_at <= ctx.now {
        delete(hallpass, ctx, &mut tx, &mut pending, &row).await?;
    } else {
        pending.record(hallpass, ctx, &mut tx, Event::DeletionScheduled.of(id).on(session)).await?;
        mail::order(hallpass, ctx, &mut tx, Job::DeletionScheduled { account: id, delete_at }).await?;
    }
    pending.commit(hallpass, tx).await?;
    Ok(delete_at)
}

/// Deletes the accounts whose time has come.
pub(crate) async fn carry_out(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let due = store::accounts::to_delete(hallpass.0.db.read().await?.conn(), ctx.now, AT_ONCE).await?;
    for row in due {
        if let Err(error) = carry_out_one(hallpass, ctx, &row).await {
            // It holds up nobody else.
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(account = row.id, cause, "an account cannot be deleted: {}", error.detail);
        }
    }
    Ok(())
}

async fn carry_out_one(hallpass: &Hallpass, ctx: &Ctx, row: &AccountRow) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    pending.end_all(hallpass, ctx, &mut tx, AccountId(row.id), None, EndCause::AccountDeleted).await?;
    if delete(hallpass, ctx, &mut tx, &mut pending, row).await? {
        pending.commit(hallpass, tx).await?;
    }
    Ok(())
}

/// Forgets all that is known of an account; false if its owner has come back meanwhile.
async fn delete(
    hallpass: &Hallpass,
    ctx: &Ctx,
    tx: &mut store::Tx,
    pending: &mut Pending,
    row: &AccountRow,
) -> Result<bool> {
    let id = AccountId(row.id);
    // In the order in which a ticket that is redeemed is locked before its account.
    store::tickets::forget(tx.conn(), id).await?;
    if !store::accounts::delete(tx.conn(), id, ctx.now).await? {
        return Ok(false);
    }
    store::addresses::forget(tx.conn(), id).await?;
    store::sessions::forget(tx.conn(), id).await?;
    status_lists::let_go(hallpass, ctx, tx, id).await?;
    store::events::forget(tx.conn(), id).await?;
    limits::clear(hallpass, tx, id).await?;
    pending
        .record(hallpass, &Ctx { ip: None, user_agent: None, ..ctx.clone() }, tx, Event::AccountDeleted.of(id))
        .await?;
    if let Some(email) = row.email.clone() {
        let job = Job::AccountDeleted { email, name: name(row), locale: row.locale.clone() };
        mail::order(hallpass, ctx, tx, job).await?;
    }
    Ok(true)
}

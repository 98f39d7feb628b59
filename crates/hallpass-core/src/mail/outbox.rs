//! Sending what the outbox holds, once for each mail, however many servers there are.
//!
//! It holds no timer: the edge calls [`deliver`] again and again, with the time of the moment. A mail server that is
//! away costs nobody anything; what cannot be sent waits, for three days at most, and is never thrown away unseen.

use super::{Letter, Order, compose, sealing_name, transport::Failure};
use crate::{
    Ctx, Error, Hallpass, Result,
    audit::{self, Event},
    revocation::Pending,
    store::{self, outbox::OutboxRow},
};

/// Seconds for which one server is busy with a mail; more than any conversation with a mail server takes.
const CLAIM: i64 = 60;
/// Seconds after which a mail is due again when the mail server could not be reached.
const OUTAGE: i64 = 30;
/// Seconds between the attempts when the mail server did not take this mail, from the first to the last but all others.
const WAITS: [i64; 6] = [10, 30, 120, 600, 1800, 3600];
/// Seconds after which nobody tries any more.
const GIVE_UP: i64 = 3 * 86_400;
/// Seconds for which one can see what became of a mail.
pub(crate) const KEPT: i64 = 7 * 86_400;

/// A mail that has not gone out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which mail it is: the name of a [`super::Kind`].
    pub kind: String,
    /// When it was caused, in seconds since 1970 (UTC).
    pub created_at: i64,
    /// How often it was not taken; that the mail server was away does not count.
    pub attempts: i64,
    /// When it is tried again; `None`: it was given up.
    pub due_at: Option<i64>,
    /// What went wrong the last time.
    pub last_error: Option<String>,
}

/// Sends the mail that has been due longest. Whether it makes sense to call it again at once.
///
/// # Errors
/// [`crate::Code::Unavailable`]; then the mail is due again after a minute.
pub async fn deliver(hallpass: &Hallpass, ctx: &Ctx) -> Result<bool> {
    if hallpass.0.mailer.is_off() || !store::outbox::any_due(hallpass.0.db.read().await?.conn(), ctx.now).await? {
        return Ok(false);
    }
    let mut tx = hallpass.0.db.begin().await?;
    let row = store::outbox::claim(tx.conn(), ctx.now, ctx.now + CLAIM).await?;
    tx.commit().await?;
    // What was due a moment ago is another server's now; there may be more.
    let Some(row) = row else { return Ok(true) };
    match send(hallpass, ctx, &row).await {
        Ok(()) => Ok(true),
        Err(failure) => {
            let mut tx = hallpass.0.db.begin().await?;
            let (wait, error) = match &failure {
                Failure::Outage(error) => (Some(OUTAGE), error),
                Failure::Later(error) => (Some(wait(row.attempts)), error),
                Failure::Never(error) => (None, error),
            };
            let due_at = wait.map(|wait| ctx.now + wait).filter(|due_at| *due_at < row.created_at + GIVE_UP);
            match (due_at, &failure) {
                (Some(due_at), Failure::Outage(_)) => store::outbox::wait(tx.conn(), row.id, due_at, error).await?,
                (Some(due_at), _) => store::outbox::later(tx.conn(), row.id, due_at, error).await?,
                (None, _) => store::outbox::give_up(tx.conn(), row.id, ctx.now, error).await?,
            }
            tx.commit().await?;
            let (kind, id) = (&row.kind, row.id);
            match due_at {
                Some(due_at) => tracing::warn!(kind, %id, error, due_at, "a mail did not go out; it is tried again"),
                None => tracing::error!(kind, %id, error, "a mail did not go out and is given up"),
            }
            Ok(!matches!(failure, Failure::Outage(_)))
        }
    }
}

/// What has not gone out, the oldest first, at most `limit`.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn waiting(hallpass: &Hallpass, limit: u32) -> Result<Vec<Waiting>> {
    let rows = store::outbox::waiting(hallpass.0.db.read().await?.conn(), limit.into()).await?;
    Ok(rows.into_iter().map(Waiting::from).collect())
}

/// Makes what was given up due again, and says how many mails that are.
///
/// # Errors
/// [`crate::Code::Unavailable`].
pub async fn retry(hallpass: &Hallpass, ctx: &Ctx) -> Result<u64> {
    let mut tx = hallpass.0.db.begin().await?;
    let revived = store::outbox::revive(tx.conn(), ctx.now).await?;
    tx.commit().await?;
    Ok(revived)
}

/// Composes a mail, hands it to the mail server, and notes that it is done.
async fn send(hallpass: &Hallpass, ctx: &Ctx, row: &OutboxRow) -> Result<(), Failure> {
    let order = open(hallpass, row).map_err(|error| Failure::Never(error.to_string()))?;
    let ours = |error: Error| Failure::Later(error.to_string());
    let mut tx = hallpass.0.db.begin().await.map_err(ours)?;
    let draft = compose::draft(hallpass, &mut tx, &order, ctx.now).await.map_err(ours)?;
    // From here on the link works, so that nobody gets one that does not.
    tx.commit().await.map_err(ours)?;
    let mut sent = None;
    if let Some(draft) = draft {
        let templates = &hallpass.0.templates;
        let locale = templates.choose(draft.locale.as_deref(), order.languages.as_deref());
        let written = templates.write(draft.kind, locale, &draft.values).map_err(ours)?;
        // With another link it is another letter: whoever drops what comes twice must not keep the link that is dead.
        let id = match draft.values.link {
            Some(_) => audit::next_id(hallpass, ctx.now).map_err(ours)?,
            None => row.id,
        };
        hallpass.0.mailer.send(&Letter { id, to: draft.to, written, sent_at: ctx.now }).await?;
        sent = draft.account.map(|account| Event::MailSent.of(account).because(draft.kind.as_str()));
    }
    done(hallpass, ctx, row, &order, sent).await.map_err(ours)
}

async fn done(hallpass: &Hallpass, ctx: &Ctx, row: &OutboxRow, order: &Order, sent: Option<audit::Note>) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    store::outbox::done(tx.conn(), row.id, ctx.now).await?;
    if let Some(note) = sent {
        let cause = Ctx { ip: order.ip, request_id: order.request_id.clone(), ..ctx.clone() };
        pending.record(hallpass, &cause, &mut tx, note).await?;
    }
    pending.commit(hallpass, tx).await
}

fn open(hallpass: &Hallpass, row: &OutboxRow) -> Result<Order> {
    let sealed = row.sealed.as_deref().unwrap_or_default();
    let plain = hallpass.0.secrets.open(&sealing_name(row.id), sealed)?;
    serde_json::from_slice(&plain).map_err(Error::internal)
}

fn wait(attempts: i64) -> i64 {
    let index = usize::try_from(attempts).unwrap_or(0).min(WAITS.len() - 1);
    WAITS.get(index).copied().unwrap_or(OUTAGE)
}

impl From<OutboxRow> for Waiting {
    fn from(row: OutboxRow) -> Self {
        Self {
            kind: row.kind,
            created_at: row.created_at,
            attempts: row.attempts,
            due_at: if row.failed_at.is_some() { None } else { Some(row.due_at) },
            last_error: row.last_error,
        }
    }
}

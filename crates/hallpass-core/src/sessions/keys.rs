//! Keys that open an account as long as their session lasts, for wire formats that know no tokens that expire.
//!
//! A key is the first half of the session's id, by which it is found, and a MAC over the whole. The database has neither
//! the key nor anything that makes one.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use hallpass_token::{AccountId, SessionId};
use uuid::Uuid;

use super::extend;
use crate::{Code, Ctx, Hallpass, Result, store};

/// Where a key is sent; one never passes for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In a header, by a program.
    Header,
    /// In a cookie, by a browser.
    Cookie,
}

/// Who shows a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// The session that it belongs to.
    pub session: SessionId,
    /// Whose session it is.
    pub account: AccountId,
}

/// Bytes of a session's id that its keys begin with.
const BEGINNING: usize = 8;

/// Seconds between two notes of use: a key is shown with every request.
const NOTED: i64 = 60;

/// The key of a session; always the same.
pub fn key(hallpass: &Hallpass, session: SessionId, place: Place) -> [u8; 20] {
    let id = session.0.into_bytes();
    let kind = match place {
        Place::Header => 0,
        Place::Cookie => 1,
    };
    let code = hallpass.0.secrets.session_keys.mac(&[&[kind], id.as_slice()].concat());
    let mut key = [0; 20];
    key.iter_mut().zip(id.iter().take(BEGINNING).chain(&code)).for_each(|(byte, given)| *byte = *given);
    key
}

/// Whose session a key belongs to, if that lasts; it counts as a use of the session.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn of_key(hallpass: &Hallpass, ctx: &Ctx, shown: [u8; 20], place: Place) -> Result<Option<Holder>> {
    let mut low = [0; 16];
    low.iter_mut().zip(shown).take(BEGINNING).for_each(|(byte, given)| *byte = given);
    let (low, rest) = (Uuid::from_bytes(low), u128::from(u64::MAX));
    let high = Uuid::from_u128(low.as_u128() | rest);
    let rows = store::sessions::all_between(hallpass.0.db.read().await?.conn(), low, high).await?;
    let proven = |id| verify_slices_are_equal(&key(hallpass, id, place), &shown).is_ok();
    let Some(row) = rows.into_iter().find(|row| row.is_live(ctx.now) && proven(row.id())) else { return Ok(None) };
    if ctx.now - row.last_used_at >= NOTED {
        match extend(hallpass, ctx, row.id()).await {
            Err(error) if error.code == Code::SessionEnded => return Ok(None),
            extended => extended?,
        };
    }
    Ok(Some(Holder { session: row.id(), account: AccountId(row.account_id) }))
}

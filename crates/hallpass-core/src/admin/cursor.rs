//! Where the next page of a list begins: a place in the list, with a MAC over it and over which list it is.
//!
//! So a cursor of another list, of other filters or of somebody's own making is refused, and never part of a statement.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use serde::Serialize;

use super::Page;
use crate::{Code, Error, Hallpass, Result};

/// Characters of the longest cursor: of 32 bytes of MAC and 16 of a place.
const LONGEST: usize = 64;

/// Reads where a page begins, as the last element of the page before it.
pub(super) fn read<const N: usize>(
    hallpass: &Hallpass,
    list: &impl Serialize,
    cursor: Option<&str>,
) -> Result<Option<[u8; N]>> {
    let Some(cursor) = cursor else { return Ok(None) };
    let foreign = || Error::new(Code::InvalidRequest, "This `cursor` is not of this list: begin again without it");
    let bytes = Some(cursor).filter(|cursor| cursor.len() <= LONGEST).and_then(|cursor| BASE64URL.decode(cursor).ok());
    let bytes = bytes.ok_or_else(foreign)?;
    let (code, place) = bytes.split_first_chunk::<32>().ok_or_else(foreign)?;
    if !hallpass.0.secrets.cursors.verify(&message(list, place)?, code) {
        return Err(foreign());
    }
    Ok(Some(place.try_into().map_err(|_| foreign())?))
}

/// Makes a page of what was found, of which one more than `limit` was looked for.
pub(super) fn page<T, const N: usize>(
    hallpass: &Hallpass,
    list: &impl Serialize,
    limit: usize,
    mut items: Vec<T>,
    place: impl Fn(&T) -> [u8; N],
) -> Result<Page<T>> {
    let more = items.len() > limit;
    items.truncate(limit);
    let next = match items.last().filter(|_| more) {
        Some(last) => Some(write(hallpass, list, &place(last))?),
        None => None,
    };
    Ok(Page { items, next })
}

fn write(hallpass: &Hallpass, list: &impl Serialize, place: &[u8]) -> Result<String> {
    let code = hallpass.0.secrets.cursors.mac(&message(list, place)?);
    Ok(BASE64URL.encode([&code, place].concat()))
}

/// The list with its filters, after its length, and the place.
fn message(list: &impl Serialize, place: &[u8]) -> Result<Vec<u8>> {
    let list = serde_json::to_vec(list).map_err(Error::internal)?;
    Ok([&(list.len() as u64).to_be_bytes(), list.as_slice(), place].concat())
}

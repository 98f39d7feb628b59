//! Signed lists of what was taken back (draft-ietf-oauth-status-list), for verifiers that know this standard and nothing
//! else of ours. Sections are those of its revisions of January 2026.
//!
//! What a list says is read off the revocation log whenever the list is made: nothing is marked when something happens,
//! so nothing that happens can be missed. A list never tells how many sessions there are, whose they are, or in which
//! order they began.

use std::{collections::HashMap, io::Write, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use flate2::{Compression, write::ZlibEncoder};
use hallpass_token::AccountId;
use serde_json::{Map, Value, json};
use tokio::sync::Mutex;

use crate::{
    Code, Ctx, Error, Hallpass, MacKey, Result, revocation,
    store::{self, Tx, sessions::SessionRow},
};

/// The `typ` of a list (section 5.1).
const TYPE: &str = "statuslist+jwt";

/// Bits of one entry (section 4.1).
const BITS: u32 = 2;
/// The session of the token has ended (section 7.1, `INVALID`).
const ENDED: i64 = 1;
/// The token is out of date and its session goes on: refresh (section 7.1, application specific).
const STALE: i64 = 3;

/// Bits of each half of an index.
const HALF: u32 = 10;
/// Entries of a list, always all of them: 256 KiB before they are compressed.
const ENTRIES: i64 = 1 << (2 * HALF);
/// Rounds of the network that shuffles the entries.
const ROUNDS: u8 = 8;

/// Seconds after which a verifier should ask again.
const TTL: i64 = 60;
/// Seconds after which a list says nothing any more.
const LIFETIME: i64 = 300;

/// The lists that were made this second, by name.
#[derive(Default)]
pub(crate) struct Made(Mutex<HashMap<String, (i64, Arc<str>)>>);

/// The list of this name as a JWT: `statuslist+jwt`, signed by the key that signs access tokens. Each list is made at
/// most once a second, whoever asks.
///
/// # Errors
/// [`Code::NotFound`] if no living token names the list; [`Code::Unavailable`].
pub async fn read(hallpass: &Hallpass, ctx: &Ctx, name: &str) -> Result<Arc<str>> {
    let held = &hallpass.0.status_lists.0;
    if let Some(list) = of_this_second(&*held.lock().await, name, ctx.now) {
        return Ok(list);
    }
    let mut reader = hallpass.0.db.read().await?;
    let (lowest, highest) = store::status_indexes::range(reader.conn()).await?.ok_or_else(unknown)?;
    let mut lists = lowest.div_euclid(ENTRIES)..=highest.div_euclid(ENTRIES);
    let key = &hallpass.0.secrets.status_lists;
    let list = lists.find(|list| name_of(key, *list) == name).ok_or_else(unknown)?;
    let numbers = (list * ENTRIES, (list + 1) * ENTRIES);
    let taken_back = store::status_indexes::taken_back(reader.conn(), numbers, (ENDED, STALE), ctx.now).await?;
    drop(reader);

    // From here on nobody waits for the database, and whoever waits finds what the first one made.
    let mut held = held.lock().await;
    if let Some(list) = of_this_second(&held, name, ctx.now) {
        return Ok(list);
    }
    let (of_task, now) = (hallpass.clone(), ctx.now);
    // It takes long enough to hold up requests.
    let made = tokio::task::spawn_blocking(move || make(&of_task, list, &taken_back, now)).await;
    let made: Arc<str> = made.map_err(Error::internal)??.into();
    held.retain(|_, (at, _)| *at == now);
    held.insert(name.to_owned(), (now, made.clone()));
    Ok(made)
}

/// Another request may have come a moment later and been faster. A clock that was set back makes the lists anew.
fn of_this_second(held: &HashMap<String, (i64, Arc<str>)>, name: &str, now: i64) -> Option<Arc<str>> {
    held.get(name).filter(|(at, _)| (now..=now + 1).contains(at)).map(|(_, list)| list.clone())
}

/// The claim `status` of a token (section 6.2).
pub(crate) fn claim(hallpass: &Hallpass, number: i64) -> Value {
    let key = &hallpass.0.secrets.status_lists;
    let (list, entry) = (number.div_euclid(ENTRIES), number.rem_euclid(ENTRIES));
    json!({ "status_list": { "idx": index_of(key, list, entry), "uri": uri(hallpass, list) } })
}

/// The number of the tokens of a session and a version of its account; a new one if they have none yet.
pub(crate) async fn number(hallpass: &Hallpass, tx: &mut Tx, session: &SessionRow, version: i64) -> Result<i64> {
    let (id, account) = (session.id(), AccountId(session.account_id));
    // No token outlives the session's end.
    let expires_at = revocation::forget_at(hallpass, session.absolute_end);
    Ok(store::status_indexes::number(tx.conn(), id, account, version, expires_at).await?)
}

/// Lets the numbers of an account that is deleted go, as soon as its last token is over.
pub(crate) async fn let_go(hallpass: &Hallpass, ctx: &Ctx, tx: &mut Tx, account: AccountId) -> Result<()> {
    let over = revocation::forget_at(hallpass, ctx.now);
    Ok(store::status_indexes::let_go(tx.conn(), account, over).await?)
}

fn make(hallpass: &Hallpass, list: i64, taken_back: &[(i64, i64)], now: i64) -> Result<String> {
    let key = &hallpass.0.secrets.status_lists;
    let entries = taken_back.iter().map(|(number, status)| (index_of(key, list, number.rem_euclid(ENTRIES)), *status));
    let claims = [
        ("sub", uri(hallpass, list).into()),
        ("iat", now.into()),
        ("exp", (now + LIFETIME).into()),
        ("ttl", TTL.into()),
        ("status_list", json!({ "bits": BITS, "lst": encode(entries)? })),
    ];
    let claims: Map<String, Value> = claims.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    hallpass.0.ring.load().sign_other(TYPE, &claims)
}

/// All entries, zero but for these, compressed (section 4).
fn encode(entries: impl Iterator<Item = (i64, i64)>) -> Result<String> {
    let mut bytes = vec![0_u8; 1 << (2 * HALF - 2)];
    for (index, status) in entries {
        let Some(byte) = usize::try_from(index / 4).ok().and_then(|place| bytes.get_mut(place)) else { continue };
        let (shift, before) = (index % 4 * 2, i64::from(*byte));
        let entry = before >> shift & 3;
        // The bit of an end is one of the two of being out of date: what is both has ended.
        let entry = if entry == 0 { status } else { entry & status };
        *byte = u8::try_from(before & !(3 << shift) | entry << shift).map_err(Error::internal)?;
    }
    let mut compressed = ZlibEncoder::new(Vec::new(), Compression::best());
    compressed.write_all(&bytes).map_err(Error::internal)?;
    Ok(BASE64URL.encode(compressed.finish().map_err(Error::internal)?))
}

/// Where a list is, byte for byte as tokens name it and as its own `sub`.
fn uri(hallpass: &Hallpass, list: i64) -> String {
    let name = name_of(&hallpass.0.secrets.status_lists, list);
    format!("{}/api/v1/status-lists/{name}", hallpass.config().public_url)
}

/// What a list is called: its number would tell how many sessions there were.
fn name_of(key: &MacKey, list: i64) -> String {
    let code = key.mac(&[b"name".as_slice(), &list.to_be_bytes()].concat());
    code.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Where an entry is in its list. Each list has an order of its own, so that indexes are as good as random and none is
/// given twice (sections 12.4 and 13.3).
fn index_of(key: &MacKey, list: i64, entry: i64) -> i64 {
    permute(entry, |round, half| {
        let message = [b"index".as_slice(), &list.to_be_bytes(), &[round], &half.to_be_bytes()].concat();
        key.mac(&message).iter().take(2).fold(0, |bits, byte| bits << 8 | i64::from(*byte))
    })
}

/// A permutation of all entries, whatever `scramble` answers: a balanced Feistel network.
fn permute(entry: i64, scramble: impl Fn(u8, i64) -> i64) -> i64 {
    let mask = (1 << HALF) - 1;
    let halves = (entry >> HALF, entry & mask);
    let (left, right) = (0..ROUNDS).fold(halves, |(left, right), round| (right, left ^ scramble(round, right) & mask));
    left << HALF | right
}

fn unknown() -> Error {
    Error::new(Code::NotFound, "There is no such status list: take `uri` from a token that is still good")
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::ZlibDecoder;
    use proptest::prelude::*;

    use super::*;
    use crate::{MasterKey, Secrets};

    fn key() -> MacKey {
        Secrets::derive(&MasterKey::generate().unwrap()).unwrap().status_lists
    }

    #[test]
    fn every_entry_of_a_list_has_an_index_of_its_own() {
        let own = |indexes: &mut dyn Iterator<Item = i64>| {
            let mut taken = vec![false; 1 << 20];
            indexes.for_each(|index| assert!(!std::mem::replace(&mut taken[usize::try_from(index).unwrap()], true)));
        };
        let key = key();
        own(&mut (0..5_000).chain(ENTRIES - 5_000..ENTRIES).map(|entry| index_of(&key, 7, entry)));
        // All of them, with round functions that take no time.
        for scramble in [|_, _| 0, |round, half| half * 0x9e37 + i64::from(round), |round, half| half >> round] {
            own(&mut (0..ENTRIES).map(|entry| permute(entry, scramble)));
        }
    }

    #[test]
    fn indexes_and_names_tell_no_order_and_differ_for_each_list_and_each_server() {
        let (key, other) = (key(), key());
        let first = |key: &MacKey, list| (0..1_000).map(|entry| index_of(key, list, entry)).collect::<Vec<_>>();
        let indexes = first(&key, 0);
        assert_ne!(indexes, first(&key, 1));
        assert_ne!(indexes, first(&other, 0));
        // Of those who came one after the other, half have the higher index; 500 +- 9 of them.
        let rising = indexes.windows(2).filter(|pair| pair[0] < pair[1]).count();
        assert!((400..600).contains(&rising), "{rising}");
        // A quarter of them is in each quarter of the list; 250 +- 14.
        for quarter in 0..4 {
            let there = indexes.iter().filter(|index| *index / (ENTRIES / 4) == quarter).count();
            assert!((150..350).contains(&there), "{there}");
        }
        assert_ne!(name_of(&key, 0), name_of(&key, 1));
        assert_ne!(name_of(&key, 0), name_of(&other, 0));
    }

    #[test]
    fn what_has_ended_and_is_out_of_date_has_ended() {
        let of = |entries: &[(i64, i64)]| bytes(&encode(entries.iter().copied()).unwrap());
        for entries in [[(6, ENDED), (6, STALE)], [(6, STALE), (6, ENDED)], [(6, ENDED), (6, ENDED)]] {
            assert_eq!(of(&entries)[1], 0b0001_0000);
        }
        assert_eq!(of(&[(6, STALE), (6, STALE)])[1], 0b0011_0000);
    }

    fn bytes(lst: &str) -> Vec<u8> {
        let mut bytes = Vec::new();
        ZlibDecoder::new(BASE64URL.decode(lst).unwrap().as_slice()).read_to_end(&mut bytes).unwrap();
        bytes
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn a_list_says_what_was_put_into_it_and_has_always_all_entries(
            entries in prop::collection::btree_map(0..ENTRIES, prop::sample::select(vec![ENDED, STALE]), 0..50)
        ) {
            let bytes = bytes(&encode(entries.clone().into_iter()).unwrap());
            prop_assert_eq!(bytes.len(), 1 << 18);
            let status = |index: i64| i64::from(bytes[usize::try_from(index / 4).unwrap()] >> (index % 4 * 2) & 3);
            for (index, put) in &entries {
                prop_assert_eq!(status(*index), *put);
            }
            let set = |byte: &u8| (0..4).filter(|place| byte >> (place * 2) & 3 != 0).count();
            prop_assert_eq!(bytes.iter().filter(|byte| **byte != 0).map(set).sum::<usize>(), entries.len());
        }
    }
}

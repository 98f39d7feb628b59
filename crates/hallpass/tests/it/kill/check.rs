//! Holds what a client knows against what the server says after it was killed and started again.
//!
//! It takes no side where there was no answer, except that all of it must have happened or nothing.

use hallpass_core::Db;
use reqwest::StatusCode;

use super::client::{Answer, Api, Device, Person, State};

/// Fails unless the server knows what `person` was told.
pub(crate) async fn agrees(api: Api, person: Person) {
    let Some(newest) = is_signed_up(&api, &person).await else { return };
    let changed = passwords_agree(&api, &person).await;
    let mut live = 0;
    for (number, device) in person.devices.iter().enumerate() {
        // A change of the password leaves only the device that asked for it.
        let ended_by_change = changed.is_some_and(|asked| asked != number);
        let state = if ended_by_change { State::Ended } else { device.state };
        live += usize::from(is_live(&api, device, state, &person).await);
    }
    // The check itself has signed in twice: now, and where it tried the passwords.
    let sessions = api.sessions(&newest).await.unwrap().body["sessions"].as_array().unwrap().len() - 2;
    let unanswered = usize::from(person.maybe_signed_in) + usize::from(!person.signed_up);
    assert!((live..=live + unanswered).contains(&sessions), "{sessions} sessions, {live} known to live: {person:?}");
    if !person.signed_up {
        assert_eq!(sessions, 1, "an account is there and its first session is not: {person:?}");
    }
}

/// A device signed in now; none if the account is not there, and was not acknowledged either.
async fn is_signed_up(api: &Api, person: &Person) -> Option<Device> {
    let passwords = [Some(&person.password), person.maybe_password.as_ref().map(|(new, _)| new)];
    for password in passwords.into_iter().flatten() {
        let answer = api.sign_in(&person.username, password).await.unwrap();
        if answer.status == StatusCode::OK {
            return Some(answer.issued(StatusCode::OK));
        }
        refused(&answer, "invalid_credentials", person);
    }
    assert!(!person.signed_up, "an acknowledged account, or its password, is gone: {person:?}");
    // Nothing of it may be left to stand in the way of another try.
    api.sign_up(&person.username, &person.password).await.unwrap().issued(StatusCode::CREATED);
    None
}

/// Tries every password; answers with the device that changed it, if that was never acknowledged and yet happened.
async fn passwords_agree(api: &Api, person: &Person) -> Option<usize> {
    if let Some(replaced) = &person.replaced_password {
        refused(&api.sign_in(&person.username, replaced).await.unwrap(), "invalid_credentials", person);
    }
    let old = api.sign_in(&person.username, &person.password).await.unwrap();
    let Some((new, device)) = &person.maybe_password else {
        old.issued(StatusCode::OK);
        return None;
    };
    let new = api.sign_in(&person.username, new).await.unwrap();
    let (good, bad, changed) = if new.status == StatusCode::OK { (new, old, Some(*device)) } else { (old, new, None) };
    good.issued(StatusCode::OK);
    refused(&bad, "invalid_credentials", person);
    changed
}

/// Whether the device is signed in, which has to be so or not as `state` says, for its access token and its refresh secret.
async fn is_live(api: &Api, device: &Device, state: State, person: &Person) -> bool {
    let token = api.session(device).await.unwrap();
    let secret = api.refresh(device).await.unwrap();
    let live = secret.status == StatusCode::OK;
    match state {
        State::SignedIn => assert!(live, "{device:?} is signed out: {secret:?} {person:?}"),
        State::Ended => assert!(!live, "{device:?} is signed in again: {person:?}"),
        State::MaybeEnded => {}
    }
    if live {
        assert_eq!(
            token.status,
            StatusCode::OK,
            "{device:?} can refresh and its token is refused: {token:?} {person:?}"
        );
    } else {
        refused(&token, "session_ended", person);
        refused(&secret, "session_ended", person);
    }
    live
}

fn refused(answer: &Answer, code: &str, person: &Person) {
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{answer:?} {person:?}");
    assert_eq!(answer.body["code"], code, "{answer:?} {person:?}");
}

/// Fails if a table holds one half of what is written together.
pub(crate) async fn nothing_is_half_written(db: &Db) {
    for (half, statement) in [
        (
            "accounts without a session",
            "select count(*) from accounts where id not in (select account_id from sessions)",
        ),
        (
            "sessions without an account",
            "select count(*) from sessions where account_id not in (select id from accounts)",
        ),
        (
            "ended sessions that no revocation names",
            "select count(*) from sessions where ended_at is not null \
             and id not in (select session_id from revocations where session_id is not null)",
        ),
        (
            "revocations of sessions that have not ended",
            "select count(*) from revocations where session_id in (select id from sessions where ended_at is null)",
        ),
    ] {
        assert_eq!(count(db, statement).await, 0, "{half}");
    }
    if let Db::Sqlite { writer, .. } = db {
        let found: String = sqlx::query_scalar("pragma integrity_check").fetch_one(writer).await.unwrap();
        assert_eq!(found, "ok");
    }
}

async fn count(db: &Db, statement: &'static str) -> i64 {
    match db {
        Db::Sqlite { writer, .. } => sqlx::query_scalar(statement).fetch_one(writer).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(statement).fetch_one(pool).await.unwrap(),
    }
}

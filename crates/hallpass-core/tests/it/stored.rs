//! What the database holds: no secret that would let anybody in, and nothing for ever.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
pub(crate) use hallpass_core::testing::dump;
use hallpass_core::{Ctx, Db, accounts, keys, on_both_engines, sessions, tasks};
use sqlx::AssertSqlSafe;

use crate::support::{House, OTHER_PASSWORD, PASSWORD};

on_both_engines! {
    async fn no_secret_that_was_handed_out_or_typed_is_stored(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let first = house.sign_in("ada").await;
        let second = house.refresh(&first.refresh_token).await.unwrap();
        let last = house.sign_in("ada").await;
        assert!(house.try_sign_in("ada", "a guess that was wrong").await.is_err());
        // People type their password where the name belongs.
        assert!(house.try_sign_in("a-name-that-is-nobodys", PASSWORD).await.is_err());
        sessions::sign_out(&house.hallpass, &house.ctx(), first.session).await.unwrap();
        accounts::grant_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        let new = OTHER_PASSWORD.to_owned().into();
        accounts::set_password(&house.hallpass, &house.ctx(), ada.id, new).await.unwrap();

        let text = dump(&house.database.db).await;
        let kid = keys::list(&house.hallpass).await.unwrap().remove(0).kid;
        let session = match &house.database.db {
            Db::Sqlite { .. } => hex(first.session.0.as_bytes()),
            Db::Postgres { .. } => first.session.to_string(),
        };
        for there in ["ada", "$argon2id$", &session, &kid, "signed_out", "account_changed", "wrong_password"] {
            assert!(text.contains(&there.to_lowercase()), "the dump is not whole: no {there}");
        }
        let mut held = [text.into_bytes(), files(&house)].concat();
        held.make_ascii_lowercase();
        for issued in [&first, &second, &last] {
            let whole = URL_SAFE_NO_PAD.decode(&issued.refresh_token["hpr_".len()..]).unwrap();
            let signature = issued.access_token.rsplit('.').next().unwrap();
            assert_absent(&held, issued.refresh_token.as_bytes(), "a refresh secret");
            assert_absent(&held, &issued.refresh_token.as_bytes()["hpr_".len()..][..42], "the text of its MAC");
            assert_absent(&held, &whole[..32], "its MAC");
            assert_absent(&held, signature.as_bytes(), "the signature of an access token");
            let proof = issued.device_token.iter().flat_map(|proof| URL_SAFE_NO_PAD.decode(proof).unwrap()).skip(8);
            let proof: Vec<u8> = proof.collect();
            for part in proof.chunks(16) {
                assert_absent(&held, part, "what proves a known device");
            }
        }
        for typed in [PASSWORD, OTHER_PASSWORD, "a guess that was wrong", "a-name-that-is-nobodys"] {
            assert_absent(&held, typed.as_bytes(), "a password");
        }
        assert_absent(&held, house.master.as_bytes(), "the text of the master key");
        assert_absent(&held, &STANDARD.decode(&house.master).unwrap(), "the master key");
    }

    async fn lines_of_the_log_are_pruned_three_days_after_no_token_can_need_them(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        sessions::sign_out(&house.hallpass, &house.ctx(), issued.session).await.unwrap();
        accounts::grant_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        // A token's life of 300 seconds, the leeway of 5, and 120 for clocks and for requests that had begun; then three
        // days in which a clock that was wrong may be set right.
        pass(&house, 3 * 86_400 + 424).await;
        assert_eq!(rows(&house.database.db, "revocations").await, 2);
        pass(&house, 60).await;
        assert_eq!(rows(&house.database.db, "revocations").await, 0);
    }

    async fn events_are_kept_for_180_days(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        house.pass(60);
        assert!(house.try_sign_in("ada", OTHER_PASSWORD).await.is_err());
        pass(&house, 180 * 86_400 - 60).await;
        assert_eq!(rows(&house.database.db, "events where event <> 'key_rotated'").await, 2);
        pass(&house, 60).await;
        assert_eq!(rows(&house.database.db, "events where event <> 'key_rotated'").await, 1);
        pass(&house, 60).await;
        assert_eq!(rows(&house.database.db, "events where event <> 'key_rotated'").await, 0);
    }

    async fn sessions_are_pruned_when_nobody_can_ask_any_more_why_they_ended(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let (over, left) = (house.sign_in("ada").await, house.sign_in("ada").await);
        sessions::sign_out(&house.hallpass, &house.ctx(), over.session).await.unwrap();
        // Thirty days until the absolute end, and thirty for which the cause is remembered.
        pass(&house, 60 * 86_400).await;
        let newer = house.sign_in("ada").await;
        for issued in [&over, &left] {
            assert!(house.refresh(&issued.refresh_token).await.unwrap_err().cause.is_some());
        }
        assert_eq!(rows(&house.database.db, "sessions").await, 3);
        pass(&house, 60).await;
        assert_eq!(rows(&house.database.db, "sessions").await, 1);
        assert!(house.refresh(&newer.refresh_token).await.is_ok());
    }
}

/// Time goes by, and the background work is done once.
pub(crate) async fn pass(house: &House, seconds: i64) {
    house.pass(seconds);
    tasks::run(&house.hallpass, &Ctx::operator(house.now())).await.unwrap();
}

pub(crate) async fn rows(db: &Db, table: &str) -> i64 {
    let count = AssertSqlSafe(format!("select count(*) from {table}"));
    match db {
        Db::Sqlite { writer, .. } => sqlx::query_scalar(count).fetch_one(writer).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(count).fetch_one(pool).await.unwrap(),
    }
}

/// The one column of text that a query has.
pub(crate) async fn texts(db: &Db, query: &str) -> Vec<String> {
    let query = AssertSqlSafe(query.to_owned());
    match db {
        Db::Sqlite { writer, .. } => sqlx::query_scalar(query).fetch_all(writer).await.unwrap(),
        Db::Postgres { pool, .. } => sqlx::query_scalar(query).fetch_all(pool).await.unwrap(),
    }
}

/// Changes rows behind the program's back.
pub(crate) async fn execute(db: &Db, statement: &str) {
    let statement = AssertSqlSafe(statement.to_owned());
    match db {
        Db::Sqlite { writer, .. } => drop(sqlx::query(statement).execute(writer).await.unwrap()),
        Db::Postgres { pool, .. } => drop(sqlx::query(statement).execute(pool).await.unwrap()),
    }
}

/// What is on disk of an embedded database: the file and its journal, with what was deleted and not yet overwritten.
fn files(house: &House) -> Vec<u8> {
    let Some(path) = house.database.url.strip_prefix("sqlite:") else { return Vec::new() };
    let read = |path: String| std::fs::read(path).unwrap();
    [read(path.to_owned()), read(format!("{path}-wal"))].concat()
}

/// Neither the bytes themselves nor their hexadecimal digits are anywhere, in letters of either case.
fn assert_absent(held: &[u8], secret: &[u8], what: &str) {
    for mut form in [secret.to_vec(), hex(secret).into_bytes()] {
        form.make_ascii_lowercase();
        assert!(!held.windows(form.len()).any(|part| part == form), "{what} is stored");
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

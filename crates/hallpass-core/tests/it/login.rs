//! Signing up, signing in, and the password.

use std::sync::mpsc;

use futures_util::stream::{FuturesUnordered, StreamExt};
use hallpass_core::{
    Code,
    accounts::{self, NewAccount},
    config::Presence,
    login::{self, Identifier},
    on_both_engines,
    sessions::{EndCause, Remember},
    testing::TestDb,
};
use hallpass_token::TokenError;

use crate::support::{House, OTHER_PASSWORD, PASSWORD, code, person};

on_both_engines! {
    async fn whoever_signs_up_is_signed_in(database) {
        let house = House::new(database).await;
        let new = NewAccount { email: Some("Ada@Example.COM".into()), ..person("ada") };
        let issued = login::sign_up(&house.hallpass, &house.ctx(), new, Remember::Yes).await.unwrap().unwrap();
        let claims = house.verify(&issued).unwrap();
        assert_eq!((claims.sub, claims.sid), (issued.account.id, issued.session));
        assert_eq!(issued.refresh_lifetime, Some(7 * 86_400));
        assert_eq!(house.live(&issued.account).await, [issued.session]);
        assert!(!issued.account.email_verified);
    }

    async fn sign_up_can_be_closed(database) {
        let house = House::with(database, |config| config.accounts.sign_up = false).await;
        let refused = login::sign_up(&house.hallpass, &house.ctx(), person("ada"), Remember::No).await;
        assert_eq!(code(refused), Code::SignUpClosed);
    }

    async fn user_name_and_address_each_find_the_account_in_any_spelling_of_the_same_name(database) {
        let house = House::new(database).await;
        let new = NewAccount { email: Some("ada@example.com".into()), ..person("Ada") };
        let account = accounts::create(&house.hallpass, &house.ctx(), new, Default::default()).await.unwrap();
        let who = |username: Option<&str>, email: Option<&str>| Identifier {
            username: username.map(str::to_owned),
            email: email.map(str::to_owned),
            exact: false,
        };
        for good in [
            who(Some("ada"), None),
            who(Some("ＡＤＡ"), None),
            who(Some("ADA@example.com"), None),
            who(None, Some("ada@EXAMPLE.com")),
            who(Some("ada"), Some("Ada@example.com")),
        ] {
            let answer =
                login::sign_in(&house.hallpass, &house.ctx(), good.clone(), PASSWORD.to_owned().into(), Remember::No, None).await;
            assert_eq!(answer.unwrap_or_else(|error| panic!("{good:?}: {error}")).account.id, account.id);
        }
        for bad in [
            who(None, None),
            who(Some(""), None),
            who(Some("ada"), Some("bob@example.com")),
            who(Some("bob"), Some("ada@example.com")),
            who(Some("ada "), None),
            who(None, Some("not an address")),
        ] {
            let answer = login::sign_in(&house.hallpass, &house.ctx(), bad, PASSWORD.to_owned().into(), Remember::No, None).await;
            assert_eq!(code(answer), Code::InvalidCredentials);
        }
    }

    async fn unknown_wrong_passwordless_and_inactive_are_refused_in_the_same_words(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let carol = house.create("carol").await;
        accounts::set_active(&house.hallpass, &house.ctx(), carol.id, false).await.unwrap();
        let dave = NewAccount { password: None, ..person("dave") };
        accounts::create(&house.hallpass, &house.ctx(), dave, Default::default()).await.unwrap();
        let mut words = Vec::new();
        for (name, password) in
            [("nobody", PASSWORD), ("ada", OTHER_PASSWORD), ("carol", PASSWORD), ("carol", "x"), ("dave", PASSWORD), ("dave", "x")]
        {
            words.push(house.try_sign_in(name, password).await.unwrap_err().to_string());
        }
        words.dedup();
        assert_eq!(words.len(), 1, "{words:?}");
    }

    async fn two_sign_ins_are_two_sessions_with_nothing_in_common(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let (one, two) = (house.sign_in("ada").await, house.sign_in("ada").await);
        assert_ne!(one.session, two.session);
        assert_ne!(one.refresh_token, two.refresh_token);
        assert_ne!(house.verify(&one).unwrap().jti, house.verify(&two).unwrap().jti);
    }

    async fn a_password_stored_under_weaker_parameters_is_hashed_again_at_sign_in(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let before = stored_hash(&house).await;
        assert!(before.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{before}");
        let mut config = house.hallpass.config().clone();
        config.passwords.iterations = 3;
        let master = hallpass_core::MasterKey::from_base64(&house.master).unwrap();
        let stricter =
            hallpass_core::Hallpass::open(house.database.db.clone(), &master, config, house.now()).await.unwrap();
        let who = Identifier { username: Some("ada".into()), email: None, exact: false };
        login::sign_in(&stricter, &house.ctx(), who, PASSWORD.to_owned().into(), Remember::No, None).await.unwrap();
        let after = stored_hash(&house).await;
        assert!(after.starts_with("$argon2id$v=19$m=19456,t=3,p=1$"), "{after}");
        assert!(house.try_sign_in("ada", PASSWORD).await.is_ok());
    }

    async fn changing_the_password_needs_the_current_one_and_ends_the_other_sessions(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let (here, there) = (house.sign_in("ada").await, house.sign_in("ada").await);
        let change = async |current: &str, new: &str| {
            let (current, new) = (current.to_owned().into(), new.to_owned().into());
            login::change_password(&house.hallpass, &house.ctx(), ada.id, here.session, current, new, None).await
        };
        assert_eq!(code(change(OTHER_PASSWORD, OTHER_PASSWORD).await), Code::PasswordIncorrect);
        assert_eq!(code(change("", OTHER_PASSWORD).await), Code::ValidationFailed);
        assert_eq!(code(change(PASSWORD, "short").await), Code::ValidationFailed);
        assert!(house.verify(&there).is_ok());

        change(PASSWORD, OTHER_PASSWORD).await.unwrap();
        assert!(house.verify(&here).is_ok());
        assert!(house.refresh(&here.refresh_token).await.is_ok());
        assert_eq!(house.verify(&there).unwrap_err(), TokenError::Ended);
        let refused = house.refresh(&there.refresh_token).await.unwrap_err();
        assert_eq!(refused.cause, Some(EndCause::PasswordChanged));
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);
        assert!(house.try_sign_in("ada", OTHER_PASSWORD).await.is_ok());
    }

    async fn the_password_rules_are_the_same_on_every_path(database) {
        let house = House::new(database).await;
        let ada = house.create("ada.lovelace").await;
        let here = house.sign_in("ada.lovelace").await;
        let names = |error: hallpass_core::Error| error.fields.iter().map(|field| field.code).collect::<Vec<_>>();
        for weak in ["short", "passwordpassword", "ada.lovelace1234", "aaaaaaaaaaaaaaaaaaaa"] {
            let secret = || weak.to_owned().into();
            let new = || NewAccount { password: Some(secret()), ..person("ada.lovelace") };
            let ctx = house.ctx();
            let signed_up = login::sign_up(&house.hallpass, &ctx, new(), Remember::No).await.unwrap_err();
            let created = accounts::create(&house.hallpass, &ctx, new(), Default::default()).await.unwrap_err();
            let set = accounts::set_password(&house.hallpass, &ctx, ada.id, secret()).await.unwrap_err();
            let current = PASSWORD.to_owned().into();
            let changed = login::change_password(&house.hallpass, &ctx, ada.id, here.session, current, secret(), None);
            let expected = names(signed_up);
            assert!(!expected.is_empty());
            for error in [created, set, changed.await.unwrap_err()] {
                assert_eq!(names(error), expected, "{weak}");
            }
        }
    }

    async fn what_an_account_is_asked_for_is_a_setting(database) {
        let house = House::with(database, |config| {
            config.accounts.username = Presence::Off;
            config.accounts.email = Presence::Required;
        })
        .await;
        let ctx = house.ctx();
        let new = |username: Option<&str>, email: Option<&str>| NewAccount {
            username: username.map(str::to_owned),
            email: email.map(str::to_owned),
            password: Some(PASSWORD.to_owned().into()),
            ..NewAccount::default()
        };
        for refused in [new(None, None), new(Some("ada"), Some("ada@example.com"))] {
            assert_eq!(code(login::sign_up(&house.hallpass, &ctx, refused, Remember::No).await), Code::ValidationFailed);
        }
        login::sign_up(&house.hallpass, &ctx, new(None, Some("ada@example.com")), Remember::No).await.unwrap();
        let twin = login::sign_up(&house.hallpass, &ctx, new(None, Some("ADA@example.com")), Remember::No).await;
        assert_eq!(code(twin), Code::EmailTaken);
    }
}

/// Nobody is told apart by how soon the answer comes: while no comparison can end, no sign-in is refused for any reason
/// but that too many wait.
#[test]
fn no_sign_in_is_refused_before_a_comparison_whatever_is_wrong_with_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(1).build().unwrap();
    runtime.block_on(async {
        let house = House::with(TestDb::sqlite().await, |config| config.throttle.enabled = false).await;
        house.create("ada").await;
        let carol = house.create("carol").await;
        accounts::set_active(&house.hallpass, &house.ctx(), carol.id, false).await.unwrap();
        let dave = NewAccount { password: None, ..person("dave") };
        accounts::create(&house.hallpass, &house.ctx(), dave, Default::default()).await.unwrap();
        // The only thread that comparisons run on is kept busy, and sign-ins come until one finds the queue full. Those
        // that wait are not polled while the others are tried, so none of them leaves.
        let (finish, finished) = mpsc::channel::<()>();
        let _occupied = tokio::task::spawn_blocking(move || finished.recv());
        let cores = std::thread::available_parallelism().unwrap().get();
        let mut waiting: FuturesUnordered<_> = (0..=5 * cores).map(|_| house.try_sign_in("ada", PASSWORD)).collect();
        assert_eq!(code(waiting.next().await.unwrap()), Code::Busy);
        for (name, password) in [
            ("ada", PASSWORD),
            ("nobody", PASSWORD),
            ("not a name", PASSWORD),
            ("ada", "x"),
            ("carol", PASSWORD),
            ("dave", PASSWORD),
        ] {
            assert_eq!(code(house.try_sign_in(name, password).await), Code::Busy, "{name}");
        }
        drop(waiting);
        drop(finish);
    });
}

async fn stored_hash(house: &House) -> String {
    const HASH: &str = "select password from accounts";
    match &house.database.db {
        hallpass_core::Db::Sqlite { writer, .. } => sqlx::query_scalar(HASH).fetch_one(writer).await.unwrap(),
        hallpass_core::Db::Postgres { pool, .. } => sqlx::query_scalar(HASH).fetch_one(pool).await.unwrap(),
    }
}

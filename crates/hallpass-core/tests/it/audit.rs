//! What happened to an account can be read afterwards, by its owner and by the operator.

use std::net::IpAddr;

use hallpass_core::{
    AccountId, Actor, Code, Ctx, Db, Hallpass,
    accounts::{self, Changes},
    audit::{self, Cursor, Entry, Event, Filter},
    keys,
    login::{self, Identifier},
    on_both_engines,
    sessions::{self, Remember},
};

use crate::support::{House, OTHER_PASSWORD, PASSWORD, START, code, person};

const ALL: Filter = Filter { account: None, event: None, since: None, until: None, before: None, limit: 1000 };

on_both_engines! {
    async fn whatever_happens_to_an_account_is_kept_with_whom_from_where_when_and_why(database) {
        let house = House::new(database).await;
        let hallpass = &house.hallpass;
        let here: IpAddr = "192.0.2.7".parse().unwrap();
        let stranger = Ctx { ip: Some(here), user_agent: Some("test/1".into()), ..house.ctx() };
        let who = || Identifier { username: Some("ada".into()), email: None, exact: false };
        let sign_in = async |password: &str| {
            login::sign_in(hallpass, &stranger, who(), password.to_owned().into(), Remember::No, None).await
        };
        let first = login::sign_up(hallpass, &stranger, person("ada"), Remember::No).await.unwrap().unwrap();
        let ada = first.account.id;
        assert_eq!(code(sign_in(OTHER_PASSWORD).await), Code::InvalidCredentials);
        let second = sign_in(PASSWORD).await.unwrap();
        let owner = Ctx { actor: Actor::Account(ada, second.session), ..stranger.clone() };
        let named = Changes { first_name: Some("Ada".into()), ..Changes::default() };
        accounts::update(hallpass, &owner, ada, named).await.unwrap();
        let change = async |current: &str| {
            let (current, new) = (current.to_owned().into(), OTHER_PASSWORD.to_owned().into());
            login::change_password(hallpass, &owner, ada, second.session, current, new, None).await
        };
        assert_eq!(code(change(OTHER_PASSWORD).await), Code::PasswordIncorrect);
        change(PASSWORD).await.unwrap();
        sessions::sign_out(hallpass, &owner, second.session).await.unwrap();
        let operator = Ctx::operator(house.now());
        accounts::grant_role(hallpass, &operator, ada, "editor").await.unwrap();
        accounts::revoke_role(hallpass, &operator, ada, "editor").await.unwrap();
        accounts::set_password(hallpass, &operator, ada, PASSWORD.to_owned().into()).await.unwrap();
        accounts::set_active(hallpass, &operator, ada, false).await.unwrap();
        assert_eq!(code(sign_in(PASSWORD).await), Code::InvalidCredentials);
        accounts::set_active(hallpass, &operator, ada, true).await.unwrap();

        let owned = format!("account {ada}");
        let (one, two) = (Some(first.session), Some(second.session));
        let expected = [
            ("signed_up", one, "anonymous", None),
            ("sign_in_failed", None, "anonymous", Some("wrong_password")),
            ("signed_in", two, "anonymous", None),
            ("account_changed", None, &owned, None),
            ("sign_in_failed", two, &owned, Some("wrong_current_password")),
            ("session_ended", one, &owned, Some("password_changed")),
            ("password_changed", two, &owned, None),
            ("session_ended", two, &owned, Some("signed_out")),
            ("role_granted", None, "operator", Some("editor")),
            ("role_revoked", None, "operator", Some("editor")),
            ("password_set", None, "operator", None),
            ("account_deactivated", None, "operator", None),
            ("sign_in_failed", None, "anonymous", Some("inactive")),
            ("account_activated", None, "operator", None),
        ];
        let mut kept = of(hallpass, ada).await;
        kept.reverse();
        let seen: Vec<_> = kept
            .iter()
            .map(|entry| (entry.event.as_str(), entry.session, entry.actor.as_str(), entry.cause.as_deref()))
            .collect();
        assert_eq!(seen, expected, "all within one second, and in the order of what happened");
        for entry in kept {
            assert_eq!((entry.at, entry.account, entry.request_id.is_empty()), (START, Some(ada), false));
            let from = (entry.ip.as_deref(), entry.user_agent.as_deref());
            let by_operator = entry.actor == "operator";
            assert_eq!(from, if by_operator { (None, None) } else { (Some("192.0.2.7"), Some("test/1")) });
        }
    }

    async fn what_strangers_try_on_accounts_that_do_not_exist_leaves_nothing(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        for name in ["nobody", "not a name", "canary@example.com"] {
            assert_eq!(code(house.try_sign_in(name, PASSWORD).await), Code::InvalidCredentials);
        }
        let kept = audit::list(&house.hallpass, ALL).await.unwrap();
        assert_eq!(kept, of(&house.hallpass, ada.id).await);
        assert_eq!(names(&kept), ["account_created"]);
    }

    async fn what_did_not_happen_is_not_recorded(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let again = accounts::create(&house.hallpass, &house.ctx(), person("ADA"), Default::default()).await;
        assert_eq!(code(again), Code::UsernameTaken);
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, true).await.unwrap();
        accounts::update(&house.hallpass, &house.ctx(), ada.id, Changes::default()).await.unwrap();
        assert_eq!(code(accounts::revoke_role(&house.hallpass, &house.ctx(), ada.id, "editor").await), Code::NotFound);
        assert_eq!(names(&audit::list(&house.hallpass, ALL).await.unwrap()), ["account_created"]);
    }

    async fn what_cannot_be_recorded_does_not_happen(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let drop = "drop table events";
        match &house.database.db {
            Db::Sqlite { writer, .. } => sqlx::query(drop).execute(writer).await.map(|_| ()).unwrap(),
            Db::Postgres { pool, .. } => sqlx::query(drop).execute(pool).await.map(|_| ()).unwrap(),
        }
        let ctx = house.ctx();
        assert!(house.try_sign_in("ada", PASSWORD).await.is_err());
        assert!(sessions::sign_out(&house.hallpass, &ctx, issued.session).await.is_err());
        assert!(accounts::set_active(&house.hallpass, &ctx, ada.id, false).await.is_err());
        assert!(keys::rotate(&house.hallpass, &ctx).await.is_err());
        let kid = keys::list(&house.hallpass).await.unwrap().remove(0).kid;
        assert!(keys::revoke(&house.hallpass, &ctx, &kid).await.is_err());

        assert_eq!(house.live(&ada).await, [issued.session]);
        assert!(house.verify(&issued).is_ok());
        assert!(accounts::get(&house.hallpass, ada.id).await.unwrap().is_active);
        let mut states: Vec<_> =
            keys::list(&house.hallpass).await.unwrap().into_iter().map(|key| key.state.as_str()).collect();
        states.sort_unstable();
        assert_eq!(states, ["current", "next"]);
    }

    async fn pages_reach_every_event_of_an_account_once_and_none_of_others(database) {
        let house = House::new(database).await;
        let (ada, bob) = (house.create("ada").await, house.create("bob").await);
        for _ in 0..4 {
            house.sign_in("ada").await;
            house.sign_in("bob").await;
        }
        let mut pages = Vec::new();
        let mut before = None;
        loop {
            let page = audit::of_account(&house.hallpass, ada.id, Cursor { before, limit: 2 }).await.unwrap();
            let Some(last) = page.last() else { break };
            before = Some(last.id);
            pages.extend(page);
        }
        assert_eq!(pages, of(&house.hallpass, ada.id).await);
        assert_eq!(pages.len(), 5);
        assert!(pages.iter().all(|entry| entry.account == Some(ada.id)));
        assert_eq!(of(&house.hallpass, bob.id).await.len(), 5);
        assert_eq!(of(&house.hallpass, AccountId(77)).await, []);
    }

    async fn the_operator_finds_events_by_account_kind_and_time(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        house.create("bob").await;
        house.pass(3600);
        house.sign_in("ada").await;
        house.sign_in("bob").await;
        keys::rotate(&house.hallpass, &Ctx::operator(house.now())).await.unwrap();
        let found = async |filter: Filter| names(&audit::list(&house.hallpass, filter).await.unwrap());
        assert_eq!(found(ALL).await, ["key_rotated", "signed_in", "signed_in", "account_created", "account_created"]);
        assert_eq!(found(Filter { account: Some(ada.id), ..ALL }).await, ["signed_in", "account_created"]);
        assert_eq!(found(Filter { event: Some(Event::KeyRotated), ..ALL }).await, ["key_rotated"]);
        assert_eq!(found(Filter { since: Some(START + 3600), ..ALL }).await, ["key_rotated", "signed_in", "signed_in"]);
        assert_eq!(found(Filter { since: Some(START + 3601), ..ALL }).await, [""; 0]);
        assert_eq!(found(Filter { limit: 1, ..ALL }).await, ["key_rotated"]);
        let newest = audit::list(&house.hallpass, Filter { limit: 2, ..ALL }).await.unwrap();
        let before = Some(newest[1].id);
        assert_eq!(found(Filter { before, event: Some(Event::SignedIn), ..ALL }).await, ["signed_in"]);
        let key = keys::list(&house.hallpass).await.unwrap().into_iter().find(|key| key.state.as_str() == "current");
        assert_eq!((newest[0].account, newest[0].cause.clone()), (None, key.map(|key| key.kid)));
    }
}

#[test]
fn every_event_is_found_by_its_name() {
    for event in Event::ALL {
        assert_eq!(Event::parse(event.as_str()), Some(*event));
    }
    assert_eq!(Event::parse("SIGNED_IN"), None);
}

async fn of(hallpass: &Hallpass, account: AccountId) -> Vec<Entry> {
    audit::of_account(hallpass, account, Cursor { before: None, limit: 1000 }).await.unwrap()
}

fn names(entries: &[Entry]) -> Vec<String> {
    entries.iter().map(|entry| entry.event.clone()).collect()
}

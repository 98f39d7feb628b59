//! What an account holds and who may change it.

use hallpass_core::{
    Code,
    accounts::{self, Changes, NewAccount, Page, Standing},
    config::ProfileType,
    on_both_engines,
    sessions::EndCause,
};
use hallpass_token::TokenError;
use serde_json::{Map, Value, json};

use crate::support::{House, OTHER_PASSWORD, PASSWORD, code, person};

fn object(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

on_both_engines! {
    async fn an_account_comes_back_as_it_was_made(database) {
        let house = House::with(database, |config| {
            config.accounts.profile.insert("nickname".into(), ProfileType::String);
        })
        .await;
        let new = NewAccount {
            email: Some("Ada.L@Exämple.com".into()),
            first_name: "Ada".into(),
            last_name: "Løvelace".into(),
            profile: object(json!({ "nickname": "the countess" })),
            ..person("Ada")
        };
        let standing = Standing {
            is_staff: true,
            roles: vec!["editor".into(), "author".into()],
            ..Standing::default()
        };
        let made = accounts::create(&house.hallpass, &house.ctx(), new, standing).await.unwrap();
        assert_eq!(made.username.as_deref(), Some("Ada"));
        assert_eq!(made.roles, ["author", "editor"]);
        assert!(made.is_staff && made.is_active && !made.is_superuser);
        assert_eq!(accounts::get(&house.hallpass, made.id).await.unwrap(), made);
        for name in ["ada", "ADA", &made.id.to_string(), made.email.as_deref().unwrap()] {
            assert_eq!(accounts::find(&house.hallpass, name).await.unwrap(), made, "{name}");
        }
        assert_eq!(code(accounts::find(&house.hallpass, "nobody").await), Code::NotFound);
    }

    async fn names_are_unique_in_their_canonical_form(database) {
        let house = House::new(database).await;
        let with_email = |username: &str, email: &str| NewAccount { email: Some(email.into()), ..person(username) };
        let create = async |new| accounts::create(&house.hallpass, &house.ctx(), new, Standing::default()).await;
        create(with_email("Straße", "mike@example.com")).await.unwrap();
        assert_eq!(code(create(with_email("STRASSE", "other@example.com")).await), Code::UsernameTaken);
        assert_eq!(code(create(with_email("other", "MIKE@EXAMPLE.com")).await), Code::EmailTaken);
        assert_eq!(code(create(with_email("other", "mıke@example.com")).await), Code::ValidationFailed);
        create(with_email("other", "mike2@example.com")).await.unwrap();
    }

    async fn profile_fields_are_those_of_the_settings_and_of_their_types(database) {
        let house = House::with(database, |config| {
            config.accounts.profile.insert("nickname".into(), ProfileType::String);
            config.accounts.profile.insert("newsletter".into(), ProfileType::Boolean);
            config.accounts.profile.insert("age".into(), ProfileType::Integer);
            config.accounts.profile.insert("extra".into(), ProfileType::Json);
        })
        .await;
        let ada = house.create("ada").await;
        let update = async |profile: Value| {
            let changes = Changes { profile: Some(object(profile)), ..Changes::default() };
            accounts::update(&house.hallpass, &house.ctx(), ada.id, changes).await
        };
        for bad in [
            json!({ "is_staff": true }),
            json!({ "nickname": 7 }),
            json!({ "nickname": "x".repeat(1001) }),
            json!({ "newsletter": "true" }),
            json!({ "age": 1.5 }),
            json!({ "age": 9_007_199_254_740_993_i64 }),
            json!({ "extra": "x".repeat(5000) }),
        ] {
            assert_eq!(code(update(bad.clone()).await), Code::ValidationFailed, "{bad}");
        }
        update(json!({ "nickname": "countess", "age": 36 })).await.unwrap();
        let after = update(json!({ "age": null, "newsletter": true })).await.unwrap();
        assert_eq!(Value::Object(after.profile), json!({ "nickname": "countess", "newsletter": true }));
    }

    async fn pages_reach_every_account_once(database) {
        let house = House::new(database).await;
        let mut made = Vec::new();
        for n in 0..5 {
            let new = NewAccount { password: None, ..person(&format!("person{n}")) };
            made.push(accounts::create(&house.hallpass, &house.ctx(), new, Standing::default()).await.unwrap().id);
        }
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = accounts::list(&house.hallpass, Page { after, limit: 2 }).await.unwrap();
            let Some(last) = page.last() else { break };
            after = Some(last.id);
            seen.extend(page.into_iter().map(|account| account.id));
        }
        assert_eq!(seen, made);
    }

    async fn a_role_change_makes_tokens_stale_until_they_are_refreshed_and_signs_nobody_out(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let before = house.sign_in("ada").await;
        accounts::grant_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        assert_eq!(house.verify(&before).unwrap_err(), TokenError::Stale);
        let after = house.refresh(&before.refresh_token).await.unwrap();
        assert_eq!(house.verify(&after).unwrap().roles, ["editor"]);

        accounts::revoke_role(&house.hallpass, &house.ctx(), ada.id, "editor").await.unwrap();
        assert_eq!(house.verify(&after).unwrap_err(), TokenError::Stale);
        let last = house.refresh(&after.refresh_token).await.unwrap();
        assert!(house.verify(&last).unwrap().roles.is_empty());
        assert_eq!(code(accounts::revoke_role(&house.hallpass, &house.ctx(), ada.id, "editor").await), Code::NotFound);
    }

    async fn a_profile_change_makes_tokens_stale_only_if_they_state_it(database) {
        let house = House::with(database, |config| {
            config.tokens.claims.insert("given_name".into(), "first_name".into());
        })
        .await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let rename = async |changes| accounts::update(&house.hallpass, &house.ctx(), ada.id, changes).await.unwrap();
        rename(Changes { last_name: Some("Lovelace".into()), ..Changes::default() }).await;
        assert!(house.verify(&issued).is_ok());
        rename(Changes { first_name: Some("Augusta".into()), ..Changes::default() }).await;
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Stale);
        let after = house.refresh(&issued.refresh_token).await.unwrap();
        assert_eq!(house.verify(&after).unwrap().extra["given_name"], "Augusta");
    }

    async fn deactivation_ends_every_session_and_activation_brings_none_back(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, false).await.unwrap();
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Ended);
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, true).await.unwrap();
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Ended);
        assert_eq!(code(house.refresh(&issued.refresh_token).await), Code::SessionEnded);
        house.sign_in("ada").await;
    }

    async fn a_password_set_by_the_operator_ends_every_session_of_the_account(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        house.create("bob").await;
        let adas = [house.sign_in("ada").await, house.sign_in("ada").await];
        let bobs = house.sign_in("bob").await;
        let set = async |new: &str| {
            accounts::set_password(&house.hallpass, &house.ctx(), ada.id, new.to_owned().into()).await
        };
        assert_eq!(code(set("short").await), Code::ValidationFailed);
        assert!(house.verify(&adas[0]).is_ok(), "what is refused ends nothing");

        set(OTHER_PASSWORD).await.unwrap();
        for issued in &adas {
            assert_eq!(house.verify(issued).unwrap_err(), TokenError::Ended);
            let refused = house.refresh(&issued.refresh_token).await.unwrap_err();
            assert_eq!(refused.cause, Some(EndCause::PasswordChanged));
        }
        assert!(house.live(&ada).await.is_empty());
        assert!(house.verify(&bobs).is_ok());
        assert!(house.refresh(&bobs.refresh_token).await.is_ok());
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);
        assert!(house.try_sign_in("ada", OTHER_PASSWORD).await.is_ok());
    }

    async fn changes_of_many_at_once_lose_nothing(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let ctx = house.ctx();
        let roles: Vec<String> = (0..8).map(|n| format!("role{n}")).collect();
        let grants = roles.iter().map(|role| accounts::grant_role(&house.hallpass, &ctx, ada.id, role));
        for granted in futures_util::future::join_all(grants).await {
            granted.unwrap();
        }
        assert_eq!(accounts::get(&house.hallpass, ada.id).await.unwrap().roles, roles);
    }
}

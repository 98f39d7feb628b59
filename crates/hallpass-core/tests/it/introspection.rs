//! What a program learns about a token that it was shown: the truth of the moment, and nothing that it uses up.

use crate::support::{House, PASSWORD, code};
use hallpass_core::{
    Actor, Code, Ctx,
    accounts::{self, Changes},
    audit::{self, Cursor},
    clients, deletion,
    introspection::{self, Active},
    on_both_engines, revocation,
    sessions::{self, EndCause, Issued},
};

async fn ask(house: &House, token: &str) -> Option<Active> {
    introspection::introspect(&house.hallpass, &house.ctx(), token).await.unwrap()
}

/// Whether the access token and the refresh secret are good.
async fn are_good(house: &House, issued: &Issued) -> (bool, bool) {
    (ask(house, &issued.access_token).await.is_some(), ask(house, &issued.refresh_token).await.is_some())
}

on_both_engines! {
    async fn a_good_token_is_told_with_what_it_stands_for(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        let claims = house.verify(&issued).unwrap();
        assert_eq!(ask(&house, &issued.access_token).await, Some(Active::Access(claims)));
        let Some(Active::Refresh(grant)) = ask(&house, &issued.refresh_token).await else { panic!("it is good") };
        assert_eq!((grant.account, grant.session, grant.amr.as_str()), (ada.id, issued.session, "pwd"));
        let idle = house.hallpass.config().sessions.idle_not_remembered;
        assert_eq!((grant.auth_time, grant.issued_at, grant.expires_at), (house.now(), house.now(), house.now() + idle));
        for nothing in ["", "x", "hpr_", &issued.access_token[1..], &issued.refresh_token[1..]] {
            assert_eq!(ask(&house, nothing).await, None, "{nothing}");
        }
    }

    async fn what_another_server_did_counts_at_once(database) {
        let house = House::with(database, |config| config.accounts.deletion_grace_days = 0).await;
        let ada = house.create("ada").await.id;
        let (other, ctx) = (house.neighbour().await, house.ctx());
        let issued = house.sign_in("ada").await;
        sessions::sign_out(&other, &ctx, issued.session).await.unwrap();
        house.verify(&issued).expect("this server has not heard of it");
        assert_eq!(are_good(&house, &issued).await, (false, false));

        let issued = house.sign_in("ada").await;
        accounts::grant_role(&other, &ctx, ada, "editor").await.unwrap();
        house.verify(&issued).expect("nor of this");
        assert_eq!(are_good(&house, &issued).await, (false, true), "nobody is signed out by a role");

        let issued = house.sign_in("ada").await;
        accounts::set_active(&other, &ctx, ada, false).await.unwrap();
        assert_eq!(are_good(&house, &issued).await, (false, false));

        accounts::set_active(&other, &ctx, ada, true).await.unwrap();
        let issued = house.sign_in("ada").await;
        let password = PASSWORD.to_owned().into();
        deletion::schedule(&other, &ctx, ada, issued.session, password, None).await.unwrap();
        house.verify(&issued).expect("nor that there is no such account");
        assert_eq!(are_good(&house, &issued).await, (false, false));
    }

    async fn a_change_that_tokens_do_not_state_leaves_them_good_as_at_every_verifier(database) {
        let claims = [("family_name", "last_name")].map(|(claim, source)| (claim.to_owned(), source.to_owned()));
        let house = House::with(database, |config| config.tokens.claims = claims.into()).await;
        let ada = house.create("ada").await.id;
        let (other, ctx) = (house.neighbour().await, house.ctx());
        let change = async |changes| accounts::update(&other, &ctx, ada, changes).await.unwrap();
        let issued = house.sign_in("ada").await;
        let name = |name: &str| Some(name.to_owned());

        change(Changes { first_name: name("Ada"), locale: name("de"), ..Changes::default() }).await;
        revocation::follow(&house.hallpass, house.now()).await.unwrap();
        house.verify(&issued).expect("its token states none of it");
        assert_eq!(are_good(&house, &issued).await, (true, true));

        change(Changes { last_name: name("Lovelace"), ..Changes::default() }).await;
        house.verify(&issued).expect("this server has not heard of it");
        assert_eq!(are_good(&house, &issued).await, (false, true));
        let refreshed = house.refresh(&issued.refresh_token).await.unwrap();
        assert_eq!(are_good(&house, &refreshed).await, (true, true), "it states the new name");
        change(Changes { first_name: name("Augusta"), ..Changes::default() }).await;
        assert_eq!(are_good(&house, &refreshed).await, (true, true));
        assert_eq!(are_good(&house, &issued).await, (false, true), "what is out of date stays so");
    }

    async fn what_is_over_by_time_is_not_good(database) {
        let house = House::with(database, |config| config.sessions.idle_not_remembered = 100).await;
        house.create("ada").await;
        let used = house.sign_in("ada").await;
        let mut newest = used.refresh_token.clone();
        for _ in 0..4 {
            house.pass(90);
            newest = house.refresh(&newest).await.unwrap().refresh_token;
        }
        assert_eq!(ask(&house, &used.access_token).await, None, "the token is over");
        assert!(ask(&house, &newest).await.is_some(), "and the session is not");
        let idle = house.sign_in("ada").await;
        house.pass(99);
        assert_eq!(are_good(&house, &idle).await, (true, true));
        house.pass(1);
        house.verify(&idle).expect("the token is not over");
        assert_eq!(are_good(&house, &idle).await, (false, false), "but the session is");
    }

    async fn asking_about_a_refresh_secret_uses_nothing_up_and_ends_nothing(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = house.sign_in("ada").await;
        house.pass(30);
        let second = house.refresh(&first.refresh_token).await.unwrap();
        house.pass(30);
        let third = house.refresh(&second.refresh_token).await.unwrap();
        house.pass(30);
        for _ in 0..3 {
            assert!(ask(&house, &third.refresh_token).await.is_some());
            assert!(ask(&house, &second.refresh_token).await.is_some(), "its successor may have been lost");
            assert_eq!(ask(&house, &first.refresh_token).await, None, "replaced and used");
        }
        house.refresh(&third.refresh_token).await.expect("the session goes on");
    }

    async fn a_program_ends_a_session_by_any_token_of_it_and_that_is_recorded(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let client = clients::create(&house.hallpass, &house.ctx(), "gateway").await.unwrap().client;
        let ctx = || Ctx { actor: Actor::Client(client.id.as_str().into()), ..house.ctx() };
        for of in [|issued: &Issued| issued.access_token.clone(), |issued: &Issued| issued.refresh_token.clone()] {
            let issued = house.sign_in("ada").await;
            let untouched = house.sign_in("ada").await;
            house.pass(400);
            for _ in 0..2 {
                introspection::revoke(&house.hallpass, &ctx(), &of(&issued)).await.unwrap();
            }
            let error = house.refresh(&issued.refresh_token).await.unwrap_err();
            assert_eq!((error.code, error.cause), (Code::SessionEnded, Some(EndCause::EndedByClient)));
            house.refresh(&untouched.refresh_token).await.unwrap();
            let page = Cursor { before: None, limit: 1 };
            let last = audit::of_account(&house.hallpass, ada.id, page).await.unwrap().remove(0);
            assert_eq!(last.event, "session_ended");
            assert_eq!(last.actor, format!("client {}", client.id));
            assert_eq!(last.cause.as_deref(), Some("ended_by_client"));
        }
        introspection::revoke(&house.hallpass, &ctx(), "nonsense").await.unwrap();
    }

    async fn wrong_client_secrets_are_few_from_one_address_and_the_right_one_is_let_in_all_the_same(database) {
        let house = House::new(database).await;
        let made = clients::create(&house.hallpass, &house.ctx(), "gateway").await.unwrap();
        let id = made.client.id.as_str();
        let from = |address: &str| Ctx { ip: Some(address.parse().unwrap()), ..house.ctx() };
        let guess = async |address: &str, secret: &str| {
            clients::authenticate(&house.hallpass, &from(address), id, secret).await
        };
        for _ in 0..10 {
            assert_eq!(code(guess("192.0.2.1", "wrong").await), Code::ClientInvalid);
        }
        let refused = guess("192.0.2.1", "wrong").await.unwrap_err();
        assert_eq!((refused.code, refused.retry_after), (Code::RateLimited, Some(6)));
        guess("192.0.2.1", &made.secret).await.unwrap();
        assert_eq!(code(guess("192.0.2.2", "wrong").await), Code::ClientInvalid);
        house.pass(6);
        assert_eq!(code(guess("192.0.2.1", "wrong").await), Code::ClientInvalid);
    }
}

//! What somebody who administers may do, and to whom.

use futures_util::future::join;
use hallpass_core::{
    Actor, Code, Ctx, Hallpass,
    accounts::{self, Account, Changes, NewAccount, Standing},
    admin::{self, Admin, Edits, Level, NewPerson},
    audit::{self, Cursor},
    config::{Transport, Verification},
    deletion, email, login, on_both_engines, recovery,
    sessions::EndCause,
};
use hallpass_token::TokenError;

use crate::support::{House, OTHER_PASSWORD, PASSWORD, code, person, person_at, token};

fn names(first: &str) -> Edits {
    Edits { own: Changes { first_name: Some(first.into()), ..Changes::default() }, ..Edits::default() }
}

fn address(email: &str) -> Edits {
    Edits { email: Some(email.into()), ..Edits::default() }
}

fn demoted() -> Edits {
    Edits { is_superuser: Some(false), ..Edits::default() }
}

/// Every kind of act on an account, with whether the helpdesk does it.
const ACTS: [(&str, bool); 10] = [
    ("names", true),
    ("deactivate", true),
    ("activate", true),
    ("end sessions", true),
    ("send reset", true),
    ("username", false),
    ("email", false),
    ("superuser", false),
    ("grant", false),
    ("revoke", false),
];

async fn act(server: &Hallpass, ctx: &Ctx, by: &Admin, on: &Account, what: &str) -> hallpass_core::Result<()> {
    let id = on.id;
    match what {
        "names" => admin::change(server, ctx, by, id, names("Other")).await.map(drop),
        "deactivate" => admin::set_active(server, ctx, by, id, false).await.map(drop),
        "activate" => admin::set_active(server, ctx, by, id, true).await.map(drop),
        "end sessions" => admin::end_sessions(server, ctx, by, id).await,
        "send reset" => admin::send_reset(server, ctx, by, id).await,
        "username" => {
            let own = Changes { username: Some(format!("renamed{id}")), ..Changes::default() };
            admin::change(server, ctx, by, id, Edits { own, ..Edits::default() }).await.map(drop)
        }
        "email" => admin::change(server, ctx, by, id, address(&format!("moved{id}@example.com"))).await.map(drop),
        "superuser" => {
            let edits = Edits { is_superuser: Some(true), is_staff: Some(true), ..Edits::default() };
            admin::change(server, ctx, by, id, edits).await.map(drop)
        }
        "grant" => admin::grant_role(server, ctx, by, id, "editor").await.map(drop),
        "revoke" => admin::revoke_role(server, ctx, by, id, "editor").await.map(drop),
        other => panic!("{other}"),
    }
}

async fn with_standing(house: &House, username: &str, standing: Standing) -> Account {
    let new = NewAccount { password: None, ..person_at(username, &format!("{username}@example.com")) };
    accounts::create(&house.hallpass, &house.ctx(), new, standing).await.unwrap()
}

/// What happened to an account, the last first: event, cause, actor.
async fn happened(house: &House, account: &Account) -> Vec<(String, Option<String>, String)> {
    let page = Cursor { before: None, limit: 100 };
    let entries = audit::of_account(&house.hallpass, account.id, page).await.unwrap();
    entries.into_iter().map(|entry| (entry.event, entry.cause, entry.actor)).collect()
}

on_both_engines! {
    async fn only_superusers_and_the_helpdesk_come_in_and_only_while_they_are_so(database) {
        let house = House::new(database).await;
        let enter = async |ctx: &Ctx| admin::authorize(&house.hallpass, ctx).await.map(|admin| admin.level());
        assert_eq!(code(enter(&house.ctx()).await), Code::TokenMissing);
        assert_eq!(code(enter(&Ctx::operator(house.now())).await), Code::TokenMissing);
        assert_eq!(code(enter(&Ctx { actor: Actor::Client("x".into()), ..house.ctx() }).await), Code::TokenMissing);

        let staff = Standing { is_staff: true, roles: vec!["hallpass:other".into()], ..Standing::default() };
        for nobody in [house.create("ada").await, with_standing(&house, "staff", staff).await] {
            assert_eq!(code(enter(&house.ctx_of(&nobody)).await), Code::Forbidden);
        }
        let (root, root_ctx, root_admin) = house.superuser("root").await;
        let (helper, helper_ctx, helper_admin) = house.helper("helper").await;
        assert_eq!((root_admin.level(), helper_admin.level()), (Level::Superuser, Level::Helpdesk));
        assert_eq!((root_admin.account(), helper_admin.account()), (root.id, helper.id));

        accounts::revoke_role(&house.hallpass, &house.ctx(), helper.id, admin::HELPDESK).await.unwrap();
        assert_eq!(code(enter(&helper_ctx).await), Code::Forbidden);
        accounts::set_active(&house.hallpass, &house.ctx(), root.id, false).await.unwrap();
        assert_eq!(code(enter(&root_ctx).await), Code::SessionEnded);
        // Whoever came in a moment before does nothing any more.
        let ada = accounts::find(&house.hallpass, "ada").await.unwrap();
        let late = admin::end_sessions(&house.hallpass, &helper_ctx, &helper_admin, ada.id).await;
        assert_eq!(code(late), Code::Forbidden);
        let late = admin::change(&house.hallpass, &root_ctx, &root_admin, ada.id, names("Other")).await;
        assert_eq!(code(late), Code::SessionEnded);
        assert_eq!(accounts::get(&house.hallpass, ada.id).await.unwrap().first_name, "");
    }

    async fn the_helpdesk_helps_only_those_without_a_standing_and_a_superuser_everybody(database) {
        let house = House::with(database, |config| config.throttle.enabled = false).await;
        let (_, root_ctx, root) = house.superuser("root").await;
        let (_, helper_ctx, helper) = house.helper("helper").await;
        let role = |role: &str| Standing { roles: vec![role.into()], ..Standing::default() };
        let targets = [
            ("anybody", role("editor"), true),
            ("staff", Standing { is_staff: true, ..role("editor") }, false),
            ("boss", Standing { is_superuser: true, ..role("editor") }, false),
            ("colleague", Standing { roles: vec![admin::HELPDESK.into(), "editor".into()], ..Standing::default() }, false),
            ("later", Standing { roles: vec!["hallpass:later".into(), "editor".into()], ..Standing::default() }, false),
        ];
        for (name, standing, is_ordinary) in targets {
            let target = with_standing(&house, name, standing).await;
            for (what, is_help) in ACTS {
                let before = accounts::get(&house.hallpass, target.id).await.unwrap();
                let done = act(&house.hallpass, &helper_ctx, &helper, &target, what).await;
                if is_help && is_ordinary {
                    done.unwrap();
                    continue;
                }
                let refused = done.unwrap_err();
                assert_eq!(refused.code, Code::Forbidden, "{what} on {name}");
                assert!(refused.detail.contains("superuser"), "{}", refused.detail);
                assert_eq!(accounts::get(&house.hallpass, target.id).await.unwrap(), before, "{what} on {name}");
            }
            for (what, _) in ACTS {
                act(&house.hallpass, &root_ctx, &root, &target, what).await.unwrap();
            }
        }
        let nobody = hallpass_core::AccountId(999_999);
        for (ctx, admin) in [(&root_ctx, &root), (&helper_ctx, &helper)] {
            assert_eq!(code(admin::set_active(&house.hallpass, ctx, admin, nobody, true).await), Code::NotFound);
        }
    }

    async fn what_concerns_the_server_is_for_superusers(database) {
        let house = House::new(database).await;
        let (_, ctx, helper) = house.helper("helper").await;
        let (_, root_ctx, root) = house.superuser("root").await;
        let server = &house.hallpass;
        let before = admin::keys(server, &helper).await.unwrap();
        assert_eq!(code(admin::create(server, &ctx, &helper, NewPerson::default()).await), Code::Forbidden);
        assert_eq!(code(admin::rotate_key(server, &ctx, &helper).await), Code::Forbidden);
        assert_eq!(code(admin::retry(server, &ctx, &helper).await), Code::Forbidden);
        assert_eq!(admin::keys(server, &helper).await.unwrap(), before);
        assert_eq!(admin::rotate_key(server, &root_ctx, &root).await.unwrap().len(), before.len() + 1);
        assert_eq!(admin::retry(server, &root_ctx, &root).await.unwrap(), 0);
        assert!(admin::waiting(server, &helper, 100).await.unwrap().is_empty());
        let page = admin::events(server, &helper, admin::Events::default(), None, 100).await.unwrap();
        let acts: Vec<_> = page.items.iter().map(|entry| (entry.event.as_str(), entry.actor.clone())).collect();
        let actor = format!("account {}", root.account());
        assert_eq!(acts[..2], [("mail_retried", actor.clone()), ("key_rotated", actor)]);
    }

    async fn an_account_is_made_without_a_password_and_its_owner_chooses_one(database) {
        let house = House::new(database).await;
        let (root, ctx, admin) = house.superuser("root").await;
        let new = |username: &str, email: Option<&str>| NewPerson {
            username: Some(username.into()),
            email: email.map(str::to_owned),
            first_name: "Ada".into(),
            standing: Standing { roles: vec!["editor".into()], ..Standing::default() },
            ..NewPerson::default()
        };
        let made = admin::create(&house.hallpass, &ctx, &admin, new("ada", Some("ada@example.com"))).await.unwrap();
        assert!(!made.has_password && made.roles == ["editor"] && !made.email_verified);
        assert_eq!(admin::account(&house.hallpass, &admin, made.id).await.unwrap(), made);
        let actor = format!("account {}", root.id);
        assert_eq!(happened(&house, &made).await, [("account_created".into(), None, actor)]);
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);

        let secret = house.mailed("ada@example.com", "reset").await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, PASSWORD.to_owned().into()).await.unwrap();
        house.sign_in("ada").await;
        assert!(accounts::get(&house.hallpass, made.id).await.unwrap().has_password);

        let before = house.mails().await.len();
        admin::create(&house.hallpass, &ctx, &admin, new("bob", None)).await.unwrap();
        assert_eq!(house.mails().await.len(), before, "there is no address");
        let again = admin::create(&house.hallpass, &ctx, &admin, new("ADA", None)).await;
        assert_eq!(code(again), Code::UsernameTaken);
        let again = admin::create(&house.hallpass, &ctx, &admin, new("eve", Some("ADA@example.com"))).await;
        assert_eq!(code(again), Code::EmailTaken);
    }

    async fn another_address_is_not_verified_and_what_was_mailed_before_is_void(database) {
        let house = House::with(database, |config| config.accounts.verify_email = Verification::Optional).await;
        let (root, ctx, admin) = house.superuser("root").await;
        let ada = house.create_at("ada", "ada@example.com").await;
        let issued = house.sign_in("ada").await;
        recovery::request(&house.hallpass, &house.ctx(), "ada@example.com").await.unwrap();
        let old = house.mailed("ada@example.com", "reset").await;

        let moved = admin::change(&house.hallpass, &ctx, &admin, ada.id, address("Ada@Example.org")).await.unwrap();
        assert_eq!(moved.email.as_deref(), Some("Ada@example.org"));
        assert!(!moved.email_verified);
        assert_eq!(accounts::get(&house.hallpass, ada.id).await.unwrap(), moved);
        let refused = recovery::reset(&house.hallpass, &house.ctx(), &old, OTHER_PASSWORD.to_owned().into()).await;
        assert_eq!(code(refused), Code::LinkInvalid);
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Ended);
        let over = house.refresh(&issued.refresh_token).await.unwrap_err();
        assert_eq!(over.cause, Some(EndCause::EmailChanged));
        let (actor, event) = (format!("account {}", root.id), "email_changed".to_owned());
        assert!(happened(&house, &ada).await.contains(&(event, None, actor)));

        let mails = house.mails().await;
        let told: Vec<&str> = mails.iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(told, ["ada@example.com", "ada@example.com", "Ada@example.org"]);
        email::verify(&house.hallpass, &house.ctx(), &token(&mails[2], "verify")).await.unwrap();
        assert!(accounts::get(&house.hallpass, ada.id).await.unwrap().email_verified);

        house.create_at("bob", "bob@example.com").await;
        let taken = admin::change(&house.hallpass, &ctx, &admin, ada.id, address("BOB@example.com")).await;
        assert_eq!(code(taken), Code::EmailTaken);
        for wrong in ["", "no address", "a@b"] {
            let refused = admin::change(&house.hallpass, &ctx, &admin, ada.id, address(wrong)).await;
            assert_eq!(code(refused), Code::ValidationFailed, "{wrong}");
        }
    }

    async fn a_changed_standing_makes_tokens_stale_and_is_recorded_with_who_did_it(database) {
        let house = House::new(database).await;
        let (root, ctx, admin) = house.superuser("root").await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        admin::change(&house.hallpass, &ctx, &admin, ada.id, names("Ada")).await.unwrap();
        assert!(house.verify(&issued).is_ok(), "no token says the name");
        let edits = Edits { is_staff: Some(true), is_superuser: Some(true), ..Edits::default() };
        let after = admin::change(&house.hallpass, &ctx, &admin, ada.id, edits).await.unwrap();
        assert!(after.is_staff && after.is_superuser && after.first_name == "Ada");
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Stale);
        let issued = house.refresh(&issued.refresh_token).await.unwrap();
        let edits = Edits { is_staff: Some(false), is_superuser: Some(true), ..Edits::default() };
        admin::change(&house.hallpass, &ctx, &admin, ada.id, edits.clone()).await.unwrap();
        // What changes nothing is nothing that happened.
        admin::change(&house.hallpass, &ctx, &admin, ada.id, edits).await.unwrap();
        assert_eq!(house.verify(&issued).unwrap_err(), TokenError::Stale);

        let actor = format!("account {}", root.id);
        let said = |event: &str, cause: Option<&str>| (event.to_owned(), cause.map(str::to_owned), actor.clone());
        let mut found = happened(&house, &ada).await;
        found.retain(|(_, _, by)| *by == actor);
        let changed = said("account_changed", None);
        let mut given = [said("standing_changed", Some("superuser_given")), said("standing_changed", Some("staff_given"))];
        given.reverse();
        assert_eq!(found.first(), Some(&said("standing_changed", Some("staff_taken"))));
        assert!(given.iter().all(|note| found.contains(note)));
        assert_eq!((found.len(), found.last()), (4, Some(&changed)));
    }

    async fn ended_sessions_say_that_an_administrator_ended_them(database) {
        let house = House::new(database).await;
        let (helper, ctx, admin) = house.helper("helper").await;
        let ada = house.create("ada").await;
        let (first, second) = (house.sign_in("ada").await, house.sign_in("ada").await);
        admin::end_session(&house.hallpass, &ctx, &admin, first.session).await.unwrap();
        assert_eq!(house.live(&ada).await, [second.session]);
        assert_eq!(house.verify(&first).unwrap_err(), TokenError::Ended);
        assert_eq!(code(admin::end_session(&house.hallpass, &ctx, &admin, first.session).await), Code::NotFound);
        admin::end_sessions(&house.hallpass, &ctx, &admin, ada.id).await.unwrap();
        assert!(house.live(&ada).await.is_empty());
        let over = house.refresh(&second.refresh_token).await.unwrap_err();
        assert_eq!(over.cause, Some(EndCause::EndedByAdmin));
        let actor = format!("account {}", helper.id);
        let ended = ("session_ended".to_owned(), Some("ended_by_admin".to_owned()), actor);
        assert_eq!(happened(&house, &ada).await.iter().filter(|entry| **entry == ended).count(), 2);

        let (_, root_ctx, root) = house.superuser("root").await;
        accounts::set_password(&house.hallpass, &house.ctx(), root.account(), PASSWORD.to_owned().into()).await.unwrap();
        let roots = house.sign_in("root").await;
        assert_eq!(code(admin::end_session(&house.hallpass, &ctx, &admin, roots.session).await), Code::Forbidden);
        assert!(house.verify(&roots).is_ok());
        admin::end_session(&house.hallpass, &root_ctx, &root, roots.session).await.unwrap();
    }

    async fn a_reset_is_mailed_to_the_owner_only_and_not_too_often(database) {
        let house = House::new(database).await;
        let (helper, ctx, admin) = house.helper("helper").await;
        let ada = house.create_at("ada", "ada@example.com").await;
        let bob = house.create("bob").await;
        let send = async |id| {
            let ctx = Ctx { now: house.now(), ..ctx.clone() };
            admin::send_reset(&house.hallpass, &ctx, &admin, id).await
        };
        send(ada.id).await.unwrap();
        let secret = house.mailed("ada@example.com", "reset").await;
        let actor = format!("account {}", helper.id);
        assert!(happened(&house, &ada).await.contains(&("password_reset_ordered".into(), None, actor)));
        house.sign_in("ada").await;
        recovery::reset(&house.hallpass, &house.ctx(), &secret, OTHER_PASSWORD.to_owned().into()).await.unwrap();

        assert_eq!(code(send(bob.id).await), Code::ValidationFailed);
        for _ in 0..4 {
            send(ada.id).await.unwrap();
        }
        assert_eq!(code(send(ada.id).await), Code::RateLimited);
        house.pass(60);
        send(ada.id).await.unwrap();
        admin::set_active(&house.hallpass, &ctx, &admin, ada.id, false).await.unwrap();
        assert_eq!(code(send(ada.id).await), Code::ValidationFailed);
    }

    async fn without_mail_no_reset_is_sent_and_accounts_are_made_all_the_same(database) {
        let house = House::with(database, |config| config.mail.transport = Transport::Off).await;
        let (_, ctx, admin) = house.superuser("root").await;
        let new = NewPerson { email: Some("ada@example.com".into()), username: Some("ada".into()), ..NewPerson::default() };
        let ada = admin::create(&house.hallpass, &ctx, &admin, new).await.unwrap();
        assert_eq!(code(admin::send_reset(&house.hallpass, &ctx, &admin, ada.id).await), Code::MailOff);
    }

    async fn the_last_superuser_stays_whoever_wants_them_gone(database) {
        let house = House::new(database).await;
        let (root, ctx, admin) = house.superuser("root").await;
        let issued = house.sign_in("root").await;
        let leave = async || {
            deletion::schedule(&house.hallpass, &ctx, root.id, issued.session, PASSWORD.to_owned().into(), None).await
        };
        let demote = async |admin, id| admin::change(&house.hallpass, &ctx, admin, id, demoted()).await;
        let shut = async |admin, id| admin::set_active(&house.hallpass, &ctx, admin, id, false).await;
        assert_eq!(code(demote(&admin, root.id).await), Code::LastSuperuser);
        assert_eq!(code(shut(&admin, root.id).await), Code::LastSuperuser);
        assert_eq!(code(leave().await), Code::LastSuperuser);
        assert!(house.verify(&issued).is_ok(), "what is refused ends nothing");
        assert_eq!(accounts::get(&house.hallpass, root.id).await.unwrap().delete_at, None);

        // Neither one who cannot sign in, or may not, nor one who wants to go is another one.
        let (new, standing) = (NewAccount { password: None, ..person("heir") }, Standing { is_superuser: true, ..Standing::default() });
        accounts::create(&house.hallpass, &house.ctx(), new, standing).await.unwrap();
        assert_eq!(code(demote(&admin, root.id).await), Code::LastSuperuser);
        let (other, ..) = house.superuser("other").await;
        accounts::set_active(&house.hallpass, &house.ctx(), other.id, false).await.unwrap();
        assert_eq!(code(demote(&admin, root.id).await), Code::LastSuperuser);
        accounts::set_active(&house.hallpass, &house.ctx(), other.id, true).await.unwrap();
        leave().await.unwrap();
        let there = house.ctx_of(&other);
        let second = admin::authorize(&house.hallpass, &there).await.unwrap();
        let refused = admin::change(&house.hallpass, &there, &second, other.id, demoted()).await;
        assert_eq!(code(refused), Code::LastSuperuser);
        demote(&second, root.id).await.unwrap();
    }

    async fn of_two_superusers_who_demote_each_other_at_once_one_stays(database) {
        let house = House::new(database).await;
        let neighbour = house.neighbour().await;
        // The operator has a say of their own.
        house.superuser("bystander").await;
        for (round, others) in [true, false, true, false, true, false].into_iter().enumerate() {
            let (a, a_ctx, a_admin) = house.superuser(&format!("ada{round}")).await;
            let (b, b_ctx, b_admin) = house.superuser(&format!("bob{round}")).await;
            if !others {
                let bystander = accounts::find(&house.hallpass, "bystander").await.unwrap();
                accounts::set_active(&house.hallpass, &house.ctx(), bystander.id, false).await.unwrap();
            }
            let (one, two) = join(
                admin::change(&house.hallpass, &a_ctx, &a_admin, b.id, demoted()),
                admin::change(&neighbour, &b_ctx, &b_admin, a.id, demoted()),
            )
            .await;
            let (won, lost) = if one.is_ok() { (one, two) } else { (two, one) };
            won.unwrap();
            assert_eq!(code(lost), Code::Forbidden);
            for account in [&a, &b] {
                accounts::set_active(&house.hallpass, &house.ctx(), account.id, false).await.unwrap();
            }
            let bystander = accounts::find(&house.hallpass, "bystander").await.unwrap();
            accounts::set_active(&house.hallpass, &house.ctx(), bystander.id, true).await.unwrap();
        }
    }

    async fn of_two_superusers_who_step_down_at_once_one_stays(database) {
        let house = House::new(database).await;
        let neighbour = house.neighbour().await;
        for round in 0..6 {
            let (a, a_ctx, a_admin) = house.superuser(&format!("ada{round}")).await;
            let (b, b_ctx, b_admin) = house.superuser(&format!("bob{round}")).await;
            let (one, two) = join(
                admin::set_active(&house.hallpass, &a_ctx, &a_admin, a.id, false),
                admin::change(&neighbour, &b_ctx, &b_admin, b.id, demoted()),
            )
            .await;
            let (won, lost) = if one.is_ok() { (one.map(drop), two) } else { (two.map(drop), one) };
            won.unwrap();
            assert_eq!(code(lost), Code::LastSuperuser);
            for account in [&a, &b] {
                accounts::set_active(&house.hallpass, &house.ctx(), account.id, false).await.unwrap();
            }
        }
    }

async fn an_account_has_no_more_roles_than_a_token_can_state(database) {
        let house = House::new(database).await;
        let (root, ctx, admin) = house.superuser("root").await;
        let many: Vec<String> = (10..40).map(|number| format!("{}{number}", "r".repeat(62))).collect();
        let standing = Standing { roles: many.clone(), ..Standing::default() };
        let new = NewPerson { username: Some("ada".into()), standing, ..NewPerson::default() };
        assert_eq!(code(admin::create(&house.hallpass, &ctx, &admin, new).await), Code::ValidationFailed);
        let mut refused = 0;
        for role in &many {
            match admin::grant_role(&house.hallpass, &ctx, &admin, root.id, role).await {
                Ok(_) => assert_eq!(refused, 0),
                Err(error) => {
                    assert_eq!(error.code, Code::ValidationFailed);
                    refused += 1;
                }
            }
        }
        assert_eq!(refused, 1);
        house.sign_in("root").await;
        for role in ["..", ".", "a/../b", "../sessions"] {
            let granted = admin::grant_role(&house.hallpass, &ctx, &admin, root.id, role).await;
            assert_eq!(code(granted), Code::ValidationFailed, "{role}");
        }
    }

    async fn an_impersonated_account_brings_no_more_rights_than_it_has(database) {
        let house = House::new(database).await;
        let (root, ..) = house.superuser("root").await;
        let ada = house.create("ada").await;
        login::impersonate(&house.hallpass, &house.ctx_of(&root), root.id, ada.id).await.unwrap();
        assert_eq!(code(admin::authorize(&house.hallpass, &house.ctx_of(&ada)).await), Code::Forbidden);
    }

    async fn what_an_administrator_may_not_write_is_refused_as_of_anybody(database) {
        let house = House::new(database).await;
        let (_, ctx, admin) = house.superuser("root").await;
        let ada = house.create("ada").await;
        let own = |own| Edits { own, ..Edits::default() };
        let long = "x".repeat(151);
        for edits in [
            own(Changes { username: Some("no spaces".into()), ..Changes::default() }),
            own(Changes { first_name: Some(long.clone()), ..Changes::default() }),
            own(Changes { locale: Some("not a tag".into()), ..Changes::default() }),
            own(Changes { last_name: Some("a\0b".into()), ..Changes::default() }),
        ] {
            assert_eq!(code(admin::change(&house.hallpass, &ctx, &admin, ada.id, edits).await), Code::ValidationFailed);
        }
        let both = Edits { email: Some("no".into()), ..own(Changes { first_name: Some(long), ..Changes::default() }) };
        let refused = admin::change(&house.hallpass, &ctx, &admin, ada.id, both).await.unwrap_err();
        assert_eq!(refused.fields.iter().map(|wrong| &*wrong.field).collect::<Vec<_>>(), ["first_name", "email"]);
        for role in ["", "no spaces", "a\"b", "a\0b"] {
            assert_eq!(code(admin::grant_role(&house.hallpass, &ctx, &admin, ada.id, role).await), Code::ValidationFailed);
            assert_eq!(code(admin::revoke_role(&house.hallpass, &ctx, &admin, ada.id, role).await), Code::NotFound);
        }
        let taken = own(Changes { username: Some("ROOT".into()), ..Changes::default() });
        assert_eq!(code(admin::change(&house.hallpass, &ctx, &admin, ada.id, taken).await), Code::UsernameTaken);
        let new = NewPerson { username: Some("bob".into()), ..NewPerson::default() };
        let standing = Standing { roles: vec!["a b".into()], ..Standing::default() };
        let refused = admin::create(&house.hallpass, &ctx, &admin, NewPerson { standing, ..new }).await;
        assert_eq!(code(refused), Code::ValidationFailed);
    }
}

//! What a mailed secret is good for: one thing, once, and not for long.

use futures_util::future::join_all;
use hallpass_core::{Code, accounts, email, login, on_both_engines, recovery, sign_in_links, sign_in_links::Proof};
use hallpass_core::{Hallpass, Result, sessions::Remember};

use crate::{
    stored::dump,
    support::{House, OTHER_PASSWORD, PASSWORD, code, person_at},
};

const ADA: &str = "ada@example.com";

/// A house with an account, and a good secret of each kind: to reset the password, to verify, and to sign in.
async fn with_links(database: hallpass_core::testing::TestDb) -> (House, [String; 3]) {
    let house = House::with(database, |config| config.accounts.sign_in_links = true).await;
    login::sign_up(&house.hallpass, &house.ctx(), person_at("ada", ADA), Remember::No).await.unwrap();
    let verify = house.mailed(ADA, "verify").await;
    recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
    let reset = house.mailed(ADA, "reset").await;
    sign_in_links::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
    let sign_in = house.mailed(ADA, "sign-in").await;
    (house, [reset, verify, sign_in])
}

async fn reset(house: &House, secret: &str) -> Result<()> {
    reset_at(&house.hallpass, house, secret).await
}

async fn reset_at(server: &Hallpass, house: &House, secret: &str) -> Result<()> {
    recovery::reset(server, &house.ctx(), secret, OTHER_PASSWORD.to_owned().into()).await
}

async fn sign_in(house: &House, secret: &str) -> Result<()> {
    let proof = Proof::Link(secret.to_owned());
    sign_in_links::sign_in(&house.hallpass, &house.ctx(), proof, Remember::No).await.map(drop)
}

async fn type_code(server: &Hallpass, house: &House, code: &str) -> Result<()> {
    let proof = Proof::Code { email: ADA.to_uppercase(), code: code.to_owned() };
    sign_in_links::sign_in(server, &house.ctx(), proof, Remember::No).await.map(drop)
}

/// The code of the last mail.
async fn mailed_code(house: &House) -> String {
    let text = house.mails().await.last().unwrap().written.text.clone();
    let is_code = |word: &&str| {
        word.len() == 9
            && word.chars().enumerate().all(|(i, c)| if i == 4 { c == '-' } else { c.is_ascii_alphanumeric() })
    };
    text.split_whitespace().find(is_code).unwrap_or_else(|| panic!("no code in {text}")).to_owned()
}

on_both_engines! {
    async fn of_fifty_who_use_a_link_at_once_one_succeeds(database) {
        let (house, [secret, verify, sign_in_link]) = with_links(database).await;
        let other = house.neighbour().await;
        let servers = [&house.hallpass, &other];
        let succeeded = |answers: Vec<Result<()>>| {
            let (good, bad): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
            assert!(bad.into_iter().map(code).all(|code| code == Code::LinkInvalid));
            good.len()
        };
        let ctx = house.ctx();
        let verified = join_all((0..50).map(|n| email::verify(servers[n % 2], &ctx, &verify))).await;
        assert_eq!(succeeded(verified), 1);
        let proof = || Proof::Link(sign_in_link.clone());
        let signed_in = (0..50).map(|n| sign_in_links::sign_in(servers[n % 2], &ctx, proof(), Remember::No));
        assert_eq!(succeeded(join_all(signed_in).await.into_iter().map(|answer| answer.map(drop)).collect()), 1);
        // In lots of what the pool of hashing threads takes at a time.
        let mut resets = Vec::new();
        for _ in 0..10 {
            resets.extend(join_all((0..5).map(|n| reset_at(servers[n % 2], &house, &secret))).await);
        }
        assert_eq!(succeeded(resets), 1);
    }

    async fn a_link_works_once_for_one_purpose_and_not_for_long(database) {
        let (house, [first, verify, link]) = with_links(database).await;
        for wrong in [&verify, &link, "hpt_", "", &format!("{first}x"), &first[1..]] {
            assert_eq!(code(reset(&house, wrong).await), Code::LinkInvalid, "{wrong}");
        }
        assert_eq!(code(email::verify(&house.hallpass, &house.ctx(), &first).await), Code::LinkInvalid);
        assert_eq!(code(email::change(&house.hallpass, &house.ctx(), &first).await), Code::LinkInvalid);
        assert_eq!(code(sign_in(&house, &first).await), Code::LinkInvalid);
        house.pass(1799);
        reset(&house, &first).await.unwrap();
        assert_eq!(code(reset(&house, &first).await), Code::LinkInvalid);

        for (lifetime, page) in [(1800, "reset"), (600, "sign-in")] {
            match page {
                "reset" => recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap(),
                _ => sign_in_links::request(&house.hallpass, &house.ctx(), ADA).await.unwrap(),
            }
            let late = house.mailed(ADA, page).await;
            house.pass(lifetime);
            let answer = if page == "reset" { reset(&house, &late).await } else { sign_in(&house, &late).await };
            assert_eq!(code(answer), Code::LinkInvalid, "{page}");
        }
    }

    async fn a_newer_link_kills_the_older_one(database) {
        let (house, [older, ..]) = with_links(database).await;
        recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let newer = house.mailed(ADA, "reset").await;
        assert_eq!(code(reset(&house, &older).await), Code::LinkInvalid);
        reset(&house, &newer).await.unwrap();
    }

    async fn a_link_dies_with_the_password_and_the_address_that_it_was_made_for(database) {
        let (house, [secret, verify, link]) = with_links(database).await;
        let ada = accounts::find(&house.hallpass, "ada").await.unwrap();
        let new = || OTHER_PASSWORD.to_owned().into();
        accounts::set_password(&house.hallpass, &house.ctx(), ada.id, new()).await.unwrap();
        assert_eq!(code(reset(&house, &secret).await), Code::LinkInvalid);
        assert_eq!(code(email::verify(&house.hallpass, &house.ctx(), &verify).await), Code::LinkInvalid);
        assert_eq!(code(sign_in(&house, &link).await), Code::LinkInvalid);

        recovery::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let secret = house.mailed(ADA, "reset").await;
        let session = house.try_sign_in("ada", OTHER_PASSWORD).await.unwrap().session;
        let (to, ctx) = ("lovelace@example.com", house.ctx());
        email::request_change(&house.hallpass, &ctx, ada.id, session, new(), to, None).await.unwrap();
        email::change(&house.hallpass, &ctx, &house.mailed(to, "change-email").await).await.unwrap();
        assert_eq!(code(reset(&house, &secret).await), Code::LinkInvalid);
    }

    async fn a_link_to_a_deactivated_account_is_worth_nothing(database) {
        let (house, [secret, verify, link]) = with_links(database).await;
        let ada = accounts::find(&house.hallpass, "ada").await.unwrap();
        accounts::set_active(&house.hallpass, &house.ctx(), ada.id, false).await.unwrap();
        assert_eq!(code(reset(&house, &secret).await), Code::LinkInvalid);
        assert_eq!(code(email::verify(&house.hallpass, &house.ctx(), &verify).await), Code::LinkInvalid);
        assert_eq!(code(sign_in(&house, &link).await), Code::LinkInvalid);
    }

    async fn a_password_that_the_rules_refuse_does_not_use_the_link_up(database) {
        let (house, [secret, ..]) = with_links(database).await;
        let weak = recovery::reset(&house.hallpass, &house.ctx(), &secret, "ada".to_owned().into()).await;
        assert_eq!(code(weak), Code::ValidationFailed);
        reset(&house, &secret).await.unwrap();
    }

    async fn neither_secrets_nor_codes_nor_whom_a_mail_is_for_are_stored(database) {
        let (house, secrets) = with_links(database).await;
        let typed = mailed_code(&house).await;
        recovery::request(&house.hallpass, &house.ctx(), "stranger@example.org").await.unwrap();
        let dump = dump(&house.database.db).await;
        assert!(dump.contains("reset_password"), "the dump is not whole");
        for secret in secrets {
            assert!(!dump.contains(&secret.to_lowercase()) && !dump.contains(&secret[4..].to_lowercase()));
        }
        assert!(!dump.contains(&typed.to_lowercase()) && !dump.contains(&typed.replace('-', "").to_lowercase()));
        assert!(!dump.contains("stranger@example.org"));
    }

    async fn a_code_signs_in_however_it_is_typed_but_only_once(database) {
        let (house, _) = with_links(database).await;
        let typed = mailed_code(&house).await.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
        type_code(&house.hallpass, &house, &typed).await.unwrap();
        assert_eq!(code(type_code(&house.hallpass, &house, &typed).await), Code::LinkInvalid);
    }

    async fn a_code_can_be_tried_five_times_also_by_fifty_at_once(database) {
        let (house, _) = with_links(database).await;
        let good = mailed_code(&house).await;
        let other = house.neighbour().await;
        let servers = [&house.hallpass, &other];
        for n in 0..4 {
            assert_eq!(code(type_code(servers[n % 2], &house, "AAAA-AAAA").await), Code::LinkInvalid);
        }
        type_code(&house.hallpass, &house, &good).await.unwrap();

        sign_in_links::request(&house.hallpass, &house.ctx(), ADA).await.unwrap();
        let good = mailed_code(&house).await;
        let guesses = join_all((0..50).map(|n| type_code(servers[n % 2], &house, "AAAA-AAAA"))).await;
        assert!(guesses.into_iter().map(code).all(|code| code == Code::LinkInvalid));
        assert_eq!(code(type_code(&house.hallpass, &house, &good).await), Code::LinkInvalid);
    }

    async fn links_to_sign_in_are_off_unless_the_operator_wants_them(database) {
        let house = House::new(database).await;
        house.create_at("ada", ADA).await;
        let asked = sign_in_links::request(&house.hallpass, &house.ctx(), ADA).await;
        assert_eq!(code(asked), Code::SignInLinksOff);
        assert_eq!(code(sign_in(&house, "hpt_x").await), Code::SignInLinksOff);
        house.try_sign_in("ada", PASSWORD).await.unwrap();
    }
}

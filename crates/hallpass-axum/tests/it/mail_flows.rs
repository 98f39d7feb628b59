//! Each flow with a mail in it: from the request over a conversation with a mail server to what the link does.

use axum::http::HeaderMap;
use hallpass_axum::maintain;
use hallpass_core::{
    config::{Presence, Verification},
    on_both_engines,
    testing::SinkMail,
};
use serde_json::json;

use crate::{mails::*, support::*};

const DAY: i64 = 86_400;

on_both_engines! {
    async fn whoever_signs_up_is_in_at_once_and_the_mail_verifies_the_address(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let ada = app.sign_up_at("ada", ADA).await;
        assert_eq!(ada.me().await.json()["email_verified"], false);
        let token = confirmation(&one_mail(&app, &sink).await, ADA);
        app.redeem("verify-email", &token).await.done();
        assert_eq!(ada.me().await.json()["email_verified"], true);
        app.redeem("verify-email", &token).await.refused(400, "link_invalid");
    }

    async fn where_addresses_have_to_be_verified_a_known_one_changes_nothing_but_the_mail(db) {
        let (app, sink) = TestApp::with_mail_server(db, |config| {
            config.accounts.email = Presence::Required;
            config.accounts.verify_email = Verification::Required;
        })
        .await;
        let sign_up = async |username: &str, email: &str| {
            let body = json!({ "username": username, "email": email, "password": PASSWORD });
            let answer = Call::post("/api/v1/signup").json(&body).send(&app).await;
            answer.accepted();
            seen(answer)
        };
        let of_a_new_one = sign_up("ada", ADA).await;
        let token = confirmation(&one_mail(&app, &sink).await, ADA);
        log_in("ada", PASSWORD).send(&app).await.refused(403, "email_not_verified");
        log_in("ada", OTHER_PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        assert_eq!(sign_up("eve", ADA).await, of_a_new_one);
        told_that_there_is_an_account(&one_mail(&app, &sink).await, ADA);
        app.redeem("verify-email", &token).await.done();
        app.log_in("ada").await;

        assert_eq!(sign_up("eve", "ADA@Example.com").await, of_a_new_one);
        let mail = one_mail(&app, &sink).await;
        assert!(!mail.text.contains("eve") && !mail.html.contains("eve"), "strangers choose nothing that a mail says");
        log_in("eve", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        let token = told_that_there_is_an_account(&mail, ADA);
        app.reset_password(&token, OTHER_PASSWORD).await.done();
        app.log_in_with("ada", OTHER_PASSWORD).await;
    }

    async fn a_newer_link_replaces_the_older_one_and_who_needs_none_gets_none(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        app.sign_up_at("ada", ADA).await;
        let older = confirmation(&one_mail(&app, &sink).await, ADA);
        let of_one_who_waits = app.request_mail("verify-email", "ADA@Example.com").await;
        let newer = confirmation(&one_mail(&app, &sink).await, ADA);
        app.redeem("verify-email", &older).await.refused(400, "link_invalid");
        app.redeem("verify-email", &newer).await.done();
        let of_one_who_is_verified = app.request_mail("verify-email", ADA).await;
        let of_nobody = app.request_mail("verify-email", BOB).await;
        assert!(new_mails(&app, &sink).await.is_empty());
        let answers = [of_one_who_waits, of_one_who_is_verified, of_nobody].map(seen);
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }

    async fn a_reset_ends_every_session_at_once_and_the_owner_is_told(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        let (device, browser) = (app.sign_up_at("ada", ADA).await, app.log_in_browser("ada").await);
        let request = Call::post("/api/v1/password-reset/request").json(&json!({ "email": ADA })).from("192.0.2.7");
        request.send(&app).await.accepted();
        let mail = one_mail(&app, &sink).await;
        let says = "Somebody asked to set a new password for your account at Example (ada@example.com).";
        let token = link(&mail, ADA, "Set a new password at Example", says, "reset");
        for says in
            ["Valid for 30 minutes, and only once.", "on 2026-09-21 at 14:13 UTC from the address 192.0.2.7."]
        {
            assert!(mail.text.contains(says) && mail.html.contains(says), "{}", mail.text);
        }
        app.reset_password(&token, "short").await.refused(400, "validation_failed");
        let answer = app.reset_password(&token, OTHER_PASSWORD).await;
        answer.done();
        assert!(answer.set_cookies().is_empty(), "it signs nobody in");
        for device in [&device, &browser] {
            assert_out(device, "password_changed").await;
        }
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        app.log_in_with("ada", OTHER_PASSWORD).await;
        told_of_a_new_password(&one_mail(&app, &sink).await, ADA);
        app.reset_password(&token, PASSWORD).await.refused(400, "link_invalid");
    }

    async fn nothing_changes_before_the_new_address_answers_and_then_the_old_one_is_told(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        let (here, elsewhere) = (app.sign_up_at("ada", ADA).await, app.log_in_browser("ada").await);
        here.request_email_change(NEW, OTHER_PASSWORD).await.refused(403, "password_incorrect");
        assert!(new_mails(&app, &sink).await.is_empty());
        here.request_email_change(NEW, PASSWORD).await.accepted();
        let says = "The owner of an account at Example wants to use this address, lovelace@example.org.";
        let mail = one_mail(&app, &sink).await;
        let token = link(&mail, NEW, "Confirm your new e-mail address at Example", says, "change-email");
        let valid = "Valid for 24 hours, and only once.";
        assert!(mail.text.contains(valid) && mail.html.contains(valid), "{}", mail.text);

        assert_eq!(here.me().await.json()["email"], ADA);
        assert_eq!(elsewhere.me().await.status, 200);
        log_in(NEW, PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        app.request_reset(NEW).await;
        assert!(new_mails(&app, &sink).await.is_empty(), "it is nobody's address yet");

        app.redeem("email-change", &token).await.done();
        let me = here.me().await.json();
        assert_eq!((&me["email"], &me["email_verified"]), (&json!(NEW), &json!(true)));
        assert_out(&elsewhere, "email_changed").await;
        told_of_a_new_address(&one_mail(&app, &sink).await, ADA, NEW);
        log_in(ADA, PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        assert_eq!(log_in(NEW, PASSWORD).send(&app).await.status, 200);
        app.redeem("email-change", &token).await.refused(400, "link_invalid");
    }

    async fn whoever_wants_the_address_of_somebody_else_learns_nothing_and_its_owner_is_told(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        app.sign_up_at("bob", BOB).await;
        let ada = app.sign_up_at("ada", ADA).await;
        let of_a_free_one = ada.request_email_change(NEW, PASSWORD).await;
        one_mail(&app, &sink).await;
        let of_a_taken_one = ada.request_email_change("BOB@example.net", PASSWORD).await;
        of_a_taken_one.accepted();
        assert_eq!(seen(of_a_taken_one), seen(of_a_free_one));
        let mail = one_mail(&app, &sink).await;
        let token = told_that_there_is_an_account(&mail, BOB);
        assert!(!mail.raw.contains("ada") && !mail.text.contains("ada") && !mail.html.contains("ada"));
        app.redeem("email-change", &token).await.refused(400, "link_invalid");
        app.reset_password(&token, OTHER_PASSWORD).await.done();
        app.log_in_with("bob", OTHER_PASSWORD).await;
        assert_eq!(ada.me().await.json()["email"], ADA);
    }

    async fn the_owner_is_told_of_a_new_password(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        let (here, elsewhere) = (app.sign_up_at("ada", ADA).await, app.log_in("ada").await);
        here.change_password(OTHER_PASSWORD, PASSWORD).await.refused(403, "password_incorrect");
        assert!(new_mails(&app, &sink).await.is_empty());
        here.change_password(PASSWORD, OTHER_PASSWORD).await.done();
        told_of_a_new_password(&one_mail(&app, &sink).await, ADA);
        assert_eq!(here.me().await.status, 200);
        assert_out(&elsewhere, "password_changed").await;
    }

    async fn the_owner_is_told_when_the_account_will_go_and_when_it_has_gone(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        let scheduled = |mail: &SinkMail, day: &str| {
            let says = format!("Your account at Example (ada@example.com) will be deleted on {day}, with everything");
            notice(mail, ADA, "Your account at Example will be deleted", &says);
        };
        let device = app.sign_up_at("ada", ADA).await;
        assert_eq!(device.delete_account(PASSWORD).await.status, 202);
        scheduled(&one_mail(&app, &sink).await, "2026-10-05");
        assert_out(&device, "account_deleted").await;
        app.pass(13 * DAY).await;
        app.log_in("ada").await;
        app.pass(2 * DAY).await;
        assert!(new_mails(&app, &sink).await.is_empty(), "signing in has called it off");

        app.log_in("ada").await.delete_account(PASSWORD).await;
        scheduled(&one_mail(&app, &sink).await, "2026-10-20");
        app.pass(14 * DAY - 60).await;
        assert!(new_mails(&app, &sink).await.is_empty());
        app.pass(60).await;
        told_of_the_end(&one_mail(&app, &sink).await, ADA);
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        app.request_reset(ADA).await;
        assert!(new_mails(&app, &sink).await.is_empty(), "there is nobody to write to");
        app.sign_up_at("ada", ADA).await;
    }

    async fn without_days_of_grace_the_account_goes_at_once(db) {
        let (app, sink) = TestApp::with_mail_server(db, |config| {
            unverified(config);
            config.accounts.deletion_grace_days = 0;
        })
        .await;
        let device = app.sign_up_at("ada", ADA).await;
        let answer = device.delete_account(PASSWORD).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (202, json!({ "delete_at": BEGIN })));
        device.me().await.refused(401, "session_ended");
        log_in("ada", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        told_of_the_end(&one_mail(&app, &sink).await, ADA);
    }

    async fn a_mailed_link_signs_a_browser_in_once(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        app.sign_up_at("ada", ADA).await;
        let of_nobody = app.request_mail("sign-in-link", BOB).await;
        assert_eq!(seen(app.request_mail("sign-in-link", "ADA@example.com").await), seen(of_nobody));
        let (token, code) = sign_in_mail(&one_mail(&app, &sink).await, ADA);
        let click = || {
            let body = json!({ "token": token, "remember": true });
            Call::post("/api/v1/sign-in-link").json(&body).header("origin", FRONT_END).send(&app)
        };
        let answer = click().await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        for cookie in ["__Host-refresh", "__Host-csrf"] {
            assert!(answer.cookie(cookie).is_some_and(|value| value.len() > 20), "{cookie}");
        }
        let body = answer.json();
        assert_eq!((&body["user"]["username"], &body["user"]["email_verified"]), (&json!("ada"), &json!(true)));
        assert!(body.get("refresh_token").is_none());
        let me = Call::get("/api/v1/me").bearer(body["access_token"].as_str().unwrap()).send(&app).await;
        assert_eq!(me.json()["username"], "ada");
        click().await.refused(400, "link_invalid");
        sign_in_by_code(&app, &code).await.refused(400, "link_invalid");
    }

    async fn a_mailed_code_signs_in_as_the_link_does(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        app.sign_up_at("ada", ADA).await;
        app.request_mail("sign-in-link", ADA).await.accepted();
        let (token, code) = sign_in_mail(&one_mail(&app, &sink).await, ADA);
        sign_in_by_code(&app, "00000000").await.refused(400, "link_invalid");
        let answer = sign_in_by_code(&app, &code.to_lowercase().replace('-', " ")).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert_eq!(answer.json()["user"]["username"], "ada");
        assert!(answer.json()["refresh_token"].is_string() && answer.set_cookies().is_empty());
        sign_in_by_code(&app, &code).await.refused(400, "link_invalid");
        app.redeem("sign-in-link", &token).await.refused(400, "link_invalid");
    }

    async fn mail_goes_out_by_itself_while_the_server_runs(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let background = tokio::spawn(maintain(app.state.clone()));
        let ada = app.sign_up_at("ada", ADA).await;
        app.redeem("verify-email", &confirmation(&sink.wait_for(1).await[0], ADA)).await.done();
        assert_eq!(ada.me().await.json()["email_verified"], true);
        ada.change_password(PASSWORD, OTHER_PASSWORD).await.done();
        told_of_a_new_password(&sink.wait_for(2).await[1], ADA);
        background.abort();
    }
}

#[track_caller]
fn told_that_there_is_an_account(mail: &SinkMail, to: &str) -> String {
    let says = format!("Somebody wanted to use your address, {to}, for an account at Example. You already have one");
    link(mail, to, "You already have an account at Example", &says, "reset")
}

#[track_caller]
fn told_of_a_new_password(mail: &SinkMail, to: &str) {
    let says = format!("The password of your account at Example ({to}) was changed.");
    notice(mail, to, "Your password at Example was changed", &says);
}

#[track_caller]
fn told_of_a_new_address(mail: &SinkMail, to: &str, new: &str) {
    let says = format!("Your account at Example has a new e-mail address: {new}. Mail no longer goes to {to}.");
    notice(mail, to, "Your e-mail address at Example was changed", &says);
}

#[track_caller]
fn told_of_the_end(mail: &SinkMail, to: &str) {
    let says = format!("Your account at Example ({to}) was deleted, with everything that belonged to it.");
    notice(mail, to, "Your account at Example was deleted", &says);
}

async fn sign_in_by_code(app: &TestApp, code: &str) -> Answer {
    let body = json!({ "email": "ADA@example.com", "code": code });
    Call::post("/api/v1/sign-in-link").json(&body).send(app).await
}

/// Everything that a client sees of an answer, but for the id of the request.
fn seen(answer: Answer) -> (u16, HeaderMap, Vec<u8>) {
    let Answer { status, mut headers, body } = answer;
    headers.remove("x-request-id");
    (status.as_u16(), headers, body)
}

/// Asserts that a device is signed out, and for which reason.
async fn assert_out(device: &Device<'_>, cause: &str) {
    device.me().await.refused(401, "session_ended");
    let refresh = device.try_refresh().await;
    refresh.refused(401, "session_ended");
    assert_eq!(refresh.json()["cause"], cause);
}

//! The mail server is away, or takes no mail: nobody who asks notices, and each mail arrives once when it is back.

use std::{collections::BTreeSet, time::Duration};

use hallpass_axum::{AppState, maintain};
use hallpass_core::{Hallpass, mail, on_both_engines, testing::SinkMail};
use tokio::{net::TcpListener, time::timeout};

use crate::{
    mails::{ADA, BOB, NEW, OTHER_PASSWORD, confirmation, new_mails, one_mail},
    support::*,
};

const DAY: i64 = 86_400;

on_both_engines! {
    async fn while_there_is_no_mail_server_all_goes_on_and_afterwards_two_servers_send_each_mail_once(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let second = app.neighbour(|_| ()).await;
        // What needs a mail to begin with has got it before.
        let gone = app.sign_up_at("gone", "gone@example.com").await;
        assert_eq!(gone.delete_account(PASSWORD).await.status, 202);
        app.pass(14 * DAY - 60).await;
        let moved = app.sign_up_at("moved", "moved@example.com").await;
        moved.request_email_change("moved@example.org", PASSWORD).await.accepted();
        app.sign_up_at("lost", "lost@example.com").await;
        app.request_reset("lost@example.com").await;
        let mails = new_mails(&app, &sink).await;
        let token = |to: &str| mails.iter().rfind(|mail| mail.to == [to]).unwrap().token().unwrap();
        let (change, reset) = (token("moved@example.org"), token("lost@example.com"));

        sink.stop().await;
        let ada = app.sign_up_at("ada", ADA).await;
        let bob = app.sign_up_at("bob", BOB).await;
        app.request_reset(ADA).await;
        app.request_mail("sign-in-link", ADA).await.accepted();
        ada.request_email_change(NEW, PASSWORD).await.accepted();
        bob.request_email_change("ADA@example.com", PASSWORD).await.accepted();
        bob.change_password(PASSWORD, OTHER_PASSWORD).await.done();
        assert_eq!(bob.delete_account(OTHER_PASSWORD).await.status, 202);
        app.redeem("email-change", change).await.done();
        app.reset_password(reset, OTHER_PASSWORD).await.done();
        for operation in ["verify-email", "password-reset", "sign-in-link"] {
            app.request_mail(operation, "nobody@example.com").await.accepted();
        }
        app.pass(60).await;
        let expected = [
            (ADA, "Confirm your e-mail address at Example"),
            (BOB, "Confirm your e-mail address at Example"),
            (ADA, "Set a new password at Example"),
            (ADA, "Sign in to Example"),
            (NEW, "Confirm your new e-mail address at Example"),
            (ADA, "You already have an account at Example"),
            (BOB, "Your password at Example was changed"),
            (BOB, "Your account at Example will be deleted"),
            ("moved@example.com", "Your e-mail address at Example was changed"),
            ("lost@example.com", "Your password at Example was changed"),
            ("gone@example.com", "Your account at Example was deleted"),
        ];
        for _ in 0..60 {
            app.clock_forward(60);
            deliver_both(&app, second.hallpass()).await;
        }
        assert!(sink.mails().is_empty());
        let waiting = mail::waiting(&app.hallpass, 100).await.unwrap();
        assert_eq!(waiting.len(), expected.len(), "{waiting:#?}");
        assert!(waiting.iter().all(|mail| mail.due_at.is_some() && mail.last_error.is_some()), "{waiting:#?}");

        sink.restart().await;
        app.clock_forward(60);
        die_over_a_mail(&app).await;
        // A mail that nobody takes, a conversation that ends, and one that is lost in the middle of a mail.
        for (command, code) in [("RCPT", 451), ("RCPT", 451), ("CONNECT", 421), (".", 451), ("DATA", 421)] {
            sink.refuse_next_at(command, code);
        }
        deliver_until_none_waits(&app, second.hallpass()).await;
        let mails = sink.mails();
        assert_eq!(shown(&mails), sorted(expected.map(|(to, subject)| (to.to_owned(), subject.to_owned()))));
        let ids: BTreeSet<_> = mails.iter().map(|mail| mail.header("Message-ID")).collect();
        assert_eq!(ids.len(), mails.len());
        // A link is made when its mail goes out: none has grown old meanwhile.
        let verify = mails.iter().find(|mail| mail.to == [ADA] && mail.text.contains("/verify#")).unwrap();
        app.redeem("verify-email", &confirmation(verify, ADA)).await.done();
        let change = mails.iter().find(|mail| mail.to == [NEW]).unwrap();
        app.redeem("email-change", change.token().unwrap()).await.done();
        app.clock_forward(DAY);
        deliver_both(&app, second.hallpass()).await;
        assert_eq!(sink.mails().len(), mails.len() + 1, "and now the old address is told");
    }

    async fn a_mail_server_that_never_answers_keeps_nobody_waiting(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let (silent, slow) = silent(&app).await;
        let background = tokio::spawn(maintain(slow));
        let ada = app.sign_up_at("ada", ADA).await;
        let _conversation = silent.accept().await.unwrap();
        ada.change_password(PASSWORD, OTHER_PASSWORD).await.done();
        app.request_reset(ADA).await;
        assert_eq!(app.log_in_with("ada", OTHER_PASSWORD).await.me().await.status, 200);
        // Another server has a better one, and waits for nothing but the mail that this one is busy with.
        assert_eq!(new_mails(&app, &sink).await.len(), 2);
        background.abort();
        app.clock_forward(60);
        confirmation(&one_mail(&app, &sink).await, ADA);
    }

    async fn the_background_work_of_two_servers_sends_what_has_waited_for_the_mail_server(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let second = app.neighbour(|_| ()).await;
        sink.stop().await;
        for number in 0..12 {
            app.sign_up_at(&format!("user{number}"), &format!("user{number}@example.com")).await;
        }
        let background = [app.state.clone(), second.clone()].map(|server| tokio::spawn(maintain(server)));
        let waiting = async || mail::waiting(second.hallpass(), 100).await.unwrap();
        until(async || waiting().await.iter().any(|mail| mail.last_error.is_some())).await;
        sink.restart().await;
        app.clock_forward(30);
        until(async || waiting().await.is_empty()).await;
        for background in background {
            background.abort();
        }
        let to: BTreeSet<_> = sink.mails().into_iter().flat_map(|mail| mail.to).collect();
        assert_eq!((to.len(), sink.mails().len()), (12, 12));
    }

    async fn a_mail_that_is_never_taken_is_given_up_where_the_operator_sees_it(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        for username in ["eve", "ada", "bob"] {
            app.sign_up_at(username, &format!("{username}@example.com")).await;
        }
        sink.answer_next("RCPT", 550, "5.1.1 no such mailbox");
        let others: Vec<_> = new_mails(&app, &sink).await.into_iter().flat_map(|mail| mail.to).collect();
        assert_eq!(others, ["ada@example.com", "bob@example.com"], "at the first attempt");
        let [given_up] = &mail::waiting(&app.hallpass, 10).await.unwrap()[..] else { panic!("one is left") };
        assert_eq!((given_up.kind.as_str(), given_up.attempts, given_up.due_at), ("verify_email", 1, None));
        assert!(given_up.last_error.as_ref().unwrap().contains("5.1.1 no such mailbox"), "{given_up:?}");
        app.clock_forward(3 * DAY);
        assert!(new_mails(&app, &sink).await.is_empty(), "nobody tries again by himself");
        assert_eq!(mail::retry(&app.hallpass, &app.ctx()).await.unwrap(), 1);
        confirmation(&one_mail(&app, &sink).await, "eve@example.com");
    }

    async fn a_mail_that_is_not_taken_now_waits_longer_each_time_and_delays_no_other(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        app.sign_up_at("eve", "eve@example.com").await;
        for (attempt, wait) in [10, 30, 120, 600, 1800, 3600, 3600].into_iter().enumerate() {
            sink.answer_next("RCPT", 451, "4.7.1 greylisted");
            assert!(new_mails(&app, &sink).await.is_empty());
            let username = format!("user{attempt}");
            app.sign_up_at(&username, &format!("{username}@example.com")).await;
            confirmation(&one_mail(&app, &sink).await, &format!("{username}@example.com"));
            app.clock_forward(wait - 1);
            assert!(new_mails(&app, &sink).await.is_empty(), "{attempt}");
            app.clock_forward(1);
        }
        confirmation(&one_mail(&app, &sink).await, "eve@example.com");
    }

    async fn after_three_days_nobody_tries_any_more_until_the_operator_wants_it(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        sink.stop().await;
        app.sign_up_at("ada", ADA).await;
        app.clock_forward(3 * DAY - 60);
        app.send_mail().await;
        assert!(mail::waiting(&app.hallpass, 10).await.unwrap()[0].due_at.is_some());
        app.clock_forward(60);
        app.send_mail().await;
        assert_eq!(mail::waiting(&app.hallpass, 10).await.unwrap()[0].due_at, None);
        sink.restart().await;
        app.clock_forward(60);
        assert!(new_mails(&app, &sink).await.is_empty());
        assert_eq!(mail::retry(&app.hallpass, &app.ctx()).await.unwrap(), 1);
        let token = confirmation(&one_mail(&app, &sink).await, ADA);
        app.redeem("verify-email", &token).await.done();
    }
}

async fn deliver(server: &Hallpass, app: &TestApp) {
    while mail::deliver(server, &app.ctx()).await.unwrap() {}
}

/// Waits until something is so; a test for which it never is fails.
async fn until(is_so: impl AsyncFn() -> bool) {
    let waited = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    timeout(Duration::from_secs(20), waited).await.expect("it never is");
}

/// What is due, by two servers at the same time.
async fn deliver_both(app: &TestApp, second: &Hallpass) {
    tokio::join!(deliver(&app.hallpass, app), deliver(second, app));
}

/// The same again and again, while time goes by; a mail that never goes out fails the test.
async fn deliver_until_none_waits(app: &TestApp, second: &Hallpass) {
    for _ in 0..100 {
        deliver_both(app, second).await;
        if mail::waiting(second, 1).await.unwrap().is_empty() {
            return;
        }
        app.clock_forward(60);
    }
    panic!("{:#?}", mail::waiting(second, 100).await);
}

/// A mail server that never answers, and a server of ours that has no other.
async fn silent(app: &TestApp) -> (TcpListener, AppState) {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    (silent, app.neighbour(|config| config.mail.smtp_port = port).await)
}

/// A third server takes a mail on, speaks with a mail server that never answers, and is gone.
async fn die_over_a_mail(app: &TestApp) {
    let (silent, third) = silent(app).await;
    tokio::select! {
        () = deliver(third.hallpass(), app) => panic!("nobody has answered"),
        conversation = silent.accept() => drop(conversation.unwrap()),
    }
}

/// To whom each mail went and what it is about, in the order of the alphabet.
fn shown(mails: &[SinkMail]) -> Vec<(String, String)> {
    sorted(mails.iter().map(|mail| (mail.to.join(","), mail.subject.clone())))
}

fn sorted(mails: impl IntoIterator<Item = (String, String)>) -> Vec<(String, String)> {
    let mut mails: Vec<_> = mails.into_iter().collect();
    mails.sort();
    mails
}

//! `hallpass mail`: how mails look, whether they leave, and what waits.

use std::{collections::BTreeSet, fs, time::Duration};

use hallpass_core::{mail::Kind, on_both_engines, testing::SmtpSink};
use reqwest::Client;
use serde_json::{Value, json};

use crate::program::{Ended, Home, PASSWORD, Server, finish, within_five_seconds};

const NEW_PASSWORD: &str = "nine quiet foxes weigh marble";

/// Settings that send by the mail server on this port.
fn smtp(port: u16) -> String {
    format!(
        "[mail]\ntransport = \"smtp\"\nfrom = \"Example <no-reply@example.com>\"\nsmtp_host = \"127.0.0.1\"\n\
         smtp_port = {port}\nsmtp_tls = \"none\"\n"
    )
}

/// A folder whose settings are these.
fn home(settings: &str) -> Home {
    let home = Home::new();
    home.write("hallpass.toml", settings);
    home
}

#[test]
fn every_mail_can_be_looked_at_in_every_language_without_a_database() {
    let home = Home::new();
    let list = home.run(&["mail", "preview"]).stdout;
    for kind in Kind::ALL {
        assert!(list.lines().any(|line| line.starts_with(&format!("{} ", kind.as_str()))), "{list}");
    }
    let written = home.run(&["mail", "preview", "--out", "previews"]);
    assert_eq!((written.code, written.stdout.as_str()), (0, ""), "{written:?}");
    let names: BTreeSet<String> = fs::read_dir(home.file("previews"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    let expected = Kind::ALL.iter().flat_map(|kind| {
        ["en", "de"]
            .into_iter()
            .flat_map(move |locale| ["html", "txt"].map(|extension| format!("{}.{locale}.{extension}", kind.as_str())))
    });
    assert!(names.is_superset(&expected.collect()), "{names:?}");
    for name in names {
        let content = fs::read_to_string(home.file("previews").join(&name)).unwrap();
        let start = if name.ends_with(".html") { "<!doctype html" } else { "subject: " };
        assert!(content.to_lowercase().starts_with(start), "{name}: {content}");
    }
    assert!(!home.file("data").exists());
}

#[test]
fn one_mail_is_shown_as_text_and_as_a_page() {
    let home = home("public_url = \"https://login.example.org\"\n[mail]\nproduct_name = \"Otters & Sons\"");
    let shown = |arguments: &[&str]| home.run(&[&["mail", "preview", "reset_password"], arguments].concat()).stdout;
    let (whole, text, html) = (shown(&[]), shown(&["--text"]), shown(&["--html"]));
    let (subject, body) = whole.split_once("\n\n").unwrap();
    assert!(subject.starts_with("Subject: ") && subject.contains("Otters & Sons"), "{whole}");
    assert_eq!(body, text);
    for mail in [&text, &html] {
        assert!(mail.contains("https://login.example.org/reset#token=hpt_"), "{mail}");
    }
    assert!(html.contains("Otters &amp; Sons") && !html.contains("Otters & Sons"), "{html}");
    assert_ne!(shown(&["--locale", "de"]), whole);
    home.run(&["mail", "preview", "reset_password", "--locale", "tlh"]).failed(2, "`de`");
    home.run(&["mail", "preview", "no_such_mail"]).failed(2, "reset_password");
}

#[test]
fn a_test_mail_leaves_by_the_transport_that_is_set() {
    let home = home("[mail]\ntransport = \"file\"\nfrom = \"Example <no-reply@example.com>\"\nfolder = \"out\"");
    let sent = home.run(&["mail", "test", "ada@example.org", "--kind", "password_changed"]);
    assert_eq!((sent.code, sent.stdout.as_str()), (0, ""), "{sent:?}");
    assert!(sent.stderr.contains("`out`"), "{sent:?}");
    let files: Vec<_> = fs::read_dir(home.file("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
    let [file] = &files[..] else { panic!("{files:?}") };
    let mail = fs::read_to_string(file).unwrap();
    assert!(mail.contains("To: ada@example.org") && mail.contains("no-reply@example.com"), "{mail}");
    assert!(!home.file("data").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_goes_through_the_mail_server_with_the_password_of_the_environment() {
    let sink = SmtpSink::start().await;
    sink.demand_sign_in("hallpass", "canary");
    let home = home(&(smtp(sink.address.port()) + "smtp_username = \"hallpass\""));
    let test = |password: &str| {
        let mut command = home.command(&["mail", "test", "ada@example.org"]);
        command.env("HALLPASS_MAIL__SMTP_PASSWORD", password);
        finish(command, "", Duration::from_secs(60))
    };
    let sent = test("canary");
    assert_eq!((sent.code, sent.stdout.as_str()), (0, ""), "{sent:?}");
    assert!(sent.stderr.contains("took it"), "{sent:?}");
    let [mail] = &sink.wait_for(1).await[..] else { panic!("more than one mail") };
    assert_eq!(mail.to, ["ada@example.org"]);

    let refused = test("canary of a wrong password");
    refused.failed(1, "535");
    assert!(!refused.stderr.contains("canary"), "{refused:?}");
    assert_eq!(sink.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_mail_that_does_not_leave_says_why_and_what_to_do() {
    let sink = SmtpSink::start().await;
    let test = |settings: &str| home(settings).run(&["mail", "test", "ada@example.org"]);
    let through_sink = smtp(sink.address.port());
    sink.refuse_next(550);
    test(&through_sink).failed(1, "will never take this mail: ");
    sink.refuse_next(451);
    test(&through_sink).failed(1, "maybe later: ");
    sink.stop().await;
    test(&through_sink).failed(1, "no mail can leave");
    test("").failed(1, "set `mail.transport`");
    test("dev = true").failed(1, "/dev/mail");
    home(&through_sink).run(&["mail", "test", "nobody"]).failed(2, "error: ");
    test("[mail]\ntransport = \"smtp\"\nfrom = \"no-reply@example.com\"").failed(1, "`mail.smtp_host`");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_links_nor_the_password_of_the_mail_server_are_in_the_log_at_any_level() {
    let sink = SmtpSink::start().await;
    sink.demand_sign_in("hallpass", "canary of the mail server");
    let home = home(&(smtp(sink.address.port()) + "smtp_username = \"hallpass\""));
    let mut command = home.command(&["serve", "--dev", "--listen", "127.0.0.1:0"]);
    command.env("HALLPASS_MAIL__SMTP_PASSWORD", "canary of the mail server");
    command.env("HALLPASS_LOG__LEVEL", "trace,lettre=trace,minijinja=trace,rustls=trace");
    let server = Server::start_with(command);
    let post = async |path: &str, body: Value| {
        let url = format!("{}/api/v1/{path}", server.url);
        let client = Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        client.post(url).json(&body).send().await.unwrap().status().as_u16()
    };
    let grace = json!({ "username": "grace", "email": "grace@example.org", "password": PASSWORD });
    assert_eq!(post("signup", grace).await, 201);
    assert_eq!(post("password-reset/request", json!({ "email": "grace@example.org" })).await, 202);
    let mails = sink.wait_for(2).await;
    let secret_of = |page: &str| {
        let mail = mails.iter().find(|mail| mail.text.contains(&format!("/{page}#token=")));
        mail.and_then(|mail| mail.token()).unwrap_or_else(|| panic!("no link to {page} in {mails:?}"))
    };
    let (verify, reset) = (secret_of("verify"), secret_of("reset"));
    assert_eq!(post("verify-email", json!({ "token": verify })).await, 204);
    assert_eq!(post("password-reset", json!({ "token": reset, "new_password": NEW_PASSWORD })).await, 204);
    sink.wait_for(3).await;
    within_five_seconds("the line of the last mail", async || server.said().contains("password_changed")).await;
    let said = server.said();
    // The last is what the mail server was sent to sign in (RFC 4616).
    let signed_in = "AGhhbGxwYXNzAGNhbmFyeSBvZiB0aGUgbWFpbCBzZXJ2ZXI=";
    for secret in [verify, reset, "canary of the mail server", PASSWORD, NEW_PASSWORD, "grace@example.org", signed_in] {
        assert!(!said.contains(secret), "{secret} is in the log: {said}");
    }
}

on_both_engines! {
    async fn what_was_given_up_is_listed_with_its_reason_and_goes_out_after_a_retry(database) {
        let sink = SmtpSink::start().await;
        let home = home(&smtp(sink.address.port()));
        let command = |arguments: &[&str]| {
            let mut command = home.command(arguments);
            command.env("HALLPASS_DATABASE", &database.url);
            command
        };
        let run = |arguments: &[&str], input: &str| -> Ended {
            let ended = finish(command(arguments), input, Duration::from_secs(60));
            assert_eq!(ended.code, 0, "{ended:?}");
            ended
        };
        let queue = || run(&["mail", "queue", "--json"], "").json();
        let create = ["createsuperuser", "--username", "ada", "--email", "ada@example.org", "--password-stdin"];
        run(&create, PASSWORD);
        assert_eq!((run(&["mail", "queue"], "").stdout.as_str(), queue()), ("", json!([])));
        assert!(run(&["mail", "retry"], "").stderr.contains("no mail was given up"));
        run(&["accounts", "set-password", "ada", "--password-stdin"], NEW_PASSWORD);
        let waiting = queue();
        assert_eq!((&waiting[0]["kind"], &waiting[0]["attempts"]), (&json!("password_changed"), &json!(0)));
        assert_eq!(waiting[0]["due_at"], waiting[0]["created_at"]);

        sink.refuse_next(550);
        let _server = Server::start_with(command(&["serve", "--dev", "--listen", "127.0.0.1:0"]));
        within_five_seconds("giving up", async || queue()[0]["due_at"] == Value::Null).await;
        assert!(queue()[0]["last_error"].as_str().unwrap().contains("550"));
        let table = run(&["mail", "queue"], "");
        assert!(table.stdout.contains("given up") && table.stdout.contains("550"), "{table:?}");
        assert!(table.stderr.contains("hallpass mail retry"), "{table:?}");
        assert_eq!(sink.mails().len(), 0);

        assert_eq!(run(&["mail", "retry", "--json"], "").json(), json!({ "due": 1 }));
        assert_eq!(sink.wait_for(1).await[0].to, ["ada@example.org"]);
        within_five_seconds("noting that it is gone", async || queue() == json!([])).await;
    }
}

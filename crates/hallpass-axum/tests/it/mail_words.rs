//! What mails say: in the reader's language, with nothing in them that a stranger can make them say.

use hallpass_core::{
    on_both_engines,
    testing::{SinkMail, SmtpSink},
};
use serde_json::{Value, json};

use crate::{
    mails::{ADA, link, new_mails, notice, one_mail, unverified},
    support::*,
};

/// What it says about the client counts.
const PROXY: &str = "10.0.0.1";
const GERMAN: (&str, &str) = ("accept-language", "de-CH, en;q=0.5");
const RESET: (&str, &str) = ("Set a new password at Example", "Somebody asked to set a new password for your account");
const RESET_IN_GERMAN: (&str, &str) = (
    "Neues Passwort für Example",
    "Jemand möchte ein neues Passwort für Ihr Konto bei Example (ada@example.com) setzen.",
);

/// Names that would be markup, a header, the end of the mail or a template if they were taken for it, and are fine as
/// names.
const HOSTILE: [&str; 4] = [
    r#"</p><script>alert(1)</script><img src="https://evil.example/x" onerror='alert(1)'>"#,
    "{{ link }}{% include 'base.html' %}{{ 7 * 7 }}",
    "Bcc: eve@example.com",
    ". QUIT ‏& &lt;b&gt; =?utf-8?q?=0D=0ABcc:_eve=40example.com?=",
];

on_both_engines! {
    async fn mails_are_in_the_language_of_the_account_whatever_the_request_prefers(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let body = json!({ "username": "ada", "email": ADA, "password": PASSWORD, "locale": "de-AT" });
        let signed_up = Call::post("/api/v1/signup").header("accept-language", "en").json(&body).send(&app).await;
        let mail = one_mail(&app, &sink).await;
        let says = "Jemand hat diese Adresse, ada@example.com, für ein Konto bei Example angegeben.";
        let token = link(&mail, ADA, "Bestätigen Sie Ihre E-Mail-Adresse bei Example", says, "verify");
        assert_eq!(mail.header("Content-Language").as_deref(), Some("de"));
        assert!(mail.html.contains("<html lang=\"de\">") && mail.html.contains(">Adresse bestätigen</a>"));
        app.redeem("verify-email", &token).await.done();
        reset(&app, Some(("accept-language", "en"))).await;
        let token = link(&one_mail(&app, &sink).await, ADA, RESET_IN_GERMAN.0, RESET_IN_GERMAN.1, "reset");
        app.reset_password(&token, PASSWORD).await.done();
        let says = "Das Passwort Ihres Kontos bei Example (ada@example.com) wurde geändert.";
        notice(&one_mail(&app, &sink).await, ADA, "Ihr Passwort bei Example wurde geändert", says);

        let device = app.log_in("ada").await;
        let english = json!({ "locale": "en" });
        assert_eq!(device.change_me(&english).await.status, 200, "{}", signed_up.text());
        reset(&app, Some(GERMAN)).await;
        link(&one_mail(&app, &sink).await, ADA, RESET.0, RESET.1, "reset");
    }

    async fn an_account_without_a_language_is_written_to_in_the_one_that_the_request_prefers(db) {
        let (app, sink) = TestApp::with_mail_server(db, unverified).await;
        assert_eq!(app.sign_up_at("ada", ADA).await.me().await.json()["locale"], Value::Null);
        for (language, expected) in [
            (Some(GERMAN), RESET_IN_GERMAN),
            (Some(("accept-language", "fr, de;q=0.8")), RESET_IN_GERMAN),
            (Some(("accept-language", "en-GB")), RESET),
            (Some(("accept-language", "fr")), RESET),
            (Some(("accept-language", "\u{e4}, ;q=, */../de")), RESET),
            (None, RESET),
        ] {
            reset(&app, language).await;
            link(&one_mail(&app, &sink).await, ADA, expected.0, expected.1, "reset");
        }
        // Who signs up in German is written to in German from then on.
        let body = json!({ "username": "bob", "email": "bob@example.net", "password": PASSWORD });
        let signed_up = Call::post("/api/v1/signup").header(GERMAN.0, GERMAN.1).json(&body).send(&app).await;
        assert_eq!(signed_up.json()["user"]["locale"], "de");
    }

    async fn a_hostile_name_is_text_in_one_mail_to_one_person(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        for (number, name) in HOSTILE.into_iter().enumerate() {
            let username = format!("user{number}");
            let email = format!("o'hara&{{{{7*7}}}}{number}@example.com");
            let body = json!({ "username": username, "email": email, "password": PASSWORD, "first_name": name });
            let signed_up = Call::post("/api/v1/signup").json(&body).send(&app).await;
            assert_eq!(signed_up.status, 201, "{}", signed_up.text());
            let mail = one_mail(&app, &sink).await;
            assert!(mail.text.starts_with("Hello,\n"), "nobody has shown yet that this is their name: {}", mail.text);
            assert!(mail.text.contains(&email) && mail.html.contains(&in_html(&email)), "{}", mail.html);
            app.redeem("verify-email", mail.token().unwrap()).await.done();

            app.log_in(&username).await.change_password(PASSWORD, "lighthouse pickle gravity 9").await.done();
            let mail = one_mail(&app, &sink).await;
            assert!(mail.text.starts_with(&format!("Hello {name},\n")), "{}", mail.text);
            assert!(mail.html.contains(&format!("<p>Hello {},</p>", in_html(name))), "{}", mail.html);
            assert_eq!((mail.to.as_slice(), &*mail.subject), (&[email][..], "Your password at Example was changed"));
            assert!(!mail.html.contains("<script") && !mail.html.contains("<img"), "{}", mail.html);
            assert_eq!(headers(&mail), USUAL, "{}", mail.raw);
        }
    }

    async fn what_would_end_a_line_is_no_name_no_address_and_no_language(db) {
        let (app, sink) = TestApp::with_mail_server(db, |_| ()).await;
        let smuggled = ["a\r\n.\r\nMAIL FROM:<eve@example.com>", "a\n.\n", "a\r.\r", "a\u{2028}b", "a\u{85}b", "a\0b"];
        for smuggled in smuggled {
            let at = format!("{smuggled}@example.com");
            for member in ["username", "email", "first_name", "last_name", "locale"] {
                let mut body = json!({ "username": "eve", "email": "eve@example.com", "password": PASSWORD });
                body[member] = json!(if member == "email" { &at } else { smuggled });
                let answer = Call::post("/api/v1/signup").json(&body).send(&app).await;
                answer.refused(400, "validation_failed");
                assert_eq!(answer.json()["errors"][0]["field"], member, "{}", answer.text());
            }
            for operation in ["verify-email", "password-reset", "sign-in-link"] {
                for email in [&at, &format!("{ADA}{smuggled}"), &format!("{ADA},{smuggled}")] {
                    app.request_mail(operation, email).await.refused(400, "validation_failed");
                }
            }
        }
        let ada = app.sign_up_at("ada", ADA).await;
        let answer = ada.request_email_change("ada@example.org\r\nBcc: eve@example.com", PASSWORD).await;
        answer.refused(400, "validation_failed");
        assert_eq!(new_mails(&app, &sink).await.len(), 1, "the one that verifies ada's address");
    }

    async fn links_lead_where_the_settings_say_whatever_a_request_or_a_proxy_says(db) {
        let sink = SmtpSink::start().await;
        let app = TestApp::with(db, |config, web| {
            config.mail = sink.settings();
            web.trusted_proxies = vec![PROXY.into()];
        })
        .await;
        let ada = app.sign_up_at("ada", ADA).await;
        let pages = ["verify", "verify", "reset", "sign-in", "change-email"];
        one_mail(&app, &sink).await;
        let headers = [
            ("host", "evil.example"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-server", "evil.example"),
            ("x-original-host", "evil.example"),
            ("x-host", "evil.example"),
            ("x-forwarded-proto", "http"),
            ("x-forwarded-port", "8443"),
            ("x-forwarded-prefix", "/evil.example"),
            ("x-original-url", "//evil.example/"),
            ("forwarded", "for=192.0.2.1;host=evil.example;proto=http"),
            ("referer", "https://evil.example/"),
        ];
        let evil = |mut call: Call| {
            for (name, value) in headers {
                call = call.header(name, value);
            }
            call.from(PROXY)
        };
        for (username, target) in [("bob", ""), ("carol", "https://evil.example")] {
            let post = |path: &str, body: Value| evil(Call::post(&format!("{target}/api/v1/{path}"))).json(&body);
            let email = || json!({ "email": ADA });
            let change = json!({ "email": "lovelace@example.org", "password": PASSWORD });
            let email_of_somebody = format!("{username}@example.com");
            let somebody = json!({ "username": username, "email": email_of_somebody, "password": PASSWORD });
            for call in [
                post("signup", somebody),
                post("verify-email/request", email()),
                post("password-reset/request", email()),
                post("sign-in-link/request", email()),
                post("email-change/request", change).bearer(&ada.access),
            ] {
                assert!(call.send(&app).await.status.is_success());
            }
            let mails = new_mails(&app, &sink).await;
            assert_eq!(mails.len(), pages.len());
            for (mail, page) in mails.iter().zip(pages) {
                link(mail, &mail.to[0], &mail.subject, "", page);
                assert!(!format!("{mail:?}").contains("evil"), "{mail:?}");
            }
        }
    }
}

/// The names of the headers that a mail has.
const USUAL: [&str; 9] = [
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "Content-Language",
    "MIME-Version",
    "Content-Type",
];

fn headers(mail: &SinkMail) -> Vec<&str> {
    let (head, _) = mail.raw.split_once("\r\n\r\n").unwrap();
    let lines = head.split("\r\n").filter(|line| !line.starts_with([' ', '\t']));
    lines.map(|line| line.split_once(':').unwrap().0).collect()
}

/// As a browser has to get it to show it.
fn in_html(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

async fn reset(app: &TestApp, language: Option<(&'static str, &str)>) {
    let mut call = Call::post("/api/v1/password-reset/request").json(&json!({ "email": ADA }));
    if let Some((name, value)) = language {
        call = call.header(name, value);
    }
    call.send(app).await.accepted();
}

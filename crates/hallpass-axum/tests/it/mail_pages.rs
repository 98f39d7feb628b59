//! The pages that mails lead to, and in development the mails themselves.

use axum::http::Method;
use hallpass_core::{
    config::Transport,
    mail::{Letter, Written},
    on_both_engines,
};
use serde_json::json;
use uuid::Uuid;

use crate::{routes, support::*};

const PAGES: [(&str, &str); 4] = [
    ("verify", "/api/v1/verify-email"),
    ("reset", "/api/v1/password-reset"),
    ("sign-in", "/api/v1/sign-in-link"),
    ("change-email", "/api/v1/email-change"),
];

/// What would run, load or break out if it were not shown as text.
const HOSTILE: &str =
    r#""'></title></pre><script src="https://evil.example/x.js"></script><img src=x onerror=alert(1)>"#;

async fn send(app: &TestApp, text: &str) -> Letter {
    let written = Written { subject: text.into(), text: text.into(), html: text.into(), locale: text.into() };
    let letter = Letter { id: Uuid::from_u128(7), to: text.into(), written, sent_at: BEGIN };
    app.hallpass.mailer().send(&letter).await.unwrap();
    letter
}

on_both_engines! {
    async fn opening_a_link_changes_nothing_however_often_and_the_click_then_works(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", routes::ADDRESS).await;
        for (page, operation) in PAGES {
            let device = app.log_in("ada").await;
            let listed = routes::operations().into_iter().find(|listed| listed.2 == operation).unwrap();
            let body = routes::body(&app, &listed, &device).await.unwrap();
            let token = body["token"].as_str().unwrap();
            let before = (device.me().await.json(), device.get("/api/v1/activity").await.json());
            for method in [Method::GET, Method::HEAD, Method::GET, Method::HEAD] {
                let path = format!("/{page}");
                let opened = Call::new(method.clone(), &path).send(&app).await;
                assert_eq!(opened.header("content-type"), Some("text/html; charset=utf-8"));
                assert_eq!(opened.header("referrer-policy"), Some("no-referrer"));
                assert_eq!(opened.header("cache-control"), Some("no-store"));
                // Nor does a mail program that sends the secret to the server after all.
                let sent = Call::new(method.clone(), &format!("{path}?token={token}")).send(&app).await;
                assert!(!sent.text().contains(token));
                assert_eq!(Call::new(method, operation).json(&body).send(&app).await.status, 405);
            }
            assert_eq!((device.me().await.json(), device.get("/api/v1/activity").await.json()), before);
            // As the page's script does it.
            let click = || {
                let call = Call::post(operation).json(&body);
                call.header("origin", API).header("sec-fetch-site", "same-origin")
            };
            let done = click().send(&app).await;
            assert!(done.status.is_success(), "{page}: {}", done.text());
            click().send(&app).await.refused(400, "link_invalid");
        }
    }

    async fn mails_are_shown_under_the_names_of_this_server_alone(db) {
        let app = TestApp::new(db).await;
        for path in ["/dev/mail", "/dev/mail.json"] {
            for own in ["api.example.com", "api.example.com:8000", "localhost:8000", "127.0.0.1:8000", "[::1]:8000"] {
                assert_eq!(Call::get(path).header("host", own).send(&app).await.status, 200, "{own}");
            }
            for foreign in ["evil.example", "evil.example:8000", "localhost.evil.example", "", "192.0.2.1"] {
                Call::get(path).header("host", foreign).send(&app).await.refused(404, "not_found");
            }
        }
    }

    async fn in_development_mails_are_shown_instead_of_sent_and_their_links_work(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", "ada@example.com").await;
        app.request_reset("ada@example.com").await;
        let mails = app.mails().await;
        let newest = mails.last().unwrap();
        let listed = Call::get("/dev/mail.json").send(&app).await.json();
        let shown: Vec<_> = mails
            .iter()
            .rev()
            .map(|mail| {
                let written = &mail.written;
                json!({ "id": mail.id, "sent_at": BEGIN, "to": "ada@example.com", "subject": written.subject,
                    "text": written.text, "html": written.html })
            })
            .collect();
        assert_eq!(listed, json!(shown));
        assert_eq!(shown.len(), 2);

        let list = Call::get("/dev/mail").send(&app).await.text();
        for mail in &mails {
            assert!(list.contains(&format!("href=\"mail/{}\"", mail.id)), "{list}");
        }
        assert!(Call::get("/").send(&app).await.text().contains("href=\"dev/mail\""));
        let page = Call::get(&format!("/dev/mail/{}", newest.id)).send(&app).await.text();
        let link = format!("{API}/{}#token={}", page_of(newest), link_token(newest));
        assert!(page.contains("ada@example.com") && page.contains("2026-09-21T"), "{page}");
        assert!(page.contains(&format!("<a href=\"{link}\" target=\"_blank\"")), "{page}");
        let html = Call::get(&format!("/dev/mail/{}/html", newest.id)).send(&app).await.text();
        assert!(html.contains("<base target=\"_blank\">") && html.contains(&link), "{html}");
        assert!(html.to_lowercase().starts_with("<!doctype html><base"), "{html}");
    }

    async fn nothing_in_a_mail_runs_on_its_page_or_in_its_frame(db) {
        let app = TestApp::new(db).await;
        let letter = send(&app, HOSTILE).await;
        let address = format!("/dev/mail/{}", letter.id);
        for path in ["/dev/mail", &address] {
            let answer = Call::get(path).send(&app).await;
            let page = answer.text();
            assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;"), "{page}");
            for forbidden in ["<script", "<img", "onerror=alert(1)>", "></title></pre>", "\"'"] {
                assert!(!page.contains(forbidden), "{path}: {forbidden} in {page}");
            }
            assert!(answer.header("content-security-policy").unwrap().contains("default-src 'none'"));
        }
        let page = Call::get(&address).send(&app).await;
        assert!(page.text().contains("sandbox=\"allow-popups allow-popups-to-escape-sandbox\""));
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-src 'self'") && !policy.contains("script-src"), "{policy}");

        let frame = Call::get(&format!("{address}/html")).send(&app).await;
        assert!(frame.text().contains(HOSTILE));
        assert_eq!(
            frame.header("content-security-policy"),
            Some(
                "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
                    frame-ancestors 'self'"
            )
        );
        assert_eq!(frame.header("x-frame-options"), Some("SAMEORIGIN"));
        assert_eq!(frame.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(frame.header("referrer-policy"), Some("no-referrer"));
    }

    async fn a_mail_that_is_not_there_is_not_found(db) {
        let app = TestApp::new(db).await;
        send(&app, "here").await;
        for id in ["x", "00000000-0000-0000-0000-000000000008", "00000000000000000000000000000007", "%00", "../mail"] {
            Call::get(&format!("/dev/mail/{id}")).send(&app).await.refused(404, "not_found");
            Call::get(&format!("/dev/mail/{id}/html")).send(&app).await.refused(404, "not_found");
        }
    }

    async fn where_mails_are_not_kept_in_memory_nobody_can_look_at_them(db) {
        let app = TestApp::with(db, |config, _| {
            config.mail.transport = Transport::Off;
            config.accounts.sign_in_links = false;
        })
        .await;
        for path in ["/dev/mail", "/dev/mail.json", "/dev/mail/x", "/dev/mail/x/html"] {
            Call::get(path).send(&app).await.refused(404, "not_found");
        }
        assert!(!Call::get("/").send(&app).await.text().contains("mail"));
    }
}

/// The page that a mail's link leads to.
fn page_of(mail: &Letter) -> &'static str {
    PAGES.into_iter().find(|(page, _)| mail.written.text.contains(&format!("/{page}#token="))).unwrap().0
}

//! The pages for people, and what they and other front ends are told about this server. What the pages do is tested in a
//! browser; where they were not built, their addresses say so.

use std::fs;

use hallpass_axum::{Pages, Web};
use hallpass_core::{
    config::{Presence, ProfileType, Transport},
    on_both_engines,
};
use serde_json::json;

use crate::support::*;

const ADDRESSES: [&str; 11] = [
    "/login",
    "/signup",
    "/forgot",
    "/verify",
    "/reset",
    "/change-email",
    "/sign-in",
    "/account",
    "/account/sessions",
    "/admin",
    "/admin/people/7",
];

/// The value of the one attribute or source that a text has between two others.
fn between<'t>(text: &'t str, from: &str, to: &str) -> Option<&'t str> {
    text.split_once(from)?.1.split_once(to).map(|(value, _)| value)
}

on_both_engines! {
    async fn each_address_shows_a_page_whose_policy_allows_no_foreign_or_inline_code(db) {
        let app = TestApp::new(db).await;
        let mut nonces = Vec::new();
        for address in ADDRESSES {
            let answer = Call::get(address).send(&app).await;
            let policy = answer.header("content-security-policy").unwrap().to_owned();
            let page = answer.text();
            assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"), "{address}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{address}");
            assert!(!policy.contains("unsafe") && policy.contains("script-src 'self';"), "{address}: {policy}");
            assert!(policy.contains("base-uri 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
            // What stands before the first one is no script.
            for script in page.split("<script").skip(1) {
                assert!(script.contains("src=\"/") && script.contains("></script>"), "{address}: {script}");
            }
            if answer.status == 404 {
                assert!(page.contains("npm run build"), "{page}");
                continue;
            }
            assert_eq!(answer.status, 200);
            let nonce = between(&policy, "'nonce-", "'").unwrap().to_owned();
            assert!(page.contains(&format!("nonce=\"{nonce}\"")) && !page.contains("__"), "{page}");
            assert!(!nonces.contains(&nonce), "a nonce came twice");
            nonces.push(nonce);
            let script = between(&page, "src=\"", "\"").unwrap();
            let script = Call::get(script).header("accept-encoding", "gzip").send(&app).await;
            assert_eq!((script.status.as_u16(), script.header("content-encoding")), (200, Some("gzip")));
            assert_eq!(script.header("content-type"), Some("text/javascript; charset=utf-8"));
            assert_eq!(script.header("cache-control"), Some("public, max-age=31536000, immutable"));
            assert_eq!(script.header("vary").map(|vary| vary.contains("accept-encoding")), Some(true));
        }
    }

    async fn nothing_but_the_parts_of_the_pages_is_given_out(db) {
        let app = TestApp::new(db).await;
        for name in [
            "", "x.js", "index.html", "..%2findex.html", "..%2f..%2fCargo.toml", "..%2fsrc%2fassets%2fdocs.js", "%2e%2e/x.js",
            "%2fetc%2fpasswd.js", ".gitignore", "x.js.map", "x.js.gz", "%00.js", "x%5c..%5cx.js", "logo",
        ] {
            Call::get(&format!("/pages/{name}")).send(&app).await.refused(404, "not_found");
        }
    }

    async fn where_they_are_switched_off_there_are_none(db) {
        let app = TestApp::with(db, |_, web| web.pages.enabled = false).await;
        for address in ADDRESSES.into_iter().chain(["/pages/x.js", "/pages/logo"]) {
            Call::get(address).send(&app).await.refused(404, "not_found");
        }
        assert!(!Call::get("/").send(&app).await.text().contains("href=\"account\""));
    }

    async fn front_ends_are_told_what_their_forms_need(db) {
        let app = TestApp::with(db, |config, web| {
            config.accounts.username = Presence::Off;
            config.accounts.email = Presence::Required;
            config.accounts.profile.insert("newsletter".into(), ProfileType::Boolean);
            config.mail.product_name = "Analytical Engines".into();
            web.pages.color = "#0B5cad".into();
        })
        .await;
        let expected = json!({
            "product_name": "Analytical Engines", "logo": false, "color": "#0B5cad", "sign_up": true, "username": "off",
            "email": "required", "verify_email": "optional", "sign_in_links": true, "mail": true, "password_min_length": 15,
            "deletion_grace_days": 14, "profile": { "newsletter": "boolean" }, "locales": ["de", "en"],
            "frontend_origins": [FRONT_END],
        });
        let answer = Call::get("/api/v1/configuration").header("origin", FRONT_END).send(&app).await;
        assert_eq!(answer.json(), expected);
        assert_eq!(answer.header("access-control-allow-origin"), Some(FRONT_END));
    }

    async fn without_mail_they_are_told_so(db) {
        let app = TestApp::with(db, |config, _| {
            config.mail.transport = Transport::Off;
            config.accounts.sign_in_links = false;
        })
        .await;
        let told = Call::get("/api/v1/configuration").send(&app).await.json();
        assert_eq!((&told["mail"], &told["sign_in_links"]), (&json!(false), &json!(false)));
    }

    async fn the_operators_logo_is_shown_and_can_run_nothing(db) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("logo.svg");
        fs::write(&path, "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>").unwrap();
        let app = TestApp::with(db, |_, web| web.pages.logo = path.to_str().unwrap().into()).await;
        let logo = Call::get("/pages/logo").send(&app).await;
        assert_eq!((logo.status.as_u16(), logo.header("content-type")), (200, Some("image/svg+xml")));
        assert_eq!(logo.header("content-security-policy"), Some("default-src 'none'; frame-ancestors 'none'"));
        assert_eq!(Call::get("/api/v1/configuration").send(&app).await.json()["logo"], json!(true));
    }
}

#[test]
fn a_logo_or_colour_that_cannot_be_shown_stops_the_start_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let (text, large) = (folder.path().join("logo.txt"), folder.path().join("logo.png"));
    fs::write(&text, "x").unwrap();
    fs::write(&large, vec![0; 256 * 1024 + 1]).unwrap();
    let problems = |logo: &str, color: &str| {
        let pages = Pages { logo: logo.into(), color: color.into(), ..Pages::default() };
        Web { public_url: API.into(), pages, ..Web::default() }.check().unwrap_err().join("\n")
    };
    assert!(problems(text.to_str().unwrap(), "").contains("has to end in `.svg`"));
    assert!(problems(large.to_str().unwrap(), "").contains("256 KiB"));
    assert!(problems("/nowhere/logo.svg", "").contains("cannot be read"));
    for color in ["red", "#12345", "#1234567", "#12345g", "0b5cad", "#0b5cad;}"] {
        assert!(problems("", color).contains("is no colour"), "{color}");
    }
}

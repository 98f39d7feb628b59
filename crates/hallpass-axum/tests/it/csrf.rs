use hallpass_core::on_both_engines;

use crate::support::*;

/// Whether a request is let through with this `Origin`, this `Sec-Fetch-Site`, and with or without the session's token.
const RULE: &[(Option<&str>, Option<&str>, [bool; 2])] = &[
    // A page of ours needs no token.
    (Some(API), None, [true, true]),
    (Some(FRONT_END), None, [true, true]),
    (Some(FRONT_END), Some("same-site"), [true, true]),
    (Some(API), Some("same-origin"), [true, true]),
    (None, Some("same-origin"), [true, true]),
    // Without a word from the browser the token decides.
    (None, None, [false, true]),
    (None, Some("none"), [false, true]),
    // A foreign page is refused whatever it has.
    (None, Some("cross-site"), [false, false]),
    (None, Some("same-site"), [false, false]),
    (None, Some("Same-Origin"), [false, false]),
    (None, Some(""), [false, false]),
    (Some("https://evil.example"), None, [false, false]),
    (Some("https://evil.example"), Some("cross-site"), [false, false]),
    (Some("https://evil.example"), Some("same-origin"), [false, false]),
    (Some("https://blog.example.com"), Some("same-site"), [false, false]),
    (Some("null"), None, [false, false]),
    (Some("null"), Some("cross-site"), [false, false]),
    (Some(""), None, [false, false]),
    // Origins are compared byte for byte.
    (Some("http://app.example.com"), None, [false, false]),
    (Some("https://app.example.com:443"), None, [false, false]),
    (Some("https://app.example.com:8443"), None, [false, false]),
    (Some("https://app.example.com/"), None, [false, false]),
    (Some("https://app.example.com."), None, [false, false]),
    (Some("https://APP.example.com"), None, [false, false]),
    (Some("https://app.example.com.evil.example"), None, [false, false]),
    (Some("https://evilapp.example.com"), None, [false, false]),
    (Some("https://xn--pp-6ia.example.com"), None, [false, false]),
    (Some("https://app.example.com "), None, [false, false]),
];

fn told(mut call: Call, origin: Option<&str>, site: Option<&str>) -> Call {
    if let Some(origin) = origin {
        call = call.header("origin", origin);
    }
    if let Some(site) = site {
        call = call.header("sec-fetch-site", site);
    }
    call
}

on_both_engines! {
    async fn a_cookie_counts_only_on_our_pages_or_with_the_token_of_its_session(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        for (origin, site, allowed) in RULE {
            for (with_token, allowed) in [false, true].into_iter().zip(allowed) {
                let mut call = told(Call::post("/api/v1/refresh"), *origin, *site).header("cookie", &browser.cookies());
                if with_token {
                    call = call.header("x-csrf-token", browser.csrf.as_ref().unwrap());
                }
                let answer = call.send(&app).await;
                let expected = if *allowed { 200 } else { 403 };
                assert_eq!(answer.status, expected, "{origin:?} {site:?} token {with_token}: {}", answer.text());
                if !allowed {
                    assert!(["csrf_failed", "origin_not_allowed"].contains(&answer.problem().1.as_str()));
                    assert!(answer.set_cookies().is_empty());
                }
            }
        }
    }

    async fn a_foreign_page_signs_nobody_out(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        for (origin, site, [allowed, _]) in RULE {
            if !allowed {
                let call = told(Call::post("/api/v1/logout"), *origin, *site).header("cookie", &browser.cookies());
                assert_eq!(call.send(&app).await.status, 403, "{origin:?} {site:?}");
            }
        }
        assert_eq!(browser.me().await.status, 200);
    }

    async fn a_foreign_page_signs_nobody_in_or_up(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let foreign = RULE.iter().filter(|(.., allowed)| *allowed == [false, false]);
        for (origin, site, _) in foreign {
            for call in [
                log_in("ada", PASSWORD),
                Call::post("/api/v1/signup").json(&serde_json::json!({ "username": "eve", "password": PASSWORD })),
            ] {
                let answer = told(call, *origin, *site).send(&app).await;
                answer.refused(403, "origin_not_allowed");
                assert!(answer.set_cookies().is_empty());
            }
        }
        let form = Call::post("/api/v1/login").body("application/x-www-form-urlencoded", "username=ada&password=x");
        form.header("origin", "https://evil.example").send(&app).await.refused(403, "origin_not_allowed");
    }

    async fn two_origins_are_none(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        let call = browser.call_with_secret("/api/v1/refresh").header("origin", FRONT_END);
        call.send(&app).await.refused(403, "origin_not_allowed");
    }

    async fn a_token_belongs_to_one_session_and_is_worth_nothing_elsewhere(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        app.sign_up("bob").await;
        let ada = app.log_in_browser("ada").await;
        let again = app.log_in_browser("ada").await;
        let bob = app.log_in_browser("bob").await;
        let own = ada.csrf.clone().unwrap();
        let mut flipped = own.clone().into_bytes();
        flipped[30] = if flipped[30] == b'A' { b'B' } else { b'A' };
        let foreign = [
            bob.csrf.clone().unwrap(),
            again.csrf.clone().unwrap(),
            String::from_utf8(flipped).unwrap(),
            own[..own.len() - 1].into(),
            format!("{own}A"),
            format!("{own}="),
            String::new(),
            "A".repeat(own.len()),
            ada.refresh.clone(),
        ];
        let refresh = || Call::post("/api/v1/refresh").header("cookie", &ada.cookies());
        for token in foreign {
            // Planted as a cookie as well, which must not make it better.
            let call = refresh().header("cookie", &format!("__Host-csrf={token}")).header("x-csrf-token", &token);
            call.send(&app).await.refused(403, "csrf_failed");
        }
        refresh()
            .header("x-csrf-token", &own)
            .header("x-csrf-token", &own)
            .send(&app)
            .await
            .refused(403, "csrf_failed");
        assert_eq!(refresh().header("x-csrftoken", &own).send(&app).await.status, 200);
    }

    async fn the_token_is_handed_out_to_whoever_holds_the_session(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        let by_cookie = Call::get("/api/v1/csrf").header("cookie", &browser.cookies()).send(&app).await;
        let by_token = Call::get("/api/v1/csrf").bearer(&browser.access).send(&app).await;
        for answer in [by_cookie, by_token] {
            assert_eq!(answer.status, 200);
            let token = answer.json()["csrf_token"].as_str().unwrap().to_owned();
            assert_eq!(answer.cookie("__Host-csrf").as_ref(), Some(&token));
            let call =
                Call::post("/api/v1/refresh").header("cookie", &browser.cookies()).header("x-csrf-token", &token);
            assert_eq!(call.send(&app).await.status, 200);
        }
        Call::get("/api/v1/csrf").send(&app).await.refused(401, "refresh_missing");
        Call::get("/api/v1/csrf").header("cookie", "__Host-refresh=x").send(&app).await.refused(401, "refresh_invalid");
        let both = Call::get("/api/v1/csrf").header("cookie", &browser.cookies()).bearer("garbage");
        both.send(&app).await.refused(401, "token_invalid");
    }

    async fn a_method_cannot_be_smuggled_in_and_reading_changes_nothing(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        for name in ["x-http-method-override", "x-method-override", "x-http-method"] {
            let call = Call::get("/api/v1/logout")
                .header(name, "POST")
                .header("cookie", &browser.cookies())
                .header("origin", FRONT_END);
            call.send(&app).await.refused(405, "method_not_allowed");
        }
        assert_eq!(browser.me().await.status, 200);
    }
}

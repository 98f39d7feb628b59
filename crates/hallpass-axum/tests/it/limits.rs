use hallpass_core::{on_both_engines, testing::TestDb};
use serde_json::json;

use crate::support::*;

async fn throttled(db: TestDb) -> TestApp {
    TestApp::with(db, |config, web| {
        config.throttle.enabled = true;
        web.trusted_proxies = vec!["10.0.0.1".into()];
    })
    .await
}

on_both_engines! {
    async fn ten_failures_from_one_address_make_it_wait_and_a_success_gives_none_back(db) {
        let app = throttled(db).await;
        app.sign_up("ada").await;
        let from = "192.0.2.1";
        for attempt in 0..10 {
            // Names differ, so that only the address can be what is counted.
            log_in(&format!("nobody{attempt}"), PASSWORD)
                .from(from)
                .send(&app)
                .await
                .refused(401, "invalid_credentials");
            if attempt < 5 {
                assert_eq!(log_in("ada", PASSWORD).from(from).send(&app).await.status, 200);
            }
        }
        let answer = log_in("ada", PASSWORD).from(from).send(&app).await;
        answer.refused(429, "rate_limited");
        assert_eq!(answer.header("retry-after"), Some("6"));
        assert_eq!(answer.json()["retry_after"], 6);
        for spoofed in
            [("x-forwarded-for", "198.51.100.1"), ("forwarded", "for=198.51.100.1"), ("x-real-ip", "198.51.100.1")]
        {
            log_in("ada", PASSWORD)
                .from(from)
                .header(spoofed.0, spoofed.1)
                .send(&app)
                .await
                .refused(429, "rate_limited");
        }
        assert_eq!(log_in("ada", PASSWORD).from("192.0.2.2").send(&app).await.status, 200);
        app.pass(6).await;
        assert_eq!(log_in("ada", PASSWORD).from(from).send(&app).await.status, 200);
    }

    async fn twenty_sign_ups_a_minute_are_enough_for_one_address(db) {
        let app = throttled(db).await;
        let sign_up = |name: String| {
            Call::post("/api/v1/signup").from("192.0.2.1").json(&json!({ "username": name, "password": "x" }))
        };
        for attempt in 0..20 {
            sign_up(format!("user{attempt}")).send(&app).await.refused(400, "validation_failed");
        }
        sign_up("late".into()).send(&app).await.refused(429, "rate_limited");
    }

    async fn wrong_client_secrets_are_few_and_keep_nobody_else_from_anything(db) {
        let app = throttled(db).await;
        app.sign_up("ada").await;
        let program = app.program().await;
        let from = "192.0.2.1";
        let guess = || {
            let wrong = basic(&format!("{}:wrong", program.id));
            Call::get("/api/v1/revocations").header("authorization", &wrong).from(from)
        };
        for _ in 0..10 {
            guess().send(&app).await.refused(401, "client_invalid");
        }
        let answer = guess().send(&app).await;
        answer.refused(429, "rate_limited");
        assert_eq!(answer.header("retry-after"), Some("6"));
        assert_eq!(program.follow("").from(from).send(&app).await.status, 200, "the right one is no guess");
        assert_eq!(log_in("ada", PASSWORD).from(from).send(&app).await.status, 200);
        app.pass(6).await;
        guess().send(&app).await.refused(401, "client_invalid");
    }

    async fn wrong_current_passwords_count_like_failed_sign_ins(db) {
        let app = throttled(db).await;
        let device = app.sign_up("ada").await;
        let change = |current: &str| {
            let body = json!({ "current_password": current, "new_password": "lighthouse pickle gravity 9" });
            Call::post("/api/v1/password").bearer(&device.access).json(&body).from("192.0.2.1")
        };
        for attempt in 0..10 {
            // Not so many for one account that it has to wait by itself.
            if attempt < 4 {
                change("wrong wrong wrong wrong").send(&app).await.refused(403, "password_incorrect");
            } else {
                let nobody = log_in(&format!("nobody{attempt}"), PASSWORD).from("192.0.2.1");
                nobody.send(&app).await.refused(401, "invalid_credentials");
            }
        }
        for call in [change("wrong wrong wrong wrong"), change(PASSWORD), log_in("ada", PASSWORD).from("192.0.2.1")] {
            let answer = call.send(&app).await;
            answer.refused(429, "rate_limited");
            assert_eq!(answer.header("retry-after"), Some("6"));
        }
        assert_eq!(log_in("ada", PASSWORD).from("192.0.2.2").send(&app).await.status, 200, "nothing has changed");
        app.pass(6).await;
        change(PASSWORD).send(&app).await.done();
    }

    async fn too_many_wrong_passwords_make_a_name_wait_whether_or_not_it_is_somebodys(db) {
        let app = throttled(db).await;
        let device = app.sign_up("ada").await;
        let mut documents = Vec::new();
        for (network, name, other) in [(1, "ada", "ADA"), (2, "nobody", "NOBODY")] {
            // From everywhere, so that no address has too many.
            let from = |host: u8| format!("198.51.{network}.{host}");
            for host in 0..5 {
                let name = if host % 2 == 0 { name } else { other };
                log_in(name, "wrong").from(&from(host)).send(&app).await.refused(401, "invalid_credentials");
            }
            let answer = log_in(other, PASSWORD).from(&from(6)).send(&app).await;
            answer.refused(429, "rate_limited");
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert!(answer.set_cookies().is_empty());
            let mut document = answer.json();
            assert_eq!(document["retry_after"], 1);
            document.as_object_mut().unwrap().remove("request_id");
            documents.push(document);
        }
        assert_eq!(documents[0], documents[1]);
        device.change_password(PASSWORD, "lighthouse pickle gravity 9").await.refused(429, "rate_limited");
        app.pass(1).await;
        assert_eq!(log_in("ada", PASSWORD).send(&app).await.status, 200);
    }

    async fn a_browser_keeps_for_a_year_and_over_sign_outs_what_lets_its_owner_in_during_an_attack(db) {
        let app = throttled(db).await;
        let from_page = |call: Call| call.header("origin", FRONT_END);
        let body = json!({ "username": "ada", "password": PASSWORD });
        for call in [Call::post("/api/v1/signup").json(&body), log_in("ada", PASSWORD)] {
            let answer = from_page(call).send(&app).await;
            let known = answer.cookie("__Host-device").unwrap();
            let line = format!("__Host-device={known}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=31536000");
            assert_eq!(answer.set_cookies()[2..], [line]);
            assert!(known.len() == 75 && !answer.text().contains(&known));
            assert!(answer.json().get("device_token").is_none());
        }
        let mut browser = app.log_in_browser("ada").await;
        assert_eq!(browser.refresh().await.cookie("__Host-device"), None);
        let known = browser.known.clone().or(app.log_in_browser("ada").await.known).unwrap();
        let signed_out = browser.log_out().await;
        signed_out.done();
        assert!(!signed_out.set_cookies().iter().any(|line| line.starts_with("__Host-device")));
        assert_eq!(signed_out.header("clear-site-data"), Some(r#""cache", "storage""#), "not the cookies");

        for _ in 0..5 {
            log_in("ada", "wrong").send(&app).await.refused(401, "invalid_credentials");
        }
        let with = |line: &str| from_page(log_in("ada", PASSWORD)).header("cookie", line).send(&app);
        let jar = format!("theme=dark; __Host-device={known}");
        for line in [
            "theme=dark".into(),
            "__Host-device=stale".into(),
            format!("__host-device={known}"),
            format!("{jar}; __Host-device={known}"),
            format!("__Host-device={}", "x".repeat(5_000)),
        ] {
            with(&line).await.refused(429, "rate_limited");
        }
        let back = with(&jar).await;
        assert_eq!(back.status, 200);
        assert_ne!(back.cookie("__Host-device").unwrap(), known);
        log_in("ada", PASSWORD).send(&app).await.refused(429, "rate_limited");

        let token = back.json()["access_token"].as_str().unwrap().to_owned();
        let body = json!({ "current_password": PASSWORD, "new_password": "lighthouse pickle gravity 9" });
        let change = || Call::post("/api/v1/password").bearer(&token).json(&body);
        change().send(&app).await.refused(429, "rate_limited");
        change().header("cookie", &jar).send(&app).await.done();
    }

    async fn a_program_keeps_the_same_in_its_body(db) {
        let app = throttled(db).await;
        let device = app.sign_up("ada").await;
        let answer = log_in("ada", PASSWORD).send(&app).await;
        assert!(answer.set_cookies().is_empty());
        assert_eq!(answer.json()["device_token"].as_str().unwrap().len(), 75);
        let refreshed = device.try_refresh().await.json();
        assert!(refreshed["refresh_token"].is_string() && refreshed.get("device_token").is_none());
        let known = device.known.as_deref().unwrap();
        for _ in 0..5 {
            log_in("ada", "wrong").send(&app).await.refused(401, "invalid_credentials");
        }
        let with = |token: serde_json::Value| {
            let body = json!({ "username": "ada", "password": PASSWORD, "device_token": token });
            Call::post("/api/v1/login").json(&body).send(&app)
        };
        for stale in ["", "stale", &known.to_lowercase()] {
            with(json!(stale)).await.refused(429, "rate_limited");
        }
        with(json!(7)).await.refused(400, "validation_failed");
        assert_eq!(with(json!(known)).await.status, 200);
        let mut body = json!({ "current_password": PASSWORD, "new_password": "lighthouse pickle gravity 9" });
        let change = |body: &serde_json::Value| Call::post("/api/v1/password").bearer(&device.access).json(body).send(&app);
        change(&body).await.refused(429, "rate_limited");
        body["device_token"] = json!(known);
        change(&body).await.done();
    }

    async fn a_stale_cookie_of_a_device_never_stops_anybody(db) {
        let app = throttled(db).await;
        app.sign_up("ada").await;
        let long = format!("__Host-device={}", "x".repeat(5_000));
        for line in ["__Host-device=stale", "__Host-device=a; __Host-device=b", &long] {
            let answer = log_in("ada", PASSWORD).header("origin", FRONT_END).header("cookie", line).send(&app).await;
            assert_eq!(answer.status, 200, "{line}");
        }
    }

    async fn one_switch_turns_all_limits_off(db) {
        let app = TestApp::with(db, |config, _| config.throttle.enabled = false).await;
        app.sign_up("ada").await;
        for _ in 0..12 {
            log_in("ada", "wrong").from("192.0.2.1").send(&app).await.refused(401, "invalid_credentials");
        }
        assert_eq!(app.log_in("ada").await.known, None);
        assert_eq!(app.log_in_browser("ada").await.known, None);
    }
}

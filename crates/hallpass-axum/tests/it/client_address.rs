use hallpass_core::on_both_engines;

use crate::support::*;

/// The address that the owner sees of the session that began with `call`.
async fn address(app: &TestApp, call: Call) -> String {
    let answer = call.send(app).await.json();
    let token = answer["access_token"].as_str().unwrap();
    let sessions = Call::get("/api/v1/sessions").bearer(token).send(app).await.json();
    let current =
        sessions["sessions"].as_array().unwrap().iter().find(|session| session["current"] == true).unwrap().clone();
    current["ip"].as_str().unwrap_or("none").to_owned()
}

on_both_engines! {
    async fn only_our_own_proxies_are_believed(db) {
        let app =
            TestApp::with(db, |_, web| web.trusted_proxies = vec!["10.0.0.0/8".into(), "2001:db8::7".into()]).await;
        app.sign_up("ada").await;
        for (peer, forwarded, expected) in [
            ("192.0.2.1", &["198.51.100.9"][..], "192.0.2.1"),
            ("10.0.0.1", &["198.51.100.9"], "198.51.100.9"),
            ("10.0.0.1", &["203.0.113.5, 198.51.100.9"], "198.51.100.9"),
            ("10.0.0.1", &["203.0.113.5", "198.51.100.9"], "198.51.100.9"),
            ("10.0.0.1", &["198.51.100.9, 10.2.3.4"], "198.51.100.9"),
            ("10.0.0.1", &["10.9.9.9, 10.2.3.4"], "10.9.9.9"),
            ("10.0.0.1", &["198.51.100.9:4711"], "198.51.100.9"),
            ("10.0.0.1", &["[2001:db8::1]:4711"], "2001:db8::1"),
            ("10.0.0.1", &["unknown"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.9, _hidden"], "10.0.0.1"),
            ("10.0.0.1", &[""], "10.0.0.1"),
            ("10.0.0.1", &[], "10.0.0.1"),
            ("::ffff:10.0.0.1", &["::ffff:198.51.100.9"], "198.51.100.9"),
            ("2001:db8::7", &["198.51.100.9"], "198.51.100.9"),
            ("2001:db8::8", &["198.51.100.9"], "2001:db8::8"),
        ] {
            let mut call = log_in("ada", PASSWORD).from(peer);
            for line in forwarded {
                call = call.header("x-forwarded-for", line);
            }
            assert_eq!(address(&app, call).await, expected, "{peer} {forwarded:?}");
        }
        let others = log_in("ada", PASSWORD)
            .from("10.0.0.1")
            .header("x-real-ip", "198.51.100.9")
            .header("forwarded", "for=198.51.100.9");
        assert_eq!(address(&app, others).await, "10.0.0.1");
    }

    async fn a_request_id_is_taken_from_our_own_proxies_only(db) {
        let app = TestApp::with(db, |_, web| web.trusted_proxies = vec!["10.0.0.1".into()]).await;
        let id = async |peer: &str, given: &str| {
            let answer = Call::get("/healthz").from(peer).header("x-request-id", given).send(&app).await;
            answer.header("x-request-id").unwrap().to_owned()
        };
        assert_eq!(id("10.0.0.1", "edge-7.a_b").await, "edge-7.a_b");
        for (peer, given) in [
            ("192.0.2.1", "edge-7"),
            ("10.0.0.1", "a b"),
            ("10.0.0.1", ""),
            ("10.0.0.1", "\u{e9}\u{202e}x"),
            ("10.0.0.1", &"x".repeat(65)),
        ] {
            let made = id(peer, given).await;
            assert_ne!(made, given);
            assert_eq!(made.len(), 16);
        }
        assert_ne!(id("192.0.2.1", "").await, id("192.0.2.1", "").await);
    }
}

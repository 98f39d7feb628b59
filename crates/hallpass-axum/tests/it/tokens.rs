//! What the tokens of this server say, and what good tokens are worth whose account or session nobody knows.

use axum::http::Method;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_core::on_both_engines;
use serde_json::{Value, json};

use crate::{routes::operations, support::*};

/// Header and claims of a token.
fn parts(token: &str) -> [Value; 2] {
    let mut parts = token.split('.').map(|part| BASE64URL.decode(part).unwrap());
    [(); 2].map(|()| serde_json::from_slice(&parts.next().unwrap()).unwrap())
}

on_both_engines! {
    async fn a_token_says_these_things_and_no_others(db) {
        let app = TestApp::new(db).await;
        let body = json!({
            "username": "ada", "email": "ada@example.com", "password": PASSWORD,
            "first_name": "Ada", "last_name": "Lovelace",
        });
        let answer = Call::post("/api/v1/signup").json(&body).send(&app).await.json();
        let [header, claims] = parts(answer["access_token"].as_str().unwrap());
        let keys = Call::get("/.well-known/jwks.json").send(&app).await.json();
        let kid = keys["keys"].as_array().unwrap().iter().map(|key| &key["kid"]).find(|kid| **kid == header["kid"]);
        assert_eq!(header, json!({ "typ": "at+jwt", "alg": "ES256", "kid": kid.unwrap() }));
        let token = answer["access_token"].as_str().unwrap();
        let session = Call::get("/api/v1/session").bearer(token).send(&app).await.json()["id"].clone();
        let jti = claims["jti"].clone();
        assert!(jti.as_str().is_some_and(|jti| jti.len() == 36 && jti != session), "{jti}");
        let (index, uri) = (&claims["status"]["status_list"]["idx"], &claims["status"]["status_list"]["uri"]);
        let named = uri.as_str().unwrap().strip_prefix(&format!("{API}/api/v1/status-lists/")).map(str::len);
        assert_eq!((index.as_u64().is_some_and(|index| index < 1 << 20), named), (true, Some(16)));
        let expected = json!({
            "iss": API, "sub": answer["user"]["id"].to_string(), "aud": API, "client_id": "hallpass",
            "exp": BEGIN + 300, "iat": BEGIN, "auth_time": BEGIN, "jti": jti, "sid": session,
            "amr": ["pwd"], "roles": [], "account_version": claims["account_version"],
            "status": { "status_list": { "idx": index, "uri": uri } },
        });
        assert!(claims["account_version"].is_i64());
        assert_eq!(claims, expected);
    }

    async fn a_good_token_of_an_account_that_nobody_knows_opens_nothing(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        let twin = app.forgetful_twin().await;
        for (id, method, path, audience, body, _) in operations() {
            if !audience.is_by_token() && !["logOut", "readCsrfToken"].contains(&id) {
                continue;
            }
            let mut call = Call::new(method, &path.replace("{id}", &ada.session().await)).bearer(&ada.access);
            if let Some(body) = &body {
                call = call.json(body);
            }
            let answer = call.send(&twin).await;
            match id {
                // These say nothing but what the token says, and ask no database.
                "readSession" => assert_eq!(answer.json()["id"], ada.session().await),
                "forwardAuth" => assert_eq!(answer.header("x-hallpass-session"), Some(&*ada.session().await)),
                "readCsrfToken" => assert_eq!(answer.json().as_object().unwrap().len(), 1),
                // Nothing is left to end, which is what was asked for.
                "logOut" | "logOutEverywhere" | "endOtherSessions" => answer.done(),
                "endSession" => answer.refused(404, "not_found"),
                _ => answer.refused(401, "session_ended"),
            }
        }
        for device in [&ada, &browser] {
            device.call_with_secret("/api/v1/refresh").send(&twin).await.refused(401, "refresh_invalid");
            device.call_with_secret("/api/v1/logout").send(&twin).await.done();
        }
        assert_eq!(ada.me().await.status, 200, "the account itself is as it was");
    }

    async fn a_good_token_of_a_session_that_nobody_knows_sees_and_ends_no_other(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        // There an account of the same id exists, with a session of its own.
        let twin = app.forgetful_twin().await;
        let own = twin.sign_up("bob").await;
        let own_session = own.refresh.clone();
        let ask = |method: Method, path: &str| Call::new(method, path).bearer(&ada.access);
        ask(Method::GET, "/api/v1/sessions").send(&twin).await.refused(401, "session_ended");
        let end = format!("/api/v1/sessions/{}", ada.session().await);
        ask(Method::DELETE, &end).send(&twin).await.refused(404, "not_found");
        ask(Method::POST, "/api/v1/logout").send(&twin).await.done();
        ada.call_with_secret("/api/v1/refresh").send(&twin).await.refused(401, "refresh_invalid");
        let refresh = Call::post("/api/v1/refresh").json(&json!({ "refresh_token": own_session }));
        assert_eq!(refresh.send(&twin).await.status, 200);
    }

    async fn the_host_that_a_client_names_appears_nowhere(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let foreign = |call: Call| {
            call.header("host", "evil.example")
                .header("x-forwarded-host", "evil.example")
                .header("x-forwarded-proto", "gopher")
                .header("x-forwarded-prefix", "/evil.example")
                .header("x-original-url", "/evil.example")
                .header("forwarded", "for=192.0.2.1;host=evil.example;proto=gopher")
        };
        let answer = foreign(log_in("ada", PASSWORD).header("origin", FRONT_END)).send(&app).await;
        let [_, claims] = parts(answer.json()["access_token"].as_str().unwrap());
        assert_eq!((&claims["iss"], &claims["aud"]), (&json!(API), &json!(API)));
        assert!(!format!("{:?}{claims}{}", answer.headers, answer.text()).contains("evil.example"));
        for path in ["/openapi.json", "/.well-known/jwks.json", "/docs", "/", "/nowhere", "/api/v1/me"] {
            let [plain, foreign] = [Call::get(path).send(&app).await, foreign(Call::get(path)).send(&app).await];
            assert_eq!(plain.status, foreign.status, "{path}");
            assert!(!format!("{:?}{}", foreign.headers, foreign.text()).contains("evil.example"), "{path}");
            if plain.status == 200 {
                assert_eq!(plain.body, foreign.body, "{path}");
            }
        }
    }
}

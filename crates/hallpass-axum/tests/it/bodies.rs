//! What every operation with a body does with bodies that it cannot take.

use hallpass_core::on_both_engines;
use serde_json::{Value, json};

use crate::{
    routes::{For, Operation, operations},
    support::*,
};

/// Ada, who may do everything, and Bob, about whom she can do it.
async fn stage(app: &TestApp) -> Device<'_> {
    let device = app.superuser("ada").await;
    app.sign_up("bob").await;
    device
}

/// Every operation that takes a body in JSON, ready to be given one.
fn takers(device: &Device<'_>) -> Vec<(Operation, Call)> {
    let operations =
        operations().into_iter().filter(|(_, _, _, audience, body, _)| body.is_some() && *audience != For::Program);
    let ready = operations.map(|operation| {
        let call = Call::new(operation.1.clone(), &operation.2.replace("{id}", "2"));
        let call = if operation.3.is_by_token() { call.bearer(&device.access) } else { call };
        (operation, call)
    });
    ready.collect()
}

on_both_engines! {
    async fn a_body_that_is_not_strict_json_is_refused(db) {
        let app = TestApp::new(db).await;
        let device = stage(&app).await;
        let deep = |levels: usize| format!(r#"{{"a":{}{}}}"#, "[".repeat(levels), "]".repeat(levels));
        let bodies: Vec<Vec<u8>> = vec![
            b"{".to_vec(),
            b"nonsense".to_vec(),
            b"[]".to_vec(),
            b"null".to_vec(),
            b"\"text\"".to_vec(),
            b"{}{}".to_vec(),
            b"{} x".to_vec(),
            b"{\"username\":\"a\",\"username\":\"a\"}".to_vec(),
            b"{\"password\":\"a\",\"\\u0070assword\":\"b\"}".to_vec(),
            b"{\"x\":{\"a\":1,\"a\":1}}".to_vec(),
            b"{\"x\":NaN}".to_vec(),
            b"{\"x\":1e400}".to_vec(),
            b"\xef\xbb\xbf{}".to_vec(),
            b"\xff\xfe{\0}\0".to_vec(),
            b"{\"x\":\"\xff\"}".to_vec(),
            b"{\"x\":\"\\ud800\"}".to_vec(),
            b"username=a&password=b".to_vec(),
            deep(32).into(),
            deep(30_000).into(),
        ];
        for ((id, ..), call) in takers(&device) {
            for body in &bodies {
                let answer = call.clone().body("application/json", body.clone()).send(&app).await;
                assert_eq!(
                    answer.problem(),
                    (400, "invalid_request".into()),
                    "{id}: {}",
                    String::from_utf8_lossy(body)
                );
            }
        }
    }

    async fn a_body_that_does_not_say_that_it_is_json_is_refused_and_has_no_effect(db) {
        let app = TestApp::new(db).await;
        let device = stage(&app).await;
        for ((id, _, _, _, body, _), call) in takers(&device) {
            let body = body.unwrap().to_string();
            for kind in [
                "",
                "text/plain",
                "application/x-www-form-urlencoded",
                "multipart/form-data; boundary=x",
                "application/json;charset=utf-7",
                "application/json;charset=utf-16",
                "application/json, text/plain",
                "text/json",
                "application/jsonp",
                "application/problem+json",
                "json",
            ] {
                let answer = call.clone().body(kind, body.clone()).send(&app).await;
                assert_eq!(answer.problem(), (415, "unsupported_media_type".into()), "{id}: {kind}");
            }
            let twice = call.clone().body("application/json", body.clone()).header("content-type", "text/plain");
            twice.send(&app).await.refused(415, "unsupported_media_type");
            let packed = call.clone().body("application/json", body).header("content-encoding", "gzip");
            packed.send(&app).await.refused(415, "unsupported_media_type");
        }
        log_in("somebody", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
        assert_eq!(device.me().await.status, 200);
        for kind in [
            "application/json",
            "APPLICATION/JSON",
            "application/json; charset=utf-8",
            "application/json;charset=\"UTF-8\"",
        ] {
            let body = json!({ "username": "ada", "password": PASSWORD }).to_string();
            assert_eq!(Call::post("/api/v1/login").body(kind, body).send(&app).await.status, 200, "{kind}");
        }
    }

    async fn a_body_larger_than_64_kib_is_refused_before_it_is_looked_at(db) {
        let app = TestApp::new(db).await;
        let device = stage(&app).await;
        for ((id, ..), call) in takers(&device) {
            for kind in ["application/json", "text/plain"] {
                let answer = call.clone().body(kind, vec![b' '; 64 * 1024 + 1]).send(&app).await;
                assert_eq!(answer.problem(), (413, "payload_too_large".into()), "{id}");
                let announced = call.clone().body(kind, "{}").header("content-length", "1073741824");
                assert_eq!(announced.send(&app).await.problem(), (413, "payload_too_large".into()), "{id}");
            }
        }
        let mut most = json!({ "username": "ada", "password": PASSWORD }).to_string();
        most += &" ".repeat(64 * 1024 - most.len());
        assert_eq!(Call::post("/api/v1/login").body("application/json", most).send(&app).await.status, 200);
    }

    async fn a_member_of_another_type_is_refused_by_name(db) {
        let app = TestApp::new(db).await;
        let device = stage(&app).await;
        let members = [
            (
                "signUp",
                &["username", "email", "password", "first_name", "last_name", "profile", "locale", "remember"][..],
            ),
            ("logIn", &["username", "email", "password", "remember"]),
            ("refresh", &["refresh_token"]),
            ("logOut", &["refresh_token"]),
            ("changeMe", &["first_name", "last_name", "profile", "locale"]),
            ("changePassword", &["current_password", "new_password", "device_token"]),
            ("requestVerification", &["email"]),
            ("verifyEmail", &["token"]),
            ("requestPasswordReset", &["email"]),
            ("resetPassword", &["token", "new_password"]),
            ("requestSignInLink", &["email"]),
            ("signInByLink", &["token", "email", "code", "remember"]),
            ("requestEmailChange", &["email", "password", "device_token"]),
            ("changeEmail", &["token"]),
            ("scheduleDeletion", &["password", "device_token"]),
            (
                "createAccount",
                &[
                    "username",
                    "email",
                    "first_name",
                    "last_name",
                    "locale",
                    "profile",
                    "email_verified",
                    "is_staff",
                    "is_superuser",
                    "roles",
                ],
            ),
            (
                "changeAccount",
                &[
                    "username",
                    "email",
                    "first_name",
                    "last_name",
                    "locale",
                    "profile",
                    "is_staff",
                    "is_superuser",
                ],
            ),
        ];
        let takers = takers(&device);
        assert_eq!(takers.len(), members.len(), "every operation with a body is here");
        for ((id, _, _, _, body, _), call) in takers {
            let members = members.iter().find(|(operation, _)| *operation == id).unwrap().1;
            for member in members {
                for value in [
                    json!(null),
                    json!(1),
                    json!(1.5),
                    json!(true),
                    json!("text"),
                    json!([]),
                    json!({}),
                    json!(["text"]),
                    json!([1]),
                    json!({ "$ne": null }),
                ] {
                    let right = match *member {
                        "remember" | "email_verified" | "is_staff" | "is_superuser" => value.is_boolean(),
                        "roles" => value.as_array().is_some_and(|roles| roles.iter().all(Value::is_string)),
                        "profile" => value.is_object(),
                        _ => value.is_string(),
                    };
                    if right {
                        continue;
                    }
                    let mut body: Value = body.clone().unwrap();
                    body[*member] = value.clone();
                    let answer = call.clone().json(&body).send(&app).await;
                    assert_eq!(answer.problem(), (400, "validation_failed".into()), "{id} {member} {value}");
                    let errors = answer.json()["errors"].clone();
                    assert_eq!(
                        (errors[0]["field"].as_str(), errors[0]["code"].as_str()),
                        (Some(*member), Some("wrong_type")),
                        "{id} {member} {value}"
                    );
                }
            }
        }
    }

    async fn what_is_missing_is_named(db) {
        let app = TestApp::new(db).await;
        let device = stage(&app).await;
        for (id, required) in [
            ("signUp", &["password"][..]),
            ("logIn", &["password", "username"]),
            ("changePassword", &["current_password", "new_password"]),
            ("requestVerification", &["email"]),
            ("verifyEmail", &["token"]),
            ("requestPasswordReset", &["email"]),
            ("resetPassword", &["new_password", "token"]),
            ("requestSignInLink", &["email"]),
            ("signInByLink", &["token"]),
            ("requestEmailChange", &["email", "password"]),
            ("changeEmail", &["token"]),
            ("scheduleDeletion", &["password"]),
        ] {
            let (_, call) = takers(&device).into_iter().find(|(operation, _)| operation.0 == id).unwrap();
            let answer = call.json(&json!({})).send(&app).await;
            answer.refused(400, "validation_failed");
            let document = answer.json();
            let mut fields: Vec<_> = document["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|error| (error["field"].as_str().unwrap(), error["code"].as_str().unwrap()))
                .collect();
            fields.sort_unstable();
            assert_eq!(fields, required.iter().map(|field| (*field, "required")).collect::<Vec<_>>(), "{id}");
        }
        let answer = Call::post("/api/v1/sign-in-link").json(&json!({ "code": "ABCD-EFGH" })).send(&app).await;
        answer.refused(400, "validation_failed");
        let errors = answer.json()["errors"].clone();
        assert_eq!((errors.as_array().unwrap().len(), errors[0]["field"].as_str()), (1, Some("email")));
    }

    async fn hostile_texts_are_answered_with_a_refusal_or_kept_as_text(db) {
        let app = TestApp::new(db).await;
        let device = stage(&app).await;
        for text in [
            "\0",
            "a\u{202e}b",
            "\u{feff}",
            "' or 1=1 --",
            "\"><svg onload=alert(1)>",
            "${7*7}{{7*7}}",
            "../../etc/passwd",
            "\r\nSet-Cookie: x=y",
            &"a".repeat(60_000),
            "\u{10ffff}",
            "e\u{301}".repeat(500).as_str(),
            "\u{fdfa}".repeat(1_000).as_str(),
            "%00%0d%0a",
            "\\",
            "\u{1b}[31m",
        ] {
            for ((id, _, _, _, body, _), call) in takers(&device) {
                let mut body: Value = body.unwrap();
                for member in body.as_object_mut().unwrap().values_mut() {
                    *member = json!(text);
                }
                let answer = call.json(&body).send(&app).await;
                assert!(answer.status.as_u16() < 500, "{id} {text:?}: {}", answer.text());
                assert!(answer.set_cookies().iter().all(|cookie| !cookie.contains("x=y")));
                if id == "changeAccount" && answer.status == 200 {
                    let kept = device.get("/api/v1/admin/accounts/2").await.json();
                    assert_eq!(answer.json()["last_name"], kept["last_name"]);
                }
                if id == "changeMe" && answer.status == 200 {
                    assert_eq!(answer.json()["first_name"], device.me().await.json()["first_name"]);
                    assert_eq!(answer.header("content-type"), Some("application/json; charset=utf-8"));
                }
            }
        }
    }
}

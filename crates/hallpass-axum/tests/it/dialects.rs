//! The dialects beyond what the recorded projects did: that what they hand out can be taken back, and that what was
//! unsafe there is not. Their wire formats are compared with the recorded cases by `cargo xtask golden`.

use aws_lc_rs::hmac;
use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_axum::dialects::{CookieRefresh, Dialect, DjRestAuth, DrfJwt, SimpleJwt};
use hallpass_core::{
    AccountId,
    accounts::{self, NewAccount, Standing},
    config::NameRules,
    on_both_engines, sessions,
    testing::TestDb,
};
use serde_json::{Value, json};

use crate::support::*;

const SECRET: &str = "the secret key of a Django project, long enough for it";
const REFRESH_SECRET: &str = "what signs refresh tokens there, another one of course";

/// Every dialect, each at a path of its own.
pub(crate) async fn app(db: TestDb) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, secret: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, secret).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (secret, refresh_secret) = (file("secret", SECRET), file("refresh_secret", REFRESH_SECRET));
    let simplejwt = |path: &str, rotate| SimpleJwt {
        path: path.into(),
        signing_key_file: secret.clone(),
        rotate,
        opening: vec!["access".into(), "sliding".into()],
        sliding: "sliding/".into(),
        sliding_refresh: "sliding/refresh/".into(),
        user: "me/".into(),
        ..SimpleJwt::default()
    };
    let drf_jwt = DrfJwt {
        path: "/drf".into(),
        secret_key_file: secret.clone(),
        header_prefix: "JWT".into(),
        cookie: "jwt".into(),
        obtain: "auth/".into(),
        refresh: "refresh/".into(),
        verify: "verify/".into(),
        blacklist: "blacklist/".into(),
        impersonate: "impersonate/".into(),
        sign_up: "users/".into(),
        user: "me/".into(),
        ..DrfJwt::default()
    };
    let cookie_refresh = CookieRefresh {
        path: "/cookie".into(),
        secret_key_file: secret.clone(),
        refresh_secret_file: refresh_secret,
        trusted_origins: vec![FRONT_END.into()],
        ..CookieRefresh::default()
    };
    let dj_rest_auth = DjRestAuth {
        path: "/dj/".into(),
        secret_key_file: secret.clone(),
        access_cookie: "access".into(),
        refresh_cookie: "refresh".into(),
        ..DjRestAuth::default()
    };
    let open_end =
        DrfJwt { path: "/open".into(), secret_key_file: secret.clone(), obtain: "*".into(), ..DrfJwt::default() };
    TestApp::with(db, |config, web| {
        config.accounts.names = NameRules::Django;
        web.dialects = vec![
            Dialect::DrfJwt(drf_jwt),
            Dialect::DrfJwt(open_end),
            Dialect::DjRestAuth(dj_rest_auth),
            Dialect::SimpleJwt(simplejwt("/sjwt", false)),
            Dialect::SimpleJwt(simplejwt("/rotating", true)),
            Dialect::CookieRefresh(cookie_refresh),
        ];
    })
    .await
}

/// A token of the Django project.
fn mint(claims: &Value) -> String {
    let part = |json: &Value| BASE64URL.encode(json.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "HS256", "typ": "JWT" })), part(claims));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), signed.as_bytes());
    format!("{signed}.{}", BASE64URL.encode(tag))
}

fn credentials(username: &str) -> Value {
    json!({ "username": username, "password": PASSWORD })
}

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    Call::post(path).json(&body).send(app).await
}

fn text(answer: &Answer, member: &str) -> String {
    let document = answer.json();
    document[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {} {document}", answer.status)).to_owned()
}

async fn open(app: &TestApp, path: &str, scheme: &str, token: &str) -> StatusCode {
    Call::get(path).header("authorization", &format!("{scheme} {token}")).send(app).await.status
}

on_both_engines! {
    async fn a_session_that_is_over_takes_the_tokens_of_every_dialect_along(db) {
        let app = app(db).await;
        let device = app.sign_up("ada").await;
        let drf = text(&post(&app, "/drf/auth/", credentials("ada")).await, "token");
        let exchanged = text(&post(&app, "/drf/refresh/", json!({ "token": drf })).await, "token");
        let pair = post(&app, "/sjwt/token/", credentials("ada")).await;
        let (access, refresh) = (text(&pair, "access"), text(&pair, "refresh"));
        let sliding = text(&post(&app, "/sjwt/sliding/", credentials("ada")).await, "token");
        let again = text(&post(&app, "/sjwt/token/refresh/", json!({ "refresh": refresh })).await, "access");
        for (path, scheme, token) in [
            ("/drf/me/", "JWT", &drf), ("/drf/me/", "JWT", &exchanged), ("/sjwt/me/", "Bearer", &access),
            ("/sjwt/me/", "Bearer", &sliding), ("/sjwt/me/", "Bearer", &again),
        ] {
            assert_eq!(open(&app, path, scheme, token).await, StatusCode::OK, "{path}");
        }

        device.delete("/api/v1/sessions").await.done();
        assert_eq!(open(&app, "/drf/me/", "JWT", &drf).await, StatusCode::FORBIDDEN);
        assert_eq!(open(&app, "/drf/me/", "JWT", &exchanged).await, StatusCode::FORBIDDEN);
        for token in [&access, &sliding, &again] {
            assert_eq!(open(&app, "/sjwt/me/", "Bearer", token).await, StatusCode::UNAUTHORIZED);
        }
        // Also when the memory of what was taken back is gone.
        app.pass(3_600).await;
        for (path, body) in [
            ("/sjwt/token/refresh/", json!({ "refresh": refresh })), ("/sjwt/token/blacklist/", json!({ "refresh": refresh })),
        ] {
            let refused = post(&app, path, body).await;
            assert_eq!((refused.status, text(&refused, "detail").as_str()), (StatusCode::UNAUTHORIZED, "Token is blacklisted"));
        }
    }

    async fn what_a_dialect_takes_back_is_over_everywhere(db) {
        let app = app(db).await;
        let device = app.sign_up("ada").await;
        let ada = AccountId(device.me().await.json()["id"].as_i64().unwrap());
        let live = async || sessions::list(&app.hallpass, &app.ctx(), ada).await.unwrap().len();
        let drf = text(&post(&app, "/drf/auth/", credentials("ada")).await, "token");
        let refresh = text(&post(&app, "/sjwt/token/", credentials("ada")).await, "refresh");
        assert_eq!(live().await, 3);
        let blacklisted = Call::post("/drf/blacklist/").header("authorization", &format!("JWT {drf}")).send(&app).await;
        assert_eq!(blacklisted.status, StatusCode::CREATED);
        assert_eq!(post(&app, "/sjwt/token/blacklist/", json!({ "refresh": refresh })).await.status, StatusCode::OK);
        assert_eq!(live().await, 1);
        let refused = post(&app, "/drf/refresh/", json!({ "token": drf })).await;
        assert_eq!(refused.json(), json!({ "non_field_errors": ["Token is blacklisted."] }));
    }

    async fn two_tabs_that_refresh_at_once_both_go_on_and_a_stolen_refresh_token_ends_the_session(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let first = text(&post(&app, "/rotating/token/", credentials("ada")).await, "refresh");
        app.pass(60).await;
        let refresh = async |token: &str| post(&app, "/rotating/token/refresh/", json!({ "refresh": token })).await;
        let (one, other) = (refresh(&first).await, refresh(&first).await);
        assert_eq!((one.status, other.status), (StatusCode::OK, StatusCode::OK));
        let (second, same) = (text(&one, "refresh"), text(&other, "refresh"));
        assert_eq!(second, same, "the same successor");
        assert_ne!(first, second);
        app.pass(60).await;
        let third = text(&refresh(&second).await, "refresh");
        app.pass(60).await;
        assert_eq!(refresh(&first).await.status, StatusCode::UNAUTHORIZED);
        assert_eq!(refresh(&third).await.status, StatusCode::UNAUTHORIZED, "used twice: somebody has a copy");
    }

    async fn without_rotation_one_refresh_token_works_for_as_long_as_its_session(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let token = text(&post(&app, "/sjwt/token/", credentials("ada")).await, "refresh");
        for _ in 0..5 {
            app.pass(3_600).await;
            assert_eq!(post(&app, "/sjwt/token/refresh/", json!({ "refresh": token })).await.status, StatusCode::OK);
        }
    }

    async fn a_token_of_one_kind_passes_for_no_other(db) {
        let app = app(db).await;
        let native = app.sign_up("ada").await.access;
        let pair = post(&app, "/sjwt/token/", credentials("ada")).await;
        let (access, refresh) = (text(&pair, "access"), text(&pair, "refresh"));
        let sliding = text(&post(&app, "/sjwt/sliding/", credentials("ada")).await, "token");
        let login = post(&app, "/cookie/login", credentials("ada")).await;
        let (of_cookie, in_cookie) = (text(&login, "access_token"), login.cookie("refreshtoken").unwrap());
        for (path, scheme, token) in [
            ("/api/v1/me", "Bearer", &access), ("/api/v1/me", "Bearer", &of_cookie), ("/api/v1/me", "Bearer", &refresh),
            ("/sjwt/me/", "Bearer", &native), ("/sjwt/me/", "Bearer", &refresh), ("/sjwt/me/", "Bearer", &of_cookie),
            ("/sjwt/me/", "Bearer", &in_cookie), ("/drf/me/", "JWT", &native), ("/drf/me/", "JWT", &access),
            ("/drf/me/", "JWT", &in_cookie), ("/cookie/user", "Bearer", &native), ("/cookie/user", "Bearer", &in_cookie),
            ("/cookie/user", "Bearer", &access), ("/cookie/user", "Bearer", &refresh), ("/cookie/user", "Bearer", &sliding),
        ] {
            let status = open(&app, path, scheme, token).await;
            assert!([StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&status), "{path} {status}");
        }
        for token in [&native, &access, &sliding, &of_cookie, &in_cookie] {
            let refused = post(&app, "/sjwt/token/refresh/", json!({ "refresh": token })).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        }
    }

    async fn a_session_that_nobody_knows_any_more_is_over(db) {
        let app = app(db).await;
        let ada = app.sign_up("ada").await.me().await.json()["id"].as_i64().unwrap();
        let end = app.ctx().now + 3_600;
        let token = |kind: &str, jti: &str| {
            mint(&json!({ "user_id": ada, "token_type": kind, "jti": jti, "exp": end, "refresh_exp": end }))
        };
        for (path, field, kind) in
            [("/sjwt/token/refresh/", "refresh", "refresh"), ("/sjwt/sliding/refresh/", "token", "sliding")]
        {
            // What the Django project made itself has a random name.
            let own = token(kind, "0b5f6c1e8a7d4c3f9e21d4a6b7c8e9f0");
            assert_eq!(post(&app, path, json!({ field: own })).await.status, StatusCode::OK, "{path}");
            let refused = post(&app, path, json!({ field: token(kind, "0190b0a0111170009000000000000001") })).await;
            assert_eq!(text(&refused, "detail"), "Token is blacklisted", "{path}");
        }
    }

    async fn a_stale_credential_stops_neither_a_sign_in_nor_a_sign_up(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        for stale in ["JWT broken", "Bearer a.b.c", "Token", ""] {
            for (path, body, status) in [
                ("/drf/auth/", credentials("ada"), StatusCode::CREATED),
                ("/drf/users/", credentials(&format!("eve{}", stale.len())), StatusCode::CREATED),
                ("/sjwt/token/", credentials("ada"), StatusCode::OK),
                ("/cookie/login", credentials("ada"), StatusCode::OK),
            ] {
                let call = Call::post(path).header("authorization", stale).header("cookie", "jwt=broken; refreshtoken=broken");
                assert_eq!(call.json(&body).send(&app).await.status, status, "{path} {stale}");
            }
        }
    }

    async fn an_unknown_name_and_a_wrong_password_get_the_same_answer(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        for path in ["/drf/auth/", "/sjwt/token/", "/cookie/login"] {
            let answers = [("ada", "a wrong password"), ("ghost", PASSWORD)].map(|(username, password)| {
                post(&app, path, json!({ "username": username, "password": password }))
            });
            let [wrong, unknown] = answers;
            let (wrong, unknown) = (wrong.await, unknown.await);
            assert_eq!((wrong.status, &wrong.body), (unknown.status, &unknown.body), "{path}");
            assert!(wrong.status.is_client_error());
        }
    }

    async fn the_cookie_of_a_session_that_is_over_brings_no_access_token(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let login = post(&app, "/cookie/login", credentials("ada")).await;
        let (refresh, csrf) = (login.cookie("refreshtoken").unwrap(), login.cookie("csrftoken").unwrap());
        let set = login.set_cookies().join("\n");
        assert!(set.contains("; HttpOnly; Path=/; Secure"), "{set}");
        let call = |path: &str| {
            let cookies = format!("refreshtoken={refresh}; csrftoken={csrf}");
            Call::post(path).header("cookie", &cookies).header("x-csrftoken", &csrf).header("origin", FRONT_END)
        };
        assert_eq!(call("/cookie/token").send(&app).await.status, StatusCode::OK);
        // A page of somebody else has the cookie sent along, and not the header; or the wrong origin.
        let cookies = format!("refreshtoken={refresh}; csrftoken={csrf}");
        let foreign = Call::post("/cookie/token").header("cookie", &cookies).header("origin", FRONT_END);
        assert_eq!(foreign.send(&app).await.status, StatusCode::FORBIDDEN);
        let foreign = Call::post("/cookie/token").header("cookie", &cookies).header("x-csrftoken", &csrf);
        assert_eq!(foreign.header("origin", "https://evil.test").send(&app).await.status, StatusCode::FORBIDDEN);

        let left = call("/cookie/logout").send(&app).await;
        assert_eq!(left.status, StatusCode::OK);
        assert_eq!(left.cookie("refreshtoken").as_deref(), Some(""));
        let refused = call("/cookie/token").send(&app).await;
        assert_eq!(text(&refused, "detail"), "expired refresh token, please login again.");
    }

    async fn only_a_superuser_signs_in_as_somebody_else_and_it_is_recorded(db) {
        let app = app(db).await;
        let ada = app.sign_up("ada").await.me().await.json()["id"].as_i64().unwrap();
        let eve = text(&post(&app, "/drf/users/", credentials("eve")).await, "token");
        let as_ada = Call::post("/drf/impersonate/").header("authorization", &format!("JWT {eve}"));
        let refused = as_ada.json(&json!({ "user": ada })).send(&app).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);

        let standing = Standing { is_superuser: true, ..Default::default() };
        let new = NewAccount {
            username: Some("root".into()), password: Some(PASSWORD.into()), ..Default::default()
        };
        accounts::create(&app.hallpass, &app.ctx(), new, standing).await.unwrap();
        let root = text(&post(&app, "/drf/auth/", credentials("root")).await, "token");
        let as_ada = Call::post("/drf/impersonate/").header("authorization", &format!("JWT {root}"));
        let token = text(&as_ada.json(&json!({ "user": ada })).send(&app).await, "token");
        let me = Call::get("/drf/me/").header("authorization", &format!("JWT {token}")).send(&app).await;
        assert_eq!(me.json(), json!({ "username": "ada" }));
        let activity = app.log_in("ada").await.get("/api/v1/activity").await.text();
        assert!(activity.contains("impersonated"), "{activity}");
    }

    async fn a_foreign_page_gains_nothing_by_the_cookie_of_a_token(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let token = text(&post(&app, "/drf/auth/", credentials("ada")).await, "token");
        let call = |origin: &str| {
            Call::post("/drf/blacklist/").header("cookie", &format!("jwt={token}")).header("origin", origin)
        };
        assert_eq!(call("https://evil.test").send(&app).await.status, StatusCode::FORBIDDEN);
        assert_eq!(open(&app, "/drf/me/", "JWT", &token).await, StatusCode::OK);
        assert_eq!(call(FRONT_END).send(&app).await.status, StatusCode::CREATED);
    }
}

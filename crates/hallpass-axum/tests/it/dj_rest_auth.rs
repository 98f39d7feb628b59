//! What the dialect of `dj-rest-auth` promises beyond its recorded wire format: that a sign-out is one, that no foreign
//! page gains anything by cookies, and that nothing stale keeps anybody from signing in or out.

use axum::http::{Method, StatusCode};
use hallpass_axum::dialects::{Dialect, DjRestAuth, LoginMethod};
use hallpass_core::{AccountId, config::NameRules, on_both_engines, sessions, testing::TestDb};
use serde_json::{Value, json};

use crate::support::*;

const SECRET: &str = "the secret key of a Django project, long enough for it";

/// With cookies at `/auth/`, with tokens in bodies at `/body/`, in either at `/both/`, with Django's CSRF rule at
/// `/csrf/`, with keys at `/keys/`.
async fn app(db: TestDb) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let plain = |path: &str| DjRestAuth {
        path: path.into(),
        secret_key_file: secret.to_str().unwrap().into(),
        ..DjRestAuth::default()
    };
    let with_cookies =
        |path: &str| DjRestAuth { access_cookie: "access".into(), refresh_cookie: "refresh".into(), ..plain(path) };
    let body = DjRestAuth { http_only: false, rotate: true, session_login: true, ..plain("/body/") };
    let long =
        DjRestAuth { http_only: false, rotate: true, return_expiration: true, long_names: true, ..plain("/long/") };
    let either = DjRestAuth { http_only: false, ..with_cookies("/both/") };
    let csrf = DjRestAuth { csrf: true, ..with_cookies("/csrf/") };
    let both = vec![LoginMethod::Username, LoginMethod::Email];
    let keys = DjRestAuth { jwt: false, session_login: true, login_methods: both, ..plain("/keys/") };
    TestApp::with(db, |config, web| {
        config.accounts.names = NameRules::Django;
        web.dialects = [with_cookies("/auth/"), body, either, long, csrf, keys].map(Dialect::DjRestAuth).to_vec();
    })
    .await
}

async fn log_in(app: &TestApp, path: &str) -> Answer {
    let answer = Call::post(path).json(&json!({ "username": "ada", "password": PASSWORD })).send(app).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer
}

fn text(answer: &Answer, member: &str) -> String {
    answer.json()[member].as_str().unwrap_or_else(|| panic!("no `{member}` in {}", answer.text())).to_owned()
}

/// The cookies that a browser sends back.
fn cookies(answer: &Answer, names: &[&str]) -> String {
    let pair = |name: &&str| format!("{name}={}", answer.cookie(name).unwrap());
    names.iter().map(pair).collect::<Vec<_>>().join("; ")
}

async fn user(app: &TestApp, path: &str, header: &'static str, value: &str) -> StatusCode {
    Call::get(path).header(header, value).send(app).await.status
}

async fn live(app: &TestApp, ada: AccountId) -> usize {
    sessions::list(&app.hallpass, &app.ctx(), ada).await.unwrap().len()
}

async fn id_of(device: &Device<'_>) -> AccountId {
    AccountId(device.me().await.json()["id"].as_i64().unwrap())
}

on_both_engines! {
    async fn a_sign_out_takes_access_refresh_and_session_along_at_once(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let login = log_in(&app, "/auth/login/").await;
        let (access, both) = (text(&login, "access"), cookies(&login, &["access", "refresh"]));
        assert_eq!(user(&app, "/auth/user/", "cookie", &both).await, StatusCode::OK);
        let left = Call::post("/auth/logout/").header("cookie", &both).send(&app).await;
        assert_eq!((left.status, left.cookie("access").as_deref()), (StatusCode::OK, Some("")));
        assert_eq!(user(&app, "/auth/user/", "cookie", &both).await, StatusCode::UNAUTHORIZED);
        assert_eq!(user(&app, "/auth/user/", "authorization", &format!("Bearer {access}")).await, StatusCode::UNAUTHORIZED);
        let refused = Call::post("/auth/token/refresh/").header("cookie", &both).send(&app).await;
        assert_eq!(text(&refused, "detail"), "Token is blacklisted");
        // Also when the memory of what was taken back is gone.
        app.pass(3_600).await;
        let refused = Call::post("/auth/token/refresh/").header("cookie", &both).send(&app).await;
        assert_eq!(text(&refused, "detail"), "Token is blacklisted");
    }

    async fn whichever_credential_is_left_signs_out_be_it_stale(db) {
        let app = app(db).await;
        let ada = id_of(&app.sign_up("ada").await).await;
        let expired = log_in(&app, "/auth/login/").await;
        app.pass(600).await;
        for (path, header, value) in [
            // The browser sends the refresh cookie elsewhere, and the access token is over.
            ("/auth/logout/", "cookie", cookies(&expired, &["access"])),
            ("/auth/logout/", "cookie", cookies(&log_in(&app, "/auth/login/").await, &["access"])),
            ("/auth/logout/", "authorization", format!("Bearer {}", text(&log_in(&app, "/auth/login/").await, "access"))),
            ("/body/logout/", "cookie", cookies(&log_in(&app, "/body/login/").await, &["sessionid"])),
            ("/keys/logout/", "authorization", format!("Token {}", text(&log_in(&app, "/keys/login/").await, "key"))),
        ] {
            let before = live(&app, ada).await;
            let left = Call::post(path).header(header, &value).send(&app).await;
            assert_eq!(left.status, StatusCode::OK, "{path} {header} {}", left.text());
            assert_eq!(live(&app, ada).await, before - 1, "{path} {header}");
        }
        // What is broken names nothing; the browser forgets its cookies all the same.
        let left = Call::post("/auth/logout/").header("cookie", "access=a.b.c; refresh=a.b.c").send(&app).await;
        assert_eq!((left.status, left.cookie("refresh").as_deref()), (StatusCode::UNAUTHORIZED, Some("")));
        assert_eq!(text(&left, "detail"), "Token is invalid");
    }

    async fn a_sign_out_ends_the_session_of_whatever_token_is_shown_wherever_it_is(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        for (path, header, kept, in_body) in [
            ("/auth", "Bearer a.b.c", &["access"][..], false),
            ("/auth", "", &[], true),
            ("/both", "", &["refresh"], false),
            ("/both", "Bearer a.b.c", &["access"], false),
        ] {
            let login = log_in(&app, &format!("{path}/login/")).await;
            let bearer = format!("Bearer {}", text(&login, "access"));
            let refresh = json!({ "refresh": login.cookie("refresh").unwrap() });
            let mut call = Call::post(&format!("{path}/logout/")).header("cookie", &cookies(&login, kept));
            if !header.is_empty() {
                call = call.header("authorization", header);
            }
            let left = call.json(if in_body { &refresh } else { &Value::Null }).send(&app).await;
            let status = user(&app, &format!("{path}/user/"), "authorization", &bearer).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {kept:?} {}", left.text());
            let refused = Call::post(&format!("{path}/token/refresh/")).json(&refresh).send(&app).await;
            assert_eq!(text(&refused, "detail"), "Token is blacklisted", "{path} {kept:?}");
        }
    }

    async fn a_page_of_ours_without_tls_has_no_proof_where_there_is_tls(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let login = log_in(&app, "/csrf/login/").await;
        let secret = "abcdefghijklmnopqrstuvwxyz012345";
        let with_secret = format!("{}; csrftoken={secret}", cookies(&login, &["access"]));
        let change = async |origin: &str| {
            let call = Call::new(Method::PATCH, "/csrf/user/").header("origin", origin).header("host", "api.example.com");
            call.header("cookie", &with_secret).header("x-csrftoken", secret).json(&json!({})).send(&app).await
        };
        assert_eq!(change(API).await.status, StatusCode::OK);
        let refused = change("http://api.example.com").await;
        let said = "CSRF Failed: Origin checking failed - http://api.example.com does not match any trusted origins.";
        assert_eq!((refused.status, text(&refused, "detail").as_str()), (StatusCode::FORBIDDEN, said));
    }

    async fn a_session_that_ends_elsewhere_takes_keys_cookies_and_tokens_along(db) {
        let app = app(db).await;
        let device = app.sign_up("ada").await;
        let (auth, keys) = (log_in(&app, "/auth/login/").await, log_in(&app, "/keys/login/").await);
        let opens = [
            ("/auth/user/", "cookie", cookies(&auth, &["access"])),
            ("/keys/user/", "authorization", format!("Token {}", text(&keys, "key"))),
            ("/keys/user/", "cookie", cookies(&keys, &["sessionid"])),
        ];
        for (path, header, value) in &opens {
            assert_eq!(user(&app, path, header, value).await, StatusCode::OK, "{path} {header}");
        }
        device.delete("/api/v1/sessions").await.done();
        for (path, header, value) in &opens {
            assert_eq!(user(&app, path, header, value).await, StatusCode::UNAUTHORIZED, "{path} {header}");
        }
    }

    async fn a_key_lasts_as_long_as_it_is_used_and_no_longer_than_its_session(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let rules = app.hallpass.config().sessions.clone();
        let (used, idle) = (log_in(&app, "/keys/login/").await, log_in(&app, "/keys/login/").await);
        let [used, idle] = [used, idle].map(|login| format!("Token {}", text(&login, "key")));
        let open = async |key: &str| user(&app, "/keys/user/", "authorization", key).await;
        let mut passed = 0;
        while passed + rules.idle / 2 < rules.absolute {
            app.pass(rules.idle / 2).await;
            passed += rules.idle / 2;
            assert_eq!(open(&used).await, StatusCode::OK, "after {passed} seconds");
        }
        assert_eq!(open(&idle).await, StatusCode::UNAUTHORIZED);
        app.pass(rules.idle / 2).await;
        assert_eq!(open(&used).await, StatusCode::UNAUTHORIZED);
    }

    async fn a_key_is_good_in_its_place_and_for_its_session_alone(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let one = log_in(&app, "/keys/login/").await;
        // The beginnings of two sessions of one moment are the same once in 4,096 times.
        app.pass(1).await;
        let other = log_in(&app, "/keys/login/").await;
        let (key, cookie) = (text(&one, "key"), one.cookie("sessionid").unwrap());
        assert_ne!(key, text(&other, "key"));
        assert_eq!((key.len(), cookie.len()), (40, 32));
        let changed = |text: &str, place: usize| {
            let other = if text.as_bytes()[place] == b'0' { "1" } else { "0" };
            format!("{}{other}{}", &text[..place], &text[place + 1..])
        };
        for place in [0, 15, 16, 39] {
            let forged = format!("Token {}", changed(&key, place));
            assert_eq!(user(&app, "/keys/user/", "authorization", &forged).await, StatusCode::UNAUTHORIZED, "{place}");
        }
        for place in [0, 12, 13, 31] {
            let forged = format!("sessionid={}", changed(&cookie, place));
            assert_eq!(user(&app, "/keys/user/", "cookie", &forged).await, StatusCode::UNAUTHORIZED, "{place}");
        }
        // The beginning of one and the proof of the other.
        let mixed = format!("Token {}{}", &key[..16], &text(&other, "key")[16..]);
        assert_eq!(user(&app, "/keys/user/", "authorization", &mixed).await, StatusCode::UNAUTHORIZED);
        let number = cookie.as_bytes().chunks(8).map(|digits| {
            format!("{:010x}", u64::from_str_radix(std::str::from_utf8(digits).unwrap(), 36).unwrap())
        });
        let cookie_as_key = format!("Token {}", number.collect::<String>());
        assert_eq!(user(&app, "/keys/user/", "authorization", &cookie_as_key).await, StatusCode::UNAUTHORIZED);
        assert_eq!(user(&app, "/keys/user/", "authorization", &format!("Token {key}")).await, StatusCode::OK);
    }

    async fn a_foreign_page_neither_signs_in_nor_out_nor_changes_anything_by_cookies(db) {
        let app = app(db).await;
        let ada = id_of(&app.sign_up("ada").await).await;
        let (auth, keys) = (log_in(&app, "/auth/login/").await, log_in(&app, "/keys/login/").await);
        let of_auth = cookies(&auth, &["access", "refresh"]);
        let of_keys = cookies(&keys, &["sessionid", "csrftoken"]);
        let credentials = json!({ "username": "ada", "password": PASSWORD });
        let token = keys.cookie("csrftoken").unwrap();
        let before = live(&app, ada).await;
        for foreign in [("origin", "https://evil.test"), ("origin", "null"), ("sec-fetch-site", "same-site")] {
            for (method, path, cookies, body) in [
                (Method::POST, "/auth/login/", "", credentials.clone()),
                (Method::POST, "/keys/login/", "", credentials.clone()),
                (Method::POST, "/auth/logout/", of_auth.as_str(), json!({})),
                (Method::POST, "/keys/logout/", of_keys.as_str(), json!({})),
                (Method::POST, "/auth/token/refresh/", of_auth.as_str(), json!({})),
                // Its own refresh token, to put somebody into its account.
                (Method::POST, "/auth/token/refresh/", "", json!({ "refresh": auth.cookie("refresh") })),
                (Method::PATCH, "/auth/user/", of_auth.as_str(), json!({ "first_name": "Eve" })),
                (Method::PATCH, "/keys/user/", of_keys.as_str(), json!({ "first_name": "Eve" })),
            ] {
                let call = Call::new(method.clone(), path).header("cookie", cookies).header(foreign.0, foreign.1);
                let refused = call.header("x-csrftoken", &token).json(&body).send(&app).await;
                assert_eq!(refused.status, StatusCode::FORBIDDEN, "{method} {path} {foreign:?} {}", refused.text());
                assert_eq!(refused.set_cookies(), Vec::<String>::new(), "{path}");
            }
        }
        assert_eq!(live(&app, ada).await, before);
        let ours = Call::new(Method::PATCH, "/auth/user/").header("cookie", &of_auth).header("origin", FRONT_END);
        let changed = ours.json(&json!({ "first_name": "Ada" })).send(&app).await;
        assert_eq!(changed.json()["first_name"], "Ada");
    }

    async fn where_the_project_asks_for_it_a_cookie_changes_nothing_without_djangos_proof(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let login = log_in(&app, "/csrf/login/").await;
        let secret = "abcdefghijklmnopqrstuvwxyz012345";
        let with_secret = format!("{}; csrftoken={secret}", cookies(&login, &["access"]));
        let call = || Call::new(Method::PATCH, "/csrf/user/").header("origin", FRONT_END).header("cookie", &with_secret);
        let refused = call().json(&json!({})).send(&app).await;
        assert_eq!(text(&refused, "detail"), "CSRF Failed: CSRF token missing.");
        assert_eq!(call().header("x-csrftoken", secret).json(&json!({})).send(&app).await.status, StatusCode::OK);
        let refused = Call::post("/csrf/logout/").header("cookie", &cookies(&login, &["access", "refresh"])).send(&app).await;
        assert_eq!(refused.status, StatusCode::FORBIDDEN);
        assert_eq!(user(&app, "/csrf/user/", "cookie", &with_secret).await, StatusCode::OK);
    }

    async fn nothing_stale_keeps_anybody_from_signing_in(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let over = log_in(&app, "/keys/login/").await;
        Call::post("/keys/logout/").header("authorization", &format!("Token {}", text(&over, "key"))).send(&app).await;
        let stale = format!("access=a.b.c; refresh=broken; sessionid={}; csrftoken=short", over.cookie("sessionid").unwrap());
        for header in ["", "Bearer a.b.c", "Bearer", "Token 0123", "Token a b", "Basic x"] {
            for path in ["/auth/login/", "/body/login/", "/csrf/login/", "/keys/login/"] {
                let call = Call::post(path).header("cookie", &stale).header("authorization", header);
                let answer = call.json(&json!({ "username": "ada", "password": PASSWORD })).send(&app).await;
                assert_eq!(answer.status, StatusCode::OK, "{path} {header} {}", answer.text());
            }
        }
    }

    async fn tabs_that_refresh_at_once_all_go_on_and_a_stolen_refresh_token_ends_the_session(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let first = text(&log_in(&app, "/body/login/").await, "refresh");
        app.pass(60).await;
        let refresh = async |token: &str| {
            Call::post("/body/token/refresh/").json(&json!({ "refresh": token })).send(&app).await
        };
        let (one, two, three) = tokio::join!(refresh(&first), refresh(&first), refresh(&first));
        let next = [one, two, three].map(|answer| text(&answer, "refresh"));
        assert!(next.iter().all(|token| *token == next[0]), "one successor for all: {next:?}");
        app.pass(60).await;
        let last = refresh(&next[0]).await;
        app.pass(60).await;
        assert_eq!(text(&refresh(&first).await, "detail"), "Token is blacklisted");
        assert_eq!(refresh(&text(&last, "refresh")).await.status, StatusCode::UNAUTHORIZED, "somebody has a copy");
        assert_eq!(user(&app, "/body/user/", "authorization", &format!("Bearer {}", text(&last, "access"))).await,
            StatusCode::UNAUTHORIZED);
    }

    async fn a_token_of_one_kind_passes_for_no_other(db) {
        let app = app(db).await;
        let native = app.sign_up("ada").await.access;
        let (auth, keys) = (log_in(&app, "/auth/login/").await, log_in(&app, "/keys/login/").await);
        let (access, refresh, key) = (text(&auth, "access"), auth.cookie("refresh").unwrap(), text(&keys, "key"));
        for (path, header, value) in [
            ("/auth/user/", "authorization", format!("Bearer {native}")),
            ("/auth/user/", "authorization", format!("Bearer {refresh}")),
            ("/auth/user/", "authorization", format!("Bearer {key}")),
            ("/auth/user/", "cookie", format!("access={refresh}")),
            ("/auth/user/", "cookie", cookies(&keys, &["sessionid"])),
            ("/keys/user/", "authorization", format!("Token {access}")),
            ("/keys/user/", "cookie", format!("access={access}")),
            ("/api/v1/me", "authorization", format!("Bearer {access}")),
            ("/api/v1/me", "authorization", format!("Bearer {key}")),
        ] {
            assert_eq!(user(&app, path, header, &value).await, StatusCode::UNAUTHORIZED, "{path} {value}");
        }
        for token in [native, access] {
            let refused = Call::post("/auth/token/refresh/").json(&json!({ "refresh": token })).send(&app).await;
            assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
        }
    }

    async fn another_user_name_must_be_free_whatever_its_letters(db) {
        let app = app(db).await;
        app.sign_up("bob").await;
        app.sign_up("ada").await;
        let login = log_in(&app, "/auth/login/").await;
        let bearer = format!("Bearer {}", text(&login, "access"));
        let rename = async |name: &str| {
            let call = Call::new(Method::PATCH, "/auth/user/").header("authorization", &bearer);
            call.json(&json!({ "username": name, "first_name": "Ada" })).send(&app).await
        };
        for taken in ["bob", "BOB", "Bob"] {
            let refused = rename(taken).await;
            assert_eq!(refused.json(), json!({ "username": ["A user with that username already exists."] }), "{taken}");
        }
        let own = Call::get("/auth/user/").header("authorization", &bearer).send(&app).await;
        assert_eq!(own.json()["first_name"], "", "nothing of a change that is refused");
        for fine in ["ada", "Ada", "countess"] {
            assert_eq!(rename(fine).await.json()["username"], fine);
        }
        let as_before = json!({ "username": "ada", "password": PASSWORD });
        assert_eq!(Call::post("/auth/login/").json(&as_before).send(&app).await.status, StatusCode::BAD_REQUEST);
        // Whoever lets the letters be as they like finds the account, as `allauth` does.
        let as_now = json!({ "username": "COUNTESS", "password": PASSWORD });
        assert_eq!(Call::post("/auth/login/").json(&as_now).send(&app).await.status, StatusCode::OK);
    }

    async fn a_front_end_of_before_3_0_finds_the_names_that_it_knows(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let names = |answer: &Answer| answer.json().as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        let login = log_in(&app, "/long/login/").await;
        assert_eq!(
            names(&login), "access_token access_token_expiration refresh_token refresh_token_expiration user");
        let body = json!({ "refresh": text(&login, "refresh_token") });
        let next = Call::post("/long/token/refresh/").json(&body).send(&app).await;
        assert_eq!(names(&next), "access access_token_expiration refresh refresh_token_expiration");
        let bearer = format!("Bearer {}", text(&login, "access_token"));
        assert_eq!(user(&app, "/long/user/", "authorization", &bearer).await, StatusCode::OK);
    }

    async fn an_unknown_name_and_a_wrong_password_get_the_same_answer(db) {
        let app = app(db).await;
        app.sign_up("ada").await;
        let answer = async |body: Value| {
            let refused = Call::post("/keys/login/").json(&body).send(&app).await;
            (refused.status, refused.text())
        };
        let wrong = answer(json!({ "username": "ada", "password": "a wrong password" })).await;
        assert_eq!(wrong.0, StatusCode::BAD_REQUEST);
        for (field, name) in [("username", "ghost"), ("email", "ghost@example.com"), ("username", "ghost@example.com")] {
            assert_eq!(answer(json!({ field: name, "password": PASSWORD })).await, wrong, "{field} {name}");
        }
    }
}

//! `dj-rest-auth` beyond what its recorded projects did: signing up, mailed links and passwords tell nobody who has an
//! account, and stop what they have to stop.

use axum::http::{Method, StatusCode};
use hallpass_axum::dialects::{Dialect, DjRestAuth, LoginMethod};
use hallpass_core::{
    accounts,
    config::{NameRules, Presence, Transport, Verification},
    mail::Letter,
    on_both_engines,
    testing::TestDb,
};
use serde_json::{Value, json};

use crate::{mails::OTHER_PASSWORD, support::*};

const ADA: &str = "ada@example.com";
const SECRET: &str = "the secret key of a Django project, long enough for it";

async fn app(db: TestDb, change: impl FnOnce(&mut DjRestAuth)) -> TestApp {
    app_with(db, change, |_| ()).await
}

async fn app_with(
    db: TestDb,
    change: impl FnOnce(&mut DjRestAuth),
    settings: impl FnOnce(&mut hallpass_core::Config),
) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let mut dialect = DjRestAuth {
        path: "/auth/".into(),
        secret_key_file: secret.to_str().unwrap().to_owned(),
        login_methods: vec![LoginMethod::Username, LoginMethod::Email],
        access_cookie: "access".into(),
        refresh_cookie: "refresh".into(),
        verify_link: format!("{API}/auth/registration/account-confirm-email/{{key}}/"),
        reset_link: format!("{FRONT_END}/reset/{{uid}}/{{token}}"),
        ..DjRestAuth::default()
    };
    change(&mut dialect);
    TestApp::with(db, |config, web| {
        config.accounts.names = NameRules::Django;
        web.dialects = vec![Dialect::DjRestAuth(dialect)];
        settings(config);
    })
    .await
}

fn required(config: &mut hallpass_core::Config) {
    config.accounts.email = Presence::Required;
    config.accounts.verify_email = Verification::Required;
}

async fn post(app: &TestApp, path: &str, body: Value) -> Answer {
    Call::post(&format!("/auth/{path}")).json(&body).send(app).await
}

async fn register(app: &TestApp, username: &str, email: &str) -> Answer {
    let body = json!({ "username": username, "email": email, "password1": PASSWORD, "password2": PASSWORD });
    post(app, "registration/", body).await
}

async fn login(app: &TestApp, username: &str, password: &str) -> Answer {
    post(app, "login/", json!({ "username": username, "password": password })).await
}

async fn open(app: &TestApp, access: &Value) -> StatusCode {
    Call::get("/auth/user/").bearer(access.as_str().unwrap()).send(app).await.status
}

/// What stands in the link of a mail behind `start`, up to the end of the line.
fn linked(mail: &Letter, start: &str) -> String {
    let (_, rest) = mail.written.text.split_once(start).unwrap_or_else(|| panic!("{start}: {}", mail.written.text));
    rest.lines().next().unwrap().to_owned()
}

/// The key in the last mail.
async fn mailed_key(app: &TestApp) -> String {
    let mail = app.mails().await.pop().unwrap();
    linked(&mail, "/registration/account-confirm-email/").trim_end_matches('/').to_owned()
}

/// `uid` and `token` in the last mail.
async fn mailed_token(app: &TestApp) -> (String, String) {
    let link = linked(&app.mails().await.pop().unwrap(), &format!("{FRONT_END}/reset/"));
    let (uid, token) = link.split_once('/').unwrap();
    (uid.to_owned(), token.to_owned())
}

async fn confirm(app: &TestApp, uid: &str, token: &str, new: &str) -> Answer {
    let body = json!({ "uid": uid, "token": token, "new_password1": new, "new_password2": new });
    post(app, "password/reset/confirm/", body).await
}

fn names(answer: &Value) -> Vec<&String> {
    answer.as_object().unwrap().keys().collect()
}

on_both_engines! {
    async fn nobody_asks_without_end_which_user_names_are_taken(db) {
        let app = app_with(db, |_| (), |config| config.throttle.enabled = true).await;
        let register = async |name: &str| {
            let (email, mismatch) = ("eve@example.com", "another one");
            let body = json!({ "username": name, "email": email, "password1": PASSWORD, "password2": mismatch });
            Call::post("/auth/registration/").from("192.0.2.1").json(&body).send(&app).await
        };
        app.sign_up("ada").await;
        for attempt in 0..20 {
            let refused = register(if attempt == 0 { "grace" } else { "ada" }).await;
            assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{attempt} {}", refused.text());
        }
        for name in ["ada", "grace"] {
            let refused = register(name).await;
            assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS, "{name} {}", refused.text());
        }
    }

    async fn whoever_signs_up_does_not_find_out_whether_an_address_has_an_account(db) {
        let app = app(db, |_| ()).await;
        assert_eq!(register(&app, "ada", ADA).await.status, StatusCode::CREATED);
        post(&app, "registration/verify-email/", json!({ "key": mailed_key(&app).await })).await;
        let (known, unknown) = (register(&app, "eve", ADA).await, register(&app, "kim", "kim@example.com").await);
        assert_eq!((known.status, unknown.status), (StatusCode::CREATED, StatusCode::CREATED));
        assert_eq!(names(&known.json()), names(&unknown.json()));
        assert_eq!(known.set_cookies().len(), unknown.set_cookies().len());
        let mails = app.mails().await;
        let [.., to_ada, to_kim] = mails.as_slice() else { panic!() };
        assert_eq!((to_ada.to.as_str(), to_kim.to.as_str()), (ADA, "kim@example.com"));
        assert!(to_ada.written.text.contains("You already have one with it"), "{}", to_ada.written.text);

        // Nor does whoever asks for mail.
        for path in ["registration/resend-email/", "password/reset/"] {
            let answers = [ADA, "kim@example.com", "nobody@example.com", "a@localhost"].map(|email| json!({ "email": email }));
            let first = post(&app, path, answers[0].clone()).await.body;
            for body in answers {
                let answer = post(&app, path, body).await;
                assert_eq!((answer.status, &answer.body), (StatusCode::OK, &first));
            }
        }
        let mails = app.mails().await;
        let gets = |to: &str| mails.iter().filter(|mail| mail.to == to).count();
        assert_eq!((gets(ADA), gets("kim@example.com"), gets("nobody@example.com")), (4, 3, 0));
    }

    async fn it_is_told_where_the_operator_wants_it(db) {
        let app = app(db, |dialect| dialect.insecure_tell_known_addresses = true).await;
        register(&app, "ada", ADA).await;
        assert_eq!(register(&app, "eve", ADA).await.status, StatusCode::CREATED, "nobody has verified it");
        post(&app, "registration/verify-email/", json!({ "key": mailed_key(&app).await })).await;
        let told = register(&app, "kim", "ADA@example.com").await;
        assert_eq!(told.json(), json!({ "email": ["User is already registered with this e-mail address."] }));
    }

    async fn an_address_is_confirmed_by_a_click_and_never_by_opening_the_link(db) {
        let app = app(db, |_| ()).await;
        let account = register(&app, "ada", ADA).await.json()["user"]["pk"].as_i64().unwrap();
        let verified = async || accounts::find(&app.hallpass, &account.to_string()).await.unwrap().email_verified;
        let key = mailed_key(&app).await;
        let page = format!("/auth/registration/account-confirm-email/{key}/");
        for method in [Method::GET, Method::HEAD, Method::GET] {
            let answer = Call::new(method, &page).send(&app).await;
            assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, Some("text/html; charset=utf-8")));
            assert!(!answer.text().contains(&key));
        }
        assert!(!verified().await);
        let foreign = Call::post(&page).header("origin", "https://evil.example").form(&json!({})).send(&app).await;
        assert_eq!(foreign.status, StatusCode::FORBIDDEN);
        assert!(!verified().await);
        let click = || Call::post(&page).header("origin", API).header("sec-fetch-site", "same-origin").form(&json!({}));
        let answer = click().send(&app).await;
        assert!(answer.status == StatusCode::OK && answer.text().contains("Your address is confirmed"), "{}", answer.text());
        assert!(verified().await);
        assert_eq!(click().send(&app).await.status, StatusCode::NOT_FOUND);
        assert_eq!(post(&app, "registration/verify-email/", json!({ "key": key })).await.status, StatusCode::NOT_FOUND);
    }

    async fn a_mailed_link_sets_a_password_once_and_ends_every_session(db) {
        let app = app(db, |_| ()).await;
        let signed_up = register(&app, "ada", ADA).await.json();
        let signed_in = login(&app, "ada", PASSWORD).await.json();
        // Whatever the browser has kept stops nobody.
        let stale = Call::post("/auth/password/reset/").bearer("abc").header("cookie", "access=abc; refresh=abc");
        assert_eq!(stale.json(&json!({ "email": ADA })).send(&app).await.status, StatusCode::OK);
        let (uid, token) = mailed_token(&app).await;
        assert_eq!(uid, format!("{}", signed_up["user"]["pk"]));
        let weak = confirm(&app, &uid, &token, "password1").await.json();
        let expected = ["This password is too short. It must contain at least 15 characters.", "This password is too common."];
        assert_eq!(weak, json!({ "new_password2": expected }));
        assert_eq!(confirm(&app, "zzzz", &token, OTHER_PASSWORD).await.json(), json!({ "uid": ["Invalid value"] }));
        assert_eq!(confirm(&app, &uid, "abc", OTHER_PASSWORD).await.json(), json!({ "token": ["Invalid value"] }));
        assert_eq!(open(&app, &signed_in["access"]).await, StatusCode::OK);

        let done = confirm(&app, &uid, &token, OTHER_PASSWORD).await;
        assert_eq!((done.status, done.set_cookies().len()), (StatusCode::OK, 0), "it signs nobody in");
        assert_eq!(confirm(&app, &uid, &token, PASSWORD).await.json(), json!({ "token": ["Invalid value"] }));
        for tokens in [&signed_up, &signed_in] {
            assert_eq!(open(&app, &tokens["access"]).await, StatusCode::UNAUTHORIZED);
        }
        let refreshed = post(&app, "token/refresh/", json!({ "refresh": signed_up["refresh"] })).await;
        assert_eq!(refreshed.status, StatusCode::UNAUTHORIZED);
        assert_eq!(login(&app, "ada", PASSWORD).await.status, StatusCode::BAD_REQUEST);
        assert_eq!(login(&app, "ada", OTHER_PASSWORD).await.status, StatusCode::OK);
    }

    async fn a_new_password_asks_for_the_old_one_and_ends_the_other_sessions(db) {
        let app = app(db, |_| ()).await;
        let other = register(&app, "ada", ADA).await.json();
        let here = login(&app, "ada", PASSWORD).await.json();
        let change = async |old: Option<&str>, new: &str| {
            let mut body = json!({ "new_password1": new, "new_password2": new });
            if let Some(old) = old {
                body["old_password"] = old.into();
            }
            Call::post("/auth/password/change/").bearer(here["access"].as_str().unwrap()).json(&body).send(&app).await
        };
        assert_eq!(change(None, OTHER_PASSWORD).await.json(), json!({ "old_password": ["This field is required."] }));
        let wrong = json!({ "old_password": ["Your old password was entered incorrectly. Please enter it again."] });
        for new in [OTHER_PASSWORD, "1"] {
            assert_eq!(change(Some("not the old one at all"), new).await.json(), wrong);
        }
        assert!(change(Some(PASSWORD), "lovelace").await.json()["new_password2"].is_array());
        // What Django lets pass and our own rules do not.
        let ours = change(Some(PASSWORD), "ada ada ada ada ada").await.json();
        assert!(ours["new_password2"][0].as_str().unwrap().starts_with("Repeats like"), "{ours}");
        assert_eq!(login(&app, "ada", PASSWORD).await.status, StatusCode::OK, "nothing has changed yet");

        assert_eq!(change(Some(PASSWORD), OTHER_PASSWORD).await.status, StatusCode::OK);
        assert_eq!(open(&app, &here["access"]).await, StatusCode::OK);
        assert_eq!(open(&app, &other["access"]).await, StatusCode::UNAUTHORIZED);
        let text = app.mails().await.pop().unwrap().written.text;
        assert!(text.contains("was changed"), "{text}");
    }

    async fn a_new_password_ends_this_session_too_where_the_project_says_so(db) {
        let change = |dialect: &mut DjRestAuth| {
            dialect.logout_on_password_change = true;
            dialect.insecure_change_without_password = true;
        };
        let app = app(db, change).await;
        let access = register(&app, "ada", ADA).await.json()["access"].clone();
        let body = json!({ "new_password1": OTHER_PASSWORD, "new_password2": OTHER_PASSWORD });
        let call = Call::post("/auth/password/change/").bearer(access.as_str().unwrap()).json(&body);
        assert_eq!(call.send(&app).await.status, StatusCode::OK);
        assert_eq!(open(&app, &access).await, StatusCode::UNAUTHORIZED);
        assert_eq!(login(&app, "ada", OTHER_PASSWORD).await.status, StatusCode::OK);
    }

    async fn where_addresses_are_verified_first_a_sign_up_opens_nothing(db) {
        let fields = |dialect: &mut DjRestAuth| {
            dialect.sign_up_fields = ["email*", "username", "password1*", "password2*"].map(str::to_owned).to_vec();
        };
        let app = app_with(db, fields, required).await;
        let sign_up = async |email: &str| {
            let body = json!({ "email": email, "password1": PASSWORD, "password2": PASSWORD });
            let answer = post(&app, "registration/", body).await;
            assert_eq!((answer.status, answer.json()), (StatusCode::CREATED, json!({ "detail": "Verification e-mail sent." })));
            assert!(answer.set_cookies().is_empty());
        };
        sign_up(ADA).await;
        let refused = post(&app, "login/", json!({ "email": ADA, "password": PASSWORD })).await;
        assert_eq!(refused.json(), json!({ "non_field_errors": ["E-mail is not verified."] }));
        post(&app, "registration/verify-email/", json!({ "key": mailed_key(&app).await })).await;
        let signed_in = post(&app, "login/", json!({ "email": ADA, "password": PASSWORD })).await.json();
        assert_eq!(signed_in["user"]["username"], "ada");

        // The same again says the same, and the owner hears of it.
        sign_up(ADA).await;
        let told = app.mails().await.pop().unwrap();
        assert_eq!(told.to, ADA);
        assert!(told.written.text.contains("You already have one with it"), "{}", told.written.text);
        sign_up("ada@example.org").await;
        let made = accounts::find(&app.hallpass, "ada@example.org").await.unwrap().username.unwrap();
        assert!(made.starts_with("ada") && made.len() > 3, "{made}");
    }

    async fn without_mail_nobody_is_told_that_some_was_sent(db) {
        let app = app_with(db, |_| (), |config| {
            config.mail.transport = Transport::Off;
            config.accounts.sign_in_links = false;
        }).await;
        assert_eq!(register(&app, "ada", ADA).await.status, StatusCode::CREATED);
        for path in ["registration/resend-email/", "password/reset/"] {
            for email in [ADA, "nobody@example.com"] {
                assert_eq!(post(&app, path, json!({ "email": email })).await.status, StatusCode::SERVICE_UNAVAILABLE);
            }
        }
    }
}

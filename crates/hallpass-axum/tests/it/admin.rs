//! Who gets into the administration, by which spelling of an address, and with which questions.

use axum::http::Method;
use hallpass_core::{
    accounts::{self, Standing},
    admin::HELPDESK,
    on_both_engines,
};
use serde_json::{Value, json};

use crate::{
    routes::{self, ADDRESS, For, Operation, operations},
    support::*,
};

/// What the helpdesk has no right to, whoever it is about.
const FOR_SUPERUSERS: [&str; 5] = ["createAccount", "grantRole", "revokeRole", "rotateKeys", "retryMails"];

/// Names of parameters.
type Names = &'static [&'static str];

/// Every operation of the administration.
fn administration() -> impl Iterator<Item = Operation> {
    operations().into_iter().filter(|operation| operation.3 == For::Administrator)
}

on_both_engines! {
    async fn only_whoever_may_gets_an_answer(db) {
        let app = TestApp::new(db).await;
        let user = app.sign_up_at("ada", ADDRESS).await;
        let helper = app.helper("helper").await;
        let staff = Standing { is_staff: true, roles: vec!["admin".into(), "hallpass:".into()], ..Standing::default() };
        let staff = app.employ("staff", staff).await;
        for operation in administration() {
            let (id, method, path, audience, body, success) = &operation;
            let path = routes::path_for(&app, path, &user).await;
            let nobody = Call::new(method.clone(), &path);
            let nobody = body.as_ref().map_or(nobody.clone(), |body| audience.with(nobody, body));
            nobody.send(&app).await.refused(401, "token_missing");
            for stranger in [&user, &staff] {
                let answer = routes::call(&app, &operation, stranger).await.send(&app).await;
                assert_eq!(answer.problem(), (403, "forbidden".into()), "{id}");
            }
            let answer = routes::call(&app, &operation, &helper).await.send(&app).await;
            if FOR_SUPERUSERS.contains(id) {
                assert_eq!(answer.problem(), (403, "forbidden".into()), "{id}");
            } else {
                assert_eq!(answer.status, *success, "{id}: {}", answer.text());
            }
        }
        let level = |device: &Device<'_>| device.admin(Method::GET, "access").send(&app);
        assert_eq!(level(&helper).await.json()["level"], "helpdesk");
        assert_eq!(level(&app.superuser("root").await).await.json()["level"], "superuser");
    }

    async fn no_token_that_is_over_or_out_of_date_is_let_in(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", ADDRESS).await;
        let mut root = app.superuser("root").await;
        let signed_out = app.log_in("root").await;
        signed_out.log_out().await.done();
        let account = accounts::find(&app.hallpass, "root").await.unwrap().id;
        accounts::grant_role(&app.hallpass, &app.ctx(), account, ROLE).await.unwrap();
        let stale = root.access.clone();
        app.clock_forward(1);
        root.refresh().await;
        let calls = async |device: &Device<'_>, code: &str| {
            for operation in administration() {
                let answer = routes::call(&app, &operation, device).await.send(&app).await;
                assert_eq!(answer.problem(), (401, code.into()), "{}", operation.0);
            }
        };
        let good = std::mem::replace(&mut root.access, stale);
        Call::get("/api/v1/admin/access").bearer(&root.access).send(&app).await.refused(401, "token_stale");
        Call::post("/api/v1/admin/keys/rotate").bearer(&root.access).send(&app).await.refused(401, "token_stale");
        Call::get("/api/v1/admin/access").bearer(&signed_out.access).send(&app).await.refused(401, "session_ended");
        root.access = good;
        assert_eq!(root.admin(Method::GET, "access").send(&app).await.status, 200);
        let seen = root.access.clone();
        app.pass(400).await;
        let mut fresh = app.log_in("root").await;
        fresh.access = seen;
        calls(&fresh, "token_expired").await;
    }

    async fn what_somebody_may_no_longer_do_is_refused_at_the_next_request(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let mut second = app.superuser("second").await;
        let mut helper = app.helper("helper").await;
        for path in ["access", "accounts", "sessions", "accounts/1"] {
            assert_eq!(helper.admin(Method::GET, path).send(&app).await.status, 200, "{path}");
        }
        let id = accounts::find(&app.hallpass, "helper").await.unwrap().id;
        let role = root.admin(Method::DELETE, &format!("accounts/{id}/roles/{HELPDESK}")).send(&app).await;
        assert_eq!(role.status, 200, "{}", role.text());
        for (status, code) in [(401, "token_stale"), (403, "forbidden")] {
            for path in ["access", "accounts", "sessions", "accounts/1"] {
                helper.admin(Method::GET, path).send(&app).await.refused(status, code);
            }
            app.clock_forward(1);
            helper.refresh().await;
        }
        assert_eq!(second.admin(Method::GET, "keys").send(&app).await.status, 200);
        let id = accounts::find(&app.hallpass, "second").await.unwrap().id;
        let demoted = root.admin(Method::PATCH, &format!("accounts/{id}")).json(&json!({ "is_superuser": false }));
        assert_eq!(demoted.send(&app).await.status, 200);
        second.admin(Method::GET, "keys").send(&app).await.refused(401, "token_stale");
        second.refresh().await;
        second.admin(Method::GET, "keys").send(&app).await.refused(403, "forbidden");
        assert_eq!(second.me().await.status, 200, "the token is good for what is the owner's");
        // A token says nothing of what somebody may do: elsewhere the same account is anybody's.
        let twin = app.forgetful_twin().await;
        twin.sign_up("anybody").await;
        for path in ["access", "accounts", "keys"] {
            assert_eq!(root.admin(Method::GET, path).send(&app).await.status, 200, "{path}");
            root.admin(Method::GET, path).send(&twin).await.refused(403, "forbidden");
        }
        accounts::set_active(&app.hallpass, &app.ctx(), id, false).await.unwrap();
        second.admin(Method::GET, "access").send(&app).await.refused(401, "session_ended");
    }

    async fn no_cookie_lets_anybody_in(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", ADDRESS).await;
        let root = app.superuser("root").await;
        let browser = app.log_in_browser("root").await;
        for operation in administration() {
            let (id, method, path, audience, body, _) = &operation;
            let call = Call::new(method.clone(), &routes::path_for(&app, path, &root).await);
            let call = body.as_ref().map_or(call.clone(), |body| audience.with(call, body));
            let call = call.header("cookie", &browser.cookies()).header("origin", FRONT_END);
            let call = call.header("x-csrf-token", browser.csrf.as_ref().unwrap());
            let answer = call.send(&app).await;
            assert_eq!(answer.problem(), (401, "token_missing".into()), "{id}");
        }
    }

    async fn no_other_spelling_of_an_address_reaches_the_administration(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", ADDRESS).await;
        let root = app.superuser("root").await;
        for operation in administration() {
            let (id, method, template, audience, body, success) = &operation;
            let path = routes::path_for(&app, template, &root).await;
            for spelling in spellings(&path) {
                let call = Call::new(method.clone(), &spelling).bearer(&root.access);
                let call = body.as_ref().map_or(call.clone(), |body| audience.with(call, body));
                let answer = call.send(&app).await;
                // The pages of the administration show themselves to everybody, and have nothing in them.
                if method == Method::GET && answer.header("content-type") == Some("text/html; charset=utf-8") {
                    continue;
                }
                let (status, _) = answer.problem();
                // Where an id belongs, what is none has addresses that take other methods.
                assert!([404, 405].contains(&status), "{id}: {spelling}: {status}");
            }
            let answer = routes::call(&app, &operation, &root).await.send(&app).await;
            assert_eq!(answer.status, *success, "{id}: {}", answer.text());
        }
    }

    async fn what_is_no_id_is_the_id_of_nobody(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let session = root.session().await;
        let long = "1".repeat(5_000);
        for id in [
            "0",
            "-1",
            "+1",
            "01",
            "1.0",
            "1e0",
            "0x1",
            "9223372036854775808",
            "x",
            "null",
            "%31",
            "1%00",
            "1;x",
            "1,2",
            "'%20or%201=1%20--",
            "..",
            "%2e%2e",
            "%ff",
            "[]",
            "999",
            &session,
            &long,
        ] {
            for (method, rest) in [
                (Method::GET, ""),
                (Method::PATCH, ""),
                (Method::POST, "/deactivate"),
                (Method::POST, "/activate"),
                (Method::POST, "/password-reset"),
                (Method::PUT, "/roles/auditor"),
                (Method::DELETE, "/roles/auditor"),
                (Method::DELETE, "/sessions"),
            ] {
                let call = root.admin(method.clone(), &format!("accounts/{id}{rest}"));
                let call = if method == Method::PATCH { call.json(&json!({})) } else { call };
                let answer = call.send(&app).await;
                assert_eq!(answer.problem(), (404, "not_found".into()), "{method} {id}{rest}");
            }
        }
        let unknown = "0199a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
        let upper = session.to_uppercase();
        let braces = format!("%7B{session}%7D");
        for id in
            ["1", "x", "00000000-0000-0000-0000-000000000000", unknown, &upper, &session.replace('-', ""), &braces]
        {
            root.admin(Method::DELETE, &format!("sessions/{id}")).send(&app).await.refused(404, "not_found");
        }
        for role in ["a%20b", "a%00", "%C3%A9", "a%0a", &"r".repeat(65), "..%5c", "%3Cb%3E"] {
            let path = format!("accounts/1/roles/{role}");
            root.admin(Method::PUT, &path).send(&app).await.refused(400, "validation_failed");
            root.admin(Method::DELETE, &path).send(&app).await.refused(404, "not_found");
        }
        root.admin(Method::PUT, "accounts/1/roles/%ff").send(&app).await.refused(404, "not_found");
        assert_eq!(root.me().await.status, 200, "nothing has happened");
    }

    async fn what_is_asked_for_is_typed_and_bounded(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let deep = format!("limit={}1{}", "[".repeat(3_000), "]".repeat(3_000));
        let long = format!("search={}", "a".repeat(255));
        let numbers = |name: &str| {
            let values = [
                "",
                "0",
                "-1",
                "+1",
                "01",
                "1.0",
                "1e1",
                "0x1",
                "%31",
                "101",
                "9223372036854775808",
                "x",
                "null",
                "true",
                "[]",
                "1,2",
                "1;drop+table+accounts",
                "'+or+1=1+--",
                "1%00",
                "NaN",
            ];
            values.map(|value| format!("{name}={value}"))
        };
        let words = |name: &str| {
            let values =
                ["", "ACTIVE", "Newest", "1", "0", "TRUE", "yes", "active,deleted", "'+or+1=1+--", "x", "%61ctive"];
            values.map(|value| format!("{name}={value}"))
        };
        let texts = |name: &str| {
            ["", "%", "%4", "%zz", "%ff", "a%00b", "%0a", "%ED%A0%80"].map(|value| format!("{name}={value}"))
        };
        let lists: [(&str, Names, Names, Names); 5] = [
            ("accounts", &["limit"], &["status", "verified", "level", "order"], &["search", "role", "cursor"]),
            ("sessions", &["limit"], &[], &["cursor"]),
            ("events", &["limit"], &["event"], &["cursor"]),
            ("outbox", &["limit"], &[], &[]),
            ("statistics", &["days"], &[], &[]),
        ];
        for (path, of_numbers, of_words, of_texts) in lists {
            let mut queries: Vec<String> =
                ["x=1", "LIMIT=1", "limit[]=1", "search[$ne]=1", "sort=password", "offset=-1"]
                    .map(str::to_owned)
                    .into();
            queries.extend([deep.clone(), long.clone()]);
            queries.extend(of_numbers.iter().flat_map(|name| numbers(name)));
            queries.extend(of_words.iter().flat_map(|name| words(name)));
            queries.extend(of_texts.iter().flat_map(|name| texts(name)));
            for name in of_numbers.iter().chain(of_words).chain(of_texts) {
                queries.push(format!("{name}=1&{name}=1"));
            }
            for query in queries {
                let answer = root.admin(Method::GET, &format!("{path}?{query}")).send(&app).await;
                assert_eq!(answer.problem(), (400, "invalid_request".into()), "{path}?{query}");
                let name = query.split('=').next().unwrap();
                let known = of_numbers.iter().chain(of_words).chain(of_texts).any(|known| *known == name);
                if known && query.matches(name).count() == 1 {
                    let detail = answer.json()["detail"].as_str().unwrap().to_owned();
                    assert!(detail.starts_with(&format!("`{name}` is ")), "{path}?{query}: {detail}");
                }
            }
            assert_eq!(root.admin(Method::GET, &format!("{path}?")).send(&app).await.status, 200, "{path}");
        }
        for query in [
            "sessions?account=0",
            "sessions?account=-1",
            "sessions?account=9223372036854775808",
            "events?account=x",
            "events?since=-1",
            "events?until=1.5",
            "events?since=9223372036854775808",
            "events?until=253402300800",
        ] {
            root.admin(Method::GET, query).send(&app).await.refused(400, "invalid_request");
        }
    }

    async fn every_word_of_which_the_document_says_that_it_is_taken_is(db) {
        let app = TestApp::new(db).await;
        let root = app.superuser("root").await;
        let document: Value = serde_json::from_str(&hallpass_axum::openapi_json()).unwrap();
        let parameters = document["paths"]["/api/v1/admin/accounts"]["get"]["parameters"].as_array().unwrap();
        let mut taken = Vec::new();
        for parameter in parameters {
            let name = parameter["name"].as_str().unwrap();
            for word in parameter["schema"]["enum"].as_array().into_iter().flatten() {
                let query = format!("{name}={}", word.as_str().unwrap());
                assert_eq!(
                    root.admin(Method::GET, &format!("accounts?{query}")).send(&app).await.status,
                    200,
                    "{query}"
                );
                taken.push(query);
            }
        }
        let expected = [
            "status=active",
            "status=deactivated",
            "status=deletion",
            "level=staff",
            "level=superuser",
            "order=newest",
            "order=oldest",
        ];
        assert_eq!(taken, expected);
    }
}

/// Other ways to write a path, which servers and proxies have taken for it.
fn spellings(path: &str) -> Vec<String> {
    let (_, rest) = path.split_once("/api/v1/admin/").unwrap();
    let mut spellings: Vec<String> = [
        "/api/v1//admin/",
        "/api/v1/admin//",
        "//api/v1/admin/",
        "/API/V1/ADMIN/",
        "/api/v1/Admin/",
        "/api/v1/admin;x/",
        "/api/v1/admin;/",
        "/api/v1;x/admin/",
        "/api/v1/%61dmin/",
        "/api/v1/admi%6E/",
        "/api/v1%2fadmin/",
        "/api/v1/admin%2f",
        "/api/v1/admin/../admin/",
        "/api/v1/me/../admin/",
        "/api/v1/./admin/",
        "/api/v1/admin/./",
        "/api/v1/admin/%2e/",
        "/api/v1/me/%2e%2e/admin/",
        "/api/v1/me/..;/admin/",
        "/api/v1/admin%20/",
        "/api/v1/admin%00/",
        "/api/v1/admin./",
        "/admin/",
        "/api/v1/me%2f..%2fadmin/",
        "/api/v1/%2561dmin/",
        "/api/admin/",
        "/api/v1/admin\\",
    ]
    .map(|prefix| format!("{prefix}{rest}"))
    .into();
    for end in ["/", "//", ";x", ";", "/.", "/..;/", "%2f", "%00", "%20", ".json", "~"] {
        // Behind a role it is another role, or none.
        if !path.contains("/roles/") || end.starts_with('/') {
            spellings.push(format!("{path}{end}"));
        }
    }
    spellings
}

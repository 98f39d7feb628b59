//! Every operation of the interface by name. A new one fails here until somebody has decided who may call it.

use std::collections::BTreeSet;

use axum::http::Method;
use hallpass_core::on_both_engines;
use serde_json::{Value, json};

use crate::support::*;

/// Who gets an answer other than 401.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// Anybody.
    Everybody,
    /// Whoever sends a good access token, and nobody else.
    SignedIn,
    /// The same, if the account may administer.
    Administrator,
    /// A program, by its client's id and secret; a body is a form. It is refused with `client_invalid` otherwise.
    Program,
    /// Whoever holds a session, by its refresh secret; it is refused with `refresh_missing` otherwise.
    Session,
}

impl For {
    /// A call with a body as these callers write it.
    pub(crate) fn with(self, call: Call, body: &Value) -> Call {
        if self == For::Program { call.form(body) } else { call.json(body) }
    }

    /// Whether it is asked for an access token, and nothing else counts.
    pub(crate) fn is_by_token(self) -> bool {
        [For::SignedIn, For::Administrator].contains(&self)
    }

    /// The user name of somebody who may.
    pub(crate) fn somebody(self) -> &'static str {
        if self == For::Administrator { "root" } else { "ada" }
    }
}

/// An operation: its id, how to call it, for whom it is, a body that it accepts, and its success.
pub(crate) type Operation = (&'static str, Method, &'static str, For, Option<Value>, u16);

pub(crate) fn operations() -> Vec<Operation> {
    use For::{Administrator, Everybody, Program, Session, SignedIn};
    let sign_up = json!({ "username": "somebody", "password": PASSWORD });
    let log_in = json!({ "username": "ada", "password": PASSWORD });
    let password = json!({ "current_password": PASSWORD, "new_password": "lighthouse pickle gravity 9" });
    let address = || Some(json!({ "email": ADDRESS }));
    let link = |page: &str| Some(json!({ "token": format!("MAILED {page}") }));
    let reset = json!({ "token": "MAILED reset", "new_password": PASSWORD });
    let change = json!({ "email": "countess@example.com", "password": PASSWORD });
    let deletion = json!({ "password": PASSWORD });
    let person = json!({ "username": "countess" });
    vec![
        ("signUp", Method::POST, "/api/v1/signup", Everybody, Some(sign_up), 201),
        ("logIn", Method::POST, "/api/v1/login", Everybody, Some(log_in), 200),
        ("refresh", Method::POST, "/api/v1/refresh", Session, Some(json!({ "refresh_token": "SECRET" })), 200),
        ("logOut", Method::POST, "/api/v1/logout", Everybody, Some(json!({})), 204),
        ("logOutEverywhere", Method::POST, "/api/v1/logout-everywhere", SignedIn, None, 204),
        ("readSession", Method::GET, "/api/v1/session", SignedIn, None, 200),
        ("readMe", Method::GET, "/api/v1/me", SignedIn, None, 200),
        ("changeMe", Method::PATCH, "/api/v1/me", SignedIn, Some(json!({ "first_name": "Ada" })), 200),
        ("changePassword", Method::POST, "/api/v1/password", SignedIn, Some(password), 204),
        ("requestVerification", Method::POST, "/api/v1/verify-email/request", Everybody, address(), 202),
        ("verifyEmail", Method::POST, "/api/v1/verify-email", Everybody, link("verify"), 204),
        ("requestPasswordReset", Method::POST, "/api/v1/password-reset/request", Everybody, address(), 202),
        ("resetPassword", Method::POST, "/api/v1/password-reset", Everybody, Some(reset), 204),
        ("requestSignInLink", Method::POST, "/api/v1/sign-in-link/request", Everybody, address(), 202),
        ("signInByLink", Method::POST, "/api/v1/sign-in-link", Everybody, link("sign-in"), 200),
        ("requestEmailChange", Method::POST, "/api/v1/email-change/request", SignedIn, Some(change), 202),
        ("changeEmail", Method::POST, "/api/v1/email-change", Everybody, link("change-email"), 204),
        ("exportAccount", Method::GET, "/api/v1/me/export", SignedIn, None, 200),
        ("scheduleDeletion", Method::POST, "/api/v1/account-deletion", SignedIn, Some(deletion), 202),
        ("listSessions", Method::GET, "/api/v1/sessions", SignedIn, None, 200),
        ("endOtherSessions", Method::DELETE, "/api/v1/sessions", SignedIn, None, 204),
        ("endSession", Method::DELETE, "/api/v1/sessions/{id}", SignedIn, None, 204),
        ("readActivity", Method::GET, "/api/v1/activity", SignedIn, None, 200),
        ("readCsrfToken", Method::GET, "/api/v1/csrf", Session, None, 200),
        ("introspectToken", Method::POST, "/api/v1/introspect", Program, Some(json!({ "token": "SECRET" })), 200),
        ("revokeToken", Method::POST, "/api/v1/revoke", Program, Some(json!({ "token": "x" })), 200),
        ("readRevocations", Method::GET, "/api/v1/revocations", Program, None, 200),
        ("forwardAuth", Method::GET, "/api/v1/forward-auth", SignedIn, None, 200),
        ("readStatusList", Method::GET, "/api/v1/status-lists/{name}", Everybody, None, 200),
        ("readAdminAccess", Method::GET, "/api/v1/admin/access", Administrator, None, 200),
        ("readStatistics", Method::GET, "/api/v1/admin/statistics", Administrator, None, 200),
        ("listAccounts", Method::GET, "/api/v1/admin/accounts", Administrator, None, 200),
        ("createAccount", Method::POST, "/api/v1/admin/accounts", Administrator, Some(person), 201),
        ("readAccount", Method::GET, "/api/v1/admin/accounts/{id}", Administrator, None, 200),
        (
            "changeAccount",
            Method::PATCH,
            "/api/v1/admin/accounts/{id}",
            Administrator,
            Some(json!({ "last_name": "King" })),
            200,
        ),
        ("deactivateAccount", Method::POST, "/api/v1/admin/accounts/{id}/deactivate", Administrator, None, 200),
        ("activateAccount", Method::POST, "/api/v1/admin/accounts/{id}/activate", Administrator, None, 200),
        ("sendPasswordReset", Method::POST, "/api/v1/admin/accounts/{id}/password-reset", Administrator, None, 202),
        ("grantRole", Method::PUT, "/api/v1/admin/accounts/{id}/roles/{role}", Administrator, None, 200),
        ("revokeRole", Method::DELETE, "/api/v1/admin/accounts/{id}/roles/{role}", Administrator, None, 200),
        ("endSessionsOfAccount", Method::DELETE, "/api/v1/admin/accounts/{id}/sessions", Administrator, None, 204),
        ("listAllSessions", Method::GET, "/api/v1/admin/sessions", Administrator, None, 200),
        ("endSessionOfAnybody", Method::DELETE, "/api/v1/admin/sessions/{id}", Administrator, None, 204),
        ("listEvents", Method::GET, "/api/v1/admin/events", Administrator, None, 200),
        ("listKeys", Method::GET, "/api/v1/admin/keys", Administrator, None, 200),
        ("rotateKeys", Method::POST, "/api/v1/admin/keys/rotate", Administrator, None, 200),
        ("listMails", Method::GET, "/api/v1/admin/outbox", Administrator, None, 200),
        ("retryMails", Method::POST, "/api/v1/admin/outbox/retry", Administrator, None, 200),
        ("readKeys", Method::GET, "/.well-known/jwks.json", Everybody, None, 200),
        ("readConfiguration", Method::GET, "/api/v1/configuration", Everybody, None, 200),
        ("isAlive", Method::GET, "/healthz", Everybody, None, 200),
        ("isReady", Method::GET, "/readyz", Everybody, None, 200),
    ]
}

/// The address of the account that drives them.
pub(crate) const ADDRESS: &str = "ada@example.com";

fn document() -> Value {
    serde_json::from_str(&hallpass_axum::openapi_json()).unwrap()
}

/// The body that an operation accepts, with the secrets of `device` in it, or of a mail that it asked for.
pub(crate) async fn body(app: &TestApp, operation: &Operation, device: &Device<'_>) -> Option<Value> {
    let (_, _, path, _, body, _) = operation;
    let mut body: Value = serde_json::from_str(&body.as_ref()?.to_string().replace("SECRET", &device.refresh)).unwrap();
    if let Some(page) = body["token"].as_str().and_then(|token| token.strip_prefix("MAILED ")) {
        let request = format!("{path}/request");
        let wanted = operations().into_iter().find(|operation| operation.2 == request).unwrap().4.unwrap();
        Call::post(&request).bearer(&device.access).json(&wanted).send(app).await.accepted();
        body["token"] = json!(app.mailed(page).await);
    }
    Some(body)
}

/// The path of an operation with what `device` would put into it.
pub(crate) async fn path_for(app: &TestApp, path: &str, device: &Device<'_>) -> String {
    let (list, _) = device.status_list();
    let id = match path {
        "/api/v1/admin/sessions/{id}" => app.log_in("ada").await.session().await,
        path if path.starts_with("/api/v1/admin/accounts/{id}") => app.somebody_else().await.to_string(),
        path if path.contains("{id}") => device.session().await,
        _ => String::new(),
    };
    path.replace("{id}", &id).replace("{role}", ROLE).replace("{name}", list.rsplit('/').next().unwrap())
}

/// A call of an operation by `device`, with the body that is accepted.
pub(crate) async fn call(app: &TestApp, operation: &Operation, device: &Device<'_>) -> Call {
    let (_, method, path, audience, ..) = operation;
    let path = path_for(app, path, device).await;
    let mut call = Call::new(method.clone(), &path);
    if let Some(body) = body(app, operation, device).await {
        call = audience.with(call, &body);
    }
    match audience {
        For::Program => call.header("authorization", &app.program().await.proof()),
        _ if audience.is_by_token() || path == "/api/v1/csrf" => call.bearer(&device.access),
        _ => call,
    }
}

/// Whether a value has the shape that a schema promises, as far as members, types and values go.
fn conforms(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(pointer) = schema["$ref"].as_str() {
        return conforms(document, document.pointer(&pointer[1..]).unwrap(), value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        return if choices.iter().any(|choice| conforms(document, choice, value).is_ok()) {
            Ok(())
        } else {
            Err(format!("{value}"))
        };
    }
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    let allowed = match &schema["type"] {
        Value::String(one) => one == kind,
        Value::Array(some) => some.iter().any(|one| one == kind),
        _ => true,
    };
    if !allowed {
        return Err(format!("{value} is {kind}, not {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        return Err(format!("{value} is none of the values"));
    }
    for item in value.as_array().into_iter().flatten() {
        conforms(document, &schema["items"], item)?;
    }
    let Some(members) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        if !members.contains_key(name.as_str().unwrap()) {
            return Err(format!("{name} is missing"));
        }
    }
    for (name, member) in members {
        match &schema["properties"][name] {
            Value::Null if schema["properties"].is_object() => return Err(format!("{name} is not documented")),
            Value::Null => {}
            schema => conforms(document, schema, member).map_err(|problem| format!("{name}: {problem}"))?,
        }
    }
    Ok(())
}

/// Asserts that an answer is one that the document promises for the operation.
fn assert_documented(document: &Value, path: &str, method: &Method, answer: &Answer) {
    let pointer =
        format!("/paths/{}/{}/responses", path.replace('~', "~0").replace('/', "~1"), method.as_str().to_lowercase());
    let responses = document.pointer(&pointer).unwrap_or_else(|| panic!("{pointer}"));
    let response = &responses[answer.status.as_str()];
    assert!(!response.is_null(), "{method} {path}: {} is not documented: {}", answer.status, answer.text());
    let Some(content) = response["content"].as_object() else {
        return assert!(answer.body.is_empty(), "{}", answer.text());
    };
    let kind = answer.header("content-type").unwrap().split(';').next().unwrap();
    let schema = &content.get(kind).unwrap_or_else(|| panic!("{method} {path}: {kind}"))["schema"];
    // A JWT is text.
    let value = if kind.ends_with("+jwt") { json!(answer.text()) } else { answer.json() };
    conforms(document, schema, &value).unwrap_or_else(|problem| panic!("{method} {path} {}: {problem}", answer.status));
}

#[test]
fn the_document_and_this_list_name_the_same_operations() {
    let document = document();
    let documented: BTreeSet<(String, String, String)> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, item)| {
            let operations = item.as_object().unwrap().iter();
            operations.map(move |(method, operation)| {
                (operation["operationId"].as_str().unwrap().to_owned(), method.to_uppercase(), path.clone())
            })
        })
        .collect();
    let listed = operations()
        .iter()
        .map(|(id, method, path, ..)| ((*id).to_owned(), method.to_string(), (*path).to_owned()))
        .collect();
    assert_eq!(documented, listed);
}

#[test]
fn the_document_says_of_each_operation_for_whom_it_is() {
    let document = document();
    for (id, method, path, audience, body, success) in operations() {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        let token_alone = operation["security"] == json!([{ "access_token": [] }]);
        assert_eq!(token_alone, audience.is_by_token(), "{id}: {}", operation["security"]);
        let program_alone = operation["security"] == json!([{ "client_credentials": [] }]);
        assert_eq!(program_alone, audience == For::Program, "{id}: {}", operation["security"]);
        let form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"].is_object();
        assert_eq!(form, audience == For::Program && body.is_some(), "{id}");
        assert_eq!(operation["requestBody"].is_object(), body.is_some(), "{id}");
        assert!(operation["responses"][success.to_string()].is_object(), "{id}");
        assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{id}");
    }
}

on_both_engines! {
    async fn every_operation_does_what_its_documentation_promises(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", ADDRESS).await;
        app.superuser("root").await;
        for operation in operations() {
            let (id, method, path, audience, _, success) = &operation;
            let device = app.log_in(audience.somebody()).await;
            let answer = call(&app, &operation, &device).await.send(&app).await;
            assert_eq!(answer.status.as_u16(), *success, "{id}: {}", answer.text());
            assert_documented(&document(), path, method, &answer);
            if *id == "changePassword" {
                app.log_in_with("ada", "lighthouse pickle gravity 9")
                    .await
                    .change_password("lighthouse pickle gravity 9", PASSWORD)
                    .await
                    .done();
            }
        }
    }

    async fn nobody_gets_past_without_the_credential_that_an_operation_asks_for(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        let program = app.program().await;
        for (id, method, path, audience, body, success) in operations() {
            let path = path.replace("{id}", "00000000-0000-7000-8000-000000000000");
            let plain = || {
                let call = Call::new(method.clone(), &path);
                let refused_before_it_is_read = audience.is_by_token() || audience == For::Program;
                let body = body.as_ref().filter(|_| refused_before_it_is_read);
                body.map_or(call.clone(), |body| audience.with(call.clone(), body))
            };
            match audience {
                For::Everybody => assert_ne!(plain().send(&app).await.status, 401, "{id}"),
                For::Session => plain().send(&app).await.refused(401, "refresh_missing"),
                For::Program => {
                    let Program { id: client, secret } = &program;
                    let good = program.proof();
                    for wrong in [
                        None,
                        Some(format!("Bearer {}", device.access)),
                        Some("Basic".into()),
                        Some("Basic ".into()),
                        Some(format!("Basic {client}:{secret}")),
                        Some(good.replace("Basic", "Bearer")),
                        Some(good.replace("Basic ", "Basic  ")),
                        Some(good.trim_end_matches('=').to_owned()),
                        Some(format!("{good}=")),
                        Some(format!("{good}, {good}")),
                        Some(basic(client)),
                        Some(basic(&format!("{client}:"))),
                        Some(basic(&format!(":{secret}"))),
                        Some(basic(&format!("{secret}:{client}"))),
                        Some(basic(&format!("{client}:{secret}:"))),
                        Some(basic(&format!("{client}:{secret} "))),
                        Some(basic(&format!("{client}:{}", secret.to_lowercase()))),
                        Some(basic(&format!("{client}\0:{secret}"))),
                    ] {
                        let call = wrong.iter().fold(plain(), |call, wrong| call.header("authorization", wrong));
                        let answer = call.send(&app).await;
                        answer.refused(401, "client_invalid");
                        let asked = answer.header("www-authenticate");
                        assert_eq!(asked, Some(r#"Basic realm="hallpass", charset="UTF-8""#), "{id} {wrong:?}");
                        assert_documented(&document(), &path, &method, &answer);
                    }
                    let twice = plain().header("authorization", &good).header("authorization", &good);
                    twice.send(&app).await.refused(401, "client_invalid");
                    let lower = plain().header("authorization", &good.replace("Basic", "basic"));
                    assert_eq!(lower.send(&app).await.status, success, "{id}");
                }
                For::SignedIn | For::Administrator => {
                    plain().send(&app).await.refused(401, "token_missing");
                    let by_cookie =
                        plain().header("cookie", &browser.cookies()).header("sec-fetch-site", "same-origin");
                    by_cookie.send(&app).await.refused(401, "token_missing");
                    for wrong in [
                        "Bearer".to_owned(),
                        "Bearer ".to_owned(),
                        "Bearer x".to_owned(),
                        format!("Basic {}", device.access),
                        format!("JWT {}", device.access),
                        format!("Bearer  {}", device.access),
                        format!("Bearer {0}, Bearer {0}", device.access),
                        format!("Bearer {}x", device.access),
                        format!("Bearer {}", device.refresh),
                        device.access.clone(),
                    ] {
                        let answer = plain().header("authorization", &wrong).send(&app).await;
                        answer.refused(401, "token_invalid");
                        assert!(
                            answer.header("www-authenticate").unwrap().starts_with("Bearer error=\"invalid_token\"")
                        );
                        assert_documented(
                            &document(),
                            &path.replace("00000000-0000-7000-8000-000000000000", "{id}"),
                            &method,
                            &answer,
                        );
                    }
                    let twice = plain().bearer(&device.access).bearer(&device.access);
                    twice.send(&app).await.refused(401, "token_invalid");
                }
            }
        }
    }

    async fn every_address_refuses_the_methods_that_it_does_not_take(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let taken = |path: &str| {
            operations()
                .iter()
                .filter(|operation| operation.2 == path)
                .map(|operation| operation.1.clone())
                .collect::<Vec<_>>()
        };
        for (_, _, path, ..) in operations() {
            let taken = taken(path);
            for method in
                ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY", "get"]
            {
                let read = method == "HEAD" && taken.contains(&Method::GET);
                if read || taken.iter().any(|one| one.as_str() == method) {
                    continue;
                }
                let method = Method::from_bytes(method.as_bytes()).unwrap();
                let answer =
                    Call::new(method.clone(), &path.replace("{id}", "x")).bearer(&device.access).send(&app).await;
                assert_eq!(answer.status, 405, "{method} {path}");
                let allow = answer.header("allow").unwrap_or_else(|| panic!("{method} {path} has no Allow"));
                assert!(taken.iter().all(|one| allow.contains(one.as_str())), "{method} {path}: {allow}");
                if method != Method::HEAD {
                    answer.refused(405, "method_not_allowed");
                }
            }
        }
        assert_eq!(device.me().await.status, 200);
    }

    async fn no_other_spelling_of_an_address_is_the_address(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        for path in [
            "/api/v1/me/",
            "/api/v1//me",
            "//api/v1/me",
            "/API/v1/me",
            "/api/v1/me;x",
            "/api/v1/%6de",
            "/api/v1/me%00",
            "/api/v1/./me",
            "/api/v1/x/../me",
            "/api/v1/me.json",
            "/api/v2/me",
            "/api/v1",
            "/assets/",
            "/assets/../Cargo.toml",
            "/assets/%2e%2e/Cargo.toml",
            "/assets/..%5cCargo.toml",
            "/assets/docs.js.map",
            "/.git/config",
            "/.env",
            "/docs/",
            "/openapi.yaml",
        ] {
            device.get(path).await.refused(404, "not_found");
        }
    }

    async fn nothing_is_taken_from_the_query(db) {
        let app = TestApp::new(db).await;
        let (device, root) = (app.sign_up("ada").await, app.superuser("root").await);
        for (id, method, path, audience, body, _) in operations() {
            // What stands there is another request's.
            if id == "forwardAuth" {
                continue;
            }
            let path = path.replace("{id}", "x");
            for query in ["access_token=x", "token=x", "callback=x", "password=a&password=b"] {
                let mut call = Call::new(method.clone(), &format!("{path}?{query}"));
                if let Some(body) = &body {
                    call = audience.with(call, body);
                }
                // Where who asks is looked at before what is asked.
                if path.starts_with("/api/v1/admin/") {
                    call = call.bearer(&root.access);
                }
                assert_eq!(call.send(&app).await.problem(), (400, "invalid_request".into()), "{id} {query}");
            }
        }
        Call::get(&format!("/api/v1/me?access_token={}", device.access))
            .send(&app)
            .await
            .refused(400, "invalid_request");
        Call::get("/api/v1/me?").bearer(&device.access).send(&app).await;
    }
}

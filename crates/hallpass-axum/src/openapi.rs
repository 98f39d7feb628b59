//! The description of the HTTP interface (OpenAPI 3.1), read off the handlers and completed with what holds for all.
//!
//! No operation writes down what the layers around all of them can answer: that is derived from the operation's shape,
//! so it can neither be forgotten nor grow old.

use hallpass_core::{
    Code,
    admin::{Level, Order, Standing, Status},
    keys::KeyState,
    sessions::EndCause,
};
use serde_json::{Map, Value, json};
use utoipa::{OpenApi, openapi};

use crate::{api, error};

/// What is not to be read off the handlers.
#[derive(OpenApi)]
#[openapi(
    info(title = "Hallpass", description = "Sign-in for front ends that live apart from their back end."),
    tags(
        (name = "Sign in", description = "Getting an access token, and keeping it fresh."),
        (name = "Sign out", description = "Ending sessions so that their tokens are worth nothing at once."),
        (name = "Account", description = "What the owner of an account can see and change."),
        (name = "Sessions", description = "The devices on which an account is signed in."),
        (name = "Programs", description = "For back ends and proxies that let people in by our tokens."),
        (name = "Admin", description = "What the operator's people see and change of everybody's accounts, and of the \
            server. What somebody may do is asked of the database with each request."),
        (name = "Server", description = "Keys and health."),
    ),
    components(schemas(error::Document, error::Field))
)]
struct Common;

/// The description as it is published with a release: for a server with a host of its own.
pub fn openapi_json() -> String {
    let document = api::routes().document;
    complete(&document, "")
}

/// The description of a server whose public URL has the path `prefix`.
pub(crate) fn complete(routes: &openapi::OpenApi, prefix: &str) -> String {
    let mut common = Common::openapi();
    common.merge(routes.clone());
    // The types always serialise; were that ever to change, the comparison with the committed file says so.
    let mut document = serde_json::to_value(&common).unwrap_or_default();
    if let Some(root) = document.as_object_mut() {
        root.insert("servers".into(), json!([{ "url": if prefix.is_empty() { "/" } else { prefix } }]));
        root.insert("x-errors".into(), errors());
    }
    if let Some(components) = document.pointer_mut("/components").and_then(Value::as_object_mut) {
        components.insert("securitySchemes".into(), security_schemes());
    }
    for (pointer, names) in [
        ("/components/schemas/Problem/properties/code", Code::ALL.iter().map(|code| code.as_str()).collect::<Vec<_>>()),
        ("/components/schemas/Problem/properties/cause", EndCause::ALL.iter().map(|cause| cause.as_str()).collect()),
        ("/components/schemas/AdminAccess/properties/level", LEVELS.map(Level::as_str).to_vec()),
        ("/components/schemas/AdminKey/properties/state", KEY_STATES.map(KeyState::as_str).to_vec()),
        ("/components/schemas/Configuration/properties/username", PRESENCES.to_vec()),
        ("/components/schemas/Configuration/properties/email", PRESENCES.to_vec()),
        ("/components/schemas/Configuration/properties/verify_email", VERIFICATIONS.to_vec()),
    ] {
        if let Some(schema) = document.pointer_mut(pointer).and_then(Value::as_object_mut) {
            schema.insert("enum".into(), json!(names));
        }
    }
    // What cannot be said in the type: one of both is needed.
    for (pointer, one, other) in [
        ("/components/schemas/LogIn", &["username"][..], &["email"][..]),
        ("/components/schemas/SignInByLink", &["token"], &["email", "code"]),
    ] {
        if let Some(schema) = document.pointer_mut(pointer).and_then(Value::as_object_mut) {
            schema.insert("anyOf".into(), json!([{ "required": one }, { "required": other }]));
        }
    }
    let operations = document.pointer_mut("/paths").and_then(Value::as_object_mut);
    let operations = operations.into_iter().flatten().filter_map(|(path, item)| Some((path, item.as_object_mut()?)));
    for (path, item) in operations {
        for (method, operation) in item.iter_mut() {
            no_null_body(operation);
            add_words(operation);
            if let Some(operation) = operation.as_object_mut() {
                add_failures(path, method, operation);
            }
        }
    }
    format!("{document:#}\n")
}

/// A body that may be left out is still none that may be `null`.
fn no_null_body(operation: &mut Value) {
    let Some(schema) = operation.pointer_mut("/requestBody/content/application~1json/schema") else { return };
    let choices = schema.get_mut("oneOf").and_then(Value::as_array_mut).map(std::mem::take);
    let mut real = choices.into_iter().flatten().filter(|choice| *choice != json!({ "type": "null" }));
    if let Some(only) = real.next() {
        *schema = only;
    }
}

const PRESENCES: [&str; 3] = ["required", "optional", "off"];

const VERIFICATIONS: [&str; 3] = ["none", "optional", "required"];

const LEVELS: [Level; 2] = [Level::Superuser, Level::Helpdesk];

const KEY_STATES: [KeyState; 4] = [KeyState::Next, KeyState::Current, KeyState::Retired, KeyState::Revoked];

/// Adds the words of which a parameter is one.
fn add_words(operation: &mut Value) {
    let parameters = operation.get_mut("parameters").and_then(Value::as_array_mut);
    for parameter in parameters.into_iter().flatten() {
        let words: Vec<&str> = match parameter.get("name").and_then(Value::as_str) {
            Some("status") => Status::ALL.iter().map(|status| status.as_str()).collect(),
            Some("level") => Standing::ALL.iter().map(|standing| standing.as_str()).collect(),
            Some("order") => Order::ALL.iter().map(|order| order.as_str()).collect(),
            _ => continue,
        };
        if let Some(schema) = parameter.get_mut("schema").and_then(Value::as_object_mut) {
            schema.insert("enum".into(), json!(words));
        }
    }
}

/// Adds the failures that an operation of this shape can answer with.
fn add_failures(path: &str, method: &str, operation: &mut Map<String, Value>) {
    let id = operation.get("operationId").and_then(Value::as_str).unwrap_or_default().to_owned();
    let asks_who = operation
        .get("security")
        .and_then(Value::as_array)
        .is_some_and(|ways| ways.iter().any(|way| *way != json!({})));
    let has_body = operation.contains_key("requestBody");
    let changes = method != "get";
    let administers = path.starts_with("/api/v1/admin/");
    let redeems = ["verifyEmail", "resetPassword", "changeEmail", "signInByLink"].contains(&id.as_str());
    // What guesses passwords, codes and client secrets, fills the database, or has mail sent.
    let by_program = operation.get("security") == Some(&json!([{ "client_credentials": [] }]));
    let counted = by_program
        || id.starts_with("request")
        || ["signUp", "logIn", "signInByLink", "changePassword", "scheduleDeletion", "sendPasswordReset"]
            .contains(&id.as_str());
    let failures = [
        (!redeems, 400, "The request cannot be read, or some values are not allowed"),
        (redeems, 400, "The request cannot be read, some values are not allowed, or the link is not valid any more"),
        (asks_who || id == "logIn", 401, "Not signed in, or what was sent does not prove it; `code` says which"),
        (changes || administers, 403, "Not from this page, or not allowed"),
        (path.contains('{'), 404, "There is no such thing, or none that the caller may see"),
        (id == "signUp", 409, "The user name or the e-mail address is taken"),
        (id == "createAccount", 409, "The user name or the e-mail address is taken"),
        (id == "changeAccount", 409, "The user name or the e-mail address is taken, or nobody else may do everything"),
        (["deactivateAccount", "scheduleDeletion"].contains(&id.as_str()), 409, "Nobody else may do everything"),
        (id == "changeEmail", 409, "The e-mail address has become another account's"),
        (changes, 413, "The body is larger than 64 KiB"),
        (has_body, 415, "The body is of another type than the one above"),
        (counted, 429, "Too many attempts: wait as many seconds as `Retry-After` says"),
        (
            true,
            503,
            "The server is busy, its database does not answer, or it does not know what was taken back lately; only \
                `deadline_exceeded` may have changed something",
        ),
    ];
    let responses = operation.entry("responses").or_insert_with(|| json!({}));
    let Some(responses) = responses.as_object_mut() else { return };
    for (_, status, description) in failures.into_iter().filter(|(occurs, ..)| *occurs) {
        let schema = json!({ "$ref": "#/components/schemas/Problem" });
        let content = json!({ "application/problem+json": { "schema": schema } });
        responses.insert(status.to_string(), json!({ "description": description, "content": content }));
    }
}

/// How a request can prove who sends it.
fn security_schemes() -> Value {
    json!({
        "access_token": {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "JWT",
            "description": "An access token (RFC 6750). A request that carries one is judged by it alone.",
        },
        "refresh_cookie": {
            "type": "apiKey",
            "in": "cookie",
            "name": crate::cookies::REFRESH.name,
            "description": "The refresh secret of a browser, set at sign-in. It counts only where the browser says \
                that the request comes from a page of ours, or together with `csrf_token`.",
        },
        "client_credentials": {
            "type": "http",
            "scheme": "basic",
            "description": "The id and the secret of a program, as `hallpass clients create` prints them (RFC 7617).",
        },
        "csrf_token": {
            "type": "apiKey",
            "in": "header",
            "name": "X-CSRF-Token",
            "description": "The token of `GET /api/v1/csrf`, for browsers that send neither `Origin` nor \
                `Sec-Fetch-Site`; `X-CSRFToken` is taken as well.",
        },
    })
}

/// The table of codes, for the reference page.
fn errors() -> Value {
    let row = |code: &Code| {
        json!({
            "code": code.as_str(),
            "status": error::status(*code).as_u16(),
            "title": code.title(),
            "meaning": code.meaning(),
        })
    };
    Code::ALL.iter().map(row).collect()
}

//! The page that a person finds at an address of a dialect: what is there, a form to try it, and what came of it.
//!
//! Nothing on it runs, and nothing is loaded but the style. What is not said by this program itself stands there as text.

use std::fmt::Write;

use axum::http::{Method, StatusCode};
use serde_json::Value;

use super::{
    describe::{About, Field, Kind},
    drf::{Call, Reply},
};
use crate::pages::escaped;

/// What pages and all else here may do when a browser shows it (Content Security Policy Level 3).
pub(super) const POLICY: &str = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; \
    frame-ancestors 'none'";

/// The page for a call and its answer. `prefix` is the path of the public URL, and `csrf` what the form proves itself by.
pub(super) fn html(call: &Call, prefix: &str, about: &About, reply: &Reply, csrf: &str) -> String {
    // Whoever only opens the address of a form has made no mistake that would have to be shown.
    let opened = call.method == Method::GET && reply.status == StatusCode::METHOD_NOT_ALLOWED;
    // Nor is there anything to fill in for whoever may not.
    let barred = call.method == Method::GET && [401, 403].contains(&reply.status.as_u16());
    let status = if opened { String::new() } else { words(reply.status) };
    let name = escaped(about.name);
    let title = if opened { name.clone() } else { format!("{status} – {name}") };
    let parts = [
        if opened { String::new() } else { answer(&status, reply) },
        if about.takes("POST") && !barred { form(call, about, reply, csrf) } else { String::new() },
        fields(&about.fields),
    ]
    .concat();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"robots\" content=\"noindex\">\n<title>{title}</title>\n\
         <link rel=\"stylesheet\" href=\"{prefix}/assets/hallpass.css\">\n<link rel=\"icon\" href=\"data:,\">\n</head>\n<body>\n<main class=\"endpoint\">\n\
         <h1>{name}</h1>\n<p>{what}</p>\n<p class=\"address\">{methods}<code>{prefix}{path}</code></p>\n{parts}\
         <p class=\"quiet\">Programs send JSON or a form here and get JSON; <code>OPTIONS</code> tells them what there \
         is.</p>\n</main>\n</body>\n</html>\n",
        what = escaped(about.what),
        methods = about.methods.split(", ").map(method).collect::<String>(),
        prefix = escaped(prefix),
        path = escaped(&call.path),
    )
}

/// A status as people read it.
fn words(status: StatusCode) -> String {
    format!("{} {}", status.as_u16(), status.canonical_reason().unwrap_or_default())
}

fn method(name: &str) -> String {
    format!("<span class=\"method {}\">{name}</span> ", name.to_ascii_lowercase())
}

/// What came of the request.
fn answer(status: &str, reply: &Reply) -> String {
    let class = if reply.status.is_success() { "good" } else { "bad" };
    let general = ["detail", "non_field_errors"].into_iter().flat_map(|name| sentences(&reply.body, name));
    let general: String = general.map(|sentence| format!("<p>{}</p>\n", escaped(sentence))).collect();
    // Values always serialise; were that ever to change, the status still says what happened.
    let json = serde_json::to_string_pretty(&reply.body).unwrap_or_default();
    format!(
        "<section aria-labelledby=\"answer\">\n<h2 id=\"answer\">Answer</h2>\n\
         <div class=\"answer {class}\" role=\"status\">\n<p><strong>{status}</strong></p>\n{general}</div>\n\
         <pre tabindex=\"0\" aria-label=\"The answer as JSON\">{}</pre>\n</section>\n",
        escaped(&json),
    )
}

/// The sentences that an answer has under a name: one, or a list.
fn sentences<'a>(body: &'a Value, name: &str) -> Vec<&'a str> {
    match body.get(name) {
        Some(Value::String(sentence)) => vec![sentence],
        Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// The form to try it with, which goes to the address of the page.
fn form(call: &Call, about: &About, reply: &Reply, csrf: &str) -> String {
    let mut inputs = String::new();
    for field in about.fields.iter().filter(|field| !field.read_only) {
        let wrong = if reply.status.is_client_error() { sentences(&reply.body, field.name) } else { Vec::new() };
        inputs += &input(field, &given(call, field), &wrong);
    }
    format!(
        "<section aria-labelledby=\"form\">\n<h2 id=\"form\">Try it</h2>\n<form method=\"post\">\n\
         <input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"{}\">\n{inputs}<button>Send</button>\n</form>\n\
         </section>\n",
        escaped(csrf),
    )
}

/// What was in the field, so that nobody writes it again; a secret is not repeated.
fn given(call: &Call, field: &Field) -> String {
    let secret = matches!(field.kind, Kind::Password | Kind::NewPassword | Kind::Token);
    let mut members = call.form().filter(|_| !secret);
    members.find(|(name, _)| name == field.name).map(|(_, value)| value.into_owned()).unwrap_or_default()
}

fn input(field: &Field, given: &str, wrong: &[&str]) -> String {
    let name = field.name;
    let mut attributes = attributes(field.kind).to_owned();
    if let Some(longest) = field.longest {
        let _ = write!(attributes, " maxlength=\"{longest}\"");
    }
    if field.required {
        attributes += " required";
    }
    let mut html = String::new();
    if !wrong.is_empty() {
        let _ = write!(attributes, " aria-invalid=\"true\" aria-describedby=\"wrong-{name}\"");
        let _ = writeln!(html, "<p class=\"wrong\" id=\"wrong-{name}\">{}</p>", escaped(&wrong.join(" ")));
    }
    let optional = if field.required { "" } else { " <span class=\"quiet\">(optional)</span>" };
    format!(
        "<label for=\"field-{name}\">{}{optional}</label>\n\
         <input id=\"field-{name}\" name=\"{name}\" value=\"{}\" {attributes}>\n{html}",
        escaped(&field.label()),
        escaped(given),
    )
}

/// What tells a browser, and what fills forms in, which kind of text it is.
fn attributes(kind: Kind) -> &'static str {
    match kind {
        Kind::Text => "type=\"text\"",
        Kind::UserName => "type=\"text\" autocomplete=\"username\" autocapitalize=\"none\" spellcheck=\"false\"",
        Kind::Email => "type=\"email\" autocomplete=\"email\"",
        Kind::Password => "type=\"password\" autocomplete=\"current-password\"",
        Kind::NewPassword => "type=\"password\" autocomplete=\"new-password\"",
        Kind::Token => {
            "type=\"text\" autocomplete=\"off\" autocapitalize=\"none\" spellcheck=\"false\" class=\"token\""
        }
        Kind::Key => "type=\"text\" autocomplete=\"off\" inputmode=\"numeric\"",
    }
}

/// What the endpoint takes, and what it answers besides.
fn fields(all: &[Field]) -> String {
    if all.is_empty() {
        return String::new();
    }
    let rows: String = all.iter().map(row).collect();
    format!(
        "<section aria-labelledby=\"fields\">\n<h2 id=\"fields\">Fields</h2>\n<table>\n<thead><tr><th scope=\"col\">Name\
         </th><th scope=\"col\">Rules</th><th scope=\"col\">What it is</th></tr></thead>\n<tbody>\n{rows}</tbody>\n\
         </table>\n</section>\n"
    )
}

fn row(field: &Field) -> String {
    let presence = match field {
        Field { read_only: true, .. } => "only in the answer",
        Field { required: true, .. } => "required",
        _ => "optional",
    };
    let length = match (field.shortest, field.longest) {
        (None, None) => String::new(),
        (Some(shortest), None) => format!(", at least {shortest} characters"),
        (None, Some(longest)) => format!(", at most {longest} characters"),
        (Some(shortest), Some(longest)) => format!(", {shortest} to {longest} characters"),
    };
    format!(
        "<tr><td><code>{}</code></td><td>{}, {presence}{length}</td><td>{}</td></tr>\n",
        field.name,
        match field.kind {
            Kind::Email => "e-mail address",
            Kind::Key => "number",
            _ => "text",
        },
        escaped(field.help),
    )
}

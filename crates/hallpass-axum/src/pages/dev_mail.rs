//! The mails of a server in development, which keeps them in its memory instead of sending them: `/dev/mail`.
//!
//! Where mails are sent there is no such page, and under a foreign name there is none either. Whatever a mail says is
//! shown as text, but for its own HTML, which stands in a frame where nothing runs and from which nothing is loaded.

use axum::{
    Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{
        HeaderName,
        header::{CONTENT_SECURITY_POLICY, HOST, X_FRAME_OPTIONS},
    },
    middleware::{Next, from_fn_with_state},
    response::{Html, Response},
    routing::get,
};
use hallpass_core::{Code, Hallpass, mail::Letter};
use serde_json::{Value, json};

use super::text::{escaped, linked};
use crate::{AppState, error::Problem};

/// What the page of one mail may do: show the mail's HTML in a frame.
const FRAMING: &str = "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What the HTML of a mail may do: have styles, and open its links elsewhere.
const FRAMED: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'self'";

type Page<const N: usize> = Result<([(HeaderName, &'static str); N], Html<String>), Problem>;

/// The pages, for a server that keeps its mails.
pub(super) fn routes(app: AppState) -> Router<AppState> {
    Router::new()
        .route("/dev/mail", get(list))
        .route("/dev/mail.json", get(list_for_programs))
        .route("/dev/mail/{id}", get(read))
        .route("/dev/mail/{id}/html", get(read_html))
        .route_layer(from_fn_with_state(app, refuse_foreign_names))
}

/// Somebody's page can give its own name the address of this machine and then read what is here as if it were its own
/// (DNS rebinding): whoever asks under such a name finds nothing.
pub(super) async fn refuse_foreign_names(
    State(app): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let host = request.headers().get(HOST);
    let is_ours = host.is_none_or(|host| host.to_str().is_ok_and(|host| app.policy().is_named(host)));
    if is_ours {
        Ok(next.run(request).await)
    } else {
        Err(Problem::new(Code::NotFound, "Ask under this server's own name"))
    }
}

async fn list(State(hallpass): State<Hallpass>) -> Html<String> {
    let row = |letter: Letter| {
        format!(
            "<tr><td>{}</td><td>{}</td><td><a href=\"mail/{}\">{}</a></td></tr>\n",
            escaped(&moment(letter.sent_at)),
            escaped(&letter.to),
            letter.id,
            escaped(&letter.written.subject),
        )
    };
    let rows: String = letters(&hallpass).into_iter().map(row).collect();
    let mails = if rows.is_empty() {
        "<p>None yet. Ask for one, for example with <code>POST /api/v1/password-reset/request</code>.</p>".to_owned()
    } else {
        let head = "<thead><tr><th>Sent</th><th>To</th><th>Subject</th></tr></thead>";
        format!("<table>\n{head}\n<tbody>\n{rows}</tbody>\n</table>")
    };
    let about = "<p class=\"quiet\">This server sends no mail: it shows here what it would have sent, newest first. \
        The same for programs: <a href=\"mail.json\">mail.json</a>. Load the page again for newer ones.</p>";
    page("Mail", "../", &format!("<h1>Mail</h1>\n{about}\n{mails}"))
}

async fn list_for_programs(State(hallpass): State<Hallpass>) -> Json<Vec<Value>> {
    let seen = |letter: Letter| {
        json!({
            "id": letter.id,
            "sent_at": letter.sent_at,
            "to": letter.to,
            "subject": letter.written.subject,
            "text": letter.written.text,
            "html": letter.written.html,
        })
    };
    Json(letters(&hallpass).into_iter().map(seen).collect())
}

async fn read(State(hallpass): State<Hallpass>, id: Result<Path<String>, PathRejection>) -> Page<1> {
    let letter = find(&hallpass, id)?;
    let headers: String = [
        ("From", hallpass.config().mail.from.as_str()),
        ("To", &letter.to),
        ("Date", &moment(letter.sent_at)),
        ("Language", &letter.written.locale),
    ]
    .into_iter()
    .filter(|(_, value)| !value.is_empty())
    .map(|(name, value)| format!("<tr><th scope=\"row\">{name}</th><td>{}</td></tr>\n", escaped(value)))
    .collect();
    let subject = escaped(&letter.written.subject);
    let body = format!(
        "<p><a href=\"../mail\">All mails</a></p>\n<h1>{subject}</h1>\n<table>\n{headers}</table>\n\
         <iframe src=\"{}/html\" title=\"The mail as HTML\" \
         sandbox=\"allow-popups allow-popups-to-escape-sandbox\"></iframe>\n\
         <h2>As text</h2>\n<pre>{}</pre>",
        letter.id,
        linked(&letter.written.text),
    );
    Ok(([(CONTENT_SECURITY_POLICY, FRAMING)], page(&subject, "../../", &body)))
}

async fn read_html(State(hallpass): State<Hallpass>, id: Result<Path<String>, PathRejection>) -> Page<2> {
    let html = find(&hallpass, id)?.written.html;
    // Links leave the frame: what they lead to shows itself in none.
    let (doctype, rest) = match html.split_once('>') {
        Some((start, rest)) if start.to_ascii_lowercase().starts_with("<!doctype") => (format!("{start}>"), rest),
        _ => ("<!doctype html>".into(), html.as_str()),
    };
    let html = format!("{doctype}<base target=\"_blank\">{rest}");
    Ok(([(CONTENT_SECURITY_POLICY, FRAMED), (X_FRAME_OPTIONS, "SAMEORIGIN")], Html(html)))
}

/// The mails that this server still has, newest first.
fn letters(hallpass: &Hallpass) -> Vec<Letter> {
    hallpass.mailer().mailbox().unwrap_or_default()
}

fn find(hallpass: &Hallpass, id: Result<Path<String>, PathRejection>) -> Result<Letter, Problem> {
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let found = letters(hallpass).into_iter().find(|letter| letter.id.to_string() == id);
    found.ok_or_else(|| Problem::new(Code::NotFound, "There is no such mail; the server keeps the last ones only"))
}

/// A page; `title` and `body` are HTML, and `root` leads to where `assets` is.
fn page(title: &str, root: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n\
         <link rel=\"stylesheet\" href=\"{root}assets/hallpass.css\">\n</head>\n<body>\n\
         <main class=\"mail\">\n{body}\n</main>\n</body>\n</html>\n"
    ))
}

/// A moment in UTC, as RFC 3339 writes it.
fn moment(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(|_| seconds.to_string(), |moment| moment.to_string())
}

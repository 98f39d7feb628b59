//! How Django REST framework reads a request and words an answer: what the Django dialects have in common.
//!
//! The order in which a request is judged is the framework's: the form of the answer, who is calling, the method, the
//! body. So an endpoint takes every method, and its handler says when the method is looked at.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::{
    body::{Body, Bytes},
    extract::{FromRequest, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::Response,
    routing::{MethodRouter, any},
};
use futures_util::future::BoxFuture;
use hallpass_core::{
    Code, Ctx, Error,
    accounts::Account,
    login::{self, Identifier},
    sessions::{Issued, Remember},
};
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::{
    View,
    body::{self, Data},
    csrf,
    describe::About,
    fields::{Fields, NEEDED},
    negotiation::{self, Format},
    page,
};
use crate::{AppState, client::Client, ctx::Anybody, error::Problem};

/// A request, read whole.
pub(super) struct Call {
    pub(super) ctx: Ctx,
    pub(super) method: Method,
    pub(super) headers: HeaderMap,
    pub(super) path: String,
    query: String,
    body: Bytes,
    /// Whether a cookie had a say in the answer.
    cookies_read: AtomicBool,
}

/// What a handler comes to; both are answers.
pub(super) type Outcome = Result<Reply, Refusal>;

/// An answer of an endpoint.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) body: Value,
    pub(super) headers: HeaderMap,
    /// A page in the place of the body.
    page: Option<Cow<'static, str>>,
}

/// An answer that says why not.
pub(super) struct Refusal(pub(super) Box<Reply>);

/// What an endpoint does: with the dialect that it belongs to, for one call.
pub(super) type Handler<D> = for<'a> fn(&'a D, &'a Call) -> BoxFuture<'a, Outcome>;

impl Reply {
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self { status, body, headers: HeaderMap::new(), page: None }
    }

    /// A page for people, whatever the client prefers.
    pub(super) fn page(status: StatusCode, html: String) -> Self {
        Self { page: Some(html.into()), ..Self::new(status, Value::Null) }
    }

    /// What a browser shows where a form lacks Django's token.
    pub(super) fn csrf_page() -> Self {
        Self { page: Some(CSRF_PAGE.into()), ..Self::new(StatusCode::FORBIDDEN, Value::Null) }
    }
}

impl Refusal {
    pub(super) fn new(status: StatusCode, body: Value) -> Self {
        Self(Box::new(Reply::new(status, body)))
    }

    /// `{"detail": …}`, as most refusals are.
    pub(super) fn detail(status: StatusCode, detail: impl Into<String>) -> Self {
        Self::new(status, json!({ "detail": detail.into() }))
    }

    /// 400 with what is wrong in general.
    pub(super) fn whole(sentence: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, json!({ "non_field_errors": [sentence.into()] }))
    }

    /// 401, and how to do it right.
    pub(super) fn unauthenticated(detail: impl Into<String>, challenge: &HeaderValue) -> Self {
        let mut refusal = Self::detail(StatusCode::UNAUTHORIZED, detail);
        refusal.0.headers.insert(header::WWW_AUTHENTICATE, challenge.clone());
        refusal
    }
}

/// What no dialect has words of its own for.
impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        let wait = error.retry_after;
        let mut refusal = match error.code {
            Code::RateLimited => {
                let seconds = wait.unwrap_or(1);
                let plural = if seconds == 1 { "" } else { "s" };
                let detail = format!("Request was throttled. Expected available in {seconds} second{plural}.");
                Self::detail(StatusCode::TOO_MANY_REQUESTS, detail)
            }
            Code::Busy | Code::Unavailable | Code::RevocationUnknown => {
                Self::detail(StatusCode::SERVICE_UNAVAILABLE, "Service temporarily unavailable, try again later.")
            }
            Code::Forbidden => Self::detail(StatusCode::FORBIDDEN, FORBIDDEN),
            _ => {
                let problem = Problem::from(error);
                problem.log();
                Self::detail(StatusCode::INTERNAL_SERVER_ERROR, "A server error occurred.")
            }
        };
        if let Some(seconds) = wait {
            refusal.0.headers.insert(header::RETRY_AFTER, seconds.into());
        }
        refusal
    }
}

const CSRF_PAGE: &str = "\n<!doctype html>\n<html lang=\"en\">\n<head>\n  <title>403 Forbidden</title>\n</head>\n<body>\n  \
    <h1>Forbidden (403)</h1><p>CSRF verification failed. Request aborted.</p>\n</body>\n</html>\n";
pub(super) const FORBIDDEN: &str = "You do not have permission to perform this action.";
pub(super) const NO_CREDENTIALS: &str = "Authentication credentials were not provided.";

impl Call {
    /// The value of a header, where it is text.
    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| str::from_utf8(value.as_bytes()).ok())
    }

    /// Notes that the answer depends on cookies, whether or not there are any.
    pub(super) fn reads_cookies(&self) {
        self.cookies_read.store(true, Ordering::Relaxed);
    }

    /// Goes on if the endpoint takes this method. Whoever asks by `OPTIONS` what there is has come as far as this and no
    /// further.
    pub(super) fn takes(&self, method: &Method) -> Result<(), Refusal> {
        if self.method == *method {
            return Ok(());
        }
        if self.method == Method::OPTIONS {
            return Err(Refusal::new(StatusCode::OK, Value::Null));
        }
        Err(Refusal::detail(StatusCode::METHOD_NOT_ALLOWED, format!("Method \"{}\" not allowed.", self.method)))
    }

    /// The members of a plain form; none if the body is none.
    pub(super) fn form(&self) -> form_urlencoded::Parse<'_> {
        let kind = self.header(header::CONTENT_TYPE).unwrap_or_default();
        let is_form = kind.starts_with("application/x-www-form-urlencoded");
        form_urlencoded::parse(if is_form { &self.body } else { b"" })
    }

    /// What the body says.
    pub(super) async fn data(&self) -> Result<Data, Refusal> {
        body::read(&self.headers, &self.body).await
    }

    fn format(&self) -> Result<Format, Refusal> {
        negotiation::choose(&self.query, self.header(header::ACCEPT).unwrap_or("*/*"))
    }

    /// Refuses the form of a page that has no business with us: it could sign its reader in as somebody else (log-in
    /// CSRF). What is JSON needs no word: a page of another origin asks before it sends any.
    fn refuse_foreign_form(&self, app: &AppState) -> Result<(), Refusal> {
        let is_json = self.header(header::CONTENT_TYPE).is_some_and(|kind| kind.starts_with("application/json"));
        if is_json || self.body.is_empty() {
            return Ok(());
        }
        refuse_foreign_page(app, self)
    }

    /// Whether the client wants to read the JSON by itself: `Accept: application/json; indent=4`.
    fn wants_indentation(&self) -> bool {
        self.header(header::ACCEPT)
            .is_some_and(|accept| accept.contains("application/json") && accept.contains("indent="))
    }

    fn answer(&self, app: &AppState, about: &About, outcome: Outcome) -> Response {
        let mut reply = outcome.unwrap_or_else(|Refusal(reply)| *reply);
        if self.method == Method::OPTIONS && reply.status == StatusCode::OK {
            reply.body = about.metadata();
        }
        if reply.page.is_none()
            && matches!(self.format(), Ok(Format::Page))
            && let Ok(token) = csrf::keep(self, &mut reply)
        {
            self.reads_cookies();
            reply.page = Some(page::html(self, app.policy().prefix(), about, &reply, &token).into());
        }
        let Reply { status, body, headers, page } = reply;
        let written =
            if self.wants_indentation() { serde_json::to_vec_pretty(&body) } else { serde_json::to_vec(&body) };
        let kind = if page.is_some() { "text/html; charset=utf-8" } else { "application/json" };
        let mut response = Response::new(match page {
            _ if self.method == Method::HEAD => Body::empty(),
            Some(page) => Body::from(page.into_owned()),
            // Values always serialise; were that ever to change, the status still says what happened.
            None => Body::from(written.unwrap_or_default()),
        });
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        let vary = if self.cookies_read.load(Ordering::Relaxed) { "Accept, Cookie" } else { "Accept" };
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        headers.insert(header::VARY, HeaderValue::from_static(vary));
        if let Ok(methods) = HeaderValue::try_from(format!("{}, OPTIONS", about.methods)) {
            headers.insert(header::ALLOW, methods);
        }
        response
    }
}

impl FromRequest<AppState> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &AppState) -> Result<Self, Problem> {
        use axum::extract::FromRequestParts;
        let (mut parts, body) = request.into_parts();
        let Anybody(ctx) = Anybody::from_request_parts(&mut parts, app).await?;
        let unread = |error| Problem::from(Error::internal(error));
        let body = axum::body::to_bytes(body, usize::MAX).await.map_err(unread)?;
        let (path, query) = (parts.uri.path().to_owned(), parts.uri.query().unwrap_or_default().to_owned());
        let (method, headers, cookies_read) = (parts.method, parts.headers, AtomicBool::new(false));
        Ok(Self { ctx, method, headers, path, query, body, cookies_read })
    }
}

/// An address of a dialect, what is told of it, and what it does.
pub(super) type Endpoint<'a, D> = (&'a str, About, Handler<D>);

/// The endpoints that have an address.
pub(super) fn views<'a, D: Send + Sync + 'static>(
    dialect: D,
    all: impl IntoIterator<Item = Endpoint<'a, D>>,
) -> Vec<View> {
    let dialect = Arc::new(dialect);
    let served = all.into_iter().filter(|(path, ..)| !path.is_empty());
    served.map(|(path, about, handler)| (path.to_owned(), view(&dialect, about, handler))).collect()
}

fn view<D: Send + Sync + 'static>(dialect: &Arc<D>, about: About, handler: Handler<D>) -> MethodRouter<AppState> {
    let endpoint = Arc::new((Arc::clone(dialect), about));
    any(async move |State(app): State<AppState>, call: Call| {
        let (dialect, about) = &*endpoint;
        let outcome = match call.format().and_then(|_| call.refuse_foreign_form(&app)) {
            Ok(()) => handler(dialect, &call).await,
            Err(refusal) => Err(refusal),
        };
        call.answer(&app, about, outcome)
    })
}

/// Signs somebody in by user name and password; `None` if they may not, whyever.
pub(super) async fn sign_in(
    app: &AppState,
    call: &Call,
    username: Option<String>,
    password: Option<String>,
) -> Result<Option<Issued>, Refusal> {
    let who = Identifier { username, email: None, exact: true };
    let password = SecretString::from(password.unwrap_or_default());
    match login::sign_in(app.hallpass(), &call.ctx, who, password, Remember::Yes, None).await {
        Ok(issued) => Ok(Some(issued)),
        Err(error) => match error.code {
            Code::InvalidCredentials | Code::ValidationFailed | Code::EmailNotVerified => Ok(None),
            _ => Err(error.into()),
        },
    }
}

/// The same for the fields `username` and `password`.
pub(super) async fn sign_in_by_fields(app: &AppState, call: &Call) -> Result<Option<Issued>, Refusal> {
    let mut fields = Fields::of(call.data().await?.members()?);
    let (username, password) = (fields.text("username", NEEDED), fields.text("password", NEEDED));
    fields.check()?;
    sign_in(app, call, username, password).await
}

/// What can be told of an account.
pub(super) fn about(account: &Account) -> Map<String, Value> {
    let text = |text: &Option<String>| Value::from(text.as_deref().unwrap_or_default());
    let all = [
        ("id", account.id.0.into()),
        ("pk", account.id.0.into()),
        ("username", text(&account.username)),
        ("email", text(&account.email)),
        ("first_name", account.first_name.as_str().into()),
        ("last_name", account.last_name.as_str().into()),
        ("is_active", account.is_active.into()),
        ("is_staff", account.is_staff.into()),
        ("is_superuser", account.is_superuser.into()),
    ];
    all.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// An object of some of the members of `all`, in the order of `names`.
pub(super) fn pick(names: &[String], all: &Map<String, Value>) -> Value {
    let some = names.iter().filter_map(|name| Some((name.clone(), all.get(name)?.clone())));
    Value::Object(some.collect())
}

/// The header value by which a browser keeps a cookie for `lifetime` seconds; `None` for a value that no cookie can have.
pub(super) fn cookie(name: &str, value: &str, attributes: &str, lifetime: i64, now: i64) -> Option<HeaderValue> {
    let end = Timestamp::from_second(now.saturating_add(lifetime)).ok()?;
    let expires = DateTimePrinter::new().timestamp_to_rfc9110_string(&end).ok()?;
    HeaderValue::try_from(format!("{name}={value}; expires={expires}; Max-Age={lifetime}{attributes}")).ok()
}

/// Refuses what a page of somebody else makes a browser do.
pub(super) fn refuse_foreign_page(app: &AppState, call: &Call) -> Result<(), Refusal> {
    if call.method.is_safe() {
        return Ok(());
    }
    let page = Client::of(&call.headers, app.policy()).refuse_foreign_page();
    page.map_err(|error| Refusal::detail(StatusCode::FORBIDDEN, format!("CSRF Failed: {}", error.detail)))
}

/// The header value by which a browser forgets a cookie.
pub(super) fn no_cookie(name: &str, attributes: &str) -> Option<HeaderValue> {
    cookie(name, "", attributes, 0, 0)
}

/// The value of a cookie, if there is one that is text and says something.
pub(super) fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    sent_cookie(headers, name).filter(|value| !value.is_empty())
}

/// The same for one that may say nothing.
pub(super) fn sent_cookie(headers: &HeaderMap, name: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(given, value)| (given == name).then(|| value.trim_matches('"').to_owned()))
}

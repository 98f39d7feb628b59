//! The wire formats of Django's authentication packages, for front ends that were written for them: the URLs, bodies,
//! cookies and errors that they know, over the same accounts and sessions as everything else.
//!
//! A dialect translates a request, calls the core, and translates what comes of it. It keeps nothing, and the core never
//! learns of it. What the original does unsafely is done safely here (`docs/reference/dialects.md`).

mod body;
mod cookie_refresh;
mod csrf;
mod drf;
mod drf_jwt;
mod fields;
mod jwt;
mod simplejwt;

use axum::{
    Router,
    extract::{OriginalUri, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn, from_fn_with_state as with},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use tower::ServiceBuilder;

pub use cookie_refresh::CookieRefresh;
pub use drf_jwt::DrfJwt;
pub use jwt::Key;
pub use simplejwt::SimpleJwt;

use crate::{AppState, security};

/// A dialect, and where it is found.
#[derive(Debug, Clone)]
pub struct Dialect {
    /// The path before all of its addresses, `/` or such as `/api/`.
    pub path: String,
    /// Whether listed front ends may send cookies along (`CORS_ALLOW_CREDENTIALS`).
    pub credentials: bool,
    /// Which one.
    pub kind: Kind,
}

/// A wire format.
#[derive(Debug, Clone)]
pub enum Kind {
    /// `rest_framework_jwt`.
    DrfJwt(DrfJwt),
    /// An access token in the body and a refresh token in a cookie, by hand.
    CookieRefresh(CookieRefresh),
    /// `rest_framework_simplejwt`.
    SimpleJwt(SimpleJwt),
}

/// The routes of a dialect, each below `path`, and what is around them.
pub(crate) fn routes(dialect: &Dialect, app: &AppState) -> Router {
    let views = match &dialect.kind {
        Kind::DrfJwt(settings) => drf_jwt::views(settings, app),
        Kind::SimpleJwt(settings) => simplejwt::views(settings, app),
        Kind::CookieRefresh(settings) => cookie_refresh::views(settings, app),
    };
    let mut router = Router::new();
    let prefix = dialect.path.trim_end_matches('/');
    for (path, view) in views {
        let path = format!("{prefix}/{}", path.trim_start_matches('/'));
        let (path, open_end) = path.strip_suffix('*').map_or((path.as_str(), false), |path| (path, true));
        if open_end {
            router = router.route(&format!("{path}{{*rest}}"), view.clone());
        }
        if let Some(bare) = path.strip_suffix('/').filter(|bare| !bare.is_empty()) {
            router = router.route(bare, any(add_slash));
        }
        router = router.route(path, view);
    }
    let layers = ServiceBuilder::new()
        .layer(with(app.clone(), security::request))
        .layer(with((app.clone(), Allowed::by(dialect)), answer))
        .layer(from_fn(security::refuse_long_address))
        .layer(from_fn(security::read_body))
        .layer(from_fn(security::run_to_the_end));
    router.layer(layers).with_state(app.clone())
}

/// An address of a dialect, below its path, with what answers there.
type View = (String, MethodRouter<AppState>);

/// Sends a client to the address with the slash (`APPEND_SLASH`).
async fn add_slash(OriginalUri(address): OriginalUri) -> Response {
    let query = address.query().map_or(String::new(), |query| format!("?{query}"));
    let location = HeaderValue::try_from(format!("{}/{query}", address.path()));
    let headers = [(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"))];
    match location {
        Ok(location) => (StatusCode::MOVED_PERMANENTLY, headers, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::BAD_REQUEST.into_response(),
    }
}

const METHODS: &str = "DELETE, GET, OPTIONS, PATCH, POST, PUT";
/// What front ends send, with what some of them were seen to send by mistake: those are allowed where they are asked for.
const HEADERS: &str = "accept, authorization, content-type, user-agent, x-csrftoken, x-requested-with";
const BY_MISTAKE: [&str; 2] = ["withcredentials", "contenttype"];

/// Those that django-cors-headers allowed at the time of the original `djangorestframework-jwt`.
const HEADERS_THEN: &str = "accept, accept-encoding, authorization, content-type, dnt, origin, user-agent, \
    x-csrftoken, x-requested-with";

/// What listed front ends may send.
#[derive(Clone, Copy)]
struct Allowed {
    credentials: bool,
    headers: &'static str,
}

impl Allowed {
    fn by(dialect: &Dialect) -> Self {
        let then = matches!(&dialect.kind, Kind::DrfJwt(settings) if settings.original);
        Self { credentials: dialect.credentials, headers: if then { HEADERS_THEN } else { HEADERS } }
    }
}

/// Answers preflights, lets listed front ends read answers, and sets Django's security headers and ours.
async fn answer(State((app, allowed)): State<(AppState, Allowed)>, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).filter(|origin| app.policy().lists_with_slash(origin)).cloned();
    let preflight =
        *request.method() == Method::OPTIONS && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
    let asked = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok());
    let asked = asked.unwrap_or_default().to_ascii_lowercase();
    let by_mistake = BY_MISTAKE.into_iter().filter(|name| asked.split(',').any(|other| other.trim() == *name));
    let names: Vec<&str> = [allowed.headers].into_iter().chain(by_mistake).collect();
    let mut response = if preflight {
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], ()).into_response()
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    if !preflight {
        set(header::X_FRAME_OPTIONS, "DENY");
    }
    if let Some(origin) = origin {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if allowed.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
        if preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.extend(
                HeaderValue::try_from(names.join(", "))
                    .ok()
                    .map(|allowed| (header::ACCESS_CONTROL_ALLOW_HEADERS, allowed)),
            );
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
        }
    }
    response
}

//! The wire formats of Django's authentication packages, for front ends that were written for them: the URLs, bodies,
//! cookies and errors that they know, over the same accounts and sessions as everything else.
//!
//! A dialect translates a request, calls the core, and translates what comes of it. It keeps nothing, and the core never
//! learns of it. What the original does unsafely is done safely here (`docs/reference/dialects.md`).

mod body;
mod cookie_refresh;
mod csrf;
mod describe;
mod dj_rest_auth;
mod drf;
mod drf_jwt;
mod fields;
mod jwt;
mod negotiation;
mod page;
mod simplejwt;

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Router,
    extract::{OriginalUri, Request, State},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::{Next, from_fn_with_state as with},
    response::{IntoResponse, Response},
    routing::{MethodRouter, any},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tracing::Instrument;

pub use cookie_refresh::CookieRefresh;
pub use dj_rest_auth::{DjRestAuth, LoginMethod, SameSite};
pub use drf_jwt::DrfJwt;
pub use simplejwt::SimpleJwt;

use crate::{
    AppState, pages,
    security::{self, Traced},
};
use jwt::Secret;

/// A wire format, and what the project that it comes from had set up.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Dialect {
    /// `rest_framework_jwt`.
    DrfJwt(DrfJwt),
    /// `rest_framework_simplejwt`.
    #[serde(rename = "simplejwt")]
    SimpleJwt(SimpleJwt),
    /// An access token in the body and a refresh token in a cookie, written by hand.
    CookieRefresh(CookieRefresh),
    /// `dj_rest_auth`, with or without `allauth`.
    DjRestAuth(DjRestAuth),
}

/// A dialect whose secrets were read.
pub(crate) struct Opened {
    dialect: Dialect,
    secrets: Secrets,
}

/// What signs the tokens of a dialect: all of them, or access and refresh tokens apart.
#[derive(Clone)]
struct Secrets {
    access: Arc<Secret>,
    refresh: Arc<Secret>,
}

impl Dialect {
    fn path(&self) -> &str {
        match self {
            Self::DrfJwt(settings) => &settings.path,
            Self::SimpleJwt(settings) => &settings.path,
            Self::CookieRefresh(settings) => &settings.path,
            Self::DjRestAuth(settings) => &settings.path,
        }
    }

    fn credentials(&self) -> bool {
        match self {
            Self::DrfJwt(settings) => settings.credentials,
            Self::SimpleJwt(settings) => settings.credentials,
            Self::CookieRefresh(settings) => settings.credentials,
            Self::DjRestAuth(settings) => settings.credentials,
        }
    }

    /// What was asked for although it is unsafe: each setting and what follows.
    pub fn insecure(&self) -> Vec<&'static str> {
        let all = match self {
            Self::DrfJwt(given) => vec![(
                given.insecure_weak_passwords,
                "`dialects.insecure_weak_passwords`: new accounts can have passwords that are guessed at once",
            )],
            Self::CookieRefresh(given) => vec![(
                given.insecure_tell_unknown_names,
                "`dialects.insecure_tell_unknown_names`: anybody finds out who has an account",
            )],
            Self::DjRestAuth(given) => vec![
                (
                    given.insecure_tell_known_addresses,
                    "`dialects.insecure_tell_known_addresses`: anybody finds out who has an account",
                ),
                (
                    given.insecure_change_without_password,
                    "`dialects.insecure_change_without_password`: whoever finds somebody signed in takes the account",
                ),
            ],
            Self::SimpleJwt(_) => Vec::new(),
        };
        all.into_iter().filter_map(|(asked_for, follows)| asked_for.then_some(follows)).collect()
    }

    /// Reads the secrets.
    ///
    /// # Errors
    /// One sentence that says what to do; it never repeats a secret.
    pub(crate) fn open(&self) -> Result<Opened, String> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
        let one = |secret: Secret| {
            let access = Arc::new(secret);
            Secrets { refresh: access.clone(), access }
        };
        let secrets = match self {
            Self::DrfJwt(given) => {
                given.problem().map_or(Ok(()), Err)?;
                one(Secret::read("dialects.secret_key_file", &given.secret_key_file, "HS256")?)
            }
            Self::SimpleJwt(given) => {
                one(Secret::read("dialects.signing_key_file", &given.signing_key_file, &given.algorithm)?)
            }
            Self::CookieRefresh(given) => given.secrets()?,
            Self::DjRestAuth(given) => {
                given.problem().map_or(Ok(()), Err)?;
                one(Secret::read("dialects.secret_key_file", &given.secret_key_file, "HS256")?)
            }
        };
        if !self.path().starts_with('/') || !self.path().bytes().all(plain) {
            let path = self.path();
            return Err(format!(
                "`dialects.path` must begin with `/` and have letters, digits and `-_.~` only: `{path}`"
            ));
        }
        Ok(Opened { dialect: self.clone(), secrets })
    }
}

/// What answers at which addresses of a dialect.
fn addresses(Opened { dialect, secrets }: &Opened, app: &AppState) -> Vec<View> {
    let views = match dialect {
        Dialect::DrfJwt(settings) => drf_jwt::views(settings, secrets, app),
        Dialect::SimpleJwt(settings) => simplejwt::views(settings, secrets, app),
        Dialect::CookieRefresh(settings) => cookie_refresh::views(settings, secrets, app),
        Dialect::DjRestAuth(settings) => dj_rest_auth::views(settings, secrets, app),
    };
    let prefix = dialect.path().trim_end_matches('/');
    let mut addresses = Vec::new();
    for (path, view) in views {
        let path = format!("{prefix}/{}", path.trim_start_matches('/'));
        let (path, open_end) = path.strip_suffix('*').map_or((path.as_str(), false), |path| (path, true));
        if open_end {
            addresses.push((format!("{path}{{*rest}}"), view.clone()));
        }
        let (path, or_bare) = path.strip_suffix('?').map_or((path, false), |path| (path, true));
        if let Some(bare) = path.strip_suffix('/').filter(|bare| !bare.is_empty()) {
            addresses.push((bare.to_owned(), if or_bare { view.clone() } else { any(add_slash) }));
        }
        addresses.push((path.to_owned(), view));
    }
    addresses
}

/// An address at which more than one would answer, as a sentence that says what to do.
pub(crate) fn clash(app: &AppState) -> Option<String> {
    let mut taken: BTreeSet<String> = crate::api::routes().document.paths.paths.into_keys().collect();
    taken.extend(pages::addresses(app).map(str::to_owned));
    let all = app.dialects().iter().flat_map(|opened| addresses(opened, app));
    let (address, _) = all.into_iter().find(|(address, _)| !taken.insert(address.clone()))?;
    let page = pages::hosted::addresses(app).any(|page| page == address);
    let or = if page { ", or take the pages of this server away with `pages.enabled = false`" } else { "" };
    Some(format!(
        "`dialects`: more than one would answer at `{address}`: give this section another `path` or address{or}"
    ))
}

/// The routes of a dialect, each below its path, and what is around them.
pub(crate) fn routes(opened: &Opened, app: &AppState) -> Router {
    let all = addresses(opened, app).into_iter();
    let router = all.fold(Router::new(), |router, (address, view)| router.route(&address, view));
    let dialect = &opened.dialect;
    router.layer(with((app.clone(), Allowed::by(dialect)), around)).with_state(app.clone())
}

/// A setting that is empty where there is nothing.
fn some(setting: &str) -> Option<String> {
    Some(setting.to_owned()).filter(|setting| !setting.is_empty())
}

/// An address of a dialect, below its path, with what answers there: behind a `*` at its end there may be more, and a `?`
/// says that the slash before it can be left out.
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
        let then = matches!(dialect, Dialect::DrfJwt(settings) if settings.original);
        Self { credentials: dialect.credentials(), headers: if then { HEADERS_THEN } else { HEADERS } }
    }
}

/// What is done around every view.
async fn around(State((app, allowed)): State<(AppState, Allowed)>, mut request: Request, next: Next) -> Response {
    let traced = Traced::begin(&app, &mut request);
    let response = answer(&app, allowed, request, next).instrument(traced.span.clone()).await;
    traced.end(response)
}

/// Answers preflights, lets listed front ends read answers, and sets Django's security headers and ours.
async fn answer(app: &AppState, allowed: Allowed, request: Request, next: Next) -> Response {
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
        security::admit(request, next).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "same-origin");
    set(HeaderName::from_static("cross-origin-opener-policy"), "same-origin");
    set(header::CACHE_CONTROL, "no-store");
    set(header::CONTENT_SECURITY_POLICY, page::POLICY);
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

//! Which pages may read our answers (CORS, Fetch standard section 3.2): those of the listed front ends, compared byte
//! for byte.
//!
//! It never echoes an origin that is not listed, never answers `*` where cookies count, and never opens a private
//! network. Public documents answer `*` by themselves and are left alone.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderValue, Method, header},
};

use crate::AppState;

const METHODS: &str = "GET, POST, PUT, PATCH, DELETE";
const HEADERS: &str = "authorization, content-type, x-csrf-token, x-csrftoken";
/// What a front end can read besides the body.
const EXPOSED: &str = "retry-after, www-authenticate, x-request-id";
/// Seconds that a browser remembers a preflight.
const MAX_AGE: &str = "600";

/// What a page wants to know.
pub(super) struct Asked {
    /// Whether it is a preflight, which has no effect and needs no sign-in, whatever it asks for.
    pub(super) preflight: bool,
    /// The origin, if it is listed.
    origin: Option<HeaderValue>,
}

impl Asked {
    pub(super) fn by(request: &Request, app: &AppState) -> Self {
        let origin = only_origin(request.headers()).filter(|origin| app.policy().lists(origin)).cloned();
        Self { preflight: is_preflight(request), origin }
    }

    /// Puts the CORS headers on an answer.
    pub(super) fn answer(self, headers: &mut HeaderMap) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let open = headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN);
        let Some(origin) = self.origin.filter(|_| !open) else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        if self.preflight {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        } else {
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}

fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(header::ORIGIN)
        && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// The origin, if there is one and no second.
fn only_origin(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.next().filter(|_| origins.next().is_none())
}

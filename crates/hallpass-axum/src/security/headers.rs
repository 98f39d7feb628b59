//! The security headers of every answer.
//!
//! A handler can make an answer more open by setting `Cache-Control`, `Cross-Origin-Resource-Policy`,
//! `Content-Security-Policy` or `X-Frame-Options` itself; all else is set here, and nothing can be forgotten.

use axum::http::{
    HeaderMap, HeaderValue,
    header::{self, HeaderName},
};

use crate::AppState;

/// What a page of ours may do: load its own script, style and images from here, and nothing else.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'";

/// What data may do when somebody opens it as a page: nothing.
const DATA_POLICY: &str = "default-src 'none'; frame-ancestors 'none'";

const PERMISSIONS: &str = "publickey-credentials-get=(self), accelerometer=(), camera=(), display-capture=(), \
    geolocation=(), gyroscope=(), hid=(), magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()";

const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// About how many headers are added to an answer.
const ADDED: usize = 12;

/// Adds the headers to an answer on its way out.
pub(super) fn complete(headers: &mut HeaderMap, app: &AppState) {
    headers.reserve(ADDED);
    let kind = headers.get(header::CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let is_page = kind.starts_with(b"text/html");
    if kind == b"application/json" {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    }
    let mut set = |name: HeaderName, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    if is_page {
        set(OPENER_POLICY, "same-origin");
        set(PERMISSIONS_POLICY, PERMISSIONS);
    }
    // Browsers keep it for a host on all of its ports: in development, for whatever else runs on this machine.
    if app.policy().https() && !app.policy().dev() {
        set(header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains");
    }
    keep_or_set(headers, header::CONTENT_SECURITY_POLICY, if is_page { PAGE_POLICY } else { DATA_POLICY });
    keep_or_set(headers, header::X_FRAME_OPTIONS, "DENY");
    // Whatever does not say otherwise holds tokens or somebody's data.
    keep_or_set(headers, header::CACHE_CONTROL, "no-store");
    keep_or_set(headers, RESOURCE_POLICY, "same-origin");
}

fn keep_or_set(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.entry(name).or_insert(HeaderValue::from_static(value));
}

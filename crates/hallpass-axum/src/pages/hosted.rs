//! The pages for signing in, accounts and administration: one application, which shows at each of its addresses what
//! belongs there. It is built from the folder `web/` and stands in this program.
//!
//! Nothing in it is different for different people: whatever it shows it asks this server for, as any front end does.

use aws_lc_rs::rand;
use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    http::{
        HeaderMap, HeaderName, HeaderValue, StatusCode,
        header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, VARY},
    },
    response::{Html, IntoResponse, Response},
    routing::get,
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hallpass_core::{Code, Error};
use rust_embed::RustEmbed;

use crate::{AppState, error::Problem};

/// What `npm run build` has made of `web/`; a program built for development reads it from the disk each time.
#[derive(RustEmbed)]
#[folder = "dist"]
#[allow_missing = true]
struct Built;

/// Where it is shown.
const ADDRESSES: [&str; 11] = [
    "/login",
    "/signup",
    "/forgot",
    "/verify",
    "/reset",
    "/change-email",
    "/sign-in",
    "/account",
    "/account/{*page}",
    "/admin",
    "/admin/{*page}",
];

/// Where its parts are, whose names change with what is in them.
const PARTS: &str = "/pages/{part}";
const LOGO: &str = "/pages/logo";

/// What this program says that was built without it.
const NOT_BUILT: &str = include_str!("../assets/not-built.html");

/// Where something is, if the pages are not switched off.
pub(crate) fn addresses(app: &AppState) -> impl Iterator<Item = &'static str> {
    let all = ADDRESSES.into_iter().chain([PARTS, LOGO]);
    all.filter(|_| app.policy().pages().enabled)
}

pub(super) fn routes(app: &AppState) -> Router<AppState> {
    if !app.policy().pages().enabled {
        return Router::new();
    }
    let pages = ADDRESSES.into_iter().fold(Router::new(), |router, address| router.route(address, get(page)));
    pages.route(PARTS, get(part)).route(LOGO, get(logo))
}

/// The one page. Its libraries write style sheets into it as it goes: a nonce that no other answer has allows them, and
/// none that somebody else may have got in (CSP level 3, section 6.7.3.2).
async fn page(State(app): State<AppState>) -> Result<Response, Problem> {
    let Some(index) = Built::get("index.html") else {
        return Ok((StatusCode::NOT_FOUND, Html(NOT_BUILT)).into_response());
    };
    let mut random = [0; 16];
    rand::fill(&mut random).map_err(|_| Error::internal("the system gives no randomness"))?;
    let nonce = BASE64.encode(random);
    let policy = HeaderValue::try_from(policy(&nonce)).map_err(Error::internal)?;
    let page = shown(&String::from_utf8_lossy(&index.data), app.policy().prefix(), &nonce);
    Ok(([(CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response())
}

/// The page for a server whose public URL has the path `prefix`.
fn shown(index: &str, prefix: &str, nonce: &str) -> String {
    index.replace("__NONCE__", nonce).replace("__BASE__", prefix).replace("\"./pages/", &format!("\"{prefix}/pages/"))
}

fn policy(nonce: &str) -> String {
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; \
         connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
    )
}

/// A part of the application: never changes under its name, so it may be kept.
async fn part(name: Result<Path<String>, PathRejection>, headers: HeaderMap) -> Result<Response, Problem> {
    let name = name.map(|Path(name)| name).unwrap_or_default();
    let kind = kind_of(&name).ok_or_else(nothing)?;
    let path = format!("pages/{name}");
    let packed = accepts_gzip(&headers).then(|| Built::get(&format!("{path}.gz"))).flatten();
    let encoding = packed.is_some().then_some([(CONTENT_ENCODING, "gzip")]);
    let file = packed.or_else(|| Built::get(&path)).ok_or_else(nothing)?;
    let headers: [(HeaderName, &str); 3] =
        [(CONTENT_TYPE, kind), (CACHE_CONTROL, "public, max-age=31536000, immutable"), (VARY, "accept-encoding")];
    Ok((headers, encoding, file.data.into_owned()).into_response())
}

/// The media type of a file that the application is made of; nothing else is given out.
fn kind_of(name: &str) -> Option<&'static str> {
    let (_, ending) = name.rsplit_once('.')?;
    Some(match ending {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        _ => return None,
    })
}

/// Whether the client takes gzip (RFC 9110 section 12.5.3): as every browser says it.
fn accepts_gzip(headers: &HeaderMap) -> bool {
    let given = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|line| line.to_str().ok());
    given.flat_map(|line| line.split(',')).any(|coding| coding.trim() == "gzip")
}

/// The operator's logo.
async fn logo(State(app): State<AppState>) -> Result<Response, Problem> {
    let logo = app.policy().logo().ok_or_else(nothing)?;
    let headers = [(CONTENT_TYPE, logo.kind), (CACHE_CONTROL, "public, max-age=300")];
    Ok((headers, logo.bytes.to_vec()).into_response())
}

fn nothing() -> Problem {
    Problem::new(Code::NotFound, "There is nothing at this address; `/openapi.json` lists what there is")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_names_its_parts_below_the_servers_path_and_carries_the_answers_nonce() {
        let index = r#"<meta property="csp-nonce" nonce="__NONCE__"><meta name="base" content="__BASE__">
            <script type="module" nonce="__NONCE__" src="./pages/index-1.js"></script>"#;
        let page = shown(index, "/auth", "abc+/=");
        assert!(page.contains(r#"content="/auth""#) && page.contains(r#"src="/auth/pages/index-1.js""#), "{page}");
        assert_eq!(page.matches(r#"nonce="abc+/=""#).count(), 2);
        assert!(shown(index, "", "n").contains(r#"src="/pages/index-1.js""#));
        assert!(policy("abc+/=").contains("style-src 'self' 'nonce-abc+/='; "));
    }

    #[test]
    fn gzip_is_sent_to_whoever_asks_for_it() {
        let asked = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_str(value).unwrap());
            accepts_gzip(&headers)
        };
        assert!(asked("gzip, deflate, br, zstd") && asked("br,gzip"));
        assert!(!asked("br") && !asked("gzip;q=0") && !asked("x-gzip") && !accepts_gzip(&HeaderMap::new()));
    }

    #[test]
    fn nothing_but_parts_is_given_out() {
        assert!(kind_of("index-1.js").is_some() && kind_of("x.css").is_some());
        for name in ["", "x", "x.js.map", "x.gz", "x.html", ".env", "js", "x.JS"] {
            assert!(kind_of(name).is_none(), "{name}");
        }
    }
}

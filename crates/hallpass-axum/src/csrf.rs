//! The CSRF token: the last word where a browser does not say from which page a cookie request comes.
//!
//! A token belongs to one session and proves it by a MAC, so one that was planted, or taken from another session, is
//! worth nothing. It is no secret that opens anything by itself.

use aws_lc_rs::rand;
use axum::http::HeaderMap;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use hallpass_core::{Code, Error, Hallpass, Result, SessionId};

/// The header that carries it; the second name is Django's.
pub(crate) const HEADERS: [&str; 2] = ["x-csrf-token", "x-csrftoken"];

const NONCE: usize = 16;

/// A new token for `session`: base64url of a nonce and HMAC-SHA-256 over session and nonce.
pub(crate) fn issue(hallpass: &Hallpass, session: SessionId) -> Result<String> {
    let mut nonce = [0; NONCE];
    rand::fill(&mut nonce).map_err(|_| Error::internal("the system gives no randomness"))?;
    let code = hallpass.secrets().csrf.mac(&message(session, &nonce));
    Ok(BASE64URL.encode([nonce.as_slice(), &code].concat()))
}

/// Refuses a request whose header does not carry exactly one token of `session`.
///
/// # Errors
/// [`Code::CsrfFailed`].
pub(crate) fn demand(hallpass: &Hallpass, headers: &HeaderMap, session: SessionId) -> Result<()> {
    let mut sent = HEADERS.iter().flat_map(|name| headers.get_all(*name));
    let belongs = match (sent.next(), sent.next()) {
        (Some(token), None) => belongs(hallpass, token.as_bytes(), session),
        _ => false,
    };
    let detail = "Send the value of `GET /api/v1/csrf` in `X-CSRF-Token`, taken in this session";
    if belongs { Ok(()) } else { Err(Error::new(Code::CsrfFailed, detail)) }
}

fn belongs(hallpass: &Hallpass, token: &[u8], session: SessionId) -> bool {
    let Ok(bytes) = BASE64URL.decode(token) else { return false };
    let Some((nonce, code)) = bytes.split_first_chunk::<NONCE>() else { return false };
    hallpass.secrets().csrf.verify(&message(session, nonce), code)
}

fn message(session: SessionId, nonce: &[u8; NONCE]) -> Vec<u8> {
    [session.0.as_bytes().as_slice(), nonce].concat()
}

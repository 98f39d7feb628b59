//! The cookies that browsers keep for us, and the strict reading of what they send back (RFC 6265bis).
//!
//! A cookie is chosen by its exact name alone: twins, look-alikes and nameless cookies, which a sibling domain can
//! plant, never choose a session.

use axum::http::{HeaderMap, HeaderValue, header};
use hallpass_core::{Code, Error, Result};

/// Keeps the refresh secret where no script can read it.
pub(crate) const REFRESH: Cookie =
    Cookie { name: "__Host-refresh", attributes: "; Path=/; Secure; HttpOnly; SameSite=Strict" };

/// Keeps the CSRF token where a front end on our own origin can read it.
pub(crate) const CSRF: Cookie = Cookie { name: "__Host-csrf", attributes: "; Path=/; Secure; SameSite=Strict" };

/// Keeps the proof that somebody has signed in on this device. It outlives sign-outs, when it is needed most: it opens
/// nothing, and without it an outsider who fails on purpose could keep the owner from signing in again.
pub(crate) const DEVICE: Cookie =
    Cookie { name: "__Host-device", attributes: "; Path=/; Secure; HttpOnly; SameSite=Strict" };

/// Shows whether a browser keeps and sends cookies such as ours.
pub(crate) const DOCTOR: Cookie =
    Cookie { name: "__Host-doctor", attributes: "; Path=/; Secure; HttpOnly; SameSite=Strict" };

/// Seconds for which a device stays known.
pub(crate) const DEVICE_LIFETIME: i64 = 365 * 86_400;

/// The longest name and value together that browsers must keep, in bytes (RFC 6265bis section 6.1).
const LONGEST: usize = 4096;

/// A cookie of ours: its name, and the attributes that setting and clearing must share, or browsers would not clear it.
pub(crate) struct Cookie {
    pub(crate) name: &'static str,
    attributes: &'static str,
}

impl Cookie {
    /// The header value that keeps `value` for `lifetime` seconds, or until the browser closes.
    pub(crate) fn keep(&self, value: &str, lifetime: Option<i64>) -> Result<HeaderValue> {
        let max_age = lifetime.map_or(String::new(), |seconds| format!("; Max-Age={seconds}"));
        let text = format!("{}={value}{}{max_age}", self.name, self.attributes);
        HeaderValue::try_from(text).map_err(Error::internal)
    }

    /// The header value that makes the browser forget it.
    pub(crate) fn forget(&self) -> Result<HeaderValue> {
        let text = format!("{}={}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT", self.name, self.attributes);
        HeaderValue::try_from(text).map_err(Error::internal)
    }

    /// The value that the browser sent.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] if there are two of this name, or if it is longer than browsers keep: neither is ours.
    pub(crate) fn read<'h>(&self, headers: &'h HeaderMap) -> Result<Option<&'h str>> {
        let refuse = |detail| Err(Error::new(Code::InvalidRequest, detail));
        let mut found = None;
        for line in headers.get_all(header::COOKIE) {
            for pair in line.as_bytes().split(|byte| *byte == b';') {
                // Without `=` or with nothing before it a cookie has no name, whatever its value looks like.
                let Some(equals) = pair.iter().position(|byte| *byte == b'=') else { continue };
                let (name, value) = pair.split_at(equals);
                if name.trim_ascii() != self.name.as_bytes() {
                    continue;
                }
                if found.is_some() {
                    return refuse("A cookie of ours came twice: clear the cookies of this site and sign in again");
                }
                let value = value.strip_prefix(b"=").unwrap_or_default().trim_ascii();
                if self.name.len() + value.len() > LONGEST {
                    return refuse("A cookie of ours is longer than any that we set");
                }
                match str::from_utf8(value) {
                    Ok(value) => found = Some(value),
                    Err(_) => return refuse("A cookie of ours has bytes that we never set"),
                }
            }
        }
        Ok(found)
    }
}

//! What browsers keep: both tokens, where the project has named cookies for them, and a `sessionid` like Django's.
//!
//! All of them name a session of ours, and none is good for longer than that. What sets a cookie and what clears it share
//! path, domain and `SameSite`, or the browser would keep both.

use axum::http::header;
use hallpass_core::{
    Error, SessionId,
    sessions::{self, Place},
};

use super::{
    super::{
        csrf,
        drf::{self, Call, Reply},
    },
    Dialect,
};

const SESSION: &str = "sessionid";
/// `SESSION_COOKIE_AGE`, in seconds.
const SESSION_LIFETIME: i64 = 1_209_600;
/// Bytes that eight characters stand for.
const GROUP: usize = 5;

impl Dialect {
    /// Has the browser keep tokens, the refresh token only if there is one.
    pub(super) fn keep_tokens(&self, reply: &mut Reply, access: &str, refresh: Option<&str>, now: i64) {
        let settings = &self.settings;
        let kept = if settings.http_only { "; HttpOnly; Secure" } else { "; Secure" };
        let lifetime = self.app.hallpass().config().tokens.lifetime;
        let mut keep = |name: &str, token: &str, path: &str, lifetime: i64| {
            let attributes = format!("{}{kept}", self.place(path));
            let cookie = drf::cookie(name, token, &attributes, lifetime, now).filter(|_| !name.is_empty());
            reply.headers.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        };
        keep(&settings.access_cookie, access, "/", lifetime);
        if let Some(refresh) = refresh {
            keep(&settings.refresh_cookie, refresh, &settings.refresh_cookie_path, settings.refresh_lifetime);
        }
    }

    /// Has the browser forget both tokens.
    pub(super) fn forget_tokens(&self, reply: &mut Reply) {
        let settings = &self.settings;
        let both = [(&settings.access_cookie, "/"), (&settings.refresh_cookie, settings.refresh_cookie_path.as_str())];
        let named = both.into_iter().filter(|(name, _)| !name.is_empty());
        let gone = named.filter_map(|(name, path)| drf::no_cookie(name, &self.place(path)));
        reply.headers.extend(gone.map(|cookie| (header::SET_COOKIE, cookie)));
    }

    /// Has the browser keep a `sessionid`, if the project wants one, and what its pages need to show with it.
    pub(super) fn keep_session(&self, call: &Call, reply: &mut Reply, session: SessionId) -> Result<(), Error> {
        if self.settings.session_login {
            csrf::keep(call, reply)?;
            self.keep_session_alone(call, reply, session);
        }
        Ok(())
    }

    /// The same for a browser that has what its pages need.
    pub(super) fn keep_session_alone(&self, call: &Call, reply: &mut Reply, session: SessionId) {
        if !self.settings.session_login {
            return;
        }
        let key = written(&sessions::key(self.app.hallpass(), session, Place::Cookie));
        let attributes = "; HttpOnly; Path=/; SameSite=Lax";
        let attributes = format!("{attributes}{}", if self.app.policy().https() { "; Secure" } else { "" });
        let cookie = drf::cookie(SESSION, &key, &attributes, SESSION_LIFETIME, call.ctx.now);
        reply.headers.extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
        call.reads_cookies();
    }

    /// Has the browser forget its `sessionid`, if it has one.
    pub(super) fn forget_session(&self, call: &Call, reply: &mut Reply) {
        if drf::sent_cookie(&call.headers, SESSION).is_some() {
            let gone = drf::no_cookie(SESSION, "; Path=/; SameSite=Lax");
            reply.headers.extend(gone.map(|cookie| (header::SET_COOKIE, cookie)));
        }
    }

    /// The session that the browser's `sessionid` names, if it is good, and whose it is.
    pub(super) async fn kept_session(&self, call: &Call) -> Result<Option<sessions::Holder>, Error> {
        let Some(key) = drf::cookie_of(&call.headers, SESSION).as_deref().and_then(read) else { return Ok(None) };
        sessions::of_key(self.app.hallpass(), &call.ctx, key, Place::Cookie).await
    }

    fn place(&self, path: &str) -> String {
        let domain = match self.settings.cookie_domain.as_str() {
            "" => String::new(),
            domain => format!("; Domain={domain}"),
        };
        format!("{domain}; Path={path}; SameSite={:?}", self.settings.same_site)
    }
}

/// A key as Django writes those of its sessions: 32 small letters and digits, eight for each five bytes.
fn written(key: &[u8; 20]) -> String {
    let digit = |digit: u64| char::from_digit(u32::try_from(digit).unwrap_or_default(), 36).unwrap_or('0');
    let group = |bytes: &[u8]| {
        let number = bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        (0..8).rev().map(move |place| digit(number / 36_u64.pow(place) % 36))
    };
    key.chunks(GROUP).flat_map(group).collect()
}

/// Reads what [`written`] wrote; nothing else is a key.
fn read(text: &str) -> Option<[u8; 20]> {
    let mut key = [0; 20];
    for (bytes, digits) in key.chunks_mut(GROUP).zip(text.as_bytes().chunks(8)) {
        let number = u64::from_str_radix(str::from_utf8(digits).ok()?, 36).ok()?;
        bytes.copy_from_slice(number.to_be_bytes().last_chunk::<GROUP>()?);
    }
    (written(&key) == text).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_written_in_small_letters_and_digits_and_read_back() {
        for key in [[0; 20], [255; 20], std::array::from_fn(|place| u8::try_from(place * 13).unwrap())] {
            let text = written(&key);
            assert_eq!(text.len(), 32);
            assert!(text.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_lowercase()), "{text}");
            assert_eq!(read(&text), Some(key));
            for other in [text.to_uppercase() + "a", format!("{text}0"), text[1..].to_owned(), "z".repeat(32)] {
                assert_eq!(read(&other), None, "{other}");
            }
        }
        assert_eq!(read(""), None);
        assert_eq!(read(&"+".repeat(32)), None);
    }
}

//! Django's rule against requests that foreign pages make browsers send: a cookie and a header that say the same, and an
//! origin that is known (`django.middleware.csrf`).

use aws_lc_rs::{constant_time::verify_slices_are_equal, rand};
use axum::http::{HeaderValue, header};
use hallpass_core::Error;

use super::drf::{self, Call, Reply};
use crate::AppState;

const COOKIE: &str = "csrftoken";
const LIFETIME: i64 = 31_449_600;
const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
/// Letters of a secret; a masked one has twice as many.
const LENGTH: usize = 32;

/// Goes on if the request is safe, or shows that it comes from a page that may read the cookie: one of our own, or of an
/// origin that is trusted.
///
/// # Errors
/// Django's sentence about what is missing.
pub(super) fn check(app: &AppState, call: &Call, trusts: impl Fn(&HeaderValue) -> bool) -> Result<(), String> {
    if call.method.is_safe() {
        return Ok(());
    }
    if let Some(given) = call.headers.get(header::ORIGIN) {
        let origin = String::from_utf8_lossy(given.as_bytes());
        let host = call.header(header::HOST).unwrap_or_default();
        let scheme = if app.policy().https() { "https" } else { "http" };
        if origin != format!("{scheme}://{host}") && !trusts(given) {
            return Err(format!("Origin checking failed - {origin} does not match any trusted origins."));
        }
    }
    let cookie = drf::cookie_of(&call.headers, COOKIE).ok_or("CSRF cookie not set.")?;
    let secret = unmasked(&cookie).map_err(|wrong| format!("CSRF cookie {wrong}."))?;
    let (token, place) = sent(call).ok_or("CSRF token missing.")?;
    let wrong = |what: &str| format!("CSRF token from {place} {what}.");
    let shown = unmasked(&token).map_err(wrong)?;
    verify_slices_are_equal(&secret, &shown).map_err(|_| wrong("incorrect"))
}

/// Has the browser keep a secret, and returns it: the one that the answer sets anyway, or that the browser has, if it
/// could be one of ours.
pub(super) fn keep(call: &Call, reply: &mut Reply) -> Result<String, Error> {
    let set = reply.headers.get_all(header::SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    let mut named = set.filter_map(|line| line.strip_prefix(COOKIE)?.strip_prefix('=')?.split(';').next());
    if let Some(secret) = named.next().filter(|secret| unmasked(secret).is_ok()) {
        return Ok(secret.to_owned());
    }
    let kept = drf::cookie_of(&call.headers, COOKIE).filter(|cookie| unmasked(cookie).is_ok());
    let secret = match kept {
        Some(secret) => secret,
        None => new_secret()?,
    };
    let attributes = "; Path=/; SameSite=Lax";
    let cookie = drf::cookie(COOKIE, &secret, attributes, LIFETIME, call.ctx.now);
    reply.headers.extend(cookie.map(|cookie: HeaderValue| (header::SET_COOKIE, cookie)));
    Ok(secret)
}

/// The token that the request shows, and where it was: in the header, or in the form that it is.
fn sent(call: &Call) -> Option<(String, &'static str)> {
    if let Some(token) = call.headers.get("x-csrftoken").and_then(|value| value.to_str().ok()) {
        return Some((token.to_owned(), "the 'X-Csrftoken' HTTP header"));
    }
    call.form().find(|(name, _)| name == "csrfmiddlewaretoken").map(|(_, token)| (token.into_owned(), "POST"))
}

/// The secret, whether or not it is masked.
fn unmasked(token: &str) -> Result<Vec<u8>, &'static str> {
    if ![LENGTH, 2 * LENGTH].contains(&token.len()) {
        return Err("has incorrect length");
    }
    let place = |letter: u8| LETTERS.iter().position(|known| *known == letter).ok_or("has invalid characters");
    let places = token.bytes().map(place).collect::<Result<Vec<_>, _>>()?;
    let Some((mask, masked)) = places.split_at_checked(LENGTH).filter(|(_, masked)| !masked.is_empty()) else {
        return Ok(token.as_bytes().to_vec());
    };
    let letter = |(masked, mask): (&usize, &usize)| LETTERS.get((masked + LETTERS.len() - mask) % LETTERS.len());
    Ok(masked.iter().zip(mask).filter_map(letter).copied().collect())
}

fn new_secret() -> Result<String, Error> {
    let mut secret = String::with_capacity(LENGTH);
    while secret.len() < LENGTH {
        let mut bytes = [0; 64];
        rand::fill(&mut bytes).map_err(|_| Error::internal("there is no randomness"))?;
        // Each letter as likely as any other: what is above the last whole round of them is thrown away.
        let letters = bytes.iter().filter_map(|byte| LETTERS.get(usize::from(byte >> 2)));
        secret.extend(letters.take(LENGTH - secret.len()).map(|letter| char::from(*letter)));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_masked_secret_is_the_secret() {
        let secret = "abcdefghijklmnopqrstuvwxyz012345";
        assert_eq!(unmasked(secret).unwrap(), secret.as_bytes());
        // The mask moves each letter on by the place of its own: `b` by one, `Z` by 51, `9` by 61.
        let mask = "bZ9a".repeat(8);
        let moved = secret.bytes().zip(mask.bytes()).map(|(letter, by)| {
            let place = |letter| LETTERS.iter().position(|known| *known == letter).unwrap();
            char::from(LETTERS[(place(letter) + place(by)) % 62])
        });
        let masked: String = mask.chars().chain(moved).collect();
        assert_eq!(unmasked(&masked).unwrap(), secret.as_bytes());
        assert_eq!(unmasked("abc").unwrap_err(), "has incorrect length");
        assert_eq!(unmasked(&"-".repeat(32)).unwrap_err(), "has invalid characters");
    }

    #[test]
    fn a_new_secret_has_32_letters_and_is_another_each_time() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_eq!(unmasked(&one).unwrap(), one.as_bytes());
        assert_ne!(one, other);
    }
}

//! Values that Django has signed (`django.core.signing`, `django.utils.crypto.salted_hmac`), and numbers as it writes them.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
    hmac,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

/// In the order of base 62 there; those of smaller bases are written in lower case.
const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Bytes of the longest value that is looked at.
const LONGEST: usize = 1024;

/// `salted_hmac(salt, value, secret, algorithm="sha256")`: what Django signs with since version 3.1.
pub(super) fn salted_hmac(salt: &str, value: &str, secret: &SecretString) -> hmac::Tag {
    let key = digest(&SHA256, [salt, secret.expose_secret()].concat().as_bytes());
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()), value.as_bytes())
}

/// What `django.core.signing.dumps(…, salt=salt)` signed within the last `lifetime` seconds.
pub(super) fn loads(text: &str, salt: &str, secret: &SecretString, lifetime: i64, now: i64) -> Option<Value> {
    let (signed, signature) = text.rsplit_once(':').filter(|_| text.len() <= LONGEST)?;
    let expected = salted_hmac(&format!("{salt}signer"), signed, secret);
    verify_slices_are_equal(BASE64URL.encode(expected).as_bytes(), signature.as_bytes()).ok()?;
    let (value, time) = signed.rsplit_once(':')?;
    let age = now.checked_sub(read_number(time, 62)?)?;
    let value = serde_json::from_slice(&BASE64URL.decode(value).ok()?).ok()?;
    (age <= lifetime).then_some(value)
}

/// A number to the base 36 in lower case, or to the base 62.
pub(super) fn write_number(number: u64, base: u64) -> String {
    let digit = |digit: u64| usize::try_from(digit).ok().and_then(|digit| DIGITS.get(digit)).copied().map(char::from);
    let mut digits: Vec<char> = Vec::new();
    let mut rest = number;
    while rest > 0 || digits.is_empty() {
        digits.extend(digit(rest % base));
        rest /= base;
    }
    let text: String = digits.into_iter().rev().collect();
    if base == 36 { text.to_ascii_lowercase() } else { text }
}

/// What [`write_number`] has written; of at most 13 digits, as Django reads them.
pub(super) fn read_number(text: &str, base: i64) -> Option<i64> {
    let value = |byte: u8| {
        let byte = if base == 36 && byte.is_ascii_lowercase() { byte.to_ascii_uppercase() } else { byte };
        DIGITS.iter().position(|digit| *digit == byte).and_then(|place| i64::try_from(place).ok())
    };
    let digits = Some(text).filter(|text| (1..=13).contains(&text.len()))?.bytes();
    digits.map(value).try_fold(0_i64, |number, digit| {
        let digit = digit.filter(|digit| *digit < base)?;
        number.checked_mul(base)?.checked_add(digit)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    // What Django 5.2 signed with `dumps(…, salt="account")` at this moment.
    const NOW: i64 = 1_790_000_000;
    const SEVEN: &str = "Nw:1x8elk:5DCbgpCDv8M_2e-ZJXZ_n94lbDID6mLkemowwe_cbUI";
    const OTHER_SALT: &str = "Nw:1x8elk:XcgJQFVGI1L2fEbAUqrofIcHf2VAjodRmJEhmWA13Lg";
    const TEXT: &str = "Ingi:1x8elk:OrQ7jycMy718Flkn--RoGOtSunLcIlaCuPB7hRCiiRs";

    fn read(text: &str, now: i64) -> Option<Value> {
        let secret = SecretString::from("a secret key of a Django project, long enough for it");
        loads(text, "account", &secret, 3 * 86_400, now)
    }

    #[test]
    fn what_django_signed_is_read_for_as_long_as_it_is_good() {
        assert_eq!(read(SEVEN, NOW), Some(7.into()));
        assert_eq!(read(TEXT, NOW), Some("x".into()));
        assert_eq!(read(SEVEN, NOW + 3 * 86_400), Some(7.into()));
        assert_eq!(read(SEVEN, NOW + 3 * 86_400 + 1), None);
    }

    #[test]
    fn nothing_else_is_read() {
        for (from, to) in [("Nw:", "OA:"), ("1x8elk", "1x8ell"), ("cbUI", "cbUJ"), ("cbUI", "cbUI="), ("cbUI", "")] {
            assert_eq!(read(&SEVEN.replace(from, to), NOW), None, "{to}");
        }
        for other in [OTHER_SALT, "", ":", "::", "Nw", "Nw:1x8elk:", "abc", &"a:".repeat(4096)] {
            assert_eq!(read(other, NOW), None, "{other}");
        }
        let secret = SecretString::from("another secret key of a Django project, as long as it");
        assert_eq!(loads(SEVEN, "account", &secret, 3 * 86_400, NOW), None);
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for (number, base, text) in
            [(0, 36, "0"), (811_814_400, 36, "df9nfa"), (1_790_000_000, 62, "1x8elk"), (61, 62, "z")]
        {
            let read = read_number(text, base).unwrap();
            assert_eq!(write_number(read.unsigned_abs(), base.unsigned_abs()), text);
            assert!(read == number || text == "df9nfa", "{text}: {read}");
        }
        assert_eq!(read_number("zzzzzzzzzzzzz", 36), None, "more than a number of ours has room for");
    }
}

//! Passwords: what one is, how strong a new one must be ([`strength`]), and how it is kept ([`hash`]).
//! A password is never printed, never cut short, and never kept in a form that gives it back.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::FieldError;

mod django;
pub mod hash;
mod memory;
mod pool;
pub mod strength;
mod validators;

pub use validators::{Owner, Validator, validate};

/// Characters (code points, after normalisation) of the longest password.
pub const MAX_LENGTH: usize = 256;
/// Bytes of the longest password as it was sent.
pub const MAX_BYTES: usize = 1024;

/// A password in Unicode normalisation form C (RFC 8265 section 4.2 without the mapping of spaces): however a keyboard
/// composes its letters, the same password gives the same bytes. Otherwise it is exactly what was typed.
#[derive(Clone)]
pub struct Password(SecretString);

impl Password {
    /// Takes what was sent in the member `field`: 1 to 256 characters, at most 1,024 bytes, no NUL.
    ///
    /// # Errors
    /// `password_empty`, `password_too_long` or `password_invalid`. What is longer than 1,024 bytes is refused before
    /// anything is computed from it.
    pub fn parse(field: &'static str, sent: &SecretString) -> Result<Self, FieldError> {
        let sent = sent.expose_secret();
        let too_long = || {
            let detail = "A password has at most 256 characters and 1,024 bytes";
            FieldError::new(field, "password_too_long", detail)
        };
        if sent.is_empty() {
            return Err(FieldError::new(field, "password_empty", "Enter a password"));
        }
        if sent.len() > MAX_BYTES {
            return Err(too_long());
        }
        if sent.contains('\0') {
            return Err(FieldError::new(field, "password_invalid", "A password cannot contain the NUL character"));
        }
        let normal = normalised(sent);
        if normal.chars().count() > MAX_LENGTH {
            return Err(too_long());
        }
        Ok(Self(SecretString::from(normal.as_str())))
    }

    /// The number of characters (code points).
    pub fn length(&self) -> usize {
        self.expose().chars().count()
    }

    fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([REDACTED])")
    }
}

/// Form C, in one allocation: a string that grew would leave copies of the password behind.
fn normalised(text: &str) -> Zeroizing<String> {
    // No text grows to more than three times its bytes in form C (Unicode Standard Annex 15, section 9).
    let mut normal = Zeroizing::new(String::with_capacity(3 * text.len()));
    normal.extend(text.nfc());
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Password, &'static str> {
        Password::parse("new_password", &SecretString::from(text)).map_err(|error| {
            assert_eq!(error.field, "new_password");
            error.code
        })
    }

    #[test]
    fn a_password_may_have_spaces_and_any_letters_and_is_kept_exactly() {
        for text in ["x", " two  spaces ", "Ünïcödé 密码 🔑", "CaSe", "\u{FB01}\u{212B}ngstrom"] {
            assert_eq!(parse(text).unwrap().expose(), text.nfc().collect::<String>());
        }
        assert_eq!(parse("\u{FB01}").unwrap().expose(), "\u{FB01}", "a ligature is not taken apart");
    }

    #[test]
    fn however_a_keyboard_composes_its_letters_it_is_the_same_password() {
        assert_eq!(parse("cafe\u{301}").unwrap().expose(), parse("caf\u{E9}").unwrap().expose());
    }

    #[test]
    fn up_to_256_characters_are_taken_and_none_is_cut_off() {
        let longest = "é".repeat(MAX_LENGTH);
        assert_eq!(parse(&longest).unwrap().length(), MAX_LENGTH);
        assert_eq!(parse(&(longest + "x")).unwrap_err(), "password_too_long");
        assert_eq!(parse(&"🔑".repeat(MAX_LENGTH)).unwrap().length(), MAX_LENGTH);
        assert_eq!(parse(&"e\u{301}".repeat(MAX_LENGTH)).unwrap().length(), MAX_LENGTH, "counted after normalisation");
        assert_eq!(parse(&"\u{1D160}".repeat(MAX_LENGTH)).unwrap_err(), "password_too_long");
    }

    #[test]
    fn more_than_1024_bytes_are_refused() {
        assert_eq!(parse(&"e\u{301}".repeat(342)).unwrap_err(), "password_too_long");
        assert_eq!(parse(&"x".repeat(10 << 20)).unwrap_err(), "password_too_long");
    }

    #[test]
    fn nothing_and_nul_are_no_passwords() {
        assert_eq!(parse("").unwrap_err(), "password_empty");
        assert_eq!(parse("correct\0horse").unwrap_err(), "password_invalid");
    }

    #[test]
    fn a_password_cannot_be_printed() {
        assert_eq!(format!("{:?}", parse("correct horse").unwrap()), "Password([REDACTED])");
    }

    #[test]
    fn normalising_never_allocates_twice() {
        for text in ["x", "e\u{301}", "\u{1D160}", "\u{FB2C}", "\u{0390}", "\u{1F82}", "\u{0344}"] {
            let text = text.repeat(50);
            assert!(normalised(&text).len() <= 3 * text.len(), "{text}");
        }
    }
}

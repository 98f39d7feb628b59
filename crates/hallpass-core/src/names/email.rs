//! E-mail addresses as mail servers everywhere take them, with the domain in ASCII.
//! Mail goes to the address that is kept, never to another spelling that somebody typed.

use unicode_normalization::UnicodeNormalization;
use unicode_security::skeleton;
use url::{Host, quirks::domain_to_unicode};

use super::is_of_one_writing_system;
use crate::FieldError;

/// Characters of the longest address (RFC 5321 section 4.5.3.1.3, less the brackets).
const MAX_LENGTH: usize = 254;
/// Characters of the longest part before the `@` (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_LENGTH: usize = 64;

/// An e-mail address: a dot-atom of RFC 5321, section 4.1.2, `@`, and a domain of at least two labels in ASCII.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    shown: String,
    key: String,
}

impl Email {
    /// Takes an address as it was typed, with nothing around it. A domain may be typed in its own script.
    ///
    /// # Errors
    /// The codes `email_…` of the module's table.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let wrong = |code, detail| FieldError::new("email", code, detail);
        let invalid = || wrong("email_invalid", "Enter an e-mail address such as name@example.com");
        let too_long =
            || wrong("email_too_long", "An e-mail address has at most 254 characters, 64 of them before the @");
        if typed.is_empty() {
            return Err(wrong("email_empty", "Enter an e-mail address"));
        }
        if typed.chars().nth(MAX_LENGTH).is_some() {
            return Err(too_long());
        }
        let (local, domain) = typed.rsplit_once('@').ok_or_else(invalid)?;
        if !is_dot_atom(local) {
            return Err(invalid());
        }
        let ascii = ascii_domain(domain).ok_or_else(invalid)?;
        if local.len() > MAX_LOCAL_LENGTH || local.len() + 1 + ascii.len() > MAX_LENGTH {
            return Err(too_long());
        }
        if domain_to_unicode(&ascii).split('.').any(imitates) {
            return Err(wrong(
                "email_confusable",
                "This domain looks like another one: use an address of another domain",
            ));
        }
        let shown = format!("{local}@{ascii}");
        Ok(Self { key: shown.to_ascii_lowercase(), shown })
    }

    /// The address to which mail is sent: as its owner writes it, but for the domain in lower case and ASCII.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The address in lower case: hardly a mail server tells letter cases apart, and nobody should have to rely on one
    /// that does.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// RFC 5321, section 4.1.2: `Dot-string`.
fn is_dot_atom(local: &str) -> bool {
    let is_atom_character = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&b);
    local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_character))
}

/// The domain in ASCII and lower case, if it is a host name of at least two labels and was typed as what it is.
fn ascii_domain(typed: &str) -> Option<String> {
    let Ok(Host::Domain(ascii)) = Host::parse(typed) else { return None };
    let is_label = |label: &str| {
        let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(inner)
    };
    let is_host_name = ascii.contains('.') && ascii.split('.').all(is_label);
    // What turns into something else than it shows (full-width letters, invisible characters, `%61`) was not typed by
    // somebody who knows the address.
    let lower = typed.nfc().collect::<String>().to_lowercase();
    let is_as_typed = lower == ascii || lower == domain_to_unicode(&ascii);
    (is_host_name && is_as_typed).then_some(ascii)
}

/// Whether a label in a script of its own mixes scripts, or consists of letters that look like ASCII throughout.
fn imitates(label: &str) -> bool {
    !label.is_ascii() && (!is_of_one_writing_system(label) || skeleton(label).all(|c| c.is_ascii()))
}

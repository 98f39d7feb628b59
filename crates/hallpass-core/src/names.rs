//! User names, e-mail addresses and people's names: parsed once at the edge, and from then on what they claim to be.
//! Two spellings that are the same name have the same key, which the database holds unique; two names that only look
//! alike never share one.
//!
//! | code | what is wrong |
//! |---|---|
//! | `username_empty`, `email_empty` | there is nothing |
//! | `username_too_long` | more than 150 characters |
//! | `username_invalid` | characters other than letters, digits and `.` `_` `-` `+`, or one of these four at an end |
//! | `username_no_letter` | digits and signs only, which reads like an id |
//! | `username_mixed_scripts` | letters of scripts that are not written together, such as Latin and Cyrillic |
//! | `email_too_long` | more than 254 characters, or more than 64 before the `@` |
//! | `email_invalid` | not an address to which mail could be sent |
//! | `email_confusable` | a domain that imitates another one |
//! | `name_too_long` | a person's name of more than 150 characters |
//! | `name_invalid` | a person's name with characters that are not text |

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory as Category, GeneralCategoryGroup as Group, UnicodeGeneralCategory};
use unicode_security::{GeneralSecurityProfile, RestrictionLevel, RestrictionLevelDetection};

use crate::FieldError;

mod email;

pub use email::Email;

/// Characters of the longest user name, first name or last name.
pub const MAX_LENGTH: usize = 150;
/// Code points of one character, at most, before normalisation puts them together; more are not even looked at.
const MAX_PIECES: usize = 4;

/// A user name, which is never an e-mail address and never an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Username {
    shown: String,
    key: String,
}

impl Username {
    /// Takes a user name of 1 to 150 characters: letters and digits of one writing system, and `.`, `_`, `-` and `+`
    /// between them. Letters are those that Unicode recommends for identifiers (Unicode Technical Standard 39, section
    /// 3.1), and they mix no scripts but those that are written together (level "highly restrictive", section 5.2).
    ///
    /// # Errors
    /// The codes `username_…` in the table above.
    pub fn parse(typed: &str) -> Result<Self, FieldError> {
        let wrong = |code, detail| FieldError::new("username", code, detail);
        if typed.is_empty() {
            return Err(wrong("username_empty", "Enter a user name"));
        }
        let shown = bounded(typed);
        let compatible = shown.as_deref().and_then(|shown| bounded_in(shown.nfkc()));
        let (Some(shown), Some(compatible)) = (shown, compatible) else {
            return Err(wrong("username_too_long", "A user name has at most 150 characters"));
        };
        if !(has_name_characters_only(&compatible) && shown.chars().all(|c| is_word_character(c) || is_joint(c))) {
            let detail = "Use letters, digits and . _ - +, and begin and end with a letter or a digit";
            return Err(wrong("username_invalid", detail));
        }
        if !compatible.chars().any(char::is_alphabetic) {
            return Err(wrong("username_no_letter", "A user name has at least one letter"));
        }
        if !is_of_one_writing_system(&compatible) {
            return Err(wrong("username_mixed_scripts", "Use letters of one alphabet only"));
        }
        Ok(Self { key: username_key(&shown), shown })
    }

    /// Takes a user name as Django does (`UnicodeUsernameValidator`), but for `@`: letters and digits of any script, and
    /// `.`, `_`, `-` and `+` anywhere among them. It is kept as it was typed.
    ///
    /// # Errors
    /// `username_empty`, `username_too_long`, `username_invalid`.
    pub fn parse_as_django(typed: &str) -> Result<Self, FieldError> {
        let wrong = |code, detail| Err(FieldError::new("username", code, detail));
        if typed.is_empty() {
            return wrong("username_empty", "Enter a user name");
        }
        if typed.chars().nth(MAX_LENGTH).is_some() {
            return wrong("username_too_long", "A user name has at most 150 characters");
        }
        if !typed.chars().all(|c| c.is_alphanumeric() || is_joint(c)) {
            return wrong("username_invalid", "Use letters, digits and . _ - +");
        }
        Ok(Self { key: username_key(typed), shown: typed.to_owned() })
    }

    /// The name as its owner writes it, in Unicode normalisation form C.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// What all spellings of this name have in common; no other name has it.
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Compatibility caseless matching (Unicode Standard, section 3.13, D146), as text in form KC.
pub(crate) fn username_key(name: &str) -> String {
    name.nfd().default_case_fold().nfkd().default_case_fold().nfkc().collect()
}

/// The text in form C, if it has at most [`MAX_LENGTH`] characters then.
fn bounded(text: &str) -> Option<String> {
    let looked_at = text.chars().nth(MAX_PIECES * MAX_LENGTH).is_none();
    looked_at.then(|| bounded_in(text.nfc())).flatten()
}

fn bounded_in(characters: impl Iterator<Item = char>) -> Option<String> {
    let text: String = characters.take(MAX_LENGTH + 1).collect();
    (text.chars().count() <= MAX_LENGTH).then_some(text)
}

/// Whether it begins and ends with a word, has nothing but words and signs, and no more marks than a script needs.
fn has_name_characters_only(name: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| !is_joint(c));
    let allowed = |c: char| is_joint(c) || (is_word_character(c) && c.identifier_allowed());
    ends(name.chars().next()) && ends(name.chars().next_back()) && name.chars().all(allowed) && has_sane_marks(name)
}

/// A sign that may stand within a user name.
fn is_joint(c: char) -> bool {
    matches!(c, '.' | '_' | '-' | '+')
}

fn is_word_character(c: char) -> bool {
    matches!(c.general_category_group(), Group::Letter | Group::Mark | Group::Number)
}

/// Whether every mark belongs to a letter, and no letter has more than four or the same twice in a row (Unicode
/// Technical Standard 39, section 5.4).
fn has_sane_marks(name: &str) -> bool {
    let mut previous = '.';
    let mut marks = 0;
    name.nfd().all(|c| {
        let is_mark = c.general_category_group() == Group::Mark;
        marks = if is_mark { marks + 1 } else { 0 };
        let sane = !is_mark || (!is_joint(previous) && previous != c && marks <= 4);
        previous = c;
        sane
    })
}

fn is_of_one_writing_system(name: &str) -> bool {
    let letters: String = name.chars().filter(|c| !is_joint(*c)).collect();
    letters.as_str().check_restriction_level(RestrictionLevel::HighlyRestrictive)
}

/// A person's first or last name as the member `field` brings it, in Unicode normalisation form C: any text of at most
/// 150 characters, or none.
///
/// # Errors
/// `name_too_long`, or `name_invalid` for control characters, line breaks, what turns the direction of the text around
/// it, and what is no character at all.
pub fn person_name(field: &'static str, typed: &str) -> Result<String, FieldError> {
    let Some(name) = bounded(typed) else {
        return Err(FieldError::new(field, "name_too_long", "A name has at most 150 characters"));
    };
    if name.chars().all(is_printable) {
        Ok(name)
    } else {
        Err(FieldError::new(field, "name_invalid", "A name is one line of text, without invisible control characters"))
    }
}

fn is_printable(c: char) -> bool {
    let turns_direction = matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    let category = c.general_category();
    let no_text = matches!(
        category,
        Category::Control
            | Category::LineSeparator
            | Category::ParagraphSeparator
            | Category::PrivateUse
            | Category::Unassigned
    );
    !turns_direction && !no_text
}

#[cfg(test)]
mod tests;

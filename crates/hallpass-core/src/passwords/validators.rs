//! The rules of `django.contrib.auth.password_validation`, in its words, for front ends that know those.
//!
//! They come before the rules of this server, and never in their place.

use std::collections::HashMap;

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::strength;
use crate::{Hallpass, Result};

/// A rule of `AUTH_PASSWORD_VALIDATORS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Validator {
    /// `UserAttributeSimilarityValidator`.
    Similarity,
    /// `MinimumLengthValidator`, with `passwords.min_length`.
    MinimumLength,
    /// `CommonPasswordValidator`, by how soon a password is guessed instead of a list.
    Common,
    /// `NumericPasswordValidator`.
    Numeric,
}

impl Validator {
    /// Those of a new project, in its order.
    pub const ALL: [Self; 4] = [Self::Similarity, Self::MinimumLength, Self::Common, Self::Numeric];
}

/// What a password must not resemble; empty where there is nothing.
#[derive(Debug, Clone, Default)]
pub struct Owner {
    /// The user name.
    pub username: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The address.
    pub email: String,
}

impl From<&crate::accounts::Account> for Owner {
    fn from(account: &crate::accounts::Account) -> Self {
        Self {
            username: account.username.clone().unwrap_or_default(),
            first_name: account.first_name.clone(),
            last_name: account.last_name.clone(),
            email: account.email.clone().unwrap_or_default(),
        }
    }
}

/// Everything that these rules find wrong with a password.
///
/// # Errors
/// [`crate::Code::Busy`] with the seconds after which to try again.
pub async fn validate(
    hallpass: &Hallpass,
    validators: &[Validator],
    password: &SecretString,
    owner: Owner,
) -> Result<Vec<String>> {
    let (validators, password, least) = (validators.to_vec(), password.clone(), hallpass.config().passwords.min_length);
    let judge = move || {
        let wrong = |validator: &Validator| validator.wrong(password.expose_secret(), &owner, least);
        validators.iter().filter_map(wrong).collect()
    };
    hallpass.0.hasher.in_pool(judge).await
}

impl Validator {
    fn wrong(self, password: &str, owner: &Owner, least: usize) -> Option<String> {
        match self {
            Self::Similarity => {
                similar_to(password, owner).map(|what| format!("The password is too similar to the {what}."))
            }
            Self::MinimumLength => (password.chars().count() < least).then(|| {
                let plural = if least == 1 { "" } else { "s" };
                format!("This password is too short. It must contain at least {least} character{plural}.")
            }),
            Self::Common => strength::is_common(password).then(|| "This password is too common.".into()),
            Self::Numeric => (!password.is_empty() && password.chars().all(char::is_numeric))
                .then(|| "This password is entirely numeric.".into()),
        }
    }
}

/// What of the owner's a password is nearly the same as, or a word of it.
fn similar_to(password: &str, owner: &Owner) -> Option<&'static str> {
    let attributes = [
        ("username", &owner.username),
        ("first name", &owner.first_name),
        ("last name", &owner.last_name),
        ("email address", &owner.email),
    ];
    let password = Letters::of(&password.to_lowercase());
    attributes.into_iter().find_map(|(name, value)| {
        let value = value.to_lowercase();
        let mut parts = value.split(|c: char| !c.is_alphanumeric() && c != '_').chain([value.as_str()]);
        parts.any(|part| password.resembles(&Letters::of(part))).then_some(name)
    })
}

/// A text as a bag of letters.
struct Letters {
    counts: HashMap<char, usize>,
    length: usize,
}

impl Letters {
    fn of(text: &str) -> Self {
        let mut counts = HashMap::new();
        text.chars().for_each(|letter| *counts.entry(letter).or_default() += 1);
        Self { counts, length: text.chars().count() }
    }

    /// Whether seven tenths of the letters of both are the same, in whatever order (`SequenceMatcher.quick_ratio`). What
    /// is much shorter than the password is not looked at.
    fn resembles(&self, part: &Self) -> bool {
        let is_much_shorter = self.length >= 10 * part.length && 20 * part.length < 7 * self.length;
        let shared = |(letter, count): (&char, &usize)| *part.counts.get(letter).unwrap_or(&0).min(count);
        let shared: usize = self.counts.iter().map(shared).sum();
        !is_much_shorter && 20 * shared >= 7 * (self.length + part.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: &str = "This password is too short. It must contain at least 8 characters.";
    const COMMON: &str = "This password is too common.";
    const NUMERIC: &str = "This password is entirely numeric.";

    fn wrong(password: &str) -> Vec<String> {
        let owner = Owner {
            username: "alice".into(),
            first_name: "Alice".into(),
            last_name: "Liddell".into(),
            email: "alice@example.com".into(),
        };
        Validator::ALL.iter().filter_map(|validator| validator.wrong(password, &owner, 8)).collect()
    }

    #[test]
    fn a_password_is_refused_in_the_words_of_django() {
        let similar = |what: &str| format!("The password is too similar to the {what}.");
        for (password, expected) in [
            ("12345", vec![SHORT.to_owned(), COMMON.into(), NUMERIC.into()]),
            ("123", vec![SHORT.into(), COMMON.into(), NUMERIC.into()]),
            ("987001", vec![SHORT.into(), NUMERIC.into()]),
            ("7391648205", vec![NUMERIC.into()]),
            ("١٢٣٤٥٦٧٨٩", vec![NUMERIC.into()]),
            ("1q2w3e4r5t6y", vec![COMMON.into()]),
            ("PASSWORD123", vec![COMMON.into()]),
            ("alice123", vec![similar("username"), COMMON.into()]),
            ("aliceeee", vec![similar("username")]),
            ("liddell1", vec![similar("last name")]),
            ("alice@example.co", vec![similar("email address")]),
            ("example1", vec![similar("email address")]),
            ("aB3$x", vec![SHORT.into()]),
            ("xk4-Tzqw", vec![]),
            ("Sup3r-s3cret-pw", vec![]),
        ] {
            assert_eq!(wrong(password), expected, "{password}");
        }
    }

    #[test]
    fn a_long_password_may_have_the_owners_short_words_in_it() {
        assert_eq!(wrong("the cat that alice had was grinning"), [""; 0]);
    }

    #[test]
    fn a_rule_that_the_project_left_out_is_not_asked() {
        assert_eq!(Validator::Numeric.wrong("password", &Owner::default(), 8), None);
        assert_eq!(
            Validator::MinimumLength.wrong("short", &Owner::default(), 15).as_deref(),
            Some("This password is too short. It must contain at least 15 characters.")
        );
    }
}

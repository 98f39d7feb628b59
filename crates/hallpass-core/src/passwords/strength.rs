//! Whether a new password is good enough: long, hard to guess, and not made of what the account says about its owner.
//! It asks for no kinds of characters, never expires a password, and is never asked about one that is already in use.
//!
//! | code | what is wrong |
//! |---|---|
//! | `password_too_short` | it has fewer characters than `passwords.min_length` |
//! | `password_too_similar` | without the owner's own words it would have fewer characters than that |
//! | `password_too_guessable` | its zxcvbn score is below `passwords.min_score`: words, names, dates, keyboard rows, repeats |

use std::borrow::Cow;

use caseless::Caseless;
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;
use zxcvbn::matching::patterns::MatchPattern;

use super::Password;
use crate::{FieldError, config};

/// Our own name, which people use for passwords to what bears it.
const PRODUCT: &str = "hallpass";
/// Characters below which an own word is too common a part of other words to be looked for.
const SHORTEST_OWN_WORD: usize = 4;
/// Stands where an own word was; no password has it.
const TAKEN_OUT: &str = "\0";
/// Characters that zxcvbn gets to see. It tries every way to read symbols as letters at every place, so that a hundred
/// symbols would keep it busy for seconds; and from 29 on its arithmetic overflows on a zigzag over the number pad.
/// What is hard to guess by its first 28 characters is hard to guess.
const JUDGED: usize = 28;

/// Checks a new password against the `rules`; `own` is what the account says about its owner: user name, e-mail
/// address, first and last name.
///
/// This takes a millisecond or two, and a tenth of a second for a password that was made to be slow to judge.
///
/// # Errors
/// Everything that is wrong, by the codes above, for the member `field`.
pub fn check(
    rules: &config::Passwords,
    password: &Password,
    field: &'static str,
    own: &[&str],
) -> Result<(), Vec<FieldError>> {
    let least = rules.min_length;
    let mut problems = Vec::new();
    if password.length() < least {
        let detail = format!("Use at least {least} characters; a few unusual words are easy to remember");
        problems.push(FieldError::new(field, "password_too_short", detail));
    }
    let words = own_words(own);
    if is_similar(password, &words, least) {
        let detail = "It is mostly your own name or address: use words that have nothing to do with you";
        problems.push(FieldError::new(field, "password_too_similar", detail));
    }
    if let Some(detail) = why_guessable(password, &words, rules.min_score) {
        problems.push(FieldError::new(field, "password_too_guessable", detail));
    }
    if problems.is_empty() { Ok(()) } else { Err(problems) }
}

/// Whether a password is one of those that everybody tries: a word, name or row of keys that is guessed within ten thousand
/// attempts, or one with a sequence such as `123` behind it; the words that are known here are ASCII.
pub(super) fn is_common(password: &str) -> bool {
    let judged: Zeroizing<String> = Zeroizing::new(password.trim().to_lowercase().chars().take(JUDGED + 1).collect());
    if judged.is_empty() || judged.len() > JUDGED || !judged.is_ascii() {
        return false;
    }
    let found = zxcvbn::zxcvbn(&judged, &[]);
    match found.sequence() {
        [alone] => found.guesses() < 10_000 && !matches!(alone.pattern, MatchPattern::BruteForce),
        [word, behind] => {
            matches!((&word.pattern, &behind.pattern), (MatchPattern::Dictionary(_), MatchPattern::Sequence(_)))
        }
        _ => false,
    }
}

/// The owner's words as passwords are searched for them, longest first: each value as a whole, the part of an e-mail
/// address before the `@`, and the words that they are made of.
fn own_words(own: &[&str]) -> Vec<String> {
    let mut words = vec![PRODUCT.to_owned()];
    for value in own {
        let value = folded(value);
        words.extend(value.split('@').next().map(str::to_owned));
        words.extend(value.split(|c: char| !c.is_alphanumeric()).map(str::to_owned));
        words.push(value.as_str().to_owned());
    }
    words.retain(|word| word.chars().count() >= SHORTEST_OWN_WORD);
    words.sort_by_key(|word| std::cmp::Reverse(word.len()));
    words.dedup();
    words
}

/// Whether the password has own words, and too little besides.
fn is_similar(password: &Password, words: &[String], least: usize) -> bool {
    let mut rest = folded(password.expose());
    for word in words {
        rest = Zeroizing::new(rest.replace(word.as_str(), TAKEN_OUT));
    }
    rest.contains(TAKEN_OUT) && rest.replace(TAKEN_OUT, "").chars().count() < least
}

/// Upper and lower case, and look-alikes of compatibility, as one.
fn folded(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.nfkc().default_case_fold().nfkc().collect())
}

/// What makes the password easy to guess, in sentences; none if it is hard enough.
fn why_guessable(password: &Password, words: &[String], least_score: u8) -> Option<Cow<'static, str>> {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let judged: Zeroizing<String> = Zeroizing::new(password.expose().chars().take(JUDGED).collect());
    let found = zxcvbn::zxcvbn(&judged, &words);
    if u8::from(found.score()) >= least_score {
        return None;
    }
    let sentences = found.feedback().map(ToString::to_string).unwrap_or_default();
    match sentences.trim() {
        "" => Some("This is too easy to guess. Add another word or two. Uncommon words are better.".into()),
        sentences => Some(sentences.to_owned().into()),
    }
}
#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;

    const OWN: &[&str] = &["mary.smith", "Mary.Smith.1985@mail.example.com", "Mary", "Smith"];

    fn problems_under(rules: &config::Passwords, text: &str) -> Vec<FieldError> {
        let password = Password::parse("new_password", &SecretString::from(text)).unwrap();
        check(rules, &password, "new_password", OWN).err().unwrap_or_default()
    }

    fn codes(text: &str) -> Vec<&'static str> {
        problems_under(&config::Passwords::default(), text).iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn well_known_long_passwords_are_refused() {
        for text in [
            "password123456789",
            "Password123456789",
            "PASSWORD123456789",
            "P@ssw0rd12345678",
            "passwordpassword",
            "passwordpassword1",
            "passw0rdpassw0rd",
            "P@ssw0rdP@ssw0rd",
            "qwertyuiopasdfgh",
            "qwertzuiopasdfgh",
            "qwerty1234567890",
            "qwertyqwertyqwerty",
            "qazwsxedcrfvtgb",
            "1qaz2wsx3edc4rfv",
            "1q2w3e4r5t6y7u8i",
            "asdfghjklasdfghjkl",
            "zxcvbnmzxcvbnmzxcvbnm",
            "asdfasdfasdfasdf",
            "1234qwer1234qwer",
            "123456789012345",
            "1234567890123456",
            "987654321987654321",
            "0123456789abcdef",
            "111111111111111",
            "000000000000000",
            "123123123123123",
            "aaaaaaaaaaaaaaa",
            "abcdefghijklmnop",
            "abcabcabcabcabc",
            "abc123abc123abc123",
            "iloveyouiloveyou",
            "iloveyou123456789",
            "letmeinletmeinletmein",
            "adminadminadmin",
            "administrator123",
            "welcomewelcome123",
            "Welcome123456789",
            "changemechangeme",
            "monkeymonkeymonkey",
            "dragondragondragon",
            "footballfootball",
            "baseball12345678",
            "sunshinesunshine",
            "princessprincess",
            "superman12345678",
            "trustno1trustno1",
            "michaeljackson123",
            "jesuschristjesus",
            "testtesttesttest",
            "secretsecretsecret",
        ] {
            assert!(text.chars().count() >= 15, "{text} is refused for its length already");
            assert_eq!(codes(text), ["password_too_guessable"], "{text}");
        }
    }

    #[test]
    fn passphrases_of_four_words_are_taken_as_they_are() {
        for text in [
            "correct horse battery staple",
            "tidy walrus hums backwards",
            "maple lantern quiet harbor",
            "seven purple goats dancing",
            "orbit-velvet-cactus-thunder",
            "die grüne Katze schläft heute",
            "zebra crossing umbrella moon",
            "тихий океан шумит ночью",
            "静かな湖畔の森の影から郭公の声",
        ] {
            assert_eq!(codes(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn length_is_counted_in_characters() {
        let rules = config::Passwords { min_score: 0, ..Default::default() };
        assert_eq!(problems_under(&rules, "äöüäöüäöüäöüäö")[0].code, "password_too_short");
        assert!(problems_under(&rules, "äöüäöüäöüäöüäöü").is_empty());
        assert!(problems_under(&rules, "x1y2z3w4v5u6t7")[0].detail.contains("at least 15 characters"));
    }

    #[test]
    fn a_password_made_of_the_owners_own_words_is_refused_however_it_is_written() {
        for text in [
            "mary.smith@mail.example.com",
            "Mary.Smith.1985",
            "MARYSMITHMARYSMITH",
            "marysmith1234567",
            "ｍａｒｙｓｍｉｔｈ-tulips",
            "hallpass-tulips-9",
            "HallpassHallpass",
            "SmithSmithSmith!",
            "my mail is example",
        ] {
            assert!(codes(text).contains(&"password_too_similar"), "{text}");
        }
    }

    #[test]
    fn an_own_word_in_a_password_that_is_long_enough_without_it_does_no_harm() {
        assert_eq!(codes("mary.smith counts lazy tulips"), [""; 0]);
        assert_eq!(codes("hallpass guards velvet cactus"), [""; 0]);
    }

    #[test]
    fn the_detail_says_in_sentences_what_to_do() {
        let problems = problems_under(&config::Passwords::default(), "aaaaaaaaaaaaaaa");
        assert_eq!(problems[0].field, "new_password");
        assert!(problems[0].detail.starts_with("Repeats like \"aaa\" are easy to guess. Add another word or two."));
        let strict = config::Passwords { min_score: 4, ..Default::default() };
        let problems = problems_under(&strict, "thisismypassword");
        assert!(problems[0].detail.starts_with("This is too easy to guess."), "{problems:?}");
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        assert_eq!(codes("smith"), ["password_too_short", "password_too_similar", "password_too_guessable"]);
    }

    #[test]
    fn no_password_takes_long_to_judge_or_breaks_the_judge() {
        // Each of these kept zxcvbn busy for seconds, or made it overflow, when it saw all of it.
        for hostile in ["4@8({[<3691!|7105$+%2", "2020", "1/1/", "12.", "QaQa", "!@#$"] {
            let long: String = hostile.chars().cycle().take(256).collect();
            let padded = format!("{}{hostile}", "a".repeat(100));
            codes(&long);
            codes(&padded);
        }
    }
}

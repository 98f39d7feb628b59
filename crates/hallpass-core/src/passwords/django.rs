//! Password hashes as Django keeps them (`auth_user.password`, `django.contrib.auth.hashers`): the four encodings of its
//! default settings, `algorithm$…`, and `pbkdf2_sha1`. What those settings do not read, `md5` or plain `bcrypt`, is
//! not read here either.

use std::num::NonZeroU32;

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest,
    pbkdf2::{self, PBKDF2_HMAC_SHA1, PBKDF2_HMAC_SHA256},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use scrypt::Params as Scrypt;
use zeroize::Zeroizing;

/// Rounds of PBKDF2 that a stored hash may ask for: about two seconds on one core.
const MAX_ROUNDS: u32 = 5_000_000;
/// The logarithm of the rounds of bcrypt that a stored hash may ask for.
const MAX_BCRYPT_COST: u32 = 14;
/// Bytes that a stored hash may make scrypt use.
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
/// Blocks of 128 bytes that a stored hash may make scrypt mix, `N · r · p`; six times what Django asks for.
const MAX_SCRYPT_WORK: u64 = 1 << 22;
/// Rounds of PBKDF2 below which a hash is made anew (OWASP Password Storage Cheat Sheet).
const LEAST_ROUNDS: u32 = 600_000;
/// Rounds of a new hash: those of Django 5.2.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(1_000_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MAX,
};
/// Bytes of the derived key, for PBKDF2 with SHA-256.
const KEY: usize = 32;

/// A hash that Django wrote, other than Argon2.
#[derive(Clone)]
pub(super) enum Django {
    Pbkdf2 {
        algorithm: pbkdf2::Algorithm,
        rounds: NonZeroU32,
        salt: String,
        key: Vec<u8>,
    },
    /// bcrypt of the hexadecimal SHA-256 of the password.
    Bcrypt(String),
    Scrypt {
        params: Scrypt,
        salt: String,
        key: Vec<u8>,
    },
}

/// The Argon2 hash within `argon2$…`.
pub(super) fn argon2(stored: &str) -> Option<&str> {
    stored.strip_prefix("argon2").filter(|hash| hash.starts_with("$argon2"))
}

impl Django {
    /// Reads a stored hash; `None` for one of another kind, one that is broken, and one whose cost nobody would have
    /// chosen but to stall us.
    pub(super) fn read(stored: &str) -> Option<Self> {
        let (kind, rest) = stored.split_once('$')?;
        let mut parts = rest.split('$');
        let read = match kind {
            "pbkdf2_sha256" | "pbkdf2_sha1" => {
                let algorithm = if kind == "pbkdf2_sha256" { PBKDF2_HMAC_SHA256 } else { PBKDF2_HMAC_SHA1 };
                let rounds = parts.next()?.parse().ok().filter(|rounds: &NonZeroU32| rounds.get() <= MAX_ROUNDS)?;
                let (salt, key) = (parts.next()?.to_owned(), BASE64.decode(parts.next()?).ok()?);
                let length = if kind == "pbkdf2_sha256" { KEY } else { digest::SHA1_OUTPUT_LEN };
                (key.len() == length).then_some(Self::Pbkdf2 { algorithm, rounds, salt, key })?
            }
            "bcrypt_sha256" => {
                let ("", "2b" | "2a" | "2y", cost) = (parts.next()?, parts.next()?, parts.next()?) else { return None };
                cost.parse().ok().filter(|cost: &u32| *cost <= MAX_BCRYPT_COST)?;
                let _salt_and_key = parts.next()?;
                Self::Bcrypt(rest.to_owned())
            }
            "scrypt" => {
                let work_factor: u64 = parts.next()?.parse().ok()?;
                let salt = parts.next()?.to_owned();
                let (block_size, parallelism): (u32, u32) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
                let key = BASE64.decode(parts.next()?).ok()?;
                let memory = work_factor.checked_mul(128)?.checked_mul(block_size.into())?;
                let work = work_factor.checked_mul(block_size.into())?.checked_mul(parallelism.into())?;
                let logarithm = work_factor.checked_ilog2().filter(|_| work_factor.is_power_of_two())?;
                let params = Scrypt::new(u8::try_from(logarithm).ok()?, block_size, parallelism).ok()?;
                (memory <= MAX_SCRYPT_MEMORY && work <= MAX_SCRYPT_WORK && key.len() == 64).then_some(Self::Scrypt {
                    params,
                    salt,
                    key,
                })?
            }
            _ => return None,
        };
        parts.next().is_none().then_some(read)
    }

    /// Whether this is the password. It takes as long as the hash asks for.
    pub(super) fn verify(&self, password: &[u8]) -> bool {
        match self {
            Self::Pbkdf2 { algorithm, rounds, salt, key } => {
                pbkdf2::verify(*algorithm, *rounds, salt.as_bytes(), password, key).is_ok()
            }
            Self::Bcrypt(hash) => bcrypt::verify(hexadecimal_sha256(password), hash).unwrap_or(false),
            Self::Scrypt { params, salt, key } => {
                let mut derived = Zeroizing::new(vec![0; key.len()]);
                scrypt::scrypt(password, salt.as_bytes(), params, &mut derived).is_ok()
                    && verify_slices_are_equal(&derived, key).is_ok()
            }
        }
    }

    /// Whether it is PBKDF2 with SHA-256 of a cost that is enough today.
    pub(super) fn is_of_today(&self) -> bool {
        matches!(self, Self::Pbkdf2 { algorithm, rounds, .. }
            if *algorithm == PBKDF2_HMAC_SHA256 && rounds.get() >= LEAST_ROUNDS)
    }

    /// Nobody's hash, of the cost of a new one.
    pub(super) fn nobody(salt: [u8; 16], key: [u8; KEY]) -> Self {
        Self::Pbkdf2 { algorithm: PBKDF2_HMAC_SHA256, rounds: ROUNDS, salt: text(salt), key: key.to_vec() }
    }
}

/// A new hash by PBKDF2 with HMAC-SHA-256: what every Django reads.
pub(super) fn pbkdf2_sha256(password: &[u8], salt: &[u8; 16]) -> String {
    let salt = text(*salt);
    let mut key = Zeroizing::new([0; KEY]);
    pbkdf2::derive(PBKDF2_HMAC_SHA256, ROUNDS, salt.as_bytes(), password, &mut *key);
    format!("pbkdf2_sha256${ROUNDS}${salt}${}", BASE64.encode(*key))
}

/// The salt as Django wants it: 22 letters and digits, which hold all of its 128 bits.
fn text(salt: [u8; 16]) -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = u128::from_be_bytes(salt);
    let mut text = String::with_capacity(22);
    for _ in 0..22 {
        let letter = LETTERS.get(usize::try_from(rest % 62).unwrap_or_default());
        text.push(letter.copied().map_or('0', char::from));
        rest /= 62;
    }
    text
}

fn hexadecimal_sha256(password: &[u8]) -> Zeroizing<String> {
    let hash = digest::digest(&digest::SHA256, password);
    // In one allocation, so that no copy is left behind.
    let mut text = Zeroizing::new(String::with_capacity(2 * digest::SHA256_OUTPUT_LEN));
    for byte in hash.as_ref() {
        for half in [byte >> 4, byte & 15] {
            text.push(char::from_digit(half.into(), 16).unwrap_or_default());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::super::{
        Password,
        hash::{Hasher, Verdict},
    };
    use crate::config::{PasswordEncoding, Passwords};

    fn hasher(encoding: PasswordEncoding) -> Hasher {
        Hasher::new(&Passwords { encoding, ..Passwords::default() }).unwrap()
    }

    fn password(text: &str) -> Password {
        Password::parse("password", &SecretString::from(text)).unwrap()
    }

    /// The users of the recorded Django projects: name, stored hash, password.
    fn recorded() -> Option<Vec<(String, String, Option<String>)>> {
        #[expect(
            clippy::disallowed_methods,
            reason = "where the standards' data is, a test is told by its environment"
        )]
        let Ok(shared) = std::env::var("HALLPASS_SHARED") else {
            eprintln!("skipped: HALLPASS_SHARED names no folder with the recorded Django projects");
            return None;
        };
        let text = std::fs::read_to_string(format!("{shared}/contract/fixtures.json")).unwrap();
        let file: serde_json::Value = serde_json::from_str(&text).unwrap();
        let text = |value: &serde_json::Value| value.as_str().map(str::to_owned);
        let user = |user: &serde_json::Value| {
            (text(&user["username"]).unwrap(), text(&user["password"]).unwrap(), text(&user["plain_password"]))
        };
        Some(file["users"].as_array().unwrap().iter().map(user).collect())
    }

    /// Kinds that the default settings of Django do not read.
    const UNREAD: [&str; 5] = ["h_bcrypt", "h_md5", "h_unusable", "h_empty", "h_garbage"];

    #[tokio::test]
    async fn whatever_django_wrote_the_password_is_right_and_no_other_is() {
        let Some(users) = recorded() else { return };
        let hasher = hasher(PasswordEncoding::Phc);
        for (name, stored, plain) in &users {
            let typed = password(plain.as_deref().unwrap_or("Sup3r-s3cret-pw"));
            let expected = if UNREAD.contains(&name.as_str()) { Verdict::Wrong } else { Verdict::RightButOutdated };
            assert_eq!(hasher.verify(&typed, Some(stored)).await.unwrap(), expected, "{name}");
            let other = password("Sup3r-s3cret-pW");
            assert_eq!(hasher.verify(&other, Some(stored)).await.unwrap(), Verdict::Wrong, "{name}");
        }
        assert!(users.iter().filter(|(name, ..)| name.starts_with("h_")).count() > 10, "{}", users.len());
    }

    #[tokio::test]
    async fn where_django_reads_the_table_too_a_new_hash_is_one_that_it_reads() {
        let hasher = hasher(PasswordEncoding::Django);
        let hash = hasher.hash(&password("correct horse")).await.unwrap();
        let parts: Vec<&str> = hash.split('$').collect();
        assert_eq!((parts.len(), parts[0], parts[1], parts[2].len()), (4, "pbkdf2_sha256", "1000000", 22), "{hash}");
        assert_eq!(hasher.verify(&password("correct horse"), Some(&hash)).await.unwrap(), Verdict::Right);
        assert_eq!(hasher.verify(&password("correct hors"), Some(&hash)).await.unwrap(), Verdict::Wrong);
        let again = hasher.hash(&password("correct horse")).await.unwrap();
        assert_ne!(hash, again, "another salt");
    }

    #[tokio::test]
    async fn where_django_reads_the_table_too_what_it_made_strong_enough_stays_and_what_is_weak_is_made_anew() {
        let Some(users) = recorded() else { return };
        let hasher = hasher(PasswordEncoding::Django);
        for (name, expected) in [
            ("h_pbkdf2_1000000", Verdict::Right),
            ("h_pbkdf2_720000", Verdict::Right),
            ("h_pbkdf2_260000", Verdict::RightButOutdated),
            ("h_pbkdf2_sha1", Verdict::RightButOutdated),
            ("h_argon2", Verdict::Right),
            ("h_argon2i_old", Verdict::RightButOutdated),
            ("h_bcrypt_sha256", Verdict::RightButOutdated),
            ("h_scrypt", Verdict::RightButOutdated),
        ] {
            let (_, stored, plain) = users.iter().find(|(held, ..)| held == name).unwrap();
            let typed = password(plain.as_deref().unwrap());
            assert_eq!(hasher.verify(&typed, Some(stored)).await.unwrap(), expected, "{name}");
        }
        let phc = self::hasher(PasswordEncoding::Phc).hash(&password("correct horse")).await.unwrap();
        let verdict = hasher.verify(&password("correct horse"), Some(&phc)).await.unwrap();
        assert_eq!(verdict, Verdict::RightButOutdated, "Django does not read it");
    }

    #[test]
    fn a_stored_cost_that_would_stall_us_and_a_broken_hash_are_not_read() {
        let key = "vIfNuA7mGkAivWi5fOyLpzk92fsl0/0o18I6IaJO9f4=";
        let long = "Tn0C5yKFYa1+EHC0R2qt68p5L35UGHzctcmgZs34POioJMSHRoTn0C5yKFYa1+EHC0R2qt68p5L35UGHzctcmg==";
        let tail = "Ycd9xSeG1agBemKE.AUnkeQBdflhsl.aOoIdEvGNMju6LpuwVjoDS";
        for fine in [
            format!("pbkdf2_sha256$5000000$salt${key}"),
            format!("bcrypt_sha256$$2b$14${tail}"),
            format!("scrypt$16384$salt$8$5${long}"),
        ] {
            assert!(super::Django::read(&fine).is_some(), "{fine}");
        }
        for hostile in [
            format!("pbkdf2_sha256$5000001$salt${key}"),
            format!("pbkdf2_sha256$4294967296$salt${key}"),
            format!("pbkdf2_sha256$0$salt${key}"),
            format!("pbkdf2_sha256$-1$salt${key}"),
            format!("pbkdf2_sha256$1000$salt${key}$more"),
            "pbkdf2_sha256$1000$salt$".to_owned(),
            "pbkdf2_sha256$1000$salt$c2hvcnQ=".to_owned(),
            format!("pbkdf2_sha512$1000$salt${key}"),
            format!("bcrypt_sha256$$2b$15${tail}"),
            format!("bcrypt_sha256$$2b$31${tail}"),
            format!("bcrypt_sha256$2b$12${tail}"),
            format!("scrypt$18446744073709551615$salt$8$5${long}"),
            format!("scrypt$16777216$salt$8$5${long}"),
            format!("scrypt$16384$salt$8$1000000${long}"),
            format!("scrypt$16383$salt$8$5${long}"),
            format!("scrypt$0$salt$8$5${long}"),
            format!("scrypt$16384$salt$0$5${long}"),
            "!".to_owned(),
            "$$$$$$$$".to_owned(),
        ] {
            assert!(super::Django::read(&hostile).is_none(), "{hostile}");
        }
    }
}

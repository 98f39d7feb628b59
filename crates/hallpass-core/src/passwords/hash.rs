//! Keeps passwords as Argon2id hashes (RFC 9106) in PHC strings, or in a form that Django reads, and compares with them.
//! It never says whether there was a hash to compare with: every comparison costs as much as a real one.

use std::sync::Arc;

use argon2::{
    Algorithm, Argon2, Params, PasswordHash, Version,
    password_hash::{
        Error as HashError,
        phc::{Output, ParamsString, Salt},
    },
};

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD as BASE64};

use super::{
    Password,
    django::{self, Django},
    memory::Memory,
    pool::Pool,
    strength,
};
use crate::{Error, FieldError, Result, config, config::PasswordEncoding, secret};

/// Bytes of the salt (RFC 9106 section 3.1).
const SALT_LENGTH: usize = 16;
/// Bytes of the hash itself.
const TAG_LENGTH: usize = 32;
/// KiB that a stored hash may ask for, whatever we would ask for ourselves.
const MAX_STORED_MEMORY: u32 = 256 * 1024;
/// KiB times passes that a stored hash may ask for: about half a second on one core.
const MAX_STORED_WORK: u64 = 1024 * 1024;

/// What a comparison showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is not the password, or there is no hash that could be compared with.
    Wrong,
    /// It is the password.
    Right,
    /// It is the password, and its hash is not one that would be made now: hash it again.
    RightButOutdated,
}

/// Makes and checks hashes, not more at a time than there are cores. Clones share the places, and the memory.
#[derive(Clone)]
pub struct Hasher {
    argon2: Argon2<'static>,
    encoding: PasswordEncoding,
    /// Nobody's hash, of the same cost as a new one.
    nobody: Stored,
    pool: Arc<Pool>,
    memory: Arc<Memory>,
}

/// A hash that can be compared with.
#[derive(Clone)]
enum Stored {
    Argon2 { hash: Box<PasswordHash>, of_django: bool },
    Django(Django),
}

impl Hasher {
    /// A hasher of the cost that `settings` asks for.
    ///
    /// # Errors
    /// An internal error if [`check`] has something to say about the settings.
    pub fn new(settings: &config::Passwords) -> Result<Self> {
        let problems = check(settings);
        if !problems.is_empty() {
            return Err(Error::internal(problems.join("; ")));
        }
        let params = Params::new(settings.memory_kib, settings.iterations, settings.parallelism, Some(TAG_LENGTH))
            .map_err(HashError::from)
            .map_err(Error::internal)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let encoding = settings.encoding;
        let nobody = nobody(argon2.params(), encoding)?;
        Ok(Self { argon2, encoding, nobody, pool: Arc::new(Pool::new()), memory: Arc::default() })
    }

    /// Hashes a password under a new salt, into the form that is asked for.
    ///
    /// # Errors
    /// [`crate::Code::Busy`] with the seconds after which to try again.
    pub async fn hash(&self, password: &Password) -> Result<String> {
        let salt = secret::random::<SALT_LENGTH>()?;
        let (argon2, memory, password) = (self.argon2.clone(), self.memory.clone(), password.clone());
        let encoding = self.encoding;
        let hash = move || {
            let password = password.expose().as_bytes();
            match encoding {
                PasswordEncoding::Phc => phc(&argon2, &memory, password, &salt),
                PasswordEncoding::Django => Ok(django::pbkdf2_sha256(password, &salt)),
            }
        };
        self.pool.run(hash).await?
    }

    /// Compares a password with what is stored for an account. For nobody, for an account without a password and for a
    /// hash that cannot be read or asks for too much, it does the same work for nothing and finds the password wrong.
    ///
    /// # Errors
    /// [`crate::Code::Busy`] with the seconds after which to try again.
    pub async fn verify(&self, password: &Password, stored: Option<&str>) -> Result<Verdict> {
        let stored = stored.and_then(|stored| self.read(stored));
        let right = match &stored {
            None => Verdict::Wrong,
            Some(stored) if self.is_outdated(stored) => Verdict::RightButOutdated,
            Some(_) => Verdict::Right,
        };
        let compared = stored.unwrap_or_else(|| self.nobody.clone());
        let (memory, password) = (self.memory.clone(), password.clone());
        let compare = move || match compared {
            Stored::Argon2 { hash, .. } => is_of(&hash, password.expose().as_bytes(), &memory).map_err(Error::internal),
            Stored::Django(hash) => Ok(hash.verify(password.expose().as_bytes())),
        };
        Ok(if self.pool.run(compare).await?? { right } else { Verdict::Wrong })
    }

    /// Judges a new password on one of the places for heavy work: zxcvbn takes a tenth of a second over the worst input,
    /// which is too long for a thread that serves requests.
    ///
    /// # Errors
    /// [`crate::Code::Busy`] with the seconds after which to try again.
    pub(crate) async fn judge(
        &self,
        rules: &config::Passwords,
        password: &Password,
        field: &'static str,
        own: Vec<String>,
    ) -> Result<Vec<FieldError>> {
        let (rules, password) = (rules.clone(), password.clone());
        let judge = move || {
            let own: Vec<&str> = own.iter().map(String::as_str).collect();
            strength::check(&rules, &password, field, &own).err().unwrap_or_default()
        };
        self.in_pool(judge).await
    }

    /// Does heavy work that has to do with passwords on one of the places for it.
    ///
    /// # Errors
    /// [`crate::Code::Busy`] with the seconds after which to try again.
    pub(crate) async fn in_pool<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        self.pool.run(work).await
    }

    /// Gives memory back that was not used since the last call.
    pub(crate) fn give_memory_back(&self) {
        self.memory.give_back();
    }

    #[cfg(test)]
    pub(crate) fn keeps_memory(&self) -> bool {
        !self.memory.is_empty()
    }

    /// A stored hash, if it is one whose cost nobody could have chosen to stall us.
    fn read(&self, stored: &str) -> Option<Stored> {
        let of_django = django::argon2(stored);
        let Ok(hash) = PasswordHash::new(of_django.unwrap_or(stored)) else {
            return Django::read(stored).map(Stored::Django);
        };
        Algorithm::try_from(hash.algorithm.as_str()).ok()?;
        hash.version.map(Version::try_from).transpose().ok()?;
        let asked = Params::try_from(&hash).ok()?;
        let ours = self.argon2.params();
        let fits = asked.m_cost() <= MAX_STORED_MEMORY.max(ours.m_cost());
        let ends = work(&asked) <= MAX_STORED_WORK.max(work(ours));
        let whole = hash.salt.is_some() && hash.hash.is_some();
        (fits && ends && whole).then(|| Stored::Argon2 { hash: Box::new(hash), of_django: of_django.is_some() })
    }

    /// Whether it would be made otherwise now. What Django may have made stronger than we would is left to Django, or each
    /// would make the other's anew.
    fn is_outdated(&self, stored: &Stored) -> bool {
        let (hash, of_django) = match stored {
            Stored::Argon2 { hash, of_django } => (hash, *of_django),
            Stored::Django(hash) => return self.encoding != PasswordEncoding::Django || !hash.is_of_today(),
        };
        let Ok(asked) = Params::try_from(&**hash) else { return true };
        let ours = self.argon2.params();
        let enough = match self.encoding {
            PasswordEncoding::Phc => !of_django && asked == *ours,
            PasswordEncoding::Django => of_django && work(&asked) >= work(ours),
        };
        !enough
            || hash.algorithm != Algorithm::Argon2id.ident()
            || hash.version != Some(Version::V0x13.into())
            || hash.salt.as_ref().is_none_or(|salt| salt.len() < SALT_LENGTH)
    }
}

/// A new hash.
fn phc(argon2: &Argon2<'_>, memory: &Memory, password: &[u8], salt: &[u8; SALT_LENGTH]) -> Result<String> {
    let make = || {
        let salt = Salt::new(salt)?;
        Ok(PasswordHash {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(argon2.params())?,
            hash: Some(output(argon2, memory, password, &salt)?),
            salt: Some(salt),
        })
    };
    make().map(|hash| hash.to_string()).map_err(|error: HashError| Error::internal(error))
}

/// Whether a hash is of this password; compared in constant time.
fn is_of(hash: &PasswordHash, password: &[u8], memory: &Memory) -> Result<bool, HashError> {
    let (Some(salt), Some(expected)) = (&hash.salt, &hash.hash) else { return Ok(false) };
    let algorithm = Algorithm::try_from(hash.algorithm.as_str())?;
    let version = hash.version.map(Version::try_from).transpose()?.unwrap_or_default();
    let argon2 = Argon2::new(algorithm, version, Params::try_from(hash)?);
    Ok(output(&argon2, memory, password, salt)? == *expected)
}

fn output(argon2: &Argon2<'_>, memory: &Memory, password: &[u8], salt: &[u8]) -> Result<Output, HashError> {
    let mut output = [0; Output::MAX_LENGTH];
    let length = argon2.params().output_len().unwrap_or(TAG_LENGTH);
    let output = output.get_mut(..length).ok_or(HashError::OutputSize)?;
    let blocks = argon2.params().block_count();
    memory.lend(blocks, |blocks| argon2.hash_password_into_with_memory(password, salt, output, blocks))?;
    Ok(Output::new(output)?)
}

/// Random bytes in place of what a hash would be: nothing tells them apart, and nobody waits for them.
fn nobody(params: &Params, encoding: PasswordEncoding) -> Result<Stored> {
    let (tag, salt) = (secret::random::<TAG_LENGTH>()?, secret::random::<SALT_LENGTH>()?);
    Ok(match encoding {
        PasswordEncoding::Phc => {
            let (memory, passes, lanes) = (params.m_cost(), params.t_cost(), params.p_cost());
            let (salt, tag) = (BASE64.encode(salt), BASE64.encode(tag));
            let hash = format!("$argon2id$v=19$m={memory},t={passes},p={lanes}${salt}${tag}");
            Stored::Argon2 { hash: Box::new(PasswordHash::new(&hash).map_err(Error::internal)?), of_django: false }
        }
        PasswordEncoding::Django => Stored::Django(Django::nobody(salt, tag)),
    })
}

fn work(params: &Params) -> u64 {
    u64::from(params.m_cost()) * u64::from(params.t_cost())
}

/// What cannot be used in the settings of passwords, each as a sentence that says what to change; empty if all is well.
///
/// The floor of the hash's cost is that of the OWASP Password Storage Cheat Sheet.
pub fn check(settings: &config::Passwords) -> Vec<String> {
    let config::Passwords { min_length, min_score, memory_kib, iterations, parallelism, encoding: _ } = settings;
    let least_memory = if *iterations == 1 { 47_104 } else { 19_456 };
    [
        ((8..=64).contains(min_length), "`passwords.min_length` must be 8 to 64"),
        (*min_score <= 4, "`passwords.min_score` must be 0 to 4"),
        (
            *memory_kib >= least_memory,
            "`passwords.memory_kib` must be at least 19456, or 47104 where `iterations` is 1",
        ),
        (*memory_kib <= 1024 * 1024, "`passwords.memory_kib` must be at most 1048576, which is 1 GiB"),
        ((1..=20).contains(iterations), "`passwords.iterations` must be 1 to 20"),
        ((1..=16).contains(parallelism), "`passwords.parallelism` must be 1 to 16"),
    ]
    .into_iter()
    .filter(|(fine, _)| !fine)
    .map(|(_, problem)| problem.to_owned())
    .collect()
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use argon2::PasswordHasher;
    use futures_util::FutureExt;
    use secrecy::SecretString;
    use tokio::{task::spawn_blocking, time::timeout};

    use super::*;

    fn password(text: &str) -> Password {
        Password::parse("password", &SecretString::from(text)).unwrap()
    }

    fn hasher() -> Hasher {
        Hasher::new(&config::Passwords::default()).unwrap()
    }

    /// A hash of "correct horse" of some other cost.
    fn stored(algorithm: Algorithm, version: Version, (memory, iterations): (u32, u32), salt: &[u8]) -> String {
        let params = Params::new(memory, iterations, 1, Some(TAG_LENGTH)).unwrap();
        let argon2 = Argon2::new(algorithm, version, params);
        argon2.hash_password_with_salt(b"correct horse", salt).unwrap().to_string()
    }

    async fn verdict(stored: &str) -> Verdict {
        hasher().verify(&password("correct horse"), Some(stored)).await.unwrap()
    }

    #[tokio::test]
    async fn a_hash_is_argon2id_at_the_cost_that_was_asked_for_under_a_new_salt() {
        let hasher = hasher();
        let first = hasher.hash(&password("correct horse")).await.unwrap();
        let second = hasher.hash(&password("correct horse")).await.unwrap();
        assert!(first.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{first}");
        assert_ne!(first, second);
        let parsed = PasswordHash::new(&first).unwrap();
        assert_eq!(parsed.salt.unwrap().len(), SALT_LENGTH);
        assert_eq!(parsed.hash.unwrap().len(), TAG_LENGTH);
    }

    #[tokio::test]
    async fn the_password_is_right_and_any_other_is_wrong() {
        let hasher = hasher();
        let hash = hasher.hash(&password("correct horse")).await.unwrap();
        assert_eq!(hasher.verify(&password("correct horse"), Some(&hash)).await.unwrap(), Verdict::Right);
        for other in ["correct horsf", "correct hors", "correct horse ", "Correct horse"] {
            assert_eq!(hasher.verify(&password(other), Some(&hash)).await.unwrap(), Verdict::Wrong, "{other}");
        }
    }

    #[tokio::test]
    async fn long_passwords_that_differ_in_the_last_character_are_different() {
        let hasher = hasher();
        let long = "x".repeat(72);
        let hash = hasher.hash(&password(&format!("{long}a"))).await.unwrap();
        assert_eq!(hasher.verify(&password(&format!("{long}b")), Some(&hash)).await.unwrap(), Verdict::Wrong);
        assert_eq!(hasher.verify(&password(&format!("{long}a")), Some(&hash)).await.unwrap(), Verdict::Right);
    }

    #[tokio::test]
    async fn a_hash_that_would_be_made_otherwise_now_is_outdated() {
        let salt = [7; SALT_LENGTH];
        let now = stored(Algorithm::Argon2id, Version::V0x13, (19_456, 2), &salt);
        assert_eq!(verdict(&now).await, Verdict::Right);
        for outdated in [
            stored(Algorithm::Argon2i, Version::V0x13, (19_456, 2), &salt),
            stored(Algorithm::Argon2id, Version::V0x10, (19_456, 2), &salt),
            stored(Algorithm::Argon2id, Version::V0x13, (19_456, 1), &salt),
            stored(Algorithm::Argon2id, Version::V0x13, (4_096, 2), &salt),
            stored(Algorithm::Argon2id, Version::V0x13, (19_456, 2), &[7; 8]),
        ] {
            assert_eq!(verdict(&outdated).await, Verdict::RightButOutdated, "{outdated}");
        }
    }

    #[tokio::test]
    async fn a_stored_cost_that_would_stall_us_is_wrong_and_costs_what_a_hash_of_ours_costs() {
        let ours = stored(Algorithm::Argon2id, Version::V0x13, (19_456, 2), &[7; SALT_LENGTH]);
        for cost in
            ["m=19456,t=1000000000,p=1", "m=262145,t=1,p=1", "m=4294967295,t=4294967295,p=1", "m=262144,t=5,p=1"]
        {
            let hostile = ours.replace("m=19456,t=2,p=1", cost);
            assert!(hasher().read(&hostile).is_none(), "{cost}");
            assert_eq!(verdict(&hostile).await, Verdict::Wrong, "{cost}");
        }
    }

    #[tokio::test]
    async fn without_a_hash_that_can_be_read_every_password_is_wrong() {
        let hasher = hasher();
        let whole = hasher.hash(&password("correct horse")).await.unwrap();
        let cut = whole.rsplit_once('$').unwrap().0;
        let unknown = whole.replace("v=19", "v=18");
        for stored in ["", "!", "correct horse", "pbkdf2_sha256$1000000$salt$hash", "$argon2id$", cut, &unknown] {
            assert_eq!(
                hasher.verify(&password("correct horse"), Some(stored)).await.unwrap(),
                Verdict::Wrong,
                "{stored}"
            );
        }
        assert_eq!(hasher.verify(&password("correct horse"), None).await.unwrap(), Verdict::Wrong);
    }

    /// Counted rather than timed: with one thread for heavy work, whatever a comparison begins waits in line behind
    /// our first gate, and a second piece of work would wait behind our second one.
    #[test]
    fn every_comparison_is_one_piece_of_work_whatever_is_stored() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().max_blocking_threads(1).build();
        runtime.unwrap().block_on(async {
            let hasher = hasher();
            let ours = stored(Algorithm::Argon2id, Version::V0x13, (19_456, 2), &[7; SALT_LENGTH]);
            let hostile = ours.replace("t=2", "t=1000000000");
            for stored in [None, Some(ours.as_str()), Some(hostile.as_str()), Some("no hash"), Some("")] {
                for text in ["correct horse", "wrong horse"] {
                    let (open_first, first_opened) = mpsc::channel::<()>();
                    let (open_second, second_opened) = mpsc::channel::<()>();
                    let _first = spawn_blocking(move || first_opened.recv());
                    let password = password(text);
                    let mut comparison = Box::pin(hasher.verify(&password, stored));
                    assert!((&mut comparison).now_or_never().is_none(), "{stored:?}: an answer without work");
                    let _second = spawn_blocking(move || second_opened.recv());
                    drop(open_first);
                    let verdict = timeout(Duration::from_secs(60), comparison).await;
                    drop(open_second);
                    let right = stored == Some(&ours) && text == "correct horse";
                    let expected = if right { Verdict::Right } else { Verdict::Wrong };
                    assert_eq!(verdict.expect("no second piece of work").unwrap(), expected, "{stored:?}");
                }
            }
        });
    }

    #[test]
    fn nobodys_hash_costs_what_a_new_one_costs() {
        let hasher = hasher();
        let Stored::Argon2 { hash, .. } = &hasher.nobody else { panic!("Argon2 is what is written") };
        assert_eq!(Params::try_from(&**hash).as_ref(), Ok(hasher.argon2.params()));
        assert!(!hasher.is_outdated(&hasher.nobody));
    }

    #[test]
    fn a_cost_that_we_ask_for_ourselves_is_never_hostile() {
        let settings = config::Passwords { memory_kib: 300 * 1024, iterations: 4, ..Default::default() };
        let params = Params::new(settings.memory_kib, settings.iterations, 1, Some(TAG_LENGTH)).unwrap();
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let hasher = Hasher { argon2, ..hasher() };
        let ours = stored(Algorithm::Argon2id, Version::V0x13, (19_456, 2), &[7; SALT_LENGTH]);
        let ours = ours.replace("m=19456,t=2", "m=307200,t=4");
        assert!(hasher.read(&ours).is_some());
    }

    #[test]
    fn settings_below_the_floor_are_refused_with_what_to_change() {
        let settings = config::Passwords::default();
        assert_eq!(check(&settings), Vec::<String>::new());
        assert_eq!(
            check(&config::Passwords { memory_kib: 47_104, iterations: 1, ..settings.clone() }),
            Vec::<String>::new()
        );
        for (bad, named) in [
            (config::Passwords { memory_kib: 19_455, ..settings.clone() }, "memory_kib"),
            (config::Passwords { iterations: 1, ..settings.clone() }, "memory_kib"),
            (config::Passwords { memory_kib: 1024 * 1024 + 1, ..settings.clone() }, "memory_kib"),
            (config::Passwords { iterations: 0, ..settings.clone() }, "iterations"),
            (config::Passwords { iterations: 21, ..settings.clone() }, "iterations"),
            (config::Passwords { parallelism: 0, ..settings.clone() }, "parallelism"),
            (config::Passwords { parallelism: 17, ..settings.clone() }, "parallelism"),
            (config::Passwords { min_length: 7, ..settings.clone() }, "min_length"),
            (config::Passwords { min_length: 65, ..settings.clone() }, "min_length"),
            (config::Passwords { min_score: 5, ..settings }, "min_score"),
        ] {
            let problems = check(&bad);
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].contains(named), "{problems:?}");
            assert!(Hasher::new(&bad).is_err());
        }
    }
}

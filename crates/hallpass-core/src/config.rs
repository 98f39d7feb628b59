//! The settings of accounts, passwords, sessions, limits and tokens, with the defaults that are safe.
//!
//! Reads no file and no environment: the program fills it in, an embedder writes it down.

use std::collections::BTreeMap;

use hallpass_token::Algorithm;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

mod mail;
mod revocation;

pub use mail::{Mail, SmtpTls, Transport};
pub use revocation::{Bell, Revocation, WhenStale};

/// Everything that the core can be told.
#[derive(Debug, Clone, Default)]
pub struct Config {
    /// The address at which clients reach this server: where tokens say that status lists are.
    pub public_url: String,
    /// What an account consists of.
    pub accounts: Accounts,
    /// How passwords are judged and stored.
    pub passwords: Passwords,
    /// How long people stay signed in.
    pub sessions: Sessions,
    /// How many attempts there are.
    pub throttle: Throttle,
    /// What access tokens say and for how long.
    pub tokens: Tokens,
    /// How mail is written and sent.
    pub mail: Mail,
    /// How what was taken back reaches other servers.
    pub revocation: Revocation,
}

/// What user names and e-mail addresses new accounts can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NameRules {
    /// What cannot be mistaken for another name or an id, and addresses to which mail can be sent.
    Strict,
    /// What Django takes, but for `@` in user names.
    Django,
}

/// Whether a part of an account is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Presence {
    /// Sign-up is refused without it.
    Required,
    /// It may be given, and then identifies the account.
    Optional,
    /// It is refused.
    Off,
}

/// Whether an e-mail address has to be shown to be the owner's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verification {
    /// Nothing is sent at sign-up.
    None,
    /// A link is sent at sign-up; nothing depends on it.
    Optional,
    /// Nobody signs in before the link was used.
    Required,
}

/// The type of a custom profile field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ProfileType {
    /// Text of at most 1,000 characters.
    String,
    /// `true` or `false`.
    Boolean,
    /// A whole number between -(2^53) and 2^53.
    Integer,
    /// Any JSON of at most 4 KiB.
    Json,
}

/// What an account consists of.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Accounts {
    /// Whether accounts have a user name.
    pub username: Presence,
    /// Whether accounts have an e-mail address.
    pub email: Presence,
    /// What names new accounts can have: `strict` takes user names that cannot be mistaken for another one or an id, and addresses to which mail can be sent; `django` takes what Django does, but for `@` in user names, and keeps an address that somebody else has, or to which no mail can be sent, without letting it stand for the account.
    pub names: NameRules,
    /// Whether anybody can create an account over the network.
    pub sign_up: bool,
    /// Whether the owner of an account has to show to receive mail at its address: `none` asks for nothing, `optional` sends a link at sign-up, `required` lets nobody sign in before.
    pub verify_email: Verification,
    /// Whether a link or code that was mailed signs its owner in.
    pub sign_in_links: bool,
    /// Days between an owner's wish to delete the account and its end; signing in within them calls it off. `0` deletes at once.
    pub deletion_grace_days: i64,
    /// Custom fields of the profile by name, each `string`, `boolean`, `integer` or `json`; the owner can read and write them.
    pub profile: BTreeMap<String, ProfileType>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self {
            username: Presence::Required,
            email: Presence::Optional,
            names: NameRules::Strict,
            sign_up: true,
            verify_email: Verification::Optional,
            sign_in_links: false,
            deletion_grace_days: 14,
            profile: BTreeMap::new(),
        }
    }
}

/// How passwords are judged and stored.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Passwords {
    /// The least number of characters of a new password; 8 is the least that is accepted here.
    pub min_length: usize,
    /// How hard to guess a new password must be, from 0 to 4 as zxcvbn counts; 3 withstands 10^8 guesses.
    pub min_score: u8,
    /// Memory of one Argon2id hash, in KiB; 19456 is the least that is accepted here, unless `iterations` makes up for it.
    pub memory_kib: u32,
    /// Passes of Argon2id over that memory; at least 2, or 1 where `memory_kib` is at least 47104.
    pub iterations: u32,
    /// Lanes of Argon2id.
    pub parallelism: u32,
    /// How new hashes are written: `phc`, Argon2id in PHC strings, or `django`, PBKDF2 as every Django reads it, for a user table that Django signs people in from as well. Both kinds are read, whichever is written.
    pub encoding: PasswordEncoding,
}

/// How hashes of passwords are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PasswordEncoding {
    /// Argon2id in PHC strings.
    Phc,
    /// PBKDF2 with HMAC-SHA-256 as Django writes it.
    Django,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            min_length: 15,
            min_score: 3,
            memory_kib: 19_456,
            iterations: 2,
            parallelism: 1,
            encoding: PasswordEncoding::Phc,
        }
    }
}

/// How long people stay signed in.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sessions {
    /// Seconds within which a refresh secret that was just rotated brings the same successor again; longer than any client's request time-out, `0` turns it off.
    pub replay_window: i64,
    /// Seconds without a refresh after which a remembered session ends.
    pub idle: i64,
    /// Seconds without a refresh after which a session that is not remembered ends.
    pub idle_not_remembered: i64,
    /// Seconds after sign-in at which a session ends, however often it was refreshed.
    pub absolute: i64,
    /// Sessions that one account can have at a time; one more ends the one that was idle longest.
    pub max_per_account: i64,
}

impl Default for Sessions {
    fn default() -> Self {
        const DAY: i64 = 86_400;
        Self { replay_window: 20, idle: 7 * DAY, idle_not_remembered: DAY, absolute: 30 * DAY, max_per_account: 50 }
    }
}

/// How many attempts there are to guess a password, and to fill the database.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Throttle {
    /// Makes whoever fails to sign in to an account wait, for up to 900 seconds, and ends sign-in by password after 100 failures in a row; allows a client address 30 sign-ins, 10 failed ones, 20 sign-ups, 20 requests for mail and 10 wrong client secrets a minute, and sends at most 5 such mails a minute and 20 a day to one address. All servers on one database count together.
    pub enabled: bool,
}

impl Default for Throttle {
    fn default() -> Self {
        Self { enabled: true }
    }
}

/// What access tokens say and for how long.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The `iss` claim; empty takes `public_url`.
    pub issuer: String,
    /// The `aud` claim, and what our own endpoints ask for; empty takes `public_url`.
    pub audience: String,
    /// The `client_id` claim (RFC 9068 section 2.2): this server's own front ends.
    pub client_id: String,
    /// Seconds that an access token lives, 60 to 3600.
    pub lifetime: i64,
    /// Seconds of clock difference that are forgiven, at most 60.
    pub leeway: i64,
    /// The algorithm of new signing keys: `ES256`, `EdDSA`, `RS256`, `PS256` or `HS256`.
    #[schemars(with = "String")]
    pub algorithm: Algorithm,
    /// Days after which a new signing key takes over by itself; `0` leaves it to `hallpass keys rotate`.
    pub key_rotation_days: i64,
    /// Further claims by name; the value says where each comes from: `username`, `email`, `first_name`, `last_name`, `is_staff`, `is_superuser` or `profile.<field>`.
    pub claims: BTreeMap<String, String>,
}

impl Default for Tokens {
    fn default() -> Self {
        Self {
            issuer: String::new(),
            audience: String::new(),
            client_id: "hallpass".into(),
            lifetime: 300,
            leeway: 5,
            algorithm: Algorithm::ES256,
            key_rotation_days: 90,
            claims: BTreeMap::new(),
        }
    }
}

impl Config {
    /// The defaults for a server at `public_url`, which issues its tokens under that name and asks for it as audience.
    pub fn for_issuer(public_url: &str) -> Self {
        let tokens = Tokens { issuer: public_url.into(), audience: public_url.into(), ..Tokens::default() };
        let mail = Mail { links: public_url.into(), ..Mail::default() };
        Self { public_url: public_url.into(), tokens, mail, ..Self::default() }
    }

    /// Everything that cannot be used, each as a sentence that says what to change; empty means that all is well.
    pub fn check(&self) -> Vec<String> {
        let mut problems = crate::passwords::hash::check(&self.passwords);
        problems.extend(unless(!self.public_url.is_empty(), "`public_url` is empty"));
        problems.extend(self.accounts.problems());
        problems.extend(self.sessions.problems());
        problems.extend(self.tokens.problems(&self.accounts));
        problems.extend(self.mail.problems(&self.accounts));
        problems.extend(self.revocation.problem());
        let staleness = (2..=300).contains(&self.revocation.max_staleness);
        problems.extend(unless(staleness, "`revocation.max_staleness` must be 2 to 300 seconds"));
        problems
    }
}

/// Whether there is one may be shown, and nothing else of it.
fn hidden<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(if secret.expose_secret().is_empty() { "" } else { "***" })
}

/// A problem if `wrong`.
fn unless(fine: bool, problem: &str) -> Option<String> {
    (!fine).then(|| problem.to_owned())
}

impl Accounts {
    fn problems(&self) -> Vec<String> {
        let nameless = self.username != Presence::Required && self.email != Presence::Required;
        let mut problems: Vec<String> =
            unless(!nameless, "one of `accounts.username` and `accounts.email` must be `required`")
                .into_iter()
                .collect();
        let grace = (0..=365).contains(&self.deletion_grace_days);
        problems.extend(unless(grace, "`accounts.deletion_grace_days` must be 0 to 365"));
        for name in self.profile.keys() {
            let plain =
                !name.is_empty() && name.len() <= 64 && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
            problems
                .extend(unless(plain, &format!("`accounts.profile.{name}`: use letters, digits and `_`, at most 64")));
        }
        problems
    }
}

impl Sessions {
    fn problems(&self) -> Vec<String> {
        let ordered =
            0 < self.idle_not_remembered && self.idle_not_remembered <= self.idle && self.idle <= self.absolute;
        [
            unless((0..=300).contains(&self.replay_window), "`sessions.replay_window` must be 0 to 300 seconds"),
            unless(ordered, "`sessions`: 0 < `idle_not_remembered` <= `idle` <= `absolute` must hold"),
            unless(self.absolute <= 366 * 86_400, "`sessions.absolute` must be at most a year"),
            unless((1..=1000).contains(&self.max_per_account), "`sessions.max_per_account` must be 1 to 1000"),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// Claim names that the token format itself uses (RFC 7519 section 4.1, RFC 9068 section 2.2) and a mapping cannot take.
const RESERVED_CLAIMS: &[&str] = &[
    "iss",
    "sub",
    "aud",
    "exp",
    "nbf",
    "iat",
    "jti",
    "client_id",
    "sid",
    "auth_time",
    "amr",
    "acr",
    "roles",
    "scope",
    "account_version",
    "status",
    "cnf",
    "act",
    "token_type",
];

impl Tokens {
    fn problems(&self, accounts: &Accounts) -> Vec<String> {
        let mut problems: Vec<String> = [
            unless(!self.issuer.is_empty(), "`tokens.issuer` is empty: set `public_url`"),
            unless(!self.audience.is_empty(), "`tokens.audience` is empty: set `public_url`"),
            unless(!self.client_id.is_empty(), "`tokens.client_id` is empty"),
            unless((60..=3600).contains(&self.lifetime), "`tokens.lifetime` must be 60 to 3600 seconds"),
            unless((0..=60).contains(&self.leeway), "`tokens.leeway` must be 0 to 60 seconds"),
            unless((0..=1095).contains(&self.key_rotation_days), "`tokens.key_rotation_days` must be 0 to 1095"),
        ]
        .into_iter()
        .flatten()
        .collect();
        for (claim, source) in &self.claims {
            let free = !claim.is_empty() && claim.len() <= 128 && !RESERVED_CLAIMS.contains(&claim.as_str());
            problems.extend(unless(free, &format!("`tokens.claims`: `{claim}` is a claim of the token format itself")));
            problems.extend(ClaimSource::parse(source, accounts).err());
        }
        problems
    }
}

/// Where the value of a mapped claim comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClaimSource<'a> {
    Username,
    Email,
    FirstName,
    LastName,
    IsStaff,
    IsSuperuser,
    Profile(&'a str),
}

impl<'a> ClaimSource<'a> {
    pub(crate) fn parse(source: &'a str, accounts: &Accounts) -> Result<Self, String> {
        Ok(match source {
            "username" => Self::Username,
            "email" => Self::Email,
            "first_name" => Self::FirstName,
            "last_name" => Self::LastName,
            "is_staff" => Self::IsStaff,
            "is_superuser" => Self::IsSuperuser,
            _ => match source.strip_prefix("profile.") {
                Some(field) if accounts.profile.contains_key(field) => Self::Profile(field),
                Some(field) => {
                    return Err(format!("`tokens.claims`: there is no profile field `{field}` in `accounts.profile`"));
                }
                None => return Err(format!("`tokens.claims`: nothing is called `{source}`")),
            },
        })
    }
}

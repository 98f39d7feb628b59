//! Hallpass without HTTP: accounts, passwords, sessions, keys and revocation on SQLite and PostgreSQL.
//!
//! It never names an HTTP type, reads no clock and no environment, and installs no logger: time and caller come in with
//! [`Ctx`], settings with [`Config`], secrets with [`MasterKey`]. It touches no files but the database and those that
//! `config.mail` names.
//!
//! ```no_run
//! # async fn example() -> hallpass_core::Result<()> {
//! use hallpass_core::{Config, Ctx, Db, Hallpass, MasterKey, accounts};
//!
//! let now = 1_790_000_000;
//! let db = Db::open("sqlite:hallpass.db").await?;
//! db.migrate().await?;
//! let config = Config::for_issuer("https://api.example.com");
//! let hallpass = Hallpass::open(db, &MasterKey::generate()?, config, now).await?;
//! let account = accounts::find(&hallpass, "ada").await?;
//! # Ok(()) }
//! ```

use std::sync::{Arc, atomic::AtomicI64};

pub use hallpass_token::{AccountId, Algorithm, Claims, SessionId, Verifier};

pub mod accounts;
pub mod addresses;
pub mod admin;
pub mod adopt;
pub mod audit;
pub mod bell;
pub mod clients;
pub mod config;
mod ctx;
pub mod deletion;
mod device;
pub mod django;
pub mod email;
mod error;
pub mod export;
pub mod feed;
pub mod import;
pub mod introspection;
pub mod keys;
mod limits;
pub mod login;
pub mod mail;
pub mod names;
pub mod passwords;
mod rates;
pub mod recovery;
mod refresh_secret;
pub mod revocation;
pub mod rotation;
mod secret;
pub mod sessions;
pub mod sign_in_links;
pub mod statistics;
pub mod status_lists;
mod store;
pub mod tasks;
#[cfg(feature = "testing")]
pub mod testing;
mod tickets;

pub use config::Config;
pub use ctx::{Actor, Ctx};
pub use error::{Code, Error, FieldError, Result};
pub use secret::{MacKey, MasterKey, Secrets};
pub use store::{Connections, Db, Turns};

use keys::Ring;
use passwords::hash::Hasher;

/// An open Hallpass: the database, the keys and the settings that every function of this crate works on. Clones share it.
#[derive(Clone)]
pub struct Hallpass(Arc<Inner>);

struct Inner {
    db: Db,
    config: Config,
    secrets: Secrets,
    hasher: Hasher,
    ring: arc_swap::ArcSwap<Ring>,
    verifier: Verifier,
    templates: mail::Templates,
    mailer: mail::Mailer,
    held: feed::Held,
    status_lists: status_lists::Made,
    counted: statistics::Counted,
    /// Something was taken back here of which no other process was told yet.
    to_ring: tokio::sync::Notify,
    /// When the revocation log was last read.
    followed_at: AtomicI64,
    /// When what is over was last looked for.
    tidied_at: AtomicI64,
    /// When what was counted was last written down.
    flushed_at: AtomicI64,
    /// When it was last said that the database is older than what clients hold.
    warned_at: AtomicI64,
    /// The number of the last line of it that was read.
    last_line: AtomicI64,
    /// The place of the last event that was recorded here: no later one gets a lower id.
    last_event: AtomicI64,
}

impl Hallpass {
    /// Checks the settings, makes the first keys if there are none, and reads the live revocations before it returns:
    /// no token that was taken back is good at any moment after this.
    ///
    /// # Errors
    /// [`Code::InvalidRequest`] names each setting that cannot be used, or says that the database belongs to another
    /// master key; [`Code::Unavailable`] if the database does not answer.
    pub async fn open(db: Db, master: &MasterKey, config: Config, now: i64) -> Result<Self> {
        let problems = config.check();
        if !problems.is_empty() {
            return Err(unusable(problems));
        }
        let templates = mail::Templates::load(&config.mail).map_err(unusable)?;
        let mailer = mail::Mailer::open(&config.mail).map_err(unusable)?;
        let secrets = Secrets::derive(master)?;
        adopt::check(&db, &config).await?;
        recognise(&db, &secrets).await?;
        let ring = keys::open(&db, &secrets, config.tokens.algorithm, now).await?;
        let tokens = &config.tokens;
        let verifier = Verifier::new(&tokens.issuer, &tokens.audience, tokens.leeway, ring.key_set());
        let hasher = Hasher::new(&config.passwords)?;
        let (followed_at, warned_at, last_line, last_event) = Default::default();
        let ring = arc_swap::ArcSwap::from_pointee(ring);
        let inner = Inner {
            db,
            config,
            secrets,
            hasher,
            ring,
            verifier,
            templates,
            mailer,
            held: feed::Held::new()?,
            status_lists: status_lists::Made::default(),
            counted: statistics::Counted::default(),
            to_ring: tokio::sync::Notify::new(),
            followed_at,
            tidied_at: AtomicI64::new(now),
            flushed_at: AtomicI64::new(now),
            warned_at,
            last_line,
            last_event,
        };
        let hallpass = Self(Arc::new(inner));
        revocation::follow(&hallpass, now).await?;
        Ok(hallpass)
    }

    /// The settings that it was opened with.
    pub fn config(&self) -> &Config {
        &self.0.config
    }

    /// Checks access tokens without asking anybody.
    pub fn verifier(&self) -> &Verifier {
        &self.0.verifier
    }

    /// The database.
    pub fn db(&self) -> &Db {
        &self.0.db
    }

    /// The keys derived from the master key.
    pub fn secrets(&self) -> &Secrets {
        &self.0.secrets
    }

    /// How mails are written.
    pub fn templates(&self) -> &mail::Templates {
        &self.0.templates
    }

    /// How mails are sent.
    pub fn mailer(&self) -> &mail::Mailer {
        &self.0.mailer
    }

    /// The public signing keys as a JWK Set (RFC 7517 section 5): what verifies now, and what will soon.
    pub fn jwks(&self) -> Arc<str> {
        self.0.ring.load().jwks()
    }

    /// Whether requests can be served: the database answers, and the revocation log was read lately
    /// (`revocation.max_staleness`).
    ///
    /// # Errors
    /// [`Code::Unavailable`] with what is missing.
    pub async fn ready(&self, ctx: &Ctx) -> Result<()> {
        revocation::demand_known(self, ctx.now)?;
        store::meta::get(self.0.db.read().await?.conn(), MASTER_KEY).await?;
        Ok(())
    }
}

fn unusable(problems: Vec<String>) -> Error {
    Error::new(Code::InvalidRequest, problems.join("; "))
}

pub(crate) const MASTER_KEY: &str = "master_key";

/// Ties a new database to the master key, and refuses one that belongs to another.
async fn recognise(db: &Db, secrets: &Secrets) -> Result<()> {
    let mut tx = db.begin().await?;
    store::meta::set_once(tx.conn(), MASTER_KEY, &secrets.fingerprint).await?;
    let stored = store::meta::get(tx.conn(), MASTER_KEY).await?;
    tx.commit().await?;
    if stored.as_deref() == Some(secrets.fingerprint.as_str()) {
        return Ok(());
    }
    let detail = "This database was set up under another master key: give this server the key file of the first one";
    Err(Error::new(Code::InvalidRequest, detail))
}

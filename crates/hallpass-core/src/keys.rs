//! The signing keys: one that signs, the next one (published ahead), and those that only verify until their tokens are over.
//!
//! Private halves are in the database only under the master key, and in memory only here. A key signs with one algorithm.

use std::sync::Arc;

use hallpass_token::{Algorithm, Claims, KeySet, SigningKey};
use serde_json::{Map, Value};

use crate::{
    Code, Ctx, Db, Error, Hallpass, Result, Secrets,
    audit::Event,
    revocation::Pending,
    store::{self, Tx, keys::KeyRow},
};

/// Seconds for which a retired key is kept beyond the life of the last token that it signed.
const KEPT: i64 = 3600;

/// What a key is for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// Published, so that verifiers know it before it signs.
    Next,
    /// Signs.
    Current,
    /// Verifies what it signed, until that is over.
    Retired,
    /// Dead, and its private half is gone.
    Revoked,
}

impl KeyState {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            KeyState::Next => "next",
            KeyState::Current => "current",
            KeyState::Retired => "retired",
            KeyState::Revoked => "revoked",
        }
    }

    fn parse(name: &str) -> Result<Self> {
        [KeyState::Next, KeyState::Current, KeyState::Retired, KeyState::Revoked]
            .into_iter()
            .find(|state| state.as_str() == name)
            .ok_or_else(|| Error::internal(format!("there is a key in an unknown state `{name}`")))
    }
}

/// A key as the operator sees it. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyInfo {
    /// The key's name in token headers and in the JWK Set: its thumbprint (RFC 7638), unless it is symmetric.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// What it is for.
    pub state: KeyState,
    /// When it was made.
    pub created_at: i64,
    /// Since when it signs, or signed.
    pub current_since: Option<i64>,
    /// When it stopped signing.
    pub retired_at: Option<i64>,
}

/// The keys in memory.
pub(crate) struct Ring {
    signing: SigningKey,
    signing_since: i64,
    key_set: KeySet,
    jwks: Arc<str>,
    /// Tells whether the table says something new.
    states: Vec<(String, String)>,
}

impl Ring {
    fn load(rows: &[KeyRow], secrets: &Secrets) -> Result<Self> {
        let mut signing = None;
        let mut verifying = Vec::new();
        for row in rows {
            let Some(sealed) = &row.sealed else { continue };
            let key = SigningKey::from_der(algorithm(row)?, &row.kid, &secrets.open(&row.kid, sealed)?)
                .map_err(Error::internal)?;
            verifying.push(key.verifying_key());
            if KeyState::parse(&row.state)? == KeyState::Current {
                signing = Some((key, row.current_since.unwrap_or(row.created_at)));
            }
        }
        let (signing, signing_since) = signing.ok_or_else(|| Error::internal("there is no current signing key"))?;
        let key_set = KeySet::new(verifying);
        let jwks = key_set.to_jwks().into();
        Ok(Self { signing, signing_since, key_set, jwks, states: states(rows) })
    }

    pub(crate) fn sign(&self, claims: &Claims) -> Result<String> {
        self.signing.sign(claims).map_err(Error::internal)
    }

    /// Signs what is no access token.
    pub(crate) fn sign_other(&self, typ: &str, claims: &Map<String, Value>) -> Result<String> {
        self.signing.sign_other(typ, claims).map_err(Error::internal)
    }

    pub(crate) fn key_set(&self) -> KeySet {
        self.key_set.clone()
    }

    pub(crate) fn jwks(&self) -> Arc<str> {
        self.jwks.clone()
    }
}

/// Loads the keys, after making those that are missing: a current and a next one.
pub(crate) async fn open(db: &Db, secrets: &Secrets, configured: Algorithm, now: i64) -> Result<Ring> {
    for _ in 0..5 {
        let rows = store::keys::all(db.read().await?.conn()).await?;
        let (current, next) = (in_state(&rows, KeyState::Current), in_state(&rows, KeyState::Next));
        if current.is_some() && next.is_some() {
            return Ring::load(&rows, secrets);
        }
        let mut made = vec![generate(secrets, configured, KeyState::Next, now).await?];
        if current.is_none() && next.is_none() {
            made.push(generate(secrets, configured, KeyState::Current, now).await?);
        }
        let mut tx = db.begin().await?;
        if let (None, Some(next)) = (current, next) {
            store::keys::promote(tx.conn(), &next.kid, now).await?;
        }
        if insert(&mut tx, &made).await? {
            tx.commit().await?;
        }
    }
    Err(contended())
}

/// All keys, oldest first.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn list(hallpass: &Hallpass) -> Result<Vec<KeyInfo>> {
    let rows = store::keys::all(hallpass.0.db.read().await?.conn()).await?;
    let info = |row: KeyRow| {
        Ok(KeyInfo {
            algorithm: algorithm(&row)?,
            state: KeyState::parse(&row.state)?,
            kid: row.kid,
            created_at: row.created_at,
            current_since: row.current_since,
            retired_at: row.retired_at,
        })
    };
    rows.into_iter().map(info).collect()
}

/// Lets the next key sign from now on, retires the current one, and publishes a new next one. Tokens stay good.
///
/// # Errors
/// [`Code::Unavailable`], also if another process rotates at this moment.
pub async fn rotate(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let rows = store::keys::all(hallpass.0.db.read().await?.conn()).await?;
    let (current, next) = (in_state(&rows, KeyState::Current), in_state(&rows, KeyState::Next));
    let (Some(current), Some(next)) = (current, next) else { return Err(contended()) };
    let fresh = generate(&hallpass.0.secrets, hallpass.config().tokens.algorithm, KeyState::Next, ctx.now).await?;
    let mut tx = hallpass.0.db.begin().await?;
    let done = store::keys::retire(tx.conn(), &current.kid, ctx.now).await?
        && store::keys::promote(tx.conn(), &next.kid, ctx.now).await?
        && insert(&mut tx, &[fresh]).await?;
    if !done {
        return Err(contended());
    }
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::KeyRotated.because(next.kid.clone())).await?;
    pending.commit(hallpass, tx).await?;
    reload(hallpass).await
}

/// Kills a key at once, and with it every token that it signed. If it was the current one, the next one signs from now on.
///
/// # Errors
/// [`Code::NotFound`] if there is no such key or it is dead already; [`Code::Unavailable`].
pub async fn revoke(hallpass: &Hallpass, ctx: &Ctx, kid: &str) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    if !store::keys::revoke(tx.conn(), kid, ctx.now).await? {
        return Err(Error::new(Code::NotFound, "There is no such key, or it is revoked already: `hallpass keys list`"));
    }
    let mut pending = Pending::default();
    pending.record(hallpass, ctx, &mut tx, Event::KeyRevoked.because(kid.to_owned())).await?;
    pending.commit(hallpass, tx).await?;
    // Whatever is missing now is made as on the first start.
    open(&hallpass.0.db, &hallpass.0.secrets, hallpass.config().tokens.algorithm, ctx.now).await?;
    reload(hallpass).await
}

/// Takes over what any process did to the keys.
pub(crate) async fn reload(hallpass: &Hallpass) -> Result<()> {
    let rows = store::keys::all(hallpass.0.db.read().await?.conn()).await?;
    if states(&rows) == hallpass.0.ring.load().states {
        return Ok(());
    }
    let ring = Ring::load(&rows, &hallpass.0.secrets)?;
    // Verify first, sign then: no request meets a token that this process signed and does not know.
    hallpass.verifier().set_keys(ring.key_set());
    hallpass.0.ring.store(Arc::new(ring));
    Ok(())
}

/// What time and the settings ask for: a next key of the configured algorithm, a rotation when the current key has signed
/// for long enough, and the end of keys whose tokens are all over.
pub(crate) async fn keep_up(hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
    let rules = &hallpass.config().tokens;
    let rows = store::keys::all(hallpass.0.db.read().await?.conn()).await?;
    if let Some(next) = in_state(&rows, KeyState::Next)
        && algorithm(next)? != rules.algorithm
    {
        let other = generate(&hallpass.0.secrets, rules.algorithm, KeyState::Next, ctx.now).await?;
        let mut tx = hallpass.0.db.begin().await?;
        if store::keys::remove_next(tx.conn(), &next.kid).await? && insert(&mut tx, &[other]).await? {
            tx.commit().await?;
        }
    }
    let age = ctx.now - hallpass.0.ring.load().signing_since;
    if rules.key_rotation_days > 0 && age >= rules.key_rotation_days * 86_400 {
        rotate(hallpass, ctx).await?;
    }
    let mut tx = hallpass.0.db.begin().await?;
    store::keys::prune(tx.conn(), ctx.now - rules.lifetime - rules.leeway - KEPT).await?;
    tx.commit().await?;
    reload(hallpass).await
}

async fn generate(secrets: &Secrets, algorithm: Algorithm, state: KeyState, now: i64) -> Result<KeyRow> {
    // An RSA key takes long enough to hold up requests.
    let made = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
    let key = made.map_err(Error::internal)?.map_err(Error::internal)?;
    let sealed = secrets.seal(key.kid(), &key.to_der())?;
    Ok(KeyRow {
        kid: key.kid().to_owned(),
        algorithm: algorithm.to_string(),
        state: state.as_str().to_owned(),
        sealed: Some(sealed),
        created_at: now,
        current_since: (state == KeyState::Current).then_some(now),
        retired_at: None,
    })
}

/// Writes the keys; false if another process has made some meanwhile.
async fn insert(tx: &mut Tx, keys: &[KeyRow]) -> Result<bool> {
    for key in keys {
        match store::keys::insert(tx.conn(), key).await {
            Err(error) if store::is_taken(&error, "state") || store::is_taken(&error, "keys_one") => return Ok(false),
            written => written?,
        }
    }
    Ok(true)
}

fn in_state(rows: &[KeyRow], state: KeyState) -> Option<&KeyRow> {
    rows.iter().find(|row| row.state == state.as_str())
}

fn states(rows: &[KeyRow]) -> Vec<(String, String)> {
    rows.iter().map(|row| (row.kid.clone(), row.state.clone())).collect()
}

fn algorithm(row: &KeyRow) -> Result<Algorithm> {
    row.algorithm.parse().map_err(Error::internal)
}

fn contended() -> Error {
    Error::new(Code::Unavailable, "The signing keys are being changed by others; try again").retry_after(1)
}

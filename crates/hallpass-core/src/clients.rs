//! Programs that ask about tokens: resource servers and gateways, each with an id and a secret that the operator makes
//! (client credentials, RFC 6749 section 2.3.1).
//!
//! They act for nobody: a client reads what was taken back, and asks about tokens that it was shown. Only a hash of its
//! secret is kept.

use aws_lc_rs::{
    constant_time::verify_slices_are_equal,
    digest::{SHA256, digest},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};

use crate::{
    Code, Ctx, Error, FieldError, Hallpass, Result,
    audit::Event,
    names, rates,
    revocation::Pending,
    secret,
    store::{self, clients::ClientRow},
};

/// A program that may ask. Times are seconds since 1970 (UTC).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    /// What it calls itself when it asks.
    pub id: String,
    /// What the operator calls it.
    pub name: String,
    /// When it was made.
    pub created_at: i64,
}

/// A client, and the secret that nobody sees a second time.
#[derive(Debug)]
pub struct NewClient {
    /// The client.
    pub client: Client,
    /// What proves it.
    pub secret: String,
}

/// Makes a client.
///
/// # Errors
/// [`Code::ValidationFailed`] for a name that is empty or longer than 150 characters; [`Code::Unavailable`].
pub async fn create(hallpass: &Hallpass, ctx: &Ctx, name: &str) -> Result<NewClient> {
    let name = names::person_name("name", name).map_err(|error| Error::validation(vec![error]))?;
    if name.trim().is_empty() {
        return Err(Error::validation(vec![FieldError::new("name", "required", "Give the client a name")]));
    }
    let id = format!("hpc_{}", BASE64URL.encode(secret::random::<12>()?));
    let secret = format!("hps_{}", BASE64URL.encode(secret::random::<32>()?));
    let row = ClientRow { id: id.clone(), name, secret: hash(&secret), created_at: ctx.now };
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    store::clients::insert(tx.conn(), &row).await?;
    pending.record(hallpass, ctx, &mut tx, Event::ClientCreated.because(id)).await?;
    pending.commit(hallpass, tx).await?;
    Ok(NewClient { client: row.into(), secret })
}

/// All clients, the oldest first.
///
/// # Errors
/// [`Code::Unavailable`].
pub async fn list(hallpass: &Hallpass) -> Result<Vec<Client>> {
    let rows = store::clients::list(hallpass.0.db.read().await?.conn()).await?;
    Ok(rows.into_iter().map(Client::from).collect())
}

/// Removes a client: from now on it is told nothing.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Unavailable`].
pub async fn remove(hallpass: &Hallpass, ctx: &Ctx, id: &str) -> Result<()> {
    let mut tx = hallpass.0.db.begin().await?;
    let mut pending = Pending::default();
    if !store::clients::remove(tx.conn(), id).await? {
        return Err(Error::new(Code::NotFound, "There is no such client"));
    }
    pending.record(hallpass, ctx, &mut tx, Event::ClientRemoved.because(id.to_owned())).await?;
    pending.commit(hallpass, tx).await
}

/// The client with this id and secret. Nobody guesses a secret of 256 bits, so that the right one is let in however many
/// wrong ones came from its address: nobody cuts a program off from outside.
///
/// # Errors
/// [`Code::ClientInvalid`] whichever is wrong; [`Code::RateLimited`] instead after ten wrong ones from this address within
/// a minute; [`Code::Unavailable`].
pub async fn authenticate(hallpass: &Hallpass, ctx: &Ctx, id: &str, secret: &str) -> Result<Client> {
    // PostgreSQL takes no NUL for a text, and no id has one.
    let row =
        if id.contains('\0') { None } else { store::clients::get(hallpass.0.db.read().await?.conn(), id).await? };
    let stored = row.as_ref().map_or(&[0; 32][..], |row| &row.secret);
    let proven = verify_slices_are_equal(stored, &hash(secret)).is_ok();
    if let Some(row) = row.filter(|_| proven) {
        return Ok(row.into());
    }
    rates::client_failed(hallpass, ctx).await?;
    Err(Error::new(Code::ClientInvalid, "Use the id and secret that `hallpass clients create` printed"))
}

fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Self {
        Self { id: row.id, name: row.name, created_at: row.created_at }
    }
}

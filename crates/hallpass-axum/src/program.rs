//! Which program asks: a client's id and secret by HTTP Basic (RFC 7617), and nothing else.
//!
//! It is read as strictly as a token. An id or a secret in an address or a body is never looked at.

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hallpass_core::{Actor, Code, Ctx, Error, Hallpass, Result, clients};
use secrecy::{ExposeSecret, SecretString};

use crate::{AppState, ctx::Anybody, error::Problem};

/// What a program proves itself with.
pub(crate) struct Credentials {
    id: String,
    secret: SecretString,
}

/// The circumstances of a request with good credentials of a program, and these.
pub(crate) struct Program {
    pub(crate) ctx: Ctx,
    pub(crate) credentials: Credentials,
}

impl Credentials {
    /// The credentials of a request: exactly one `Authorization` header, the scheme `Basic` in any letter case, exactly
    /// one space, and base64 with its padding of an id, a colon and a secret, neither of which has a colon.
    fn of(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let value = values.next().filter(|_| values.next().is_none())?;
        let (scheme, encoded) = value.to_str().ok()?.split_once(' ')?;
        if !scheme.eq_ignore_ascii_case("Basic") {
            return None;
        }
        let pair = String::from_utf8(BASE64.decode(encoded).ok()?).ok()?;
        let (id, secret) = pair.split_once(':').filter(|(_, secret)| !secret.contains(':'))?;
        Some(Self { id: id.to_owned(), secret: secret.to_owned().into() })
    }

    /// Looks whether they are (still) good.
    ///
    /// # Errors
    /// [`Code::ClientInvalid`], [`Code::RateLimited`], [`Code::Unavailable`].
    pub(crate) async fn check(&self, hallpass: &Hallpass, ctx: &Ctx) -> Result<()> {
        clients::authenticate(hallpass, ctx, &self.id, self.secret.expose_secret()).await.map(drop)
    }
}

impl FromRequestParts<AppState> for Program {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let Anybody(mut ctx) = Anybody::from_request_parts(parts, app).await?;
        let credentials = Credentials::of(&parts.headers).ok_or_else(missing)?;
        credentials.check(app.hallpass(), &ctx).await?;
        ctx.actor = Actor::Client(credentials.id.as_str().into());
        Ok(Self { ctx, credentials })
    }
}

fn missing() -> Error {
    let detail = "Send `Authorization: Basic` with the id and the secret that `hallpass clients create` printed";
    Error::new(Code::ClientInvalid, detail)
}

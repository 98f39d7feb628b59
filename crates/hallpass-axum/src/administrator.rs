//! Who administers: somebody who is signed in, and whose account may do so at this moment.
//!
//! A token alone is never enough: what the account may do is asked of the database with each request. Cookies are never
//! looked at.

use axum::{extract::FromRequestParts, http::request::Parts};
use hallpass_core::{
    Ctx,
    admin::{self, Admin},
};

use crate::{AppState, ctx::SignedIn, error::Problem};

/// The circumstances of a request of somebody who may administer, and how far.
pub(crate) struct Administrator {
    pub(crate) ctx: Ctx,
    pub(crate) admin: Admin,
}

impl FromRequestParts<AppState> for Administrator {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let SignedIn { ctx, .. } = SignedIn::from_request_parts(parts, app).await?;
        let admin = admin::authorize(app.hallpass(), &ctx).await?;
        Ok(Self { ctx, admin })
    }
}

//! The account of whoever is signed in, as the database has it now.

use axum::{Json as Body, extract::State};
use hallpass_core::accounts::{self, Changes};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Answer, User, account_gone};
use crate::{
    AppState,
    ctx::SignedIn,
    json::{FromMembers, Json, Members},
};

/// What to change; whatever is not named stays as it is.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct ChangeMe {
    #[schema(max_length = 150, nullable = false)]
    first_name: Option<String>,
    #[schema(max_length = 150, nullable = false)]
    last_name: Option<String>,
    /// Replaces the custom fields that it names; `null` removes one.
    #[schema(additional_properties = true, value_type = Object, required = false)]
    profile: Map<String, Value>,
    /// The language of the account's mails, a tag such as `en` or `de-AT` (BCP 47).
    #[schema(max_length = 35, nullable = false)]
    locale: Option<String>,
}

impl FromMembers for Changes {
    fn from_members(members: &mut Members) -> Self {
        Self {
            first_name: members.text("first_name"),
            last_name: members.text("last_name"),
            profile: members.object("profile"),
            locale: members.text("locale"),
            // A dialect changes it, for front ends that offer it.
            username: None,
        }
    }
}

/// Read the account
#[utoipa::path(get, path = "/api/v1/me", operation_id = "readMe", tag = "Account", security(("access_token" = [])),
    responses((status = 200, description = "The account", body = User)))]
pub(super) async fn read_me(State(app): State<AppState>, user: SignedIn) -> Answer<Body<User>> {
    let account = accounts::get(app.hallpass(), user.claims.sub).await.map_err(account_gone)?;
    Ok(Body(account.into()))
}

/// Change the account
#[utoipa::path(patch, path = "/api/v1/me", operation_id = "changeMe", tag = "Account", request_body = ChangeMe,
    security(("access_token" = [])),
    responses((status = 200, description = "The account as it is now", body = User)))]
pub(super) async fn change_me(
    State(app): State<AppState>,
    user: SignedIn,
    Json(changes): Json<Changes>,
) -> Answer<Body<User>> {
    let update = accounts::update(app.hallpass(), &user.ctx, user.claims.sub, changes);
    let account = update.await.map_err(account_gone)?;
    Ok(Body(account.into()))
}

//! Making accounts, and changing those of others.
//!
//! A password is never set here: whoever is to have one gets a link that sets it.

use std::collections::HashMap;

use axum::{Json as Body, extract::State, http::StatusCode};
use hallpass_core::{
    AccountId,
    accounts::{Changes, Standing},
    admin::{self, Edits, NewPerson},
};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    super::{ACCEPTED, Answer, Done},
    Id,
    accounts::Account,
};
use crate::{
    AppState,
    administrator::Administrator,
    json::{FromMembers, Json, Members},
};

/// A new account, without a password. Which of user name and e-mail are needed is the operator's choice.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct NewAdminAccount {
    /// Letters, digits and `_.-`, no `@`; the same name in other letter cases is taken as well.
    #[schema(min_length = 1, max_length = 150, nullable = false)]
    username: Option<String>,
    #[schema(max_length = 254, format = "email", nullable = false)]
    email: Option<String>,
    #[schema(max_length = 150, nullable = false)]
    first_name: Option<String>,
    #[schema(max_length = 150, nullable = false)]
    last_name: Option<String>,
    /// The language of the account's mails, a tag such as `en` or `de-AT` (BCP 47).
    #[schema(max_length = 35, nullable = false)]
    locale: Option<String>,
    /// The custom fields that the operator has set up.
    #[schema(required = false)]
    profile: HashMap<String, Value>,
    /// Whether it is known already that the owner receives mail at the address; not by default.
    #[schema(nullable = false)]
    email_verified: Option<bool>,
    /// Whether the person works for the operator; not by default.
    #[schema(nullable = false)]
    is_staff: Option<bool>,
    /// Whether the person may do everything; not by default.
    #[schema(nullable = false)]
    is_superuser: Option<bool>,
    #[schema(required = false)]
    roles: Vec<String>,
}

impl FromMembers for NewPerson {
    fn from_members(members: &mut Members) -> Self {
        Self {
            username: members.text("username"),
            email: members.text("email"),
            first_name: members.text("first_name").unwrap_or_default(),
            last_name: members.text("last_name").unwrap_or_default(),
            locale: members.text("locale"),
            profile: members.object("profile").unwrap_or_default(),
            standing: Standing {
                email_verified: members.flag("email_verified").unwrap_or_default(),
                is_staff: members.flag("is_staff").unwrap_or_default(),
                is_superuser: members.flag("is_superuser").unwrap_or_default(),
                roles: members.texts("roles").unwrap_or_default(),
            },
        }
    }
}

/// What to change; whatever is not named stays as it is. The helpdesk changes names, language and custom fields.
#[derive(ToSchema)]
#[expect(dead_code, reason = "describes the body, which is read member by member")]
struct ChangeAdminAccount {
    /// For superusers to say.
    #[schema(min_length = 1, max_length = 150, nullable = false)]
    username: Option<String>,
    /// For superusers to say. The owner has yet to show to receive mail there, and is signed in nowhere.
    #[schema(max_length = 254, format = "email", nullable = false)]
    email: Option<String>,
    #[schema(max_length = 150, nullable = false)]
    first_name: Option<String>,
    #[schema(max_length = 150, nullable = false)]
    last_name: Option<String>,
    /// The language of the account's mails, a tag such as `en` or `de-AT` (BCP 47).
    #[schema(max_length = 35, nullable = false)]
    locale: Option<String>,
    /// Replaces the custom fields that it names; `null` removes one.
    #[schema(required = false)]
    profile: HashMap<String, Value>,
    /// For superusers to say.
    #[schema(nullable = false)]
    is_staff: Option<bool>,
    /// For superusers to say.
    #[schema(nullable = false)]
    is_superuser: Option<bool>,
}

impl FromMembers for Edits {
    fn from_members(members: &mut Members) -> Self {
        Self {
            own: Changes { username: members.text("username"), ..Changes::from_members(members) },
            email: members.text("email"),
            is_staff: members.flag("is_staff"),
            is_superuser: members.flag("is_superuser"),
        }
    }
}

/// Create an account
///
/// For superusers. The account has no password: a link that sets one goes to its address, if it has one.
#[utoipa::path(post, path = "/api/v1/admin/accounts", operation_id = "createAccount", tag = "Admin",
    request_body = NewAdminAccount, security(("access_token" = [])),
    responses((status = 201, description = "The account is made", body = Account)))]
pub(in crate::api) async fn create_account(
    State(app): State<AppState>,
    who: Administrator,
    Json(new): Json<NewPerson>,
) -> Answer<(StatusCode, Body<Account>)> {
    let account = admin::create(app.hallpass(), &who.ctx, &who.admin, new).await?;
    Ok((StatusCode::CREATED, Body(account.into())))
}

/// Change an account
#[utoipa::path(patch, path = "/api/v1/admin/accounts/{id}", operation_id = "changeAccount", tag = "Admin",
    params(("id" = i64, Path, description = "The account's id")), request_body = ChangeAdminAccount,
    security(("access_token" = [])),
    responses((status = 200, description = "The account as it is now", body = Account)))]
pub(in crate::api) async fn change_account(
    State(app): State<AppState>,
    who: Administrator,
    Id(id): Id<AccountId>,
    Json(edits): Json<Edits>,
) -> Answer<Body<Account>> {
    Ok(Body(admin::change(app.hallpass(), &who.ctx, &who.admin, id, edits).await?.into()))
}

/// Deactivate an account
///
/// Its sessions end, and nobody signs in to it until it is activated again.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/deactivate", operation_id = "deactivateAccount", tag = "Admin",
    params(("id" = i64, Path, description = "The account's id")), security(("access_token" = [])),
    responses((status = 200, description = "The account as it is now", body = Account)))]
pub(in crate::api) async fn deactivate_account(
    State(app): State<AppState>,
    who: Administrator,
    Id(id): Id<AccountId>,
) -> Answer<Body<Account>> {
    Ok(Body(admin::set_active(app.hallpass(), &who.ctx, &who.admin, id, false).await?.into()))
}

/// Activate an account
///
/// Its owner may sign in again.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/activate", operation_id = "activateAccount", tag = "Admin",
    params(("id" = i64, Path, description = "The account's id")), security(("access_token" = [])),
    responses((status = 200, description = "The account as it is now", body = Account)))]
pub(in crate::api) async fn activate_account(
    State(app): State<AppState>,
    who: Administrator,
    Id(id): Id<AccountId>,
) -> Answer<Body<Account>> {
    Ok(Body(admin::set_active(app.hallpass(), &who.ctx, &who.admin, id, true).await?.into()))
}

/// Send a link that sets a new password
///
/// It goes to the address of the account, and nobody else sees it. Until it is used, nothing changes.
#[utoipa::path(post, path = "/api/v1/admin/accounts/{id}/password-reset", operation_id = "sendPasswordReset",
    tag = "Admin", params(("id" = i64, Path, description = "The account's id")), security(("access_token" = [])),
    responses((status = 202, description = "The mail is on its way")))]
pub(in crate::api) async fn send_password_reset(
    State(app): State<AppState>,
    who: Administrator,
    Id(id): Id<AccountId>,
) -> Done {
    admin::send_reset(app.hallpass(), &who.ctx, &who.admin, id).await?;
    ACCEPTED
}

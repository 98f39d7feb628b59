//! Looking for accounts, and looking at one.

use axum::{
    Json,
    extract::{FromRequestParts, State},
    http::request::Parts,
};
use hallpass_core::{
    AccountId, accounts,
    admin::{self, Order, Search, Standing, Status},
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{super::Answer, Id, Part};
use crate::{AppState, administrator::Administrator, error::Problem, query::Query};

/// An account, as those who administer see it. Times are seconds since 1970 (UTC).
#[derive(Serialize, ToSchema)]
#[schema(as = AdminAccount)]
pub(crate) struct Account {
    /// Never given to another account.
    id: i64,
    /// As it was typed.
    #[schema(required = true)]
    username: Option<String>,
    /// As it was typed, with the domain in ASCII.
    #[schema(required = true)]
    email: Option<String>,
    /// Whether its owner has shown to receive mail there.
    email_verified: bool,
    first_name: String,
    last_name: String,
    /// Whether its owner may sign in.
    is_active: bool,
    /// Whether the person works for the operator.
    is_staff: bool,
    /// Whether the person may do everything.
    is_superuser: bool,
    /// Sorted.
    roles: Vec<String>,
    /// The custom fields that the operator has set up.
    #[schema(additional_properties = true, value_type = Object)]
    profile: Map<String, Value>,
    /// Whether there is a password to sign in with.
    has_password: bool,
    date_joined: i64,
    #[schema(required = true)]
    last_login: Option<i64>,
    /// The language of the account's mails (BCP 47).
    #[schema(required = true)]
    locale: Option<String>,
    /// When the account goes, at its owner's wish, unless they sign in before.
    #[schema(required = true)]
    delete_at: Option<i64>,
}

impl From<accounts::Account> for Account {
    fn from(account: accounts::Account) -> Self {
        Self {
            id: account.id.0,
            username: account.username,
            email: account.email,
            email_verified: account.email_verified,
            first_name: account.first_name,
            last_name: account.last_name,
            is_active: account.is_active,
            is_staff: account.is_staff,
            is_superuser: account.is_superuser,
            roles: account.roles,
            profile: account.profile,
            has_password: account.has_password,
            date_joined: account.date_joined,
            last_login: account.last_login,
            locale: account.locale,
            delete_at: account.delete_at,
        }
    }
}

/// A part of the accounts.
#[derive(Serialize, ToSchema)]
#[schema(as = AdminAccountList)]
pub(crate) struct AccountList {
    /// In the order that was asked for.
    accounts: Vec<Account>,
    /// The `cursor` of the next part; `null` if this is the last one.
    #[schema(required = true)]
    next: Option<String>,
}

/// Which accounts are asked for.
pub(in crate::api) struct Wanted(Search, Part);

impl FromRequestParts<AppState> for Wanted {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let known = ["search", "status", "verified", "role", "level", "order", "cursor", "limit"];
        let query = Query::of(&parts.uri, &known)?;
        let truth = |text: &str| text.parse().ok();
        let order = query.read("order", "`order` is `newest` or `oldest`", Order::parse)?;
        let search = Search {
            text: query.text("search", "`search` is 1 to 254 characters of text, percent-encoded", 254)?,
            status: query.read("status", "`status` is `active`, `deactivated` or `deletion`", Status::parse)?,
            verified: query.read("verified", "`verified` is `true` or `false`", truth)?,
            role: query.text("role", "`role` is the name of a role, percent-encoded", 64)?,
            level: query.read("level", "`level` is `staff` or `superuser`", Standing::parse)?,
            order: order.unwrap_or(Order::Newest),
        };
        Ok(Self(search, Part::of(&query)?))
    }
}

/// Look for accounts
///
/// Each thing that is asked for narrows the search down. A cursor goes on with the search that it came from, and no
/// other.
#[utoipa::path(get, path = "/api/v1/admin/accounts", operation_id = "listAccounts", tag = "Admin",
    params(
        ("search" = Option<String>, Query, min_length = 1, max_length = 254,
            description = "What the user name or the address begins with, in any spelling; or the whole id"),
        ("status" = Option<String>, Query,
            description = "Who may sign in, who may not, or whose account is about to be deleted"),
        ("verified" = Option<bool>, Query, description = "Whether they have shown to receive mail at their address"),
        ("role" = Option<String>, Query, min_length = 1, max_length = 64, description = "Who has this role"),
        ("level" = Option<String>, Query, description = "Who works for the operator, or who may do everything"),
        ("order" = Option<String>, Query, description = "Which accounts come first; the newest if it is left out"),
        ("cursor" = Option<String>, Query, description = "The `next` of an earlier answer"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100,
            description = "At most so many; 50 if it is left out"),
    ),
    security(("access_token" = [])),
    responses((status = 200, description = "A part of the accounts that were found", body = AccountList)))]
pub(in crate::api) async fn list_accounts(
    State(app): State<AppState>,
    who: Administrator,
    Wanted(search, part): Wanted,
) -> Answer<Json<AccountList>> {
    let page = admin::search(app.hallpass(), &who.admin, search, part.cursor(), part.limit).await?;
    Ok(Json(AccountList { accounts: page.items.into_iter().map(Account::from).collect(), next: page.next }))
}

/// Read an account
#[utoipa::path(get, path = "/api/v1/admin/accounts/{id}", operation_id = "readAccount", tag = "Admin",
    params(("id" = i64, Path, description = "The account's id")), security(("access_token" = [])),
    responses((status = 200, description = "The account", body = Account)))]
pub(in crate::api) async fn read_account(
    State(app): State<AppState>,
    who: Administrator,
    Id(id): Id<AccountId>,
) -> Answer<Json<Account>> {
    Ok(Json(admin::account(app.hallpass(), &who.admin, id).await?.into()))
}

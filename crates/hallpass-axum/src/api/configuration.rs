//! What a front end needs to know before anybody has signed in.

use axum::{Json, extract::State};
use hallpass_core::{
    Error,
    config::{Presence, Verification},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::Answer;
use crate::AppState;

/// How this server is set up, as far as forms depend on it.
#[derive(Serialize, ToSchema)]
pub(crate) struct Configuration {
    /// What mails and pages call the service.
    product_name: String,
    /// Whether there is a logo, at `/pages/logo`.
    logo: bool,
    /// The colour of buttons and links, such as `#0b5cad`.
    #[schema(required = true)]
    color: Option<String>,
    /// Whether anybody can create an account.
    sign_up: bool,
    /// Whether accounts have a user name.
    #[schema(value_type = String)]
    username: Presence,
    /// Whether accounts have an e-mail address.
    #[schema(value_type = String)]
    email: Presence,
    /// Whether an address has to be verified: `required` lets nobody sign in before.
    #[schema(value_type = String)]
    verify_email: Verification,
    /// Whether a mailed link signs in.
    sign_in_links: bool,
    /// Whether this server sends mail, which a forgotten password needs.
    mail: bool,
    /// The least number of characters of a new password.
    password_min_length: usize,
    /// Days between the wish to delete an account and its end.
    deletion_grace_days: i64,
    /// The custom fields of the profile by name, each `string`, `boolean`, `integer` or `json`.
    #[schema(additional_properties = true, value_type = Object)]
    profile: Value,
    /// The languages that there are mails in (BCP 47).
    locales: Vec<String>,
    /// The front ends to which a page of this server may lead back.
    frontend_origins: Vec<String>,
}

/// Read what a front end needs to know
///
/// Which fields its forms have, and what they say. It is the same for everybody.
#[utoipa::path(get, path = "/api/v1/configuration", operation_id = "readConfiguration", tag = "Server",
    responses((status = 200, description = "How this server is set up", body = Configuration)))]
pub(super) async fn read_configuration(State(app): State<AppState>) -> Answer<Json<Configuration>> {
    let (config, policy) = (app.hallpass().config(), app.policy());
    let accounts = &config.accounts;
    let profile = serde_json::to_value(&accounts.profile).map_err(Error::internal)?;
    Ok(Json(Configuration {
        product_name: config.mail.product_name.clone(),
        logo: policy.logo().is_some(),
        color: Some(policy.pages().color.clone()).filter(|color| !color.is_empty()),
        sign_up: accounts.sign_up,
        username: accounts.username,
        email: accounts.email,
        verify_email: accounts.verify_email,
        sign_in_links: accounts.sign_in_links,
        mail: !app.hallpass().mailer().is_off(),
        password_min_length: config.passwords.min_length,
        deletion_grace_days: accounts.deletion_grace_days,
        profile,
        locales: app.hallpass().templates().locales().into_iter().map(str::to_owned).collect(),
        frontend_origins: policy.frontend_origins().map(str::to_owned).collect(),
    }))
}

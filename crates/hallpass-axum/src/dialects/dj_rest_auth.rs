//! The dialect of `dj-rest-auth` with `django-allauth`: SimpleJWT's tokens in cookies that no script reads, or a key of
//! Django REST framework's; signing up, mailed links and changing one's password.
//!
//! Every token, key and cookie of it belongs to a session of ours, by the same names as in the dialect of SimpleJWT. What
//! is over there is over here, and a stale one never stops a sign-in, a sign-up, a reset or a sign-out.

mod about;
mod cookies;
mod credentials;
mod passwords;
mod registration;
mod sessions;
mod user;

use std::sync::Arc;

use hallpass_core::passwords::Validator;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Secrets, View,
    drf::{self, Endpoint},
    jwt::Secret,
    simplejwt::{self, SimpleJwt},
};
use crate::AppState;

/// What a project of `dj-rest-auth` has set up. Whether people sign up, and whether addresses are verified first, is said
/// once for all, in `[accounts]`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DjRestAuth {
    /// The path before all addresses.
    pub path: String,
    /// Whether listed front ends may send cookies along.
    pub credentials: bool,
    /// The file with the project's `SECRET_KEY`.
    pub secret_key_file: String,
    /// Whether `allauth` is installed: it signs people in whatever the letter case, and has several addresses for one.
    pub allauth: bool,
    /// `ACCOUNT_LOGIN_METHODS`: `username`, `email`.
    pub login_methods: Vec<LoginMethod>,
    /// `ACCOUNT_SIGNUP_FIELDS`, where an asterisk is at the end of what is needed; empty: nobody signs up here.
    pub sign_up_fields: Vec<String>,
    /// `USE_JWT`: SimpleJWT's tokens; otherwise a key.
    pub jwt: bool,
    /// `SESSION_LOGIN`: whether there is a `sessionid` as well.
    pub session_login: bool,
    /// `JWT_AUTH_COOKIE`; empty: none.
    pub access_cookie: String,
    /// `JWT_AUTH_REFRESH_COOKIE`; empty: none.
    pub refresh_cookie: String,
    /// `JWT_AUTH_REFRESH_COOKIE_PATH`.
    pub refresh_cookie_path: String,
    /// `JWT_AUTH_COOKIE_DOMAIN`; empty: none.
    pub cookie_domain: String,
    /// `JWT_AUTH_SAMESITE`: `Lax` or `Strict`.
    pub same_site: SameSite,
    /// `JWT_AUTH_HTTPONLY`: whether refresh tokens are in the cookie only.
    pub http_only: bool,
    /// `JWT_AUTH_COOKIE_USE_CSRF`.
    pub csrf: bool,
    /// `JWT_AUTH_COOKIE_ENFORCE_CSRF_ON_UNAUTHENTICATED`.
    pub csrf_on_unauthenticated: bool,
    /// `JWT_AUTH_RETURN_EXPIRATION`.
    pub return_expiration: bool,
    /// Whether tokens are called `access_token` and `refresh_token` in bodies, as before `dj-rest-auth` 3.0.
    pub long_names: bool,
    /// `REFRESH_TOKEN_LIFETIME`, in seconds.
    pub refresh_lifetime: i64,
    /// `ROTATE_REFRESH_TOKENS`.
    pub rotate: bool,
    /// `LOGOUT_ON_PASSWORD_CHANGE`.
    pub logout_on_password_change: bool,
    /// `AUTH_PASSWORD_VALIDATORS`: `similarity`, `minimum-length`, `common`, `numeric`. The rules of `[passwords]` hold besides.
    pub validators: Vec<Validator>,
    /// Where mailed links to verify an address lead, with `{key}` in it; empty: to a page of ours.
    pub verify_link: String,
    /// Where mailed links to reset a password lead, with `{uid}` and `{token}` in it; empty: to a page of ours.
    pub reset_link: String,
    /// `OLD_PASSWORD_FIELD_ENABLED = False`: lets whoever finds somebody signed in set another password.
    pub insecure_change_without_password: bool,
    /// Tells who signs up that an address belongs to an account: then anybody finds out who has one.
    pub insecure_tell_known_addresses: bool,
    /// What is told of an account.
    pub user_fields: Vec<String>,
}

/// What people name their account by when they sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LoginMethod {
    /// The user name.
    Username,
    /// The address, or a further one that belongs to the account.
    Email,
}

/// From which pages browsers send a cookie along (RFC 6265bis section 5.6.7). Front ends are of one site with us, so that
/// no more is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SameSite {
    /// From pages of the same site, and where somebody follows a link to it.
    Lax,
    /// From pages of the same site.
    Strict,
}

impl Default for DjRestAuth {
    fn default() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            path: text("/"),
            credentials: true,
            secret_key_file: String::new(),
            allauth: true,
            login_methods: vec![LoginMethod::Username],
            sign_up_fields: ["email", "username*", "password1*", "password2*"].map(text).to_vec(),
            jwt: true,
            session_login: false,
            access_cookie: String::new(),
            refresh_cookie: String::new(),
            refresh_cookie_path: text("/"),
            cookie_domain: String::new(),
            same_site: SameSite::Lax,
            http_only: true,
            csrf: false,
            csrf_on_unauthenticated: false,
            return_expiration: false,
            long_names: false,
            refresh_lifetime: 86_400,
            rotate: false,
            logout_on_password_change: false,
            validators: Validator::ALL.to_vec(),
            verify_link: String::new(),
            reset_link: String::new(),
            insecure_change_without_password: false,
            insecure_tell_known_addresses: false,
            user_fields: ["pk", "username", "email", "first_name", "last_name"].map(text).to_vec(),
        }
    }
}

impl DjRestAuth {
    /// Whether a sign-up has to bring this field.
    fn needs(&self, field: &str) -> bool {
        self.sign_up_fields.iter().any(|known| known.strip_suffix('*') == Some(field))
    }
}

impl DjRestAuth {
    /// What cannot work, and what to do.
    pub(super) fn problem(&self) -> Option<String> {
        let plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte));
        let of_cookies = [
            ("access_cookie", &self.access_cookie),
            ("refresh_cookie", &self.refresh_cookie),
            ("refresh_cookie_path", &self.refresh_cookie_path),
            ("cookie_domain", &self.cookie_domain),
        ];
        if let Some((name, text)) = of_cookies.into_iter().find(|(_, text)| !plain(text)) {
            return Some(format!("`dialects.{name}` must have letters, digits and `/-_.~` only: `{text}`"));
        }
        let cookie = !self.access_cookie.is_empty() || !self.refresh_cookie.is_empty();
        if cookie && self.access_cookie == self.refresh_cookie {
            return Some(
                "`dialects.refresh_cookie` is the same as `access_cookie`: give each a name of its own".into(),
            );
        }
        let of_links = [
            ("verify_link", &self.verify_link, &["{key}"][..]),
            ("reset_link", &self.reset_link, &["{uid}", "{token}"]),
        ];
        let missing = of_links
            .into_iter()
            .filter(|(_, link, _)| !link.is_empty())
            .find_map(|(name, link, parts)| parts.iter().find(|part| !link.contains(**part)).map(|part| (name, part)));
        missing.map(|(name, part)| format!("`dialects.{name}` needs `{part}` where the link has what was mailed"))
    }
}

struct Dialect {
    app: AppState,
    settings: DjRestAuth,
    /// Makes and reads the tokens.
    tokens: simplejwt::Dialect,
    /// Its text is Django's `SECRET_KEY`.
    secret: Arc<Secret>,
}

/// The addresses that are served; a question mark is behind a slash that may be left out.
pub(super) fn views(settings: &DjRestAuth, secrets: &Secrets, app: &AppState) -> Vec<View> {
    let tokens =
        SimpleJwt { refresh_lifetime: settings.refresh_lifetime, rotate: settings.rotate, ..SimpleJwt::default() };
    let dialect = Dialect {
        app: app.clone(),
        tokens: simplejwt::Dialect::new(&tokens, secrets, app),
        secret: secrets.access.clone(),
        settings: settings.clone(),
    };
    let of_jwt = |path: &'static str| if settings.jwt { path } else { "" };
    let of_sign_up = |path: &'static str| if settings.sign_up_fields.is_empty() { "" } else { path };
    let all: [Endpoint<'_, Dialect>; 12] = [
        ("login/?", about::login(), |dialect, call| Box::pin(sessions::login(dialect, call))),
        ("logout/?", about::logout(), |dialect, call| Box::pin(sessions::logout(dialect, call))),
        (of_jwt("token/verify/?"), simplejwt::about::verify(), |dialect, call| {
            Box::pin(simplejwt::verify(&dialect.tokens, call))
        }),
        (of_jwt("token/refresh/?"), about::refresh(), |dialect, call| Box::pin(sessions::refresh(dialect, call))),
        ("user/?", about::user(), |dialect, call| Box::pin(user::user(dialect, call))),
        ("password/change/?", about::change(settings), |dialect, call| Box::pin(passwords::change(dialect, call))),
        ("password/reset/?", about::reset(), |dialect, call| Box::pin(passwords::reset(dialect, call))),
        ("password/reset/confirm/?", about::confirm(), |dialect, call| Box::pin(passwords::confirm(dialect, call))),
        (of_sign_up("registration/"), about::register(settings), |dialect, call| {
            Box::pin(registration::register(dialect, call))
        }),
        (of_sign_up("registration/verify-email/?"), about::verify_email(), |dialect, call| {
            Box::pin(registration::verify_email(dialect, call))
        }),
        (of_sign_up("registration/resend-email/?"), about::resend_email(settings), |dialect, call| {
            Box::pin(registration::resend_email(dialect, call))
        }),
        (of_sign_up("registration/account-confirm-email/*"), about::confirm_page(), |dialect, call| {
            Box::pin(registration::confirm_page(dialect, call))
        }),
    ];
    drf::views(dialect, all)
}

//! The wire formats of Django's packages as settings: where each is found, and what the Django project had set up.

use std::collections::BTreeMap;

use hallpass_axum::dialects;
use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// A wire format, and where it is found.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Dialect {
    /// `rest_framework_jwt`.
    DrfJwt(DrfJwt),
    /// An access token in the body and a refresh token in a cookie, written by hand.
    CookieRefresh(CookieRefresh),
    /// `rest_framework_simplejwt`.
    #[serde(rename = "simplejwt")]
    SimpleJwt(SimpleJwt),
}

/// What a project of `rest_framework_simplejwt` has set up. An address that is empty is not served.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct SimpleJwt {
    /// The path before all addresses.
    path: String,
    /// Whether listed front ends may send cookies along.
    credentials: bool,
    /// The file with `SIGNING_KEY`: a secret, or for `RS256` an RSA key in PEM.
    signing_key_file: String,
    /// `ALGORITHM`: `HS256`, `HS512` or `RS256`.
    algorithm: String,
    /// `ISSUER`; empty: none.
    issuer: String,
    /// `AUDIENCE`; empty: none.
    audience: String,
    /// `LEEWAY`, in seconds.
    leeway: i64,
    /// `REFRESH_TOKEN_LIFETIME`, in seconds.
    refresh_lifetime: i64,
    /// `SLIDING_TOKEN_REFRESH_LIFETIME`, in seconds.
    sliding_refresh_lifetime: i64,
    /// `ROTATE_REFRESH_TOKENS`.
    rotate: bool,
    /// `CHECK_REVOKE_TOKEN`.
    check_password: bool,
    /// `AUTH_HEADER_NAME`, as it is on the wire.
    header_name: String,
    /// `AUTH_HEADER_TYPES`.
    header_types: Vec<String>,
    /// `USER_ID_CLAIM`.
    user_id_claim: String,
    /// Whether `USER_ID_FIELD` is the user name instead of the id.
    user_id_is_username: bool,
    /// `TOKEN_TYPE_CLAIM`.
    type_claim: String,
    /// `JTI_CLAIM`.
    jti_claim: String,
    /// `AUTH_TOKEN_CLASSES`: `access`, `sliding`.
    opening: Vec<String>,
    /// Further claims by name, each with the field of the account that it says.
    claims: BTreeMap<String, String>,
    /// Whether tokens are believed about their account without looking at it.
    stateless: bool,
    /// Where a pair is obtained with name and password.
    obtain: String,
    /// Where a refresh token is exchanged.
    refresh: String,
    /// Where a token is looked at.
    verify: String,
    /// Where a refresh token is taken back.
    blacklist: String,
    /// Where a token that slides is obtained.
    sliding: String,
    /// Where it is exchanged for the next one.
    sliding_refresh: String,
    /// Where the account of a token is read.
    user: String,
    /// What is told of an account.
    user_fields: Vec<String>,
}

impl Default for SimpleJwt {
    fn default() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            path: text("/"),
            credentials: true,
            signing_key_file: String::new(),
            algorithm: text("HS256"),
            issuer: String::new(),
            audience: String::new(),
            leeway: 0,
            refresh_lifetime: 86_400,
            sliding_refresh_lifetime: 86_400,
            rotate: false,
            check_password: false,
            header_name: text("Authorization"),
            header_types: vec![text("Bearer")],
            user_id_claim: text("user_id"),
            user_id_is_username: false,
            type_claim: text("token_type"),
            jti_claim: text("jti"),
            opening: vec![text("access")],
            claims: BTreeMap::new(),
            stateless: false,
            obtain: text("token/"),
            refresh: text("token/refresh/"),
            verify: text("token/verify/"),
            blacklist: text("token/blacklist/"),
            sliding: String::new(),
            sliding_refresh: String::new(),
            user: String::new(),
            user_fields: ["id", "username", "email", "first_name", "last_name"].map(text).to_vec(),
        }
    }
}

impl SimpleJwt {
    fn open(self) -> Result<dialects::Kind, String> {
        let (name, file) = ("dialects.signing_key_file", &self.signing_key_file);
        let secret = secret_key(name, file)?;
        let key = match self.algorithm.as_str() {
            "HS256" => dialects::Key::Hs256(secret),
            "HS512" => dialects::Key::Hs512(secret),
            "RS256" => {
                dialects::Key::rs256(secret.expose_secret()).map_err(|wrong| format!("`{name}`: `{file}` {wrong}"))?
            }
            other => return Err(format!("`dialects.algorithm` must be `HS256`, `HS512` or `RS256`, and is `{other}`")),
        };
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(dialects::Kind::SimpleJwt(dialects::SimpleJwt {
            key,
            issuer: some(self.issuer),
            audience: some(self.audience),
            leeway: self.leeway,
            refresh_lifetime: self.refresh_lifetime,
            sliding_refresh_lifetime: self.sliding_refresh_lifetime,
            rotate: self.rotate,
            check_password: self.check_password,
            header_name: self.header_name,
            header_types: self.header_types,
            user_id_claim: self.user_id_claim,
            user_id_is_username: self.user_id_is_username,
            type_claim: self.type_claim,
            jti_claim: self.jti_claim,
            opening: self.opening,
            claims: self.claims.into_iter().collect(),
            stateless: self.stateless,
            obtain: self.obtain,
            refresh: self.refresh,
            verify: self.verify,
            blacklist: self.blacklist,
            sliding: self.sliding,
            sliding_refresh: self.sliding_refresh,
            user: self.user,
            user_fields: self.user_fields,
        }))
    }
}

/// What such a back end has set up. An address that is empty is not served.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct CookieRefresh {
    /// The path before all addresses.
    path: String,
    /// Whether listed front ends may send cookies along.
    credentials: bool,
    /// The file with the project's `SECRET_KEY`, which signs access tokens.
    secret_key_file: String,
    /// The file with what signs refresh tokens.
    refresh_secret_file: String,
    /// `CSRF_TRUSTED_ORIGINS`.
    trusted_origins: Vec<String>,
    /// Tells an unknown name from a wrong password: then anybody finds out who has an account.
    insecure_tell_unknown_names: bool,
    /// Where both tokens are obtained with name and password.
    login: String,
    /// Where the refresh token is exchanged for an access token.
    token: String,
    /// Where the account of a token is read.
    user: String,
    /// The same by `POST`, to try the CSRF rule.
    echo: String,
    /// Where the session ends.
    logout: String,
}

impl Default for CookieRefresh {
    fn default() -> Self {
        Self {
            path: "/".into(),
            credentials: true,
            secret_key_file: String::new(),
            refresh_secret_file: String::new(),
            trusted_origins: Vec::new(),
            insecure_tell_unknown_names: false,
            login: "login".into(),
            token: "token".into(),
            user: "user".into(),
            echo: String::new(),
            logout: "logout".into(),
        }
    }
}

/// What a project of `rest_framework_jwt` has set up. An address that is empty is not served.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct DrfJwt {
    /// The path before all addresses.
    path: String,
    /// Whether listed front ends may send cookies along.
    credentials: bool,
    /// The file with the project's `SECRET_KEY`.
    secret_key_file: String,
    /// `JWT_AUTH_HEADER_PREFIX`.
    header_prefix: String,
    /// Whether name and password are taken with a request as well, as where the project lists `SessionAuthentication` and
    /// `BasicAuthentication`.
    basic: bool,
    /// Whether answers are those of the original 1.11.
    original: bool,
    /// `JWT_ISSUER`; empty: none.
    issuer: String,
    /// `JWT_AUDIENCE`; empty: none.
    audience: String,
    /// `JWT_LEEWAY`, in seconds.
    leeway: i64,
    /// `JWT_REFRESH_EXPIRATION_DELTA`, in seconds.
    refresh_limit: i64,
    /// `JWT_TOKEN_ID = 'require'`: whether a token without a name is not exchanged.
    token_id_required: bool,
    /// `JWT_PAYLOAD_INCLUDE_USER_ID`: whether the token says the account's id.
    user_id: bool,
    /// `JWT_AUTH_COOKIE`: a cookie that has the token as well; empty: none.
    cookie: String,
    /// `JWT_IMPERSONATION_COOKIE`; empty: none.
    impersonation_cookie: String,
    /// Lets new accounts have any password: then the weakest ones are guessed first.
    insecure_weak_passwords: bool,
    /// Where a token is obtained with name and password; with a `*` at its end, with whatever follows.
    obtain: String,
    /// Where a token is exchanged for the next one.
    refresh: String,
    /// Where a token is looked at.
    verify: String,
    /// Where a token is taken back.
    blacklist: String,
    /// Where a superuser obtains the token of somebody else.
    impersonate: String,
    /// Where an account is made.
    sign_up: String,
    /// Where the account of a token is read.
    user: String,
    /// Whether the answer to name and password has the account in it.
    token_with_user: bool,
    /// What is told of an account: `id`, `username`, `email`, `first_name`, `last_name`.
    user_fields: Vec<String>,
    /// What is told of a new one, `token` besides.
    sign_up_fields: Vec<String>,
}

impl Default for DrfJwt {
    fn default() -> Self {
        let text = |text: &str| text.to_owned();
        Self {
            path: text("/"),
            credentials: true,
            secret_key_file: String::new(),
            header_prefix: text("Bearer"),
            basic: false,
            original: false,
            issuer: String::new(),
            audience: String::new(),
            leeway: 0,
            refresh_limit: 7 * 86_400,
            token_id_required: false,
            user_id: true,
            cookie: String::new(),
            impersonation_cookie: String::new(),
            insecure_weak_passwords: false,
            obtain: text("token-auth/"),
            refresh: String::new(),
            verify: String::new(),
            blacklist: String::new(),
            impersonate: String::new(),
            sign_up: String::new(),
            user: String::new(),
            token_with_user: false,
            user_fields: vec![text("username")],
            sign_up_fields: vec![text("token"), text("username")],
        }
    }
}

impl Dialect {
    /// What the HTTP side is told.
    ///
    /// # Errors
    /// One sentence that says what to do.
    pub(super) fn open(&self) -> Result<dialects::Dialect, String> {
        let (path, credentials, kind) = match self.clone() {
            Self::DrfJwt(given) => (given.path.clone(), given.credentials, given.open()?),
            Self::SimpleJwt(given) => (given.path.clone(), given.credentials, given.open()?),
            Self::CookieRefresh(given) => (given.path.clone(), given.credentials, given.open()?),
        };
        Ok(dialects::Dialect { path: checked_path(path)?, credentials, kind })
    }
}

impl Dialect {
    /// What was asked for although it is unsafe, each by its setting and what follows.
    pub(crate) fn insecure(&self) -> Option<&'static str> {
        match self {
            Self::DrfJwt(given) if given.insecure_weak_passwords => {
                Some("`dialects.insecure_weak_passwords`: new accounts can have passwords that are guessed at once")
            }
            Self::CookieRefresh(given) if given.insecure_tell_unknown_names => {
                Some("`dialects.insecure_tell_unknown_names`: anybody finds out who has an account")
            }
            _ => None,
        }
    }
}

impl DrfJwt {
    fn open(self) -> Result<dialects::Kind, String> {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        Ok(dialects::Kind::DrfJwt(dialects::DrfJwt {
            secret: secret_key("dialects.secret_key_file", &self.secret_key_file)?,
            header_prefix: self.header_prefix,
            basic: self.basic,
            original: self.original,
            issuer: some(self.issuer),
            audience: some(self.audience),
            leeway: self.leeway,
            refresh_limit: self.refresh_limit,
            token_id_required: self.token_id_required,
            user_id: self.user_id,
            cookie: some(self.cookie),
            impersonation_cookie: some(self.impersonation_cookie),
            insecure_weak_passwords: self.insecure_weak_passwords,
            obtain: self.obtain,
            refresh: self.refresh,
            verify: self.verify,
            blacklist: self.blacklist,
            impersonate: self.impersonate,
            sign_up: self.sign_up,
            user: self.user,
            token_with_user: self.token_with_user,
            user_fields: self.user_fields,
            sign_up_fields: self.sign_up_fields,
        }))
    }
}

impl CookieRefresh {
    fn open(self) -> Result<dialects::Kind, String> {
        let secret = secret_key("dialects.secret_key_file", &self.secret_key_file)?;
        let refresh_secret = secret_key("dialects.refresh_secret_file", &self.refresh_secret_file)?;
        if secret.expose_secret() == refresh_secret.expose_secret() {
            return Err("`dialects.refresh_secret_file`: with one secret for both, each kind of token passes for the \
                        other: give refresh tokens a secret of their own"
                .into());
        }
        Ok(dialects::Kind::CookieRefresh(dialects::CookieRefresh {
            secret,
            refresh_secret,
            trusted_origins: self.trusted_origins,
            insecure_tell_unknown_names: self.insecure_tell_unknown_names,
            login: self.login,
            token: self.token,
            user: self.user,
            echo: self.echo,
            logout: self.logout,
        }))
    }
}

/// Bytes of the shortest secret that is taken: what Django itself warns below of (`security.W009`).
const SHORTEST: usize = 50;

fn secret_key(name: &str, file: &str) -> Result<SecretString, String> {
    if file.is_empty() {
        return Err(format!(
            "`{name}` is not set: write the secret of the Django project into a file and name the file here"
        ));
    }
    let text = std::fs::read_to_string(file).map_err(|error| format!("`{name}`: `{file}` cannot be read: {error}"))?;
    let secret = text.trim_end_matches(['\n', '\r']);
    if secret.len() < SHORTEST {
        return Err(format!(
            "`{name}`: the secret in `{file}` has fewer than {SHORTEST} characters, and whoever guesses it signs in as \
             anybody: give the Django project a longer one"
        ));
    }
    Ok(SecretString::from(secret))
}

fn checked_path(path: String) -> Result<String, String> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    if path.starts_with('/') && path.bytes().all(plain) {
        return Ok(path);
    }
    Err(format!("`dialects.path` must begin with `/` and have letters, digits and `-_.~` only: `{path}`"))
}

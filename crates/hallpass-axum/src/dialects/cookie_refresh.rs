//! The dialect of back ends that were written by hand after a well-known article: an access token in the body, a refresh
//! token in a cookie that no script reads, and Django's CSRF rule for everything that changes something.
//!
//! Its tokens have no name. A refresh token says when its session began, by which the session is found, so that a
//! session that is over takes it along; an access token is good until it expires.

mod about;

use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode, header};
use hallpass_core::{
    AccountId, Code,
    accounts::{self, Account},
    sessions,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    Secrets, View, csrf,
    drf::{self, Call, Endpoint, NO_CREDENTIALS, Outcome, Refusal, Reply},
    jwt::{Flaw, Names, Secret},
};
use crate::AppState;

/// Seconds that a refresh token is good.
const REFRESH_LIFETIME: i64 = 7 * 86_400;
const REFRESH_COOKIE: &str = "refreshtoken";

/// What such a back end has set up. An address that is empty is not served.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CookieRefresh {
    /// The path before all addresses.
    pub path: String,
    /// Whether listed front ends may send cookies along.
    pub credentials: bool,
    /// The file with the project's `SECRET_KEY`, which signs access tokens.
    pub secret_key_file: String,
    /// The file with what signs refresh tokens.
    pub refresh_secret_file: String,
    /// `CSRF_TRUSTED_ORIGINS`.
    pub trusted_origins: Vec<String>,
    /// Tells an unknown name from a wrong password: then anybody finds out who has an account.
    pub insecure_tell_unknown_names: bool,
    /// Where both tokens are obtained with name and password.
    pub login: String,
    /// Where the refresh token is exchanged for an access token.
    pub token: String,
    /// Where the account of a token is read.
    pub user: String,
    /// The same by `POST`, to try the CSRF rule.
    pub echo: String,
    /// Where the session ends.
    pub logout: String,
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

struct Dialect {
    app: AppState,
    settings: CookieRefresh,
    secrets: Secrets,
}

impl CookieRefresh {
    pub(super) fn secrets(&self) -> Result<Secrets, String> {
        let access = Secret::read("dialects.secret_key_file", &self.secret_key_file, "HS256")?;
        let refresh = Secret::read("dialects.refresh_secret_file", &self.refresh_secret_file, "HS256")?;
        let probe = access.sign(&Map::new());
        if refresh.open(&probe, &Names::default(), 0).is_ok() {
            return Err("`dialects.refresh_secret_file`: with one secret for both, each kind of token passes for the \
                        other: give refresh tokens a secret of their own"
                .into());
        }
        Ok(Secrets { access: Arc::new(access), refresh: Arc::new(refresh) })
    }
}

/// The addresses that are served.
pub(super) fn views(settings: &CookieRefresh, secrets: &Secrets, app: &AppState) -> Vec<View> {
    let dialect = Dialect { app: app.clone(), secrets: secrets.clone(), settings: settings.clone() };
    let all: [Endpoint<'_, Dialect>; 5] = [
        (&settings.login, about::login(), |dialect, call| Box::pin(login(dialect, call))),
        (&settings.token, about::token(), |dialect, call| Box::pin(token(dialect, call))),
        (&settings.user, about::user(), |dialect, call| Box::pin(user(dialect, call, Method::GET))),
        (&settings.echo, about::echo(), |dialect, call| Box::pin(user(dialect, call, Method::POST))),
        (&settings.logout, about::logout(), |dialect, call| Box::pin(logout(dialect, call))),
    ];
    drf::views(dialect, all)
}

async fn login(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    call.reads_cookies();
    let answer = dialect.sign_in(call).await;
    let mut reply = answer.unwrap_or_else(|Refusal(reply)| *reply);
    csrf::keep(call, &mut reply)?;
    Ok(reply)
}

async fn token(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    csrf::check(&dialect.app, call, |origin| dialect.trusts(origin))
        .map_err(|_| Refusal(Box::new(Reply::csrf_page())))?;
    let account = dialect.refreshing(call).await?.1;
    Ok(Reply::new(StatusCode::OK, json!({ "access_token": dialect.access_token(&account, call.ctx.now) })))
}

async fn user(dialect: &Dialect, call: &Call, method: Method) -> Outcome {
    let account = dialect.authenticate(call).await?;
    call.takes(&method)?;
    Ok(Reply::new(StatusCode::OK, json!({ "user": about(&account) })))
}

async fn logout(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    csrf::check(&dialect.app, call, |origin| dialect.trusts(origin))
        .map_err(|_| Refusal(Box::new(Reply::csrf_page())))?;
    // A token that is over or broken stops nobody from leaving.
    if let Ok((began, account)) = dialect.refreshing(call).await {
        sessions::sign_out_begun_at(dialect.app.hallpass(), &call.ctx, account.id, began).await?;
    }
    let mut reply = Reply::new(StatusCode::OK, json!({ "detail": "Successfully logged out." }));
    let attributes = dialect.attributes();
    let gone = drf::no_cookie(REFRESH_COOKIE, attributes);
    reply.headers.extend(gone.map(|cookie| (header::SET_COOKIE, cookie)));
    Ok(reply)
}

impl Dialect {
    async fn sign_in(&self, call: &Call) -> Outcome {
        let members = call.data().await?.members()?;
        let refuse = |detail: &str| Refusal::detail(StatusCode::FORBIDDEN, detail);
        let given = |name: &str| members.get(name).filter(|value| !value.is_null());
        let (Some(username), Some(password)) = (given("username"), given("password")) else {
            return Err(refuse("username and password required"));
        };
        let unknown = if self.settings.insecure_tell_unknown_names { "user not found" } else { "wrong password" };
        // What is no text is nobody's name and nobody's password.
        let username = username.as_str().map(str::to_owned).ok_or_else(|| refuse(unknown))?;
        if self.settings.insecure_tell_unknown_names && accounts::named(self.app.hallpass(), &username).await?.is_none()
        {
            return Err(refuse(unknown));
        }
        let password = password.as_str().map(str::to_owned);
        let issued = drf::sign_in(&self.app, call, Some(username), password).await?;
        let issued = issued.ok_or_else(|| refuse("wrong password"))?;
        let now = call.ctx.now;
        let access = self.access_token(&issued.account, now);
        let refresh = self.secrets.refresh.sign(&claims(&issued.account, now, REFRESH_LIFETIME));
        let mut reply = Reply::new(StatusCode::OK, json!({ "access_token": access, "user": about(&issued.account) }));
        let cookie = format!("{REFRESH_COOKIE}={refresh}{}", self.attributes());
        reply.headers.extend(HeaderValue::try_from(cookie).ok().map(|cookie| (header::SET_COOKIE, cookie)));
        Ok(reply)
    }

    /// The account of the access token: behind any one word, as the article has it.
    async fn authenticate(&self, call: &Call) -> Result<Account, Refusal> {
        let refuse = |detail: &str| Refusal::detail(StatusCode::FORBIDDEN, detail);
        let header = call.header(header::AUTHORIZATION).filter(|header| !header.is_empty());
        let header = header.ok_or_else(|| refuse(NO_CREDENTIALS))?;
        let token = header.split(' ').nth(1).ok_or_else(|| refuse("Token prefix missing"))?;
        let claims = open(&self.secrets.access, token, call.ctx.now).map_err(|flaw| match flaw {
            Flaw::Expired => refuse("access_token expired"),
            _ => refuse("Invalid token"),
        })?;
        let account = self.account(&claims).await?;
        csrf::check(&self.app, call, |origin| self.trusts(origin))
            .map_err(|missing| refuse(&format!("CSRF Failed: {missing}")))?;
        Ok(account)
    }

    /// When the session of the refresh token began, and whose it is.
    async fn refreshing(&self, call: &Call) -> Result<(i64, Account), Refusal> {
        let refuse = |detail: &str| Refusal::detail(StatusCode::FORBIDDEN, detail);
        let over = || refuse("expired refresh token, please login again.");
        let token = drf::cookie_of(&call.headers, REFRESH_COOKIE).ok_or_else(|| refuse(NO_CREDENTIALS))?;
        let claims = open(&self.secrets.refresh, &token, call.ctx.now).map_err(|flaw| match flaw {
            Flaw::Expired => over(),
            _ => refuse("Invalid token"),
        })?;
        let account = self.account(&claims).await?;
        let began = claims.get("iat").and_then(Value::as_i64).ok_or_else(|| refuse("Invalid token"))?;
        let extended = sessions::extend_begun_at(self.app.hallpass(), &call.ctx, account.id, began).await;
        extended.map_err(|error| if error.code == Code::SessionEnded { over() } else { error.into() })?;
        Ok((began, account))
    }

    async fn account(&self, claims: &Map<String, Value>) -> Result<Account, Refusal> {
        let refuse = |detail: &str| Refusal::detail(StatusCode::FORBIDDEN, detail);
        let number = |id: &Value| id.as_i64().or_else(|| id.as_str()?.parse().ok());
        let id = claims.get("user_id").and_then(number).ok_or_else(|| refuse("Invalid token"))?;
        let account = accounts::get(self.app.hallpass(), AccountId(id)).await;
        let account = account.map_err(|error| match error.code {
            Code::NotFound => refuse("User not found"),
            _ => error.into(),
        })?;
        if account.is_active { Ok(account) } else { Err(refuse("user is inactive")) }
    }

    fn trusts(&self, origin: &HeaderValue) -> bool {
        self.settings.trusted_origins.iter().any(|trusted| trusted.as_bytes() == origin.as_bytes())
    }

    fn access_token(&self, account: &Account, now: i64) -> String {
        self.secrets.access.sign(&claims(account, now, self.app.hallpass().config().tokens.lifetime))
    }

    /// The article's cookie, and `Secure` wherever there is TLS.
    fn attributes(&self) -> &'static str {
        if self.app.policy().https() { "; HttpOnly; Path=/; Secure" } else { "; HttpOnly; Path=/" }
    }
}

/// The claims of a token of this kind. Those of other packages are signed by the same secret, and say more.
fn open(secret: &Secret, token: &str, now: i64) -> Result<Map<String, Value>, Flaw> {
    let claims = secret.open(token, &Names::default(), now)?;
    let known = claims.keys().all(|name| ["user_id", "exp", "iat"].contains(&name.as_str()));
    if known { Ok(claims) } else { Err(Flaw::Invalid) }
}

fn claims(account: &Account, now: i64, lifetime: i64) -> Map<String, Value> {
    let claims = [("user_id", account.id.0), ("exp", now + lifetime), ("iat", now)];
    claims.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

fn about(account: &Account) -> Value {
    json!({
        "id": account.id.0,
        "username": account.username.as_deref().unwrap_or_default(),
        "email": account.email.as_deref().unwrap_or_default(),
        "first_name": account.first_name,
        "is_active": account.is_active,
    })
}

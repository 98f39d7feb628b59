//! The dialect of `rest_framework_simplejwt`: a pair of tokens, or one that slides.
//!
//! The name of a refresh token (`jti`) names the session and the generation of its secret, so that it rotates by the same
//! rules as every other; that of an access token is the session's. A session that is over takes them all along. Tokens
//! that the Django project made itself are taken as well, until they expire or are blacklisted.

pub(super) mod about;
mod tokens;

use std::{collections::BTreeMap, sync::Arc};

use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use hallpass_core::{Code, sessions};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Secrets, View,
    drf::{self, Call, Endpoint, Outcome, Refusal, Reply},
    fields::{Fields, NEEDED},
    jwt::{Names, Secret},
    some,
};
use crate::AppState;
pub(super) use tokens::family_of;
use tokens::{hex, is_ours};

/// What a project of `rest_framework_simplejwt` has set up. An address that is empty is not served.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SimpleJwt {
    /// The path before all addresses.
    pub path: String,
    /// Whether listed front ends may send cookies along.
    pub credentials: bool,
    /// The file with `SIGNING_KEY`: a secret, or for `RS256` an RSA key in PEM.
    pub signing_key_file: String,
    /// `ALGORITHM`: `HS256`, `HS512` or `RS256`.
    pub algorithm: String,
    /// `ISSUER`; empty: none.
    pub issuer: String,
    /// `AUDIENCE`; empty: none.
    pub audience: String,
    /// `LEEWAY`, in seconds.
    pub leeway: i64,
    /// `REFRESH_TOKEN_LIFETIME`, in seconds.
    pub refresh_lifetime: i64,
    /// `SLIDING_TOKEN_REFRESH_LIFETIME`, in seconds.
    pub sliding_refresh_lifetime: i64,
    /// `ROTATE_REFRESH_TOKENS`.
    pub rotate: bool,
    /// `CHECK_REVOKE_TOKEN`.
    pub check_password: bool,
    /// `AUTH_HEADER_NAME`, as it is on the wire.
    pub header_name: String,
    /// `AUTH_HEADER_TYPES`.
    pub header_types: Vec<String>,
    /// `USER_ID_CLAIM`.
    pub user_id_claim: String,
    /// Whether `USER_ID_FIELD` is the user name instead of the id.
    pub user_id_is_username: bool,
    /// `TOKEN_TYPE_CLAIM`.
    pub type_claim: String,
    /// `JTI_CLAIM`.
    pub jti_claim: String,
    /// `AUTH_TOKEN_CLASSES`: `access`, `sliding`.
    pub opening: Vec<String>,
    /// Further claims by name, each with the field of the account that it says.
    pub claims: BTreeMap<String, String>,
    /// Whether tokens are believed about their account without looking at it.
    pub stateless: bool,
    /// Where a pair is obtained with name and password.
    pub obtain: String,
    /// Where a refresh token is exchanged.
    pub refresh: String,
    /// Where a token is looked at.
    pub verify: String,
    /// Where a refresh token is taken back.
    pub blacklist: String,
    /// Where a token that slides is obtained.
    pub sliding: String,
    /// Where it is exchanged for the next one.
    pub sliding_refresh: String,
    /// Where the account of a token is read.
    pub user: String,
    /// What is told of an account.
    pub user_fields: Vec<String>,
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

/// Makes and reads the tokens, as the settings say.
pub(super) struct Dialect {
    app: AppState,
    settings: SimpleJwt,
    secret: Arc<Secret>,
    names: Names,
    header: HeaderName,
    challenge: HeaderValue,
}

/// What a sign-in and a refresh bring.
pub(super) struct Pair {
    pub(super) access: String,
    /// The one that was shown, where it is not exchanged for another.
    pub(super) refresh: String,
}

/// What is wrong with a token, in the package's words.
pub(super) struct Wrong(pub(super) &'static str);

const EXPIRED: &str = "Token is expired";
const INVALID: &str = "Token is invalid";
const BLACKLISTED: &str = "Token is blacklisted";
const COMMON: [&str; 3] = ["exp", "iat", "refresh_exp"];

impl Dialect {
    pub(super) fn new(settings: &SimpleJwt, secrets: &Secrets, app: &AppState) -> Self {
        let scheme = settings.header_types.first().map_or("Bearer", String::as_str);
        Self {
            app: app.clone(),
            secret: secrets.access.clone(),
            names: Names {
                issuer: some(&settings.issuer),
                audience: some(&settings.audience),
                leeway: settings.leeway,
                any_audience: settings.audience.is_empty(),
            },
            header: HeaderName::try_from(settings.header_name.as_str()).unwrap_or(header::AUTHORIZATION),
            challenge: HeaderValue::try_from(format!("{scheme} realm=\"api\""))
                .unwrap_or(HeaderValue::from_static("Bearer realm=\"api\"")),
            settings: settings.clone(),
        }
    }
}

/// The addresses that are served.
pub(super) fn views(settings: &SimpleJwt, secrets: &Secrets, app: &AppState) -> Vec<View> {
    let dialect = Dialect::new(settings, secrets, app);
    let all: [Endpoint<'_, Dialect>; 7] = [
        (&settings.obtain, about::obtain(), |dialect, call| Box::pin(obtain(dialect, call))),
        (&settings.refresh, about::refresh(), |dialect, call| Box::pin(refresh(dialect, call))),
        (&settings.verify, about::verify(), |dialect, call| Box::pin(verify(dialect, call))),
        (&settings.blacklist, about::blacklist(), |dialect, call| Box::pin(blacklist(dialect, call))),
        (&settings.sliding, about::sliding(), |dialect, call| Box::pin(sliding(dialect, call))),
        (&settings.sliding_refresh, about::sliding_refresh(), |dialect, call| Box::pin(sliding_refresh(dialect, call))),
        (&settings.user, about::user(), |dialect, call| Box::pin(user(dialect, call))),
    ];
    drf::views(dialect, all)
}

async fn obtain(dialect: &Dialect, call: &Call) -> Outcome {
    let issued = dialect.sign_in(call).await?;
    let Pair { access, refresh } = dialect.pair(&issued, call.ctx.now).await?;
    Ok(Reply::new(StatusCode::OK, json!({ "refresh": refresh, "access": access })))
}

async fn refresh(dialect: &Dialect, call: &Call) -> Outcome {
    let token = dialect.field(call, "refresh").await?;
    let Pair { access, refresh } = dialect.exchange(&call.ctx, token).await?;
    let both = json!({ "access": access, "refresh": refresh });
    let alone = json!({ "access": access });
    Ok(Reply::new(StatusCode::OK, if dialect.settings.rotate { both } else { alone }))
}

pub(super) async fn verify(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let token = fields.text("token", NEEDED);
    fields.check()?;
    let opened = dialect.open(&token.unwrap_or_default(), call.ctx.now);
    let (claims, _) = opened.map_err(|wrong| dialect.refuse(&wrong))?;
    let jti = dialect.jti(&claims).map_err(|wrong| dialect.refuse(&wrong))?;
    if dialect.is_over(&jti).await? {
        return Err(Refusal::whole(BLACKLISTED));
    }
    Ok(Reply::new(StatusCode::OK, json!({})))
}

async fn blacklist(dialect: &Dialect, call: &Call) -> Outcome {
    let (claims, jti) = dialect.shown(call, "refresh", "refresh").await?;
    let hallpass = dialect.app.hallpass();
    match dialect.session_of(&jti).await? {
        Some(named) => sessions::sign_out(hallpass, &call.ctx, named.session).await?,
        None => {
            let until = claims.get("exp").and_then(Value::as_i64).unwrap_or(i64::MAX);
            sessions::end_family(hallpass, &call.ctx, family_of(&jti), until).await?;
        }
    }
    Ok(Reply::new(StatusCode::OK, json!({})))
}

async fn sliding(dialect: &Dialect, call: &Call) -> Outcome {
    let issued = dialect.sign_in(call).await?;
    let (now, mut claims) = (call.ctx.now, dialect.about(&issued.account).await?);
    claims.insert("refresh_exp".into(), (now + dialect.settings.sliding_refresh_lifetime).into());
    let token = dialect.sliding_token(claims, &hex(issued.session.0), now);
    Ok(Reply::new(StatusCode::OK, json!({ "token": token })))
}

async fn sliding_refresh(dialect: &Dialect, call: &Call) -> Outcome {
    let (claims, jti) = dialect.shown(call, "token", "sliding").await?;
    let now = call.ctx.now;
    match claims.get("refresh_exp").and_then(Value::as_i64) {
        None => return Err(dialect.refuse(&Wrong("Token has no 'refresh_exp' claim"))),
        Some(end) if end <= now => return Err(dialect.refuse(&Wrong("Token 'refresh_exp' claim has expired"))),
        Some(_) => {}
    }
    let account = dialect.active(&claims).await?;
    let extended = sessions::extend(dialect.app.hallpass(), &call.ctx, family_of(&jti)).await;
    let known = extended.map_err(|error| match error.code {
        Code::SessionEnded => dialect.refuse(&Wrong(BLACKLISTED)),
        _ => error.into(),
    })?;
    if !known && is_ours(&jti) {
        return Err(dialect.refuse(&Wrong(BLACKLISTED)));
    }
    let mut about = dialect.carried(&claims, account.as_ref());
    about.extend(claims.get("refresh_exp").map(|end| ("refresh_exp".to_owned(), end.clone())));
    Ok(Reply::new(StatusCode::OK, json!({ "token": dialect.sliding_token(about, &jti, now) })))
}

async fn user(dialect: &Dialect, call: &Call) -> Outcome {
    let (claims, account) = dialect.authenticate(call).await?;
    call.takes(&Method::GET)?;
    let told = match account {
        Some(account) => drf::pick(&dialect.settings.user_fields, &drf::about(&account)),
        None => {
            let id = claims.get(&dialect.settings.user_id_claim);
            let flag = |name: &str| claims.get(name).and_then(Value::as_bool).unwrap_or_default();
            json!({
                "id": id, "pk": id, "username": claims.get("username").and_then(Value::as_str).unwrap_or_default(),
                "is_staff": flag("is_staff"), "is_superuser": flag("is_superuser"), "is_active": true,
            })
        }
    };
    Ok(Reply::new(StatusCode::OK, told))
}

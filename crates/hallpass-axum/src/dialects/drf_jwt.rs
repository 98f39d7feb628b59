//! The dialect of `rest_framework_jwt`: one token, sent as `Authorization: JWT …`, that opens things and is exchanged for
//! the next one while it is good. Its version 1.19 (`drf-jwt`) and, by a setting, 1.11 (`djangorestframework-jwt`).
//!
//! The first token of a session carries the session's id as `jti`, and those that it is exchanged for as `orig_jti`: so a
//! session that is over takes its tokens along. Version 1.11 has neither, and its tokens are good until they expire.

mod about;
mod tokens;

use std::sync::Arc;

use axum::http::{HeaderValue, Method, StatusCode};
use hallpass_core::{
    AccountId, Code,
    accounts::NewAccount,
    login,
    sessions::{self, Remember},
};
use schemars::JsonSchema;
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    Secrets, View,
    drf::{self, Call, Endpoint, Outcome, Refusal, Reply},
    fields::{Fields, NEEDED, Rules},
    jwt::{self, Names, Secret},
    some,
};
use crate::AppState;
use tokens::family_of;

/// What a project of `rest_framework_jwt` has set up. An address that is empty is not served.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DrfJwt {
    /// The path before all addresses.
    pub path: String,
    /// Whether listed front ends may send cookies along.
    pub credentials: bool,
    /// The file with the project's `SECRET_KEY`.
    pub secret_key_file: String,
    /// `JWT_AUTH_HEADER_PREFIX`.
    pub header_prefix: String,
    /// Whether name and password are taken with a request as well, as where the project lists `SessionAuthentication` and
    /// `BasicAuthentication`.
    pub basic: bool,
    /// Whether answers are those of the original 1.11.
    pub original: bool,
    /// `JWT_ISSUER`; empty: none.
    pub issuer: String,
    /// `JWT_AUDIENCE`; empty: none.
    pub audience: String,
    /// `JWT_LEEWAY`, in seconds.
    pub leeway: i64,
    /// `JWT_REFRESH_EXPIRATION_DELTA`, in seconds.
    pub refresh_limit: i64,
    /// `JWT_TOKEN_ID = 'require'`: whether a token without a name is not exchanged.
    pub token_id_required: bool,
    /// `JWT_PAYLOAD_INCLUDE_USER_ID`: whether the token says the account's id.
    pub user_id: bool,
    /// `JWT_AUTH_COOKIE`: a cookie that has the token as well; empty: none.
    pub cookie: String,
    /// `JWT_IMPERSONATION_COOKIE`; empty: none.
    pub impersonation_cookie: String,
    /// Lets new accounts have any password: then the weakest ones are guessed first.
    pub insecure_weak_passwords: bool,
    /// Where a token is obtained with name and password; with a `*` at its end, with whatever follows.
    pub obtain: String,
    /// Where a token is exchanged for the next one.
    pub refresh: String,
    /// Where a token is looked at.
    pub verify: String,
    /// Where a token is taken back.
    pub blacklist: String,
    /// Where a superuser obtains the token of somebody else.
    pub impersonate: String,
    /// Where an account is made.
    pub sign_up: String,
    /// Where the account of a token is read.
    pub user: String,
    /// Whether the answer to name and password has the account in it.
    pub token_with_user: bool,
    /// What is told of an account: `id`, `username`, `email`, `first_name`, `last_name`.
    pub user_fields: Vec<String>,
    /// What is told of a new one, `token` besides.
    pub sign_up_fields: Vec<String>,
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

impl DrfJwt {
    /// What cannot work, and what to do.
    pub(super) fn problem(&self) -> Option<String> {
        // Such a token has no session's name in it, and user names change hands.
        (self.original && !self.user_id).then(|| {
            "`dialects.user_id` is off with `original`: then a token says its account by user name alone, and opens \
             that of whoever takes the name next: leave `user_id` on"
                .into()
        })
    }
}

struct Dialect {
    app: AppState,
    settings: DrfJwt,
    secret: Arc<Secret>,
    names: Names,
    challenge: HeaderValue,
    texts: &'static Texts,
}

/// What the two versions say differently.
struct Texts {
    ok: StatusCode,
    expired: &'static str,
    decoding: &'static str,
    invalid: &'static str,
    unknown_user: &'static str,
    no_orig_iat: &'static str,
}

const TEXTS: Texts = Texts {
    ok: StatusCode::CREATED,
    expired: "Token has expired.",
    decoding: "Error decoding token.",
    invalid: "Invalid token.",
    unknown_user: "Invalid token.",
    no_orig_iat: "orig_iat field not found in token.",
};

const ORIGINAL: Texts = Texts {
    ok: StatusCode::OK,
    expired: "Signature has expired.",
    decoding: "Error decoding signature.",
    invalid: "Incorrect authentication credentials.",
    unknown_user: "Invalid signature.",
    no_orig_iat: "orig_iat field is required.",
};

const WRONG: &str = "Invalid username/password.";
const UNREADABLE: &str = "Invalid basic header. Credentials not correctly base64 encoded.";
const BLACKLISTED: &str = "Token is blacklisted.";
const DISABLED: &str = "User account is disabled.";
const TAKEN: &str = "A user with that username already exists.";

/// The addresses that are served.
pub(super) fn views(settings: &DrfJwt, secrets: &Secrets, app: &AppState) -> Vec<View> {
    let dialect = Dialect {
        app: app.clone(),
        secret: secrets.access.clone(),
        names: Names {
            issuer: some(&settings.issuer),
            audience: some(&settings.audience),
            leeway: settings.leeway,
            any_audience: false,
        },
        challenge: HeaderValue::try_from(format!("{} realm=\"api\"", settings.header_prefix))
            .unwrap_or(HeaderValue::from_static("JWT realm=\"api\"")),
        texts: if settings.original { &ORIGINAL } else { &TEXTS },
        settings: settings.clone(),
    };
    let all: [Endpoint<'_, Dialect>; 7] = [
        (&settings.obtain, about::obtain(settings.original), |dialect, call| Box::pin(obtain(dialect, call))),
        (&settings.refresh, about::refresh(settings.original), |dialect, call| Box::pin(refresh(dialect, call))),
        (&settings.verify, about::verify(settings.original), |dialect, call| Box::pin(verify(dialect, call))),
        (&settings.blacklist, about::blacklist(), |dialect, call| Box::pin(blacklist(dialect, call))),
        (&settings.impersonate, about::impersonate(), |dialect, call| Box::pin(impersonate(dialect, call))),
        (&settings.sign_up, about::sign_up(), |dialect, call| Box::pin(sign_up(dialect, call))),
        (&settings.user, about::user(), |dialect, call| Box::pin(user(dialect, call))),
    ];
    drf::views(dialect, all)
}

async fn obtain(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    let issued = drf::sign_in_by_fields(&dialect.app, call).await?;
    let issued = issued.ok_or_else(|| Refusal::whole("Unable to log in with provided credentials."))?;
    let token = dialect.first_token(&issued.account, issued.session, call.ctx.now);
    if dialect.settings.token_with_user {
        let user = drf::pick(&dialect.settings.user_fields, &drf::about(&issued.account));
        return Ok(dialect.with_cookie(
            call,
            Reply::new(dialect.texts.ok, json!({ "token": token, "user": user })),
            &token,
        ));
    }
    Ok(dialect.with_cookie(call, dialect.token_alone(&token, Some(call.ctx.now)), &token))
}

async fn refresh(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    let (_, claims, account) = dialect.shown_token(call).await?;
    let began = claims.get("orig_iat").and_then(Value::as_i64).filter(|began| *began != 0);
    let began = began.ok_or_else(|| Refusal::whole(dialect.texts.no_orig_iat))?;
    let too_late = || Refusal::whole("Refresh has expired.");
    if call.ctx.now > began.saturating_add(dialect.settings.refresh_limit) {
        return Err(too_late());
    }
    if dialect.settings.token_id_required && !claims.contains_key("jti") {
        return Err(Refusal::whole(dialect.texts.invalid));
    }
    let family = family_of(&claims);
    if let Some(session) = family {
        sessions::extend(dialect.app.hallpass(), &call.ctx, session).await.map_err(|error| match error.code {
            Code::SessionEnded => too_late(),
            _ => error.into(),
        })?;
    }
    let mut next = dialect.claims(&account, call.ctx.now, began);
    if !dialect.settings.original {
        next.insert("jti".into(), jwt::new_jti()?.to_string().into());
        if let Some(session) = family {
            next.insert("orig_jti".into(), session.to_string().into());
        }
    }
    let token = dialect.secret.sign(&next);
    Ok(dialect.with_cookie(call, dialect.token_alone(&token, Some(call.ctx.now)), &token))
}

async fn verify(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    let (token, claims, _) = dialect.shown_token(call).await?;
    Ok(dialect.with_cookie(call, dialect.token_alone(&token, claims.get("iat").and_then(Value::as_i64)), &token))
}

async fn blacklist(dialect: &Dialect, call: &Call) -> Outcome {
    let own = dialect.authenticate(call).await?.0;
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let given = fields.text("token", Rules { required: false, ..NEEDED });
    fields.check()?;
    let token = given.unwrap_or(own);
    let claims = dialect.open(&token, call.ctx.now).map_err(|flaw| Refusal::whole(dialect.text(flaw)))?;
    if let Some(session) = family_of(&claims) {
        // No token that it could still be exchanged for lives longer.
        let until = claims.get("exp").and_then(Value::as_i64).unwrap_or(i64::MAX);
        sessions::end_family(dialect.app.hallpass(), &call.ctx, session, until).await?;
    }
    Ok(Reply::new(StatusCode::CREATED, json!({ "token": token })))
}

async fn impersonate(dialect: &Dialect, call: &Call) -> Outcome {
    let (_, superuser) = dialect.authenticate(call).await?;
    if !superuser.is_superuser {
        return Err(Refusal::detail(StatusCode::FORBIDDEN, drf::FORBIDDEN));
    }
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let whom = fields.key("user");
    fields.check()?;
    let whom = whom.unwrap_or_default();
    let issued = login::impersonate(dialect.app.hallpass(), &call.ctx, superuser.id, AccountId(whom)).await;
    let issued = issued.map_err(|error| match error.code {
        Code::InvalidCredentials => Refusal::whole(DISABLED),
        Code::NotFound => {
            fields.refuse("user", format!("Invalid pk \"{whom}\" - object does not exist."));
            fields.check().err().unwrap_or_else(|| error.into())
        }
        _ => error.into(),
    })?;
    let token = dialect.first_token(&issued.account, issued.session, call.ctx.now);
    let mut reply = Reply::new(StatusCode::CREATED, json!({ "token": token }));
    if let Some(cookie) = &some(&dialect.settings.impersonation_cookie) {
        dialect.keep(&mut reply, cookie, &token, call.ctx.now);
    }
    Ok(reply)
}

async fn sign_up(dialect: &Dialect, call: &Call) -> Outcome {
    // Whoever signs up may still send the token of somebody else: that stops nobody.
    let _ = dialect.sent_token(call);
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let username = fields.username("username", true);
    let email = fields.email("email", Rules { required: false, blank: true, longest: None });
    let password = fields.text("password", Rules { longest: Some(128), ..NEEDED });
    fields.check()?;
    let email = email.filter(|email| !email.is_empty());
    let new = NewAccount {
        username,
        email,
        password: password.map(SecretString::from),
        insecure_any_password: dialect.settings.insecure_weak_passwords,
        ..NewAccount::default()
    };
    let issued = login::sign_up(dialect.app.hallpass(), &call.ctx, new, Remember::Yes).await;
    let issued = issued.map_err(|error| {
        match error.code {
            Code::UsernameTaken => fields.refuse("username", TAKEN),
            Code::EmailTaken => fields.refuse("email", "This address belongs to another account."),
            Code::ValidationFailed => {
                error.fields.iter().for_each(|wrong| fields.refuse(&wrong.field, wrong.detail.clone()));
            }
            Code::SignUpClosed => return Refusal::detail(StatusCode::FORBIDDEN, drf::FORBIDDEN),
            _ => {}
        }
        fields.check().err().unwrap_or_else(|| error.into())
    })?;
    let Some(issued) = issued else {
        return Ok(Reply::new(StatusCode::CREATED, json!({ "detail": "Verification e-mail sent." })));
    };
    let mut told = drf::about(&issued.account);
    told.insert("token".into(), dialect.first_token(&issued.account, issued.session, call.ctx.now).into());
    Ok(Reply::new(StatusCode::CREATED, drf::pick(&dialect.settings.sign_up_fields, &told)))
}

async fn user(dialect: &Dialect, call: &Call) -> Outcome {
    let (_, account) = dialect.authenticate(call).await?;
    call.takes(&Method::GET)?;
    Ok(Reply::new(StatusCode::OK, drf::pick(&dialect.settings.user_fields, &drf::about(&account))))
}

//! Whose a token is, and what one says.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use hallpass_core::{
    AccountId, Code, Error, SessionId,
    accounts::{self, Account},
    login::{self, Identifier},
    sessions,
};
use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::{
    super::{
        drf::{self, Call, NO_CREDENTIALS, Refusal, Reply},
        fields::{Fields, NEEDED},
        jwt::{self, Flaw},
        some,
    },
    BLACKLISTED, DISABLED, Dialect, UNREADABLE, WRONG,
};

impl Dialect {
    /// The token of a request and whose it is.
    pub(super) async fn authenticate(&self, call: &Call) -> Result<(String, Account), Refusal> {
        let refuse = |detail: &'static str| Refusal::unauthenticated(detail, &self.challenge);
        let token = match self.sent_token(call) {
            Ok(token) => token.to_owned(),
            Err(refusal) => match self.token_in_cookie(call)? {
                Some(token) => token,
                None if self.settings.basic => match self.basic(call).await? {
                    Some(account) => return Ok((String::new(), account)),
                    None => return Err(refusal),
                },
                None => return Err(refusal),
            },
        };
        let claims = self.open(&token, call.ctx.now).map_err(|flaw| refuse(self.text(flaw)))?;
        let username = claims.get("username").and_then(Value::as_str).filter(|name| !name.is_empty());
        let username = username.ok_or_else(|| refuse("Invalid payload."))?;
        let account = self.account(username, &claims).await?;
        let account = account.ok_or_else(|| refuse(self.texts.unknown_user))?;
        if !account.is_active {
            return Err(refuse(DISABLED));
        }
        self.app.demand_known(call.ctx.now)?;
        if self.is_over(&claims) {
            return Err(Refusal::detail(StatusCode::FORBIDDEN, BLACKLISTED));
        }
        Ok((token, account))
    }

    /// The same answer with the token in the cookie as well, if there is to be one.
    pub(super) fn with_cookie(&self, call: &Call, mut reply: Reply, token: &str) -> Reply {
        if let Some(cookie) = &some(&self.settings.cookie) {
            self.keep(&mut reply, cookie, token, call.ctx.now);
        }
        reply
    }

    pub(super) fn keep(&self, reply: &mut Reply, cookie: &str, token: &str, now: i64) {
        let attributes =
            if self.settings.original { "; HttpOnly; Path=/" } else { "; HttpOnly; Path=/; SameSite=Lax; Secure" };
        let lifetime = self.app.hallpass().config().tokens.lifetime;
        reply
            .headers
            .extend(drf::cookie(cookie, token, attributes, lifetime, now).map(|value| (header::SET_COOKIE, value)));
    }

    /// The token that the browser keeps, unless the header has another scheme.
    fn token_in_cookie(&self, call: &Call) -> Result<Option<String>, Refusal> {
        let names = [some(&self.settings.impersonation_cookie), some(&self.settings.cookie)];
        let header = call.headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        if header.split(|byte| *byte == b' ').count() == 2 || names.iter().all(|name| name.is_none()) {
            return Ok(None);
        }
        let token = names.iter().flatten().find_map(|name| drf::cookie_of(&call.headers, name));
        // A page of somebody else can make a browser send it, and no front end of ours is kept from anything by this.
        if token.is_some() {
            drf::refuse_foreign_page(&self.app, call)?;
        }
        Ok(token)
    }

    /// Whose name and password the header brings, if it does.
    async fn basic(&self, call: &Call) -> Result<Option<Account>, Refusal> {
        let refuse = |detail: &'static str| Refusal::unauthenticated(detail, &self.challenge);
        let value = call.headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
        let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        if !words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic")) {
            return Ok(None);
        }
        let given = match (words.next(), words.next()) {
            (None, _) => return Err(refuse("Invalid basic header. No credentials provided.")),
            (Some(given), None) => given,
            _ => return Err(refuse("Invalid basic header. Credentials string should not contain spaces.")),
        };
        let text = BASE64.decode(given).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let wrong = if self.settings.original { WRONG } else { UNREADABLE };
        let text = text.ok_or_else(|| refuse(wrong))?;
        let (username, password) = text.split_once(':').ok_or_else(|| refuse(wrong))?;
        let who = Identifier { username: Some(username.to_owned()), email: None, exact: true };
        match login::account_of(self.app.hallpass(), &call.ctx, who, SecretString::from(password)).await {
            Ok(account) => Ok(Some(account)),
            Err(error) if matches!(error.code, Code::RateLimited | Code::Busy | Code::Unavailable) => Err(error.into()),
            Err(_) => Err(refuse(WRONG)),
        }
    }

    /// The token that the header brings; anything but one token behind the prefix counts as none. Without one, a project
    /// that lists `SessionAuthentication` goes on to look for a cookie.
    pub(super) fn sent_token<'c>(&self, call: &'c Call) -> Result<&'c str, Refusal> {
        let sent = self.token_in(&call.headers);
        if sent.as_ref().is_err_and(|refusal| refusal.0.body.get("detail") == Some(&json!(NO_CREDENTIALS)))
            && self.settings.basic
        {
            call.reads_cookies();
        }
        sent
    }

    fn token_in<'h>(&self, headers: &'h HeaderMap) -> Result<&'h str, Refusal> {
        let refuse = |detail: &'static str| Refusal::unauthenticated(detail, &self.challenge);
        let header = headers.get(header::AUTHORIZATION).ok_or_else(|| refuse(NO_CREDENTIALS))?;
        let prefix = self.settings.header_prefix.as_str();
        let token = if self.settings.original {
            let mut words = header.as_bytes().split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
            let ours = words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case(prefix.as_bytes()));
            match (words.next(), words.next()) {
                _ if !ours => return Err(refuse(NO_CREDENTIALS)),
                (None, _) => return Err(refuse("Invalid Authorization header. No credentials provided.")),
                (Some(token), None) => token,
                _ => {
                    let detail = "Invalid Authorization header. Credentials string should not contain spaces.";
                    return Err(refuse(detail));
                }
            }
        } else {
            jwt::after_prefix(header, prefix).ok_or_else(|| refuse(NO_CREDENTIALS))?
        };
        str::from_utf8(token).map_err(|_| refuse(self.texts.decoding))
    }

    /// The token in the body, what it says, and whose it is.
    pub(super) async fn shown_token(&self, call: &Call) -> Result<(String, Map<String, Value>, Account), Refusal> {
        let mut fields = Fields::of(call.data().await?.members()?);
        let token = fields.text("token", NEEDED);
        fields.check()?;
        let token = token.unwrap_or_default();
        let claims = self.open(&token, call.ctx.now).map_err(|flaw| Refusal::whole(self.text(flaw)))?;
        let invalid = if self.settings.original { "Invalid payload." } else { self.texts.invalid };
        let username = claims.get("username").and_then(Value::as_str).filter(|name| !name.is_empty());
        let username = username.ok_or_else(|| Refusal::whole(invalid))?;
        let account = self.account(username, &claims).await?;
        let account = account.ok_or_else(|| Refusal::whole("User doesn't exist."))?;
        if !account.is_active {
            return Err(Refusal::whole(DISABLED));
        }
        if self.is_over(&claims) {
            return Err(Refusal::whole(BLACKLISTED));
        }
        Ok((token, claims, account))
    }

    /// The account of this name, if it is the one that the token was made for: names change hands, ids and sessions do
    /// not.
    async fn account(&self, username: &str, claims: &Map<String, Value>) -> Result<Option<Account>, Error> {
        let hallpass = self.app.hallpass();
        let Some(account) = accounts::named(hallpass, username).await? else { return Ok(None) };
        let same = match (claims.get("user_id"), family_of(claims)) {
            (Some(id), _) => {
                id.as_i64().or_else(|| id.as_str()?.parse().ok()).is_some_and(|id| account.id == AccountId(id))
            }
            (None, Some(session)) => {
                // One of ours that is no longer known was somebody's; the project's own are random.
                let owner = sessions::owner(hallpass, session).await?;
                owner.map_or(session.0.get_version_num() != 7, |owner| owner == account.id)
            }
            (None, None) => true,
        };
        Ok(Some(account).filter(|_| same))
    }

    pub(super) fn open(&self, token: &str, now: i64) -> Result<Map<String, Value>, Flaw> {
        let claims = self.secret.open(token, &self.names, now)?;
        // The tokens of other packages are signed by the same secret, and say what they are.
        if claims.contains_key("token_type") { Err(Flaw::Invalid) } else { Ok(claims) }
    }

    pub(super) fn text(&self, flaw: Flaw) -> &'static str {
        match flaw {
            Flaw::Decoding => self.texts.decoding,
            Flaw::Invalid => self.texts.invalid,
            Flaw::Expired => self.texts.expired,
        }
    }

    /// Whether the session of these claims is known to be over.
    fn is_over(&self, claims: &Map<String, Value>) -> bool {
        family_of(claims).is_some_and(|session| self.app.hallpass().verifier().revoked().has_ended(session))
    }

    /// The token of a session that has just begun.
    pub(super) fn first_token(&self, account: &Account, session: SessionId, now: i64) -> String {
        let mut claims = self.claims(account, now, now);
        if !self.settings.original {
            claims.insert("jti".into(), session.to_string().into());
        }
        self.secret.sign(&claims)
    }

    pub(super) fn claims(&self, account: &Account, now: i64, began: i64) -> Map<String, Value> {
        let lifetime = self.app.hallpass().config().tokens.lifetime;
        let username = account.username.as_deref().unwrap_or_default();
        let mut claims = Map::new();
        let mut put = |name: &str, value: Value| claims.insert(name.to_owned(), value);
        put("username", username.into());
        put("exp", (now + lifetime).into());
        if self.settings.original {
            put("email", account.email.as_deref().unwrap_or_default().into());
        } else {
            put("iat", now.into());
        }
        if self.settings.user_id {
            put("user_id", account.id.0.into());
        }
        if !self.settings.original || !self.settings.refresh.is_empty() {
            put("orig_iat", began.into());
        }
        for (name, value) in [("iss", &self.names.issuer), ("aud", &self.names.audience)] {
            if let Some(value) = value {
                put(name, value.as_str().into());
            }
        }
        claims
    }

    pub(super) fn token_alone(&self, token: &str, issued_at: Option<i64>) -> Reply {
        let body =
            if self.settings.original { json!({ "token": token }) } else { json!({ "pk": issued_at, "token": token }) };
        Reply::new(self.texts.ok, body)
    }
}

/// The session that a token belongs to: by its first token's name, or by its own.
pub(super) fn family_of(claims: &Map<String, Value>) -> Option<SessionId> {
    let name = claims.get("orig_jti").or_else(|| claims.get("jti"))?.as_str()?;
    name.parse().ok().map(SessionId)
}

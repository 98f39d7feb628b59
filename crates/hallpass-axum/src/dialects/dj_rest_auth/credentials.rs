//! Who is calling: by the token in the header or the cookie, or by a key or the `sessionid`.
//!
//! A browser brings its cookies along whoever asks it to. So what they open is kept from foreign pages always, and by
//! Django's rule besides where the project asks for that.

use axum::http::{HeaderValue, StatusCode, header};
use hallpass_core::{
    AccountId, Code, SessionId,
    accounts::{self, Account},
    sessions::{self, Place},
};
use serde_json::Value;

use super::{
    super::{
        csrf,
        drf::{self, Call, NO_CREDENTIALS, Refusal},
        simplejwt,
    },
    Dialect,
};

/// Somebody who is signed in.
pub(super) struct Caller {
    pub(super) account: Account,
    /// The session, or what stands for that of a token that the Django project made.
    pub(super) session: SessionId,
}

impl Dialect {
    /// Who is calling, at an address that is for people who are signed in.
    pub(super) async fn authenticate(&self, call: &Call) -> Result<Caller, Refusal> {
        if self.settings.jwt { self.by_token(call).await } else { self.by_key(call).await }
    }

    /// Lets anybody in, whatever stale credentials they bring, but no foreign page.
    pub(super) fn admit(&self, call: &Call) -> Result<(), Refusal> {
        let by_header = call.headers.contains_key(header::AUTHORIZATION);
        if self.settings.jwt && self.settings.csrf_on_unauthenticated && !by_header {
            self.demand_csrf(call)?;
        }
        if !self.settings.jwt && !by_header {
            call.reads_cookies();
        }
        drf::refuse_foreign_page(&self.app, call)
    }

    /// Asks for Django's proof that a page of ours sent this.
    pub(super) fn demand_csrf(&self, call: &Call) -> Result<(), Refusal> {
        csrf::check(&self.app, call, |origin| self.app.policy().lists(origin))
            .map_err(|missing| Refusal::detail(StatusCode::FORBIDDEN, format!("CSRF Failed: {missing}")))
    }

    /// The token in the browser's cookie, if the project has one for it; it may say nothing.
    pub(super) fn access_cookie(&self, call: &Call) -> Option<String> {
        let name = Some(&self.settings.access_cookie).filter(|name| !name.is_empty())?;
        drf::sent_cookie(&call.headers, name)
    }

    async fn by_token(&self, call: &Call) -> Result<Caller, Refusal> {
        let (claims, account) = match self.access_cookie(call) {
            // A header, be it empty or of another scheme, hides the cookie.
            _ if call.headers.contains_key(header::AUTHORIZATION) => self.tokens.authenticate(call).await?,
            Some(token) => {
                if self.settings.csrf || self.settings.csrf_on_unauthenticated {
                    self.demand_csrf(call)?;
                }
                drf::refuse_foreign_page(&self.app, call)?;
                self.tokens.bearer(&token, call.ctx.now).await?
            }
            None => {
                if self.settings.csrf_on_unauthenticated {
                    self.demand_csrf(call)?;
                }
                self.tokens.authenticate(call).await?
            }
        };
        let jti = claims.get("jti").and_then(Value::as_str).unwrap_or_default();
        let account = account.ok_or_else(|| Refusal::detail(StatusCode::UNAUTHORIZED, NO_CREDENTIALS))?;
        Ok(Caller { account, session: simplejwt::family_of(jti) })
    }

    async fn by_key(&self, call: &Call) -> Result<Caller, Refusal> {
        const CHALLENGE: HeaderValue = HeaderValue::from_static("Token");
        let refuse = |detail: &str| Refusal::unauthenticated(detail, &CHALLENGE);
        if let Some(key) = key_in_header(call).map_err(refuse)? {
            let holder = match read(key) {
                Some(key) => sessions::of_key(self.app.hallpass(), &call.ctx, key, Place::Header).await?,
                None => None,
            };
            let holder = holder.ok_or_else(|| refuse("Invalid token."))?;
            let account = self.active(holder.account).await?;
            let account = account.ok_or_else(|| refuse("User inactive or deleted."))?;
            return Ok(Caller { account, session: holder.session });
        }
        call.reads_cookies();
        let holder = self.kept_session(call).await?.ok_or_else(|| refuse(NO_CREDENTIALS))?;
        let account = self.active(holder.account).await?.ok_or_else(|| refuse(NO_CREDENTIALS))?;
        self.demand_csrf(call)?;
        drf::refuse_foreign_page(&self.app, call)?;
        Ok(Caller { account, session: holder.session })
    }

    /// The session of the key in the header, if it is good.
    pub(super) async fn keyed_session(&self, call: &Call) -> Result<Option<SessionId>, Refusal> {
        let Some(key) = key_in_header(call).ok().flatten().and_then(read) else { return Ok(None) };
        let holder = sessions::of_key(self.app.hallpass(), &call.ctx, key, Place::Header).await?;
        Ok(holder.map(|holder| holder.session))
    }

    async fn active(&self, id: AccountId) -> Result<Option<Account>, Refusal> {
        match accounts::get(self.app.hallpass(), id).await {
            Ok(account) => Ok(Some(account).filter(|account| account.is_active)),
            Err(error) if error.code == Code::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The key that opens the account for whoever shows it (`rest_framework.authtoken`): 40 hexadecimal digits.
pub(super) fn written(key: &[u8; 20]) -> String {
    key.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(text: &str) -> Option<[u8; 20]> {
    let mut key = [0; 20];
    for (byte, digits) in key.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    (written(&key) == text).then_some(key)
}

/// The one word behind `Token`, if the header is of that scheme.
fn key_in_header(call: &Call) -> Result<Option<&str>, &'static str> {
    let value = call.headers.get(header::AUTHORIZATION).map_or(&b""[..], HeaderValue::as_bytes);
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    if !words.next().is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"token")) {
        return Ok(None);
    }
    match (words.next(), words.next()) {
        (None, _) => Err("Invalid token header. No credentials provided."),
        (Some(key), None) => str::from_utf8(key).map(Some).map_err(|_| "Invalid token."),
        _ => Err("Invalid token header. Token string should not contain spaces."),
    }
}

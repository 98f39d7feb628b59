//! Signing in and out, and exchanging refresh tokens.

use axum::http::{Method, StatusCode, header};
use hallpass_core::{
    Code, Error, SessionId,
    accounts::{self, Account},
    addresses,
    login::{self, Identifier},
    sessions::{self, Issued, Place, Remember},
};
use jiff::Timestamp;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::{
    super::{
        drf::{self, Call, Outcome, Refusal, Reply},
        fields::{Fields, NEEDED, Rules},
        simplejwt::{self, Pair, Wrong},
    },
    Dialect, LoginMethod, credentials,
};

const OPTIONAL: Rules = Rules { required: false, blank: true, longest: None };
/// What was called so before `dj-rest-auth` 3.0.
pub(super) const LONG_TOKENS: [(&str, &str); 2] = [("access", "access_token"), ("refresh", "refresh_token")];
const LONG_ENDS: [(&str, &str); 2] =
    [("access_expiration", "access_token_expiration"), ("refresh_expiration", "refresh_token_expiration")];
const UNABLE: &str = "Unable to log in with provided credentials.";

pub(super) async fn login(dialect: &Dialect, call: &Call) -> Outcome {
    dialect.admit(call)?;
    call.takes(&Method::POST)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let (username, email) = (fields.text("username", OPTIONAL), fields.email("email", OPTIONAL));
    let password = fields.text("password", NEEDED);
    fields.check()?;
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let who = dialect.named(given(username), given(email)).await?;
    let password = SecretString::from(password.unwrap_or_default());
    let issued = login::sign_in(dialect.app.hallpass(), &call.ctx, who, password, Remember::Yes, None).await;
    let issued = issued.map_err(|error| match error.code {
        Code::InvalidCredentials | Code::ValidationFailed => Refusal::whole(UNABLE),
        Code::EmailNotVerified => Refusal::whole("E-mail is not verified."),
        _ => error.into(),
    })?;
    let mut reply = dialect.signed_in(call, &issued).await?;
    dialect.keep_session(call, &mut reply, issued.session)?;
    Ok(reply)
}

pub(super) async fn logout(dialect: &Dialect, call: &Call) -> Outcome {
    dialect.refuse_forged_logout(call).await?;
    call.takes(&Method::POST)?;
    let (shown, refused) = dialect.shown_at_logout(call).await?;
    let mut ended = false;
    for session in shown {
        ended |= dialect.end(call, session).await?;
    }
    let mut reply = match refused? {
        // Whatever was wrong with the refresh token: nothing of the session is left.
        Some(Wrong(detail)) if !ended => Reply::new(StatusCode::UNAUTHORIZED, json!({ "detail": detail })),
        _ => Reply::new(StatusCode::OK, json!({ "detail": "Successfully logged out." })),
    };
    dialect.forget_tokens(&mut reply);
    dialect.forget_session(call, &mut reply);
    if dialect.settings.session_login {
        call.reads_cookies();
    }
    Ok(reply)
}

pub(super) async fn refresh(dialect: &Dialect, call: &Call) -> Outcome {
    call.takes(&Method::POST)?;
    drf::refuse_foreign_page(&dialect.app, call)?;
    let mut fields = Fields::of(call.data().await?.members()?);
    let given = fields.text("refresh", Rules { required: false, ..NEEDED });
    fields.check()?;
    let token = given.or_else(|| dialect.refresh_cookie(call));
    let token = token.ok_or_else(|| dialect.tokens.refuse(&Wrong("No valid refresh token found.")))?;
    let Pair { access, refresh } = dialect.tokens.exchange(&call.ctx, token).await?;
    let now = call.ctx.now;
    let mut body = json!({ "access": access, "access_expiration": dialect.access_end(now) });
    let next = Some(refresh.as_str()).filter(|_| dialect.settings.rotate);
    if let (Some(next), Value::Object(members), false) = (next, &mut body, dialect.settings.http_only) {
        members.insert("refresh".into(), next.into());
        members.insert("refresh_expiration".into(), dialect.refresh_end(now));
    }
    // The token itself was `access` at this address before as well.
    let mut reply = Reply::new(StatusCode::OK, dialect.called(body, &LONG_ENDS));
    dialect.keep_tokens(&mut reply, &access, next, now);
    Ok(reply)
}

impl Dialect {
    /// What somebody is told who has just signed in; the browser keeps what it is to keep of it.
    async fn signed_in(&self, call: &Call, issued: &Issued) -> Result<Reply, Refusal> {
        let now = call.ctx.now;
        if !self.settings.jwt {
            return Ok(Reply::new(StatusCode::OK, self.key(issued.session)));
        }
        let pair = self.tokens.pair(issued, now).await?;
        let refresh = if self.settings.http_only { "" } else { &pair.refresh };
        let mut body = json!({ "access": pair.access, "refresh": refresh, "user": self.about(&issued.account) });
        if let (true, Value::Object(members)) = (self.settings.return_expiration, &mut body) {
            members.insert("access_expiration".into(), self.access_end(now));
            members.insert("refresh_expiration".into(), self.refresh_end(now));
        }
        let mut reply = Reply::new(StatusCode::OK, self.called(self.called(body, &LONG_TOKENS), &LONG_ENDS));
        self.keep_tokens(&mut reply, &pair.access, Some(&pair.refresh), now);
        Ok(reply)
    }

    /// A body with the names that its reader knows.
    pub(super) fn called(&self, body: Value, long: &[(&str, &str)]) -> Value {
        let Value::Object(members) = body else { return body };
        if !self.settings.long_names {
            return Value::Object(members);
        }
        let name = |given: String| {
            let known = long.iter().find(|(short, _)| *short == given);
            known.map_or(given, |(_, long)| (*long).to_owned())
        };
        Value::Object(members.into_iter().map(|(short, value)| (name(short), value)).collect())
    }

    /// The key of a session, as the answer tells it. Each sign-in has one of its own.
    pub(super) fn key(&self, session: SessionId) -> Value {
        json!({ "key": credentials::written(&sessions::key(self.app.hallpass(), session, Place::Header)) })
    }

    /// What is told of an account.
    pub(super) fn about(&self, account: &Account) -> Value {
        drf::pick(&self.settings.user_fields, &drf::about(account))
    }

    /// The account that the names in a sign-in mean: as `allauth` looks for it, or as `dj_rest_auth` does without it.
    async fn named(&self, username: Option<String>, email: Option<String>) -> Result<Identifier, Refusal> {
        let by = |method| self.settings.login_methods.contains(&method);
        let (by_name, by_email) = (by(LoginMethod::Username), by(LoginMethod::Email));
        let (username, email, missing) = match (self.settings.allauth, by_name, by_email) {
            (false, ..) => (username, email, UNABLE),
            (true, true, true) => (username, email, "Must include either \"username\" or \"email\" and \"password\"."),
            (true, _, false) => (username, None, "Must include \"username\" and \"password\"."),
            (true, false, true) => (None, email, "Must include \"email\" and \"password\"."),
        };
        let hallpass = self.app.hallpass();
        let found = match (&username, &email) {
            (None, None) => return Err(Refusal::whole(missing)),
            (_, Some(email)) => addresses::account_of(hallpass, email).await?,
            (Some(name), None) if self.settings.allauth => match accounts::named_in_any_case(hallpass, name).await? {
                None if by_email => addresses::account_of(hallpass, name).await?,
                found => found,
            },
            (Some(name), None) => accounts::named(hallpass, name).await?,
        };
        Ok(match found {
            Some(Account { username: Some(name), .. }) => Identifier { username: Some(name), email: None, exact: true },
            Some(Account { email, .. }) => Identifier { username: None, email, exact: true },
            // Without `allauth` a name counts where the address is nobody's.
            None if !self.settings.allauth && username.is_some() => Identifier { username, email: None, exact: true },
            None if email.is_some() => Identifier { username: None, email, exact: true },
            None => Identifier { username, email: None, exact: true },
        })
    }

    /// Refuses a sign-out that a foreign page made the browser send.
    async fn refuse_forged_logout(&self, call: &Call) -> Result<(), Refusal> {
        drf::refuse_foreign_page(&self.app, call)?;
        let by_header = call.headers.contains_key(header::AUTHORIZATION);
        let settings = &self.settings;
        let asked = match settings.jwt {
            true => settings.csrf_on_unauthenticated || settings.csrf && self.access_cookie(call).is_some(),
            false => self.kept_session(call).await?.is_some(),
        };
        if asked && !by_header { self.demand_csrf(call) } else { Ok(()) }
    }

    /// The sessions that the credentials of a sign-out name, be they stale and wherever they are, and what is wrong with
    /// the refresh token. That a body cannot be read keeps no session alive.
    async fn shown_at_logout(&self, call: &Call) -> Result<(Vec<SessionId>, Result<Option<Wrong>, Refusal>), Refusal> {
        let mut shown: Vec<SessionId> = self.kept_session(call).await?.into_iter().map(|held| held.session).collect();
        if !self.settings.jwt {
            shown.extend(self.keyed_session(call).await?);
            return Ok((shown, Ok(None)));
        }
        let in_header = call.header(header::AUTHORIZATION).and_then(|value| value.strip_prefix("Bearer "));
        for token in [in_header.map(str::to_owned), self.access_cookie(call)].into_iter().flatten() {
            shown.extend(self.tokens.name_of(&token, "access").map(|name| simplejwt::family_of(&name)));
        }
        let (in_cookie, in_body) = (self.refresh_cookie(call), refresh_in_body(call).await);
        for token in in_cookie.iter().chain(in_body.as_ref().ok().into_iter().flatten()) {
            if let Some(name) = self.tokens.name_of(token, "refresh") {
                let named = self.tokens.session_of(&name).await?;
                shown.push(named.map_or_else(|| simplejwt::family_of(&name), |named| named.session));
            }
        }
        // What is said is about the place where the project has them.
        let (token, missing) = match (self.settings.http_only, in_body) {
            (true, _) => (in_cookie, "Refresh token was not included in cookie data."),
            (false, Ok(given)) => (given, "Refresh token was not included in request data."),
            (false, Err(unreadable)) => return Ok((shown, Err(unreadable))),
        };
        let wrong = match token {
            Some(token) => self.tokens.judge(&token, Some("refresh"), call.ctx.now).await?.err(),
            None => Some(Wrong(missing)),
        };
        Ok((shown, Ok(wrong)))
    }

    /// Ends a session; false if it was over before.
    async fn end(&self, call: &Call, session: SessionId) -> Result<bool, Error> {
        let hallpass = self.app.hallpass();
        let known = sessions::of_name(hallpass, session.0).await?;
        if hallpass.verifier().revoked().has_ended(session) || known.is_some_and(|named| named.ended) {
            return Ok(false);
        }
        let until = call.ctx.now + self.settings.refresh_lifetime;
        sessions::end_family(hallpass, &call.ctx, session, until).await?;
        Ok(true)
    }

    fn refresh_cookie(&self, call: &Call) -> Option<String> {
        let name = Some(&self.settings.refresh_cookie).filter(|name| !name.is_empty())?;
        drf::sent_cookie(&call.headers, name)
    }

    fn access_end(&self, now: i64) -> Value {
        moment(now + self.app.hallpass().config().tokens.lifetime)
    }

    fn refresh_end(&self, now: i64) -> Value {
        moment(now + self.settings.refresh_lifetime)
    }
}

async fn refresh_in_body(call: &Call) -> Result<Option<String>, Refusal> {
    let members = call.data().await?.members()?;
    Ok(members.get("refresh").and_then(Value::as_str).map(str::to_owned))
}

/// A moment as RFC 3339 has it.
fn moment(seconds: i64) -> Value {
    Timestamp::from_second(seconds).map_or(Value::Null, |moment| moment.to_string().into())
}

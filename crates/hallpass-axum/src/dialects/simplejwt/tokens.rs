//! Whose a token is, and what one says.

use aws_lc_rs::digest;
use axum::http::{Method, StatusCode, header};
use hallpass_core::{
    AccountId, Code, Ctx, Error, SessionId,
    accounts::{self, Account},
    sessions::{self, Issued, Named},
};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{
    super::{
        drf::{self, Call, NO_CREDENTIALS, Refusal},
        fields::{Fields, NEEDED},
        jwt::{Flaw, Names},
    },
    BLACKLISTED, COMMON, Dialect, EXPIRED, INVALID, Pair, Wrong,
};

impl Dialect {
    pub(super) async fn sign_in(&self, call: &Call) -> Result<Issued, Refusal> {
        call.takes(&Method::POST)?;
        let issued = drf::sign_in_by_fields(&self.app, call).await?;
        issued.ok_or_else(|| {
            let detail = "No active account found with the given credentials";
            Refusal::unauthenticated(detail, &self.challenge)
        })
    }

    /// The token in a field of the body.
    pub(super) async fn field(&self, call: &Call, name: &str) -> Result<String, Refusal> {
        call.takes(&Method::POST)?;
        let mut fields = Fields::of(call.data().await?.members()?);
        let token = fields.text(name, NEEDED);
        fields.check()?;
        Ok(token.unwrap_or_default())
    }

    /// What that token says, and its name; it is of the kind that is asked for, and not over.
    pub(super) async fn shown(
        &self,
        call: &Call,
        field: &str,
        kind: &str,
    ) -> Result<(Map<String, Value>, String), Refusal> {
        let token = self.field(call, field).await?;
        self.judge(&token, Some(kind), call.ctx.now).await?.map_err(|wrong| self.refuse(&wrong))
    }

    /// The tokens of a session that has just begun.
    pub(in super::super) async fn pair(&self, issued: &Issued, now: i64) -> Result<Pair, Error> {
        let about = self.about(&issued.account).await?;
        let refresh = self.refresh_token(&about, issued.session, issued.generation, now);
        Ok(Pair { access: self.access_token(&about, &hex(issued.session.0), now), refresh })
    }

    /// What a refresh token is exchanged for.
    pub(in super::super) async fn exchange(&self, ctx: &Ctx, token: String) -> Result<Pair, Refusal> {
        let judged = self.judge(&token, Some("refresh"), ctx.now).await?;
        let (claims, jti) = judged.map_err(|wrong| self.refuse(&wrong))?;
        let about = self.carried(&claims, self.active(&claims).await?.as_ref());
        let Some(Named { session, generation, .. }) = self.session_of(&jti).await? else {
            if is_ours(&jti) {
                return Err(self.refuse(&Wrong(BLACKLISTED)));
            }
            // The project's own: good until it expires.
            return Ok(Pair { access: self.access_token(&about, &hex(family_of(&jti).0), ctx.now), refresh: token });
        };
        let issued = sessions::go_on(self.app.hallpass(), ctx, session, generation).await;
        let issued = issued.map_err(|error| match error.code {
            Code::SessionEnded | Code::RefreshInvalid => self.refuse(&Wrong(BLACKLISTED)),
            _ => error.into(),
        })?;
        let refresh = match self.settings.rotate {
            true => self.refresh_token(&about, session, issued.generation, ctx.now),
            false => token,
        };
        Ok(Pair { access: self.access_token(&about, &hex(session.0), ctx.now), refresh })
    }

    /// What a token says, if it is good and of a kind; in the order in which the package looks.
    pub(in super::super) async fn judge(
        &self,
        token: &str,
        kind: Option<&str>,
        now: i64,
    ) -> Result<Result<(Map<String, Value>, String), Wrong>, Error> {
        let (claims, has_end) = match self.open(token, now) {
            Ok(opened) => opened,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let jti = self.jti(&claims);
        if let Ok(jti) = &jti
            && self.is_over(jti).await?
        {
            return Ok(Err(Wrong(BLACKLISTED)));
        }
        let right = claims.get(&self.settings.type_claim).map(|given| kind.is_none_or(|kind| given == kind));
        Ok(match (has_end, jti, right) {
            (false, ..) => Err(Wrong("Token has no 'exp' claim")),
            (true, Err(wrong), _) => Err(wrong),
            (true, Ok(_), None) => Err(Wrong("Token has no type")),
            (true, Ok(_), Some(false)) => Err(Wrong("Token has wrong type")),
            (true, Ok(jti), Some(true)) => Ok((claims, jti)),
        })
    }

    pub(super) fn open(&self, token: &str, now: i64) -> Result<(Map<String, Value>, bool), Wrong> {
        let opened = self.secret.open(token, &self.names, now);
        let claims = opened.map_err(|flaw| Wrong(if flaw == Flaw::Expired { EXPIRED } else { INVALID }))?;
        let has_end = claims.contains_key("exp");
        Ok((claims, has_end))
    }

    /// The name of a token of a kind, whenever it was good: enough to end its session, and for nothing else.
    pub(in super::super) fn name_of(&self, token: &str, kind: &str) -> Option<String> {
        const EVER: i64 = 1 << 40;
        let names = Names { leeway: EVER, any_audience: true, ..Names::default() };
        let claims = self.secret.open(token, &names, 0).ok()?;
        let right = claims.get(&self.settings.type_claim).is_some_and(|given| given == kind);
        self.jti(&claims).ok().filter(|_| right)
    }

    pub(super) fn jti(&self, claims: &Map<String, Value>) -> Result<String, Wrong> {
        let jti = claims.get(&self.settings.jti_claim).and_then(Value::as_str);
        jti.map(str::to_owned).ok_or(Wrong("Token has no id"))
    }

    /// What the name of a refresh token says, if it is one of ours.
    pub(in super::super) async fn session_of(&self, jti: &str) -> Result<Option<Named>, Error> {
        let Ok(name) = Uuid::try_parse(jti) else { return Ok(None) };
        sessions::of_name(self.app.hallpass(), name).await
    }

    /// Whose the session behind a token of this name is, if it is one of ours.
    async fn owner(&self, jti: &str) -> Result<Option<AccountId>, Error> {
        let session = self.session_of(jti).await?.map_or_else(|| family_of(jti), |named| named.session);
        sessions::owner(self.app.hallpass(), session).await
    }

    /// Whether the session behind a token of this name is over.
    pub(super) async fn is_over(&self, jti: &str) -> Result<bool, Error> {
        if self.app.hallpass().verifier().revoked().has_ended(family_of(jti)) {
            return Ok(true);
        }
        Ok(self.session_of(jti).await?.is_some_and(|named| named.ended))
    }

    /// The token of a request, and its account.
    pub(in super::super) async fn authenticate(
        &self,
        call: &Call,
    ) -> Result<(Map<String, Value>, Option<Account>), Refusal> {
        let none = || Refusal::unauthenticated(NO_CREDENTIALS, &self.challenge);
        let value = call.headers.get(&self.header).ok_or_else(none)?.as_bytes();
        let words: Vec<&[u8]> = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        let ours = |word: &&[u8]| self.settings.header_types.iter().any(|scheme| scheme.as_bytes() == *word);
        let token = match words.as_slice() {
            [scheme, token] if ours(scheme) => str::from_utf8(token).unwrap_or_default(),
            [scheme, ..] if ours(scheme) => {
                let detail = "Authorization header must contain two space-delimited values";
                return Err(self.coded(detail, "bad_authorization_header"));
            }
            _ => return Err(none()),
        };
        self.bearer(token, call.ctx.now).await
    }

    /// What a token that opens things says, and its account.
    pub(in super::super) async fn bearer(
        &self,
        token: &str,
        now: i64,
    ) -> Result<(Map<String, Value>, Option<Account>), Refusal> {
        self.app.demand_known(now)?;
        let mut messages = Vec::new();
        let mut opened = None;
        for kind in &self.settings.opening {
            match self.judge(token, Some(kind), now).await? {
                Ok((claims, _)) => {
                    opened = Some(claims);
                    break;
                }
                Err(Wrong(message)) => {
                    let class = if kind == "sliding" { "SlidingToken" } else { "AccessToken" };
                    messages.push(json!({ "token_class": class, "token_type": kind, "message": message }));
                }
            }
        }
        let Some(claims) = opened else {
            let detail = "Given token not valid for any token type";
            let body = json!({ "detail": detail, "code": "token_not_valid", "messages": messages });
            return Err(self.unauthenticated(body));
        };
        let id = claims.get(&self.settings.user_id_claim);
        let id =
            id.ok_or_else(|| self.coded("Token contained no recognizable user identification", "token_not_valid"))?;
        if self.settings.stateless {
            return Ok((claims, None));
        }
        let account = self.account(id, &claims).await?.ok_or_else(|| self.coded("User not found", "user_not_found"))?;
        if !account.is_active {
            return Err(self.coded("User is inactive", "user_inactive"));
        }
        if self.settings.check_password && claims.get(PASSWORD) != self.password(&account).await?.as_ref() {
            return Err(self.coded("The user's password has been changed.", "password_changed"));
        }
        Ok((claims, Some(account)))
    }

    fn coded(&self, detail: &str, code: &str) -> Refusal {
        self.unauthenticated(json!({ "detail": detail, "code": code }))
    }

    /// The account of a token; refused if it is not active, or if its password is another one by now.
    pub(super) async fn active(&self, claims: &Map<String, Value>) -> Result<Option<Account>, Refusal> {
        let Some(id) = claims.get(&self.settings.user_id_claim) else { return Ok(None) };
        let account = self.account(id, claims).await?.filter(|account| account.is_active);
        let none = || Refusal::unauthenticated("No active account found for the given token.", &self.challenge);
        let account = account.ok_or_else(none)?;
        if self.settings.check_password && claims.get(PASSWORD) != self.password(&account).await?.as_ref() {
            return Err(Refusal::unauthenticated("The user's password has been changed.", &self.challenge));
        }
        Ok(Some(account))
    }

    /// The account of this id, or of this user name if it is the one that the token was made for: names change hands,
    /// sessions do not.
    async fn account(&self, id: &Value, claims: &Map<String, Value>) -> Result<Option<Account>, Error> {
        let hallpass = self.app.hallpass();
        if self.settings.user_id_is_username {
            let Some(username) = id.as_str() else { return Ok(None) };
            let owner = match self.jti(claims) {
                Ok(jti) => self.owner(&jti).await?,
                Err(_) => None,
            };
            let found = accounts::named(hallpass, username).await?;
            return Ok(found.filter(|account| owner.is_none_or(|owner| owner == account.id)));
        }
        let number = id.as_i64().or_else(|| id.as_str()?.parse().ok());
        let Some(number) = number else { return Ok(None) };
        match accounts::get(hallpass, AccountId(number)).await {
            Err(error) if error.code == Code::NotFound => Ok(None),
            found => found.map(Some),
        }
    }

    pub(super) async fn password(&self, account: &Account) -> Result<Option<Value>, Error> {
        Ok(accounts::password_mark(self.app.hallpass(), account.id).await?.map(Value::from))
    }

    /// What every token says of an account.
    pub(super) async fn about(&self, account: &Account) -> Result<Map<String, Value>, Error> {
        let settings = &self.settings;
        let username = account.username.as_deref().unwrap_or_default();
        let id = if settings.user_id_is_username { username.to_owned() } else { account.id.to_string() };
        let mut about = Map::from_iter([(settings.user_id_claim.clone(), Value::from(id))]);
        about.extend(self.further(account));
        if settings.check_password {
            about.extend(self.password(account).await?.map(|mark| (PASSWORD.to_owned(), mark)));
        }
        for (name, value) in [("iss", &self.names.issuer), ("aud", &self.names.audience)] {
            about.extend(value.as_deref().map(|value| (name.to_owned(), value.into())));
        }
        Ok(about)
    }

    /// The claims that the project has added.
    fn further(&self, account: &Account) -> Map<String, Value> {
        let known = drf::about(account);
        let said = self.settings.claims.iter();
        said.filter_map(|(name, what)| Some((name.clone(), known.get(what)?.clone()))).collect()
    }

    /// What the next token takes over from this one. What it says of the account besides its id is read anew: somebody who
    /// is no longer staff is so at the next refresh, other than with the package.
    pub(super) fn carried(&self, claims: &Map<String, Value>, account: Option<&Account>) -> Map<String, Value> {
        let own = [self.settings.type_claim.as_str(), self.settings.jti_claim.as_str()];
        let mut carried = claims.clone();
        carried.retain(|name, _| !own.contains(&name.as_str()) && !COMMON.contains(&name.as_str()));
        carried.extend(account.into_iter().flat_map(|account| self.further(account)));
        carried
    }

    pub(super) fn access_token(&self, about: &Map<String, Value>, jti: &str, now: i64) -> String {
        self.token(about.clone(), "access", jti, self.app.hallpass().config().tokens.lifetime, now)
    }

    pub(super) fn sliding_token(&self, about: Map<String, Value>, jti: &str, now: i64) -> String {
        self.token(about, "sliding", jti, self.app.hallpass().config().tokens.lifetime, now)
    }

    pub(super) fn refresh_token(
        &self,
        about: &Map<String, Value>,
        session: SessionId,
        generation: i64,
        now: i64,
    ) -> String {
        let name = hex(sessions::name_of(session, generation));
        self.token(about.clone(), "refresh", &name, self.settings.refresh_lifetime, now)
    }

    pub(super) fn token(
        &self,
        mut claims: Map<String, Value>,
        kind: &str,
        jti: &str,
        lifetime: i64,
        now: i64,
    ) -> String {
        claims.insert(self.settings.type_claim.clone(), kind.into());
        claims.insert(self.settings.jti_claim.clone(), jti.into());
        claims.insert("iat".into(), now.into());
        claims.insert("exp".into(), (now + lifetime).into());
        self.secret.sign(&claims)
    }

    pub(in super::super) fn refuse(&self, Wrong(detail): &Wrong) -> Refusal {
        self.unauthenticated(json!({ "detail": detail, "code": "token_not_valid" }))
    }

    pub(super) fn unauthenticated(&self, body: Value) -> Refusal {
        let mut refusal = Refusal::new(StatusCode::UNAUTHORIZED, body);
        refusal.0.headers.insert(header::WWW_AUTHENTICATE, self.challenge.clone());
        refusal
    }
}

/// The claim that says which password a token was made under.
const PASSWORD: &str = "hash_password";

/// What stands for a token in the log of what was taken back: its name, if that can be a session's.
pub(in super::super) fn family_of(jti: &str) -> SessionId {
    SessionId(Uuid::try_parse(jti).unwrap_or_else(|_| {
        let hash = digest::digest(&digest::SHA256, jti.as_bytes());
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(hash.as_ref()).for_each(|(byte, of_hash)| *byte = *of_hash);
        Uuid::from_bytes(bytes)
    }))
}

/// Whether a name is of the kind that sessions of ours have (RFC 9562 section 5.7); the package's own are random.
pub(super) fn is_ours(jti: &str) -> bool {
    Uuid::try_parse(jti).is_ok_and(|name| name.get_version_num() == 7)
}

pub(super) fn hex(name: Uuid) -> String {
    name.simple().to_string()
}

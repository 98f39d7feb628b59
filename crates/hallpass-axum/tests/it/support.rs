//! A whole application without a network, and a method for each thing that a person does with it.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::ConnectInfo,
    http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, header},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD},
};
use hallpass_axum::{AppState, Clock, Web, router};
use hallpass_core::{
    AccountId, Config, Ctx, Db, Hallpass, MasterKey,
    accounts::{self, NewAccount, Page, Standing},
    admin::HELPDESK,
    clients,
    config::Transport,
    mail::{self, Letter},
    tasks,
    testing::{SmtpSink, TestDb},
};
use hallpass_token::KeySet;
use serde_json::{Value, json};
use tower::ServiceExt;
use url::form_urlencoded;

/// Where the API is in tests.
pub(crate) const API: &str = "https://api.example.com";
/// The front end that is listed.
pub(crate) const FRONT_END: &str = "https://app.example.com";
/// A password that every rule lets pass.
pub(crate) const PASSWORD: &str = "marmalade telescope orbit 7";
/// A role that somebody has.
pub(crate) const ROLE: &str = "auditor";
/// When tests begin.
pub(crate) const BEGIN: i64 = 1_790_000_000;

/// An application on a database of its own, with a clock that the test moves.
pub(crate) struct TestApp {
    pub(crate) hallpass: Hallpass,
    pub(crate) state: AppState,
    router: Router,
    clock: Arc<AtomicI64>,
    master: MasterKey,
    pub(crate) db: TestDb,
}

impl TestApp {
    pub(crate) async fn new(db: TestDb) -> Self {
        Self::with(db, |_, _| {}).await
    }

    /// With settings that differ from the tests' usual ones: one front end, attempts without end, mail that stays in
    /// memory, and every way to sign in.
    pub(crate) async fn with(db: TestDb, change: impl FnOnce(&mut Config, &mut Web)) -> Self {
        Self::under(MasterKey::generate().unwrap(), db, change).await
    }

    /// Another server of the same keys on an empty database: whatever this one signed is good there, and names nobody.
    pub(crate) async fn forgetful_twin(&self) -> Self {
        let master = MasterKey::from_base64(&self.master.to_base64()).unwrap();
        let twin = Self::under(master, TestDb::sqlite().await, |_, _| {}).await;
        twin.hallpass.verifier().set_keys(KeySet::from_jwks(&self.hallpass.jwks()).unwrap());
        twin
    }

    /// With a mail server that keeps what it gets.
    pub(crate) async fn with_mail_server(db: TestDb, change: impl FnOnce(&mut Config)) -> (Self, SmtpSink) {
        let sink = SmtpSink::start().await;
        let to_sink = |config: &mut Config, _: &mut Web| {
            config.mail = sink.settings();
            change(config);
        };
        (Self::with(db, to_sink).await, sink)
    }

    /// Another server on the same database, at the same time, whose settings may differ.
    pub(crate) async fn neighbour(&self, change: impl FnOnce(&mut Config)) -> AppState {
        let db = Db::open(&self.db.url).await.unwrap();
        let master = MasterKey::from_base64(&self.master.to_base64()).unwrap();
        let mut config = self.hallpass.config().clone();
        change(&mut config);
        let hallpass = Hallpass::open(db, &master, config, self.now()).await.unwrap();
        let web = Web { public_url: API.into(), ..Web::default() };
        AppState::new(hallpass, &web, self.state.clock().clone()).unwrap()
    }

    pub(crate) async fn under(master: MasterKey, db: TestDb, change: impl FnOnce(&mut Config, &mut Web)) -> Self {
        let mut config = Config::for_issuer(API);
        config.throttle.enabled = false;
        config.mail.transport = Transport::Mailbox;
        config.accounts.sign_in_links = true;
        let mut web = Web { public_url: API.into(), frontend_origins: vec![FRONT_END.into()], ..Web::default() };
        change(&mut config, &mut web);
        let hallpass = Hallpass::open(db.db.clone(), &master, config, BEGIN).await.unwrap();
        let clock = Arc::new(AtomicI64::new(BEGIN));
        let shown = clock.clone();
        let clock_of_state = Clock::from_fn(move || shown.load(Ordering::Relaxed));
        let state = AppState::new(hallpass.clone(), &web, clock_of_state).unwrap();
        Self { hallpass, router: router(state.clone()), state, clock, master, db }
    }

    pub(crate) fn now(&self) -> i64 {
        self.clock.load(Ordering::Relaxed)
    }

    pub(crate) fn ctx(&self) -> Ctx {
        Ctx::operator(self.now())
    }

    /// Lets time pass, and the background work do what it does meanwhile.
    pub(crate) async fn pass(&self, seconds: i64) {
        self.clock_forward(seconds);
        tasks::run(&self.hallpass, &self.ctx()).await.unwrap();
    }

    /// Lets time pass while nothing is done in the background.
    pub(crate) fn clock_forward(&self, seconds: i64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Makes a client, as the operator does for a program.
    pub(crate) async fn program(&self) -> Program {
        let made = clients::create(&self.hallpass, &self.ctx(), "gateway").await.unwrap();
        Program { id: made.client.id, secret: made.secret }
    }

    /// Answers without waiting for the end of the body.
    pub(crate) async fn begin(&self, call: Call) -> Response<Body> {
        self.router.clone().oneshot(call.request()).await.unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap().to_vec();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    /// Creates an account from a program and signs it in.
    pub(crate) async fn sign_up(&self, username: &str) -> Device<'_> {
        let body = json!({ "username": username, "password": PASSWORD });
        Device::from(self, &Call::post("/api/v1/signup").json(&body).send(self).await)
    }

    /// The same with an address, to which a mail goes.
    pub(crate) async fn sign_up_at(&self, username: &str, email: &str) -> Device<'_> {
        let body = json!({ "username": username, "email": email, "password": PASSWORD });
        Device::from(self, &Call::post("/api/v1/signup").json(&body).send(self).await)
    }

    /// Creates an account that may do everything, as `hallpass createsuperuser` does, and signs it in.
    pub(crate) async fn superuser(&self, username: &str) -> Device<'_> {
        self.employ(username, Standing { is_superuser: true, ..Standing::default() }).await
    }

    /// Creates an account of the helpdesk, and signs it in.
    pub(crate) async fn helper(&self, username: &str) -> Device<'_> {
        self.employ(username, Standing { roles: vec![HELPDESK.into()], ..Standing::default() }).await
    }

    /// Creates an account of the operator's people, and signs it in.
    pub(crate) async fn employ(&self, username: &str, standing: Standing) -> Device<'_> {
        let names = NewAccount { username: Some(username.into()), ..NewAccount::default() };
        let new = NewAccount { password: Some(PASSWORD.to_owned().into()), ..names };
        accounts::create(&self.hallpass, &self.ctx(), new, standing).await.unwrap();
        self.log_in(username).await
    }

    /// Creates an account with an address and a role, whose owner never signs in.
    pub(crate) async fn somebody_else(&self) -> AccountId {
        let all = accounts::list(&self.hallpass, Page { after: None, limit: 1000 }).await.unwrap();
        let username = format!("person-{}", all.len());
        let email = Some(format!("{username}@example.com"));
        let new = NewAccount { username: Some(username), email, ..NewAccount::default() };
        let standing = Standing { roles: vec![ROLE.into()], ..Standing::default() };
        accounts::create(&self.hallpass, &self.ctx(), new, standing).await.unwrap().id
    }

    /// Asks for a link that sets a new password.
    pub(crate) async fn request_reset(&self, email: &str) {
        self.request_mail("password-reset", email).await.accepted();
    }

    /// Asks for the mail of `verify-email`, `password-reset` or `sign-in-link`.
    pub(crate) async fn request_mail(&self, operation: &str, email: &str) -> Answer {
        Call::post(&format!("/api/v1/{operation}/request")).json(&json!({ "email": email })).send(self).await
    }

    /// Uses the secret of a link up, as the button of its page does.
    pub(crate) async fn redeem(&self, operation: &str, token: &str) -> Answer {
        Call::post(&format!("/api/v1/{operation}")).json(&json!({ "token": token })).send(self).await
    }

    pub(crate) async fn reset_password(&self, token: &str, new: &str) -> Answer {
        let body = json!({ "token": token, "new_password": new });
        Call::post("/api/v1/password-reset").json(&body).send(self).await
    }

    /// Sends what is due.
    pub(crate) async fn send_mail(&self) {
        while mail::deliver(&self.hallpass, &self.ctx()).await.unwrap() {}
    }

    /// Sends what is due, and returns every mail that was ever sent, the oldest first.
    pub(crate) async fn mails(&self) -> Vec<Letter> {
        self.send_mail().await;
        self.hallpass.mailer().mailbox().unwrap().into_iter().rev().collect()
    }

    /// The secret of the newest link to a page: `verify`, `reset`, `change-email` or `sign-in`.
    pub(crate) async fn mailed(&self, page: &str) -> String {
        let mails = self.mails().await;
        let leads_there = |mail: &&Letter| mail.written.text.contains(&format!("{API}/{page}#token="));
        link_token(mails.iter().rev().find(leads_there).unwrap_or_else(|| panic!("no mail has a link to {page}")))
    }

    /// Signs in from a program.
    pub(crate) async fn log_in(&self, username: &str) -> Device<'_> {
        self.log_in_with(username, PASSWORD).await
    }

    pub(crate) async fn log_in_with(&self, username: &str, password: &str) -> Device<'_> {
        Device::from(self, &log_in(username, password).send(self).await)
    }

    /// Signs in from a browser, on a page of the front end.
    pub(crate) async fn log_in_browser(&self, username: &str) -> Device<'_> {
        Device::from(self, &log_in(username, PASSWORD).header("origin", FRONT_END).send(self).await)
    }
}

pub(crate) fn log_in(username: &str, password: &str) -> Call {
    Call::post("/api/v1/login").json(&json!({ "username": username, "password": password }))
}

/// What a JWT says.
pub(crate) fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

/// The secret in the link of a mail.
pub(crate) fn link_token(mail: &Letter) -> String {
    let (_, rest) = mail.written.text.split_once("#token=").unwrap_or_else(|| panic!("{}", mail.written.text));
    rest.split_whitespace().next().unwrap().to_owned()
}

/// A signed-in device: what it keeps, and what its owner does with it.
pub(crate) struct Device<'a> {
    app: &'a TestApp,
    browser: bool,
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) csrf: Option<String>,
    /// What makes it a known device.
    pub(crate) known: Option<String>,
}

impl<'a> Device<'a> {
    fn from(app: &'a TestApp, answer: &Answer) -> Self {
        assert!(answer.status.is_success(), "{} {}", answer.status, answer.text());
        let body = answer.json();
        let cookie = answer.cookie("__Host-refresh");
        Self {
            app,
            browser: cookie.is_some(),
            access: body["access_token"].as_str().unwrap().to_owned(),
            refresh: cookie.or(body["refresh_token"].as_str().map(str::to_owned)).unwrap(),
            csrf: answer.cookie("__Host-csrf"),
            known: answer.cookie("__Host-device").or(body["device_token"].as_str().map(str::to_owned)),
        }
    }

    /// The cookies of a browser.
    pub(crate) fn cookies(&self) -> String {
        format!("theme=dark; __Host-refresh={}; __Host-csrf={}", self.refresh, self.csrf.as_deref().unwrap_or_default())
    }

    /// A request with what proves the session: the cookies of a browser on a page of ours, or the secret in the body.
    pub(crate) fn call_with_secret(&self, path: &str) -> Call {
        if self.browser {
            Call::post(path).header("cookie", &self.cookies()).header("origin", FRONT_END)
        } else {
            Call::post(path).json(&json!({ "refresh_token": self.refresh }))
        }
    }

    /// Refreshes and keeps what came.
    pub(crate) async fn refresh(&mut self) -> Answer {
        let answer = self.try_refresh().await;
        *self = Self::from(self.app, &answer);
        answer
    }

    pub(crate) async fn try_refresh(&self) -> Answer {
        self.call_with_secret("/api/v1/refresh").send(self.app).await
    }

    pub(crate) async fn log_out(&self) -> Answer {
        self.call_with_secret("/api/v1/logout").send(self.app).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        Call::new(Method::GET, path).bearer(&self.access).send(self.app).await
    }

    /// A call of something of the administration, by what stands behind `/api/v1/admin/`.
    pub(crate) fn admin(&self, method: Method, path: &str) -> Call {
        Call::new(method, &format!("/api/v1/admin/{path}")).bearer(&self.access)
    }

    pub(crate) async fn me(&self) -> Answer {
        self.get("/api/v1/me").await
    }

    /// Where the status list of its access token is, and the token's place in it.
    pub(crate) fn status_list(&self) -> (String, usize) {
        let status = claims(&self.access)["status"]["status_list"].clone();
        (status["uri"].as_str().unwrap().to_owned(), usize::try_from(status["idx"].as_u64().unwrap()).unwrap())
    }

    /// The id of its session.
    pub(crate) async fn session(&self) -> String {
        self.get("/api/v1/session").await.json()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn delete(&self, path: &str) -> Answer {
        Call::new(Method::DELETE, path).bearer(&self.access).send(self.app).await
    }

    pub(crate) async fn change_password(&self, current: &str, new: &str) -> Answer {
        let body = json!({ "current_password": current, "new_password": new });
        Call::post("/api/v1/password").bearer(&self.access).json(&body).send(self.app).await
    }

    pub(crate) async fn request_email_change(&self, email: &str, password: &str) -> Answer {
        let body = json!({ "email": email, "password": password });
        Call::post("/api/v1/email-change/request").bearer(&self.access).json(&body).send(self.app).await
    }

    pub(crate) async fn delete_account(&self, password: &str) -> Answer {
        let call = Call::post("/api/v1/account-deletion").bearer(&self.access);
        call.json(&json!({ "password": password })).send(self.app).await
    }

    pub(crate) async fn change_me(&self, changes: &Value) -> Answer {
        Call::new(Method::PATCH, "/api/v1/me").bearer(&self.access).json(changes).send(self.app).await
    }
}

/// A program that asks about tokens.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl Program {
    /// What it sends as `Authorization`.
    pub(crate) fn proof(&self) -> String {
        basic(&format!("{}:{}", self.id, self.secret))
    }

    /// Follows what was taken back.
    pub(crate) fn follow(&self, query: &str) -> Call {
        Call::get(&format!("/api/v1/revocations{query}")).header("authorization", &self.proof())
    }

    /// Asks about a token, at `/api/v1/introspect` or `/api/v1/revoke`.
    pub(crate) fn about(&self, path: &str, token: &str) -> Call {
        let form = Call::post(path).form(&json!({ "token": token }));
        form.header("authorization", &self.proof())
    }
}

/// `Authorization` of HTTP Basic.
pub(crate) fn basic(pair: &str) -> String {
    format!("Basic {}", BASE64.encode(pair))
}

/// A request in the making.
#[derive(Clone)]
pub(crate) struct Call {
    method: Method,
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
    peer: Option<SocketAddr>,
}

impl Call {
    pub(crate) fn new(method: Method, path: &str) -> Self {
        Self { method, path: path.into(), headers: HeaderMap::new(), body: Vec::new(), peer: None }
    }

    pub(crate) fn get(path: &str) -> Self {
        Self::new(Method::GET, path)
    }

    pub(crate) fn post(path: &str) -> Self {
        Self::new(Method::POST, path)
    }

    /// Adds a header, beside any other of this name.
    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
        self.headers.append(HeaderName::from_static(name), value);
        self
    }

    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.body("application/json", body.to_string())
    }

    /// The members of an object as a form.
    pub(crate) fn form(self, members: &Value) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in members.as_object().unwrap() {
            form.append_pair(name, value.as_str().unwrap());
        }
        self.body("application/x-www-form-urlencoded", form.finish())
    }

    pub(crate) fn body(mut self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self.headers.remove(header::CONTENT_TYPE);
        self.header("content-type", kind)
    }

    /// The other end of the socket.
    pub(crate) fn from(mut self, address: &str) -> Self {
        self.peer = Some(SocketAddr::new(address.parse().unwrap(), 50_000));
        self
    }

    pub(crate) fn request(self) -> Request<Body> {
        let mut request = Request::builder().method(self.method).uri(self.path).body(Body::from(self.body)).unwrap();
        *request.headers_mut() = self.headers;
        if let Some(peer) = self.peer {
            request.extensions_mut().insert(ConnectInfo(peer));
        }
        request
    }

    pub(crate) async fn send(self, app: &TestApp) -> Answer {
        app.send(self.request()).await
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("{} {}", self.status, self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// The value that a cookie is set to.
    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        let set = self.set_cookies().into_iter().find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(set.split(';').next().unwrap().to_owned())
    }

    /// Status and code of a failure, after looking at the document as a whole.
    pub(crate) fn problem(&self) -> (u16, String) {
        let document = self.json();
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{document}");
        assert_eq!(document["status"], self.status.as_u16(), "{document}");
        assert_eq!(document["request_id"].as_str(), self.header("x-request-id"), "{document}");
        for member in ["type", "title", "detail"] {
            assert!(document[member].is_string(), "{member} in {document}");
        }
        (self.status.as_u16(), document["code"].as_str().unwrap().to_owned())
    }

    /// Asserts that it is this failure.
    #[track_caller]
    pub(crate) fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.problem(), (status, code.to_owned()), "{}", self.text());
    }

    /// Asserts that it is what was asked for by somebody who learns nothing from it.
    #[track_caller]
    pub(crate) fn accepted(&self) {
        assert_eq!(self.status, StatusCode::ACCEPTED, "{}", self.text());
        assert!(self.body.is_empty() && self.set_cookies().is_empty());
    }

    /// Asserts that it is a success without a body.
    #[track_caller]
    pub(crate) fn done(&self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{}", self.text());
        assert!(self.body.is_empty());
    }
}

use std::{
    io,
    sync::{Arc, Mutex, OnceLock},
};

use axum::http::Method;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use hallpass_core::{
    Config, accounts,
    audit::{self, Entry, Filter},
    config::SmtpTls,
    mail, on_both_engines,
    testing::{SinkMail, SmtpSink, TestDb, dump},
};
use serde_json::{Value, json};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};
use url::form_urlencoded::byte_serialize;

use crate::{
    mails::{ADA, NEW, new_mails, one_mail, sign_in_mail},
    support::*,
};

const SMTP_PASSWORD: &str = "canary of the mail server 5";
const WRONG_SMTP_PASSWORD: &str = "canary of another mail server 8";
const CHANGED: &str = "canary of a changed password 9";
const RESET: &str = "canary of a reset password 7";

/// Where the log of one test goes.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

fn listen() -> (Log, tracing::subscriber::DefaultGuard) {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
    (log, tracing::subscriber::set_default(subscriber.finish()))
}

/// What was kept of all that happened.
async fn kept(app: &TestApp) -> Vec<Entry> {
    let all = Filter { account: None, event: None, since: None, until: None, before: None, limit: 1000 };
    audit::list(&app.hallpass, all).await.unwrap()
}

/// Whatever this process says from here on: in every thread, by every library, at every level, also when a span begins.
fn listen_everywhere() -> Log {
    static LOG: OnceLock<Log> = OnceLock::new();
    let begin = || {
        let log = Log::default();
        let lines = tracing_subscriber::fmt().json().with_max_level(tracing::Level::TRACE).with_writer(log.clone());
        lines.with_span_events(FmtSpan::FULL).init();
        log
    };
    LOG.get_or_init(begin).clone()
}

/// Secrets, and where they must not be.
#[derive(Default)]
struct Canaries(Vec<String>);

impl Canaries {
    fn add<S: Into<String>>(&mut self, secrets: impl IntoIterator<Item = S>) {
        self.0.extend(secrets.into_iter().map(Into::into));
    }

    /// What a device has been given.
    fn add_of(&mut self, device: &Device<'_>) {
        self.add([device.access.clone(), device.refresh.clone()]);
        self.add(device.csrf.iter().chain(&device.known).cloned());
    }

    /// The secret of a mail's link, which everybody who has it can use, and its code.
    fn add_mailed(&mut self, mail: &SinkMail) -> String {
        let token = mail.token().unwrap().to_owned();
        self.add([token.clone()]);
        token
    }

    /// What of them stands in a text: whole or in part, as it is or encoded, in letters of either case.
    fn found_in(&self, text: &str) -> Vec<String> {
        let text = text.to_lowercase();
        self.0.iter().flat_map(|secret| forms(secret)).filter(|form| text.contains(&form.to_lowercase())).collect()
    }
}

fn forms(secret: &str) -> Vec<String> {
    // What all secrets of a kind begin with says nothing, nor does the head of a JWT.
    let own = if secret.starts_with("hp") { &secret[4..] } else { secret };
    let own = own.rsplit('.').next().unwrap();
    let hex = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    let encoded = byte_serialize(secret.as_bytes()).collect();
    let mut forms = vec![secret.to_owned(), hex, BASE64.encode(secret), encoded, secret.replace('-', "")];
    if own.len() >= 24 {
        forms.extend([own[..12].to_owned(), own[own.len() - 12..].to_owned()]);
    }
    forms
}

on_both_engines! {
    async fn no_secret_reaches_the_log_at_any_level_or_what_is_kept_of_it(db) {
        let log = listen_everywhere();
        let mut secrets = Canaries::default();
        secrets.add([PASSWORD, SMTP_PASSWORD, WRONG_SMTP_PASSWORD]);
        let sink = SmtpSink::with_tls(SmtpTls::Starttls).await;
        sink.demand_sign_in("mailer", SMTP_PASSWORD);
        let app = TestApp::with(db, |config, _| {
            config.throttle.enabled = true;
            config.mail = sink.settings();
        })
        .await;

        let mut device = app.sign_up_at("ada", ADA).await;
        let verify = secrets.add_mailed(&one_mail(&app, &sink).await);
        app.redeem("verify-email", &verify).await.done();
        app.redeem("verify-email", &verify).await.refused(400, "link_invalid");
        let mut browser = app.log_in_browser("ada").await;
        for _ in 0..2 {
            secrets.add_of(&device);
            secrets.add_of(&browser);
            app.pass(60).await;
            device.refresh().await;
            browser.refresh().await;
        }
        put_in_wrong_places(&app, &mut secrets).await;
        show_to_programs(&app, &mut secrets, &device).await;

        for from_link in [true, false] {
            app.request_mail("sign-in-link", ADA).await.accepted();
            let (token, code) = sign_in_mail(&one_mail(&app, &sink).await, ADA);
            secrets.add([token.as_str(), code.as_str(), "CANARY-AS-A-CODE"]);
            let by = |code: &str| json!({ "email": ADA, "code": code });
            let sign_in = |body: Value| Call::post("/api/v1/sign-in-link").json(&body).send(&app);
            sign_in(by("CANARY-AS-A-CODE")).await.refused(400, "link_invalid");
            let answer = sign_in(if from_link { json!({ "token": token }) } else { by(&code) }).await.json();
            secrets.add(["access_token", "refresh_token", "device_token"].map(|name| answer[name].as_str().unwrap()));
        }

        app.pass(60).await;
        device.change_password("canary of a wrong one", PASSWORD).await.refused(403, "password_incorrect");
        device.change_password(PASSWORD, "canary 9").await.refused(400, "validation_failed");
        device.change_password(PASSWORD, CHANGED).await.done();
        device.request_email_change(NEW, "canary of a wrong one").await.refused(403, "password_incorrect");
        device.request_email_change(NEW, CHANGED).await.accepted();
        let mails = new_mails(&app, &sink).await;
        let change = secrets.add_mailed(mails.iter().find(|mail| mail.to == [NEW]).unwrap());
        app.redeem("email-change", &change).await.done();
        secrets.add([CHANGED, "canary of a wrong one", "canary 9"]);

        app.request_reset(NEW).await;
        // The mail server does not let one server of ours in, and does not take a mail of the other one.
        let wrong = |config: &mut Config| config.mail.smtp_password = WRONG_SMTP_PASSWORD.to_owned().into();
        mail::deliver(app.neighbour(wrong).await.hallpass(), &app.ctx()).await.unwrap();
        sink.refuse_next_at(".", 451);
        app.pass(60).await;
        assert_eq!(one_mail(&app, &sink).await.to, [ADA], "the notice of the new address");
        app.pass(60).await;
        let reset = secrets.add_mailed(&one_mail(&app, &sink).await);
        for place in [format!("/reset?token={reset}"), format!("/{reset}"), format!("/api/v1/me?token={reset}")] {
            Call::get(&place).header("x-secret", &reset).header("referer", &reset).send(&app).await;
        }
        app.redeem("verify-email", &reset).await.refused(400, "link_invalid");
        app.reset_password(&reset, "canary 9").await.refused(400, "validation_failed");
        app.reset_password(&reset, RESET).await.done();
        let device = app.log_in_with("ada", RESET).await;
        secrets.add_of(&device);
        secrets.add([RESET]);
        assert_eq!(device.get("/api/v1/me/export").await.status, 200);
        device.delete_account("canary of a wrong one").await.refused(403, "password_incorrect");
        assert_eq!(device.delete_account(RESET).await.status, 202);
        new_mails(&app, &sink).await;

        let kept = format!("{:?}", kept(&app).await);
        let shown = show_to_administrators(&app, &mut secrets).await;
        let stored = dump(app.hallpass.db()).await;
        app.hallpass.db().close().await;
        log_in("ada", PASSWORD).send(&app).await.refused(503, "unavailable");
        app.reset_password(&reset, RESET).await.refused(503, "unavailable");
        let said = log.text();
        for (place, text) in
            [("the log", &said), ("the events", &kept), ("the administration", &shown), ("the database", &stored)]
        {
            assert_eq!(secrets.found_in(text), Vec::<String>::new(), "in {place}");
        }

        // It was read, all of it.
        for event in ["signed_up", "signed_in", "sign_in_failed", "password_changed", "email_changed", "mail_sent",
            "email_verified", "password_reset", "deletion_scheduled", "client_created", "session_ended"]
        {
            assert!(kept.contains(event) && said.contains(event) && stored.contains(event), "{event}");
        }
        assert!(said.contains("a mail did not go out") && said.contains("535"), "the mail server let nobody in");
        for (level, library) in [("TRACE", "rustls::"), ("DEBUG", "sqlx::"), ("INFO", "hallpass_axum::")] {
            let line = format!("\"level\":\"{level}\"");
            let is_its = |said: &&str| said.contains(&line) && said.contains(&format!("\"target\":\"{library}"));
            assert!(said.lines().any(|said| is_its(&said)), "{library} said nothing");
        }
        std::thread::spawn(|| tracing::trace!(target: "anybody", "heard")).join().unwrap();
        assert!(log.text().contains("\"target\":\"anybody\""));
        for leak in [RESET.to_uppercase(), BASE64.encode(RESET), change[4..16].to_owned()] {
            assert!(!secrets.found_in(&format!("x{leak}y")).is_empty(), "{leak}");
        }
    }
}

/// Programs ask about tokens, with credentials that are right, wrong, or in the wrong place.
async fn show_to_programs(app: &TestApp, secrets: &mut Canaries, device: &Device<'_>) {
    let program = app.program().await;
    for token in [&device.access, &device.refresh, "canary-as-a-token"] {
        assert_eq!(program.about("/api/v1/introspect", token).send(app).await.status, 200);
    }
    app.begin(program.follow("").header("accept", "text/event-stream")).await;
    let wrong = basic(&format!("{}:canary-as-a-client-secret", program.id));
    let guess = Call::get("/api/v1/revocations").header("authorization", &wrong).from("192.0.2.1");
    guess.send(app).await.refused(401, "client_invalid");
    let elsewhere = Call::post("/api/v1/revoke").form(&json!({ "token": "x", "client_secret": program.secret }));
    elsewhere.send(app).await.refused(401, "client_invalid");
    let signed_in = app.log_in("ada").await;
    secrets.add_of(&signed_in);
    assert_eq!(program.about("/api/v1/revoke", &signed_in.refresh).send(app).await.status, 200);
    secrets.add(["canary-as-a-token", "canary-as-a-client-secret"]);
    secrets.add([wrong, program.proof()].map(|proof| proof["Basic ".len()..].to_owned()));
    secrets.add([program.secret]);
}

/// Whoever administers has it all shown, and has a reset mailed.
async fn show_to_administrators(app: &TestApp, secrets: &mut Canaries) -> String {
    let root = app.superuser("root").await;
    secrets.add_of(&root);
    let account = accounts::find(&app.hallpass, NEW).await.unwrap().id;
    root.admin(Method::POST, &format!("accounts/{account}/password-reset")).send(app).await.accepted();
    let mut shown = String::new();
    for path in ["accounts", "sessions", "events?limit=100", "keys", "outbox", "statistics"] {
        let answer = root.admin(Method::GET, path).send(app).await;
        assert_eq!(answer.status, 200, "{path}");
        shown += &answer.text();
    }
    shown
}

/// People type their password where the name belongs, and programs send secrets in the strangest places.
async fn put_in_wrong_places(app: &TestApp, secrets: &mut Canaries) {
    log_in("ada", "canary of a wrong one").send(app).await.refused(401, "invalid_credentials");
    log_in("canary-as-a-name", PASSWORD).send(app).await.refused(401, "invalid_credentials");
    Call::get("/api/v1/me?access_token=canary-in-the-query").send(app).await;
    Call::get("/canary-in-the-path").header("x-secret", "canary-in-a-header").send(app).await;
    let broken = Call::post("/api/v1/login").body("application/json", "{\"password\":\"canary-in-broken-json\"");
    broken.send(app).await.refused(400, "invalid_request");
    app.request_mail("password-reset", "canary-as-an-address").await.refused(400, "validation_failed");
    app.request_mail("password-reset", "canary-of-a-stranger@example.com").await.accepted();
    secrets.add(
        ["as-a-name", "in-the-query", "in-the-path", "in-a-header", "in-broken-json", "as-an-address"]
            .map(|place| format!("canary-{place}")),
    );
    secrets.add(["canary-of-a-stranger"]);
}

#[tokio::test]
async fn an_outsider_cannot_write_lines_of_the_log() {
    let (log, _listening) = listen();
    let app = TestApp::new(TestDb::sqlite().await).await;
    app.sign_up("ada").await;
    let agent = "x\u{85}{\"level\":\"FORGED\"}\u{2028}\u{202e}\t";
    log_in("ada", PASSWORD).header("user-agent", agent).header("x-request-id", "forged").send(&app).await;
    Call::get("/%0a%7b%22level%22:%22FORGED%22%7d").send(&app).await;
    for line in log.text().lines() {
        let line: Value = serde_json::from_str(line).unwrap();
        assert!(["TRACE", "DEBUG", "INFO", "WARN", "ERROR"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert_ne!(line["span"]["id"], "forged");
    }
}

#[tokio::test]
async fn a_fault_of_the_database_is_one_line_with_its_source_under_the_id_that_the_client_sees() {
    let (log, _listening) = listen();
    let app = TestApp::new(TestDb::sqlite().await).await;
    let device = app.sign_up("ada").await;
    app.hallpass.db().close().await;
    let answer = device.me().await;
    answer.refused(503, "unavailable");
    let id = answer.json()["request_id"].clone();
    let lines: Vec<Value> = log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let faults: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0]["span"]["id"], id);
    assert!(!faults[0]["fields"]["source"].as_str().unwrap().is_empty());
}

#[tokio::test]
async fn what_happens_to_an_account_is_one_line_and_one_entry_each_with_whom_from_where_when_and_under_which_id() {
    const HOME: &str = "192.0.2.7";
    let (log, _listening) = listen();
    let app = TestApp::new(TestDb::sqlite().await).await;
    let account = app.sign_up("ada").await.me().await.json()["id"].clone();
    let failed = log_in("ada", "wrong wrong wrong wrong").from(HOME).send(&app).await;
    let unknown = log_in("nobody", PASSWORD).from(HOME).send(&app).await;
    let signed_in = log_in("ada", PASSWORD).from(HOME).header("user-agent", "test/1").send(&app).await;
    let session = Call::get("/api/v1/session").bearer(signed_in.json()["access_token"].as_str().unwrap());
    let session = session.send(&app).await.json()["id"].clone();
    let refresh = |secret: &Value| Call::post("/api/v1/refresh").json(&json!({ "refresh_token": secret })).from(HOME);
    let stolen = signed_in.json()["refresh_token"].clone();
    let mut current = stolen.clone();
    for _ in 0..2 {
        app.pass(60).await;
        current = refresh(&current).send(&app).await.json()["refresh_token"].clone();
    }
    let reused = refresh(&stolen).send(&app).await;
    reused.refused(401, "session_ended");

    let expected = [
        (&failed, "sign_in_failed", account.clone(), Value::Null, json!("wrong_password"), BEGIN),
        (&unknown, "sign_in_failed", Value::Null, Value::Null, json!("no_such_password"), BEGIN),
        (&signed_in, "signed_in", account.clone(), session.clone(), Value::Null, BEGIN),
        (&reused, "session_ended", account, session, json!("refresh_reused"), BEGIN + 120),
    ];
    let lines: Vec<Value> = log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kept = kept(&app).await;
    for (answer, event, account, session, cause, at) in expected {
        let id = answer.header("x-request-id").unwrap();
        let of_request = |line: &&Value| line["target"] == "hallpass::audit" && line["fields"]["request_id"] == id;
        let found: Vec<&Value> = lines.iter().filter(of_request).collect();
        assert_eq!(found.len(), 1, "{event}: {found:?}");
        let fields = &found[0]["fields"];
        assert_eq!(
            (&fields["event"], &fields["account"], &fields["session"], &fields["cause"], &fields["ip"], &fields["at"]),
            (&json!(event), &account, &session, &cause, &json!(HOME), &json!(at)),
            "{fields}"
        );
        assert!(found[0]["timestamp"].as_str().unwrap().ends_with('Z'), "the time is UTC");

        let found: Vec<&Entry> = kept.iter().filter(|entry| entry.request_id == id).collect();
        // What strangers try on accounts that do not exist is not kept.
        assert_eq!(found.len(), usize::from(!account.is_null()), "{event}: {found:?}");
        for entry in found {
            assert_eq!((entry.event.as_str(), entry.at, entry.ip.as_deref()), (event, at, Some(HOME)));
            assert_eq!(
                (json!(entry.account), json!(entry.session), json!(entry.cause)),
                (account.clone(), session.clone(), cause.clone())
            );
            assert_eq!(json!(entry.user_agent), fields["user_agent"]);
        }
    }
}

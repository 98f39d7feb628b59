use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use hallpass_core::{
    audit::{self, Entry, Filter},
    testing::TestDb,
};
use serde_json::{Value, json};
use tracing_subscriber::fmt::MakeWriter;

use crate::support::*;

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
    let all = Filter { account: None, event: None, since: None, before: None, limit: 1000 };
    audit::list(&app.hallpass, all).await.unwrap()
}

#[tokio::test]
async fn no_secret_reaches_the_log_at_any_level_or_what_is_kept_of_it() {
    let (log, _listening) = listen();
    let app = TestApp::with(TestDb::sqlite().await, |config, _| config.throttle.enabled = true).await;
    let mut device = app.sign_up("ada").await;
    let mut browser = app.log_in_browser("ada").await;
    let mut secrets: Vec<String> =
        [PASSWORD, "canary of a new password 9", "canary of a wrong one"].map(str::to_owned).into();
    secrets.extend([device.known.clone(), browser.known.clone()].map(Option::unwrap));
    for _ in 0..2 {
        secrets
            .extend([&device, &browser].into_iter().flat_map(|device| [device.access.clone(), device.refresh.clone()]));
        secrets.extend(browser.csrf.clone());
        app.pass(60).await;
        device.refresh().await;
        browser.refresh().await;
    }
    log_in("ada", "canary of a wrong one").send(&app).await.refused(401, "invalid_credentials");
    // People type their password where the name belongs.
    log_in("canary-as-a-name", PASSWORD).send(&app).await.refused(401, "invalid_credentials");
    secrets.push("canary-as-a-name".into());
    Call::get("/api/v1/me?access_token=canary-in-the-query").send(&app).await;
    secrets.push("canary-in-the-query".into());
    Call::get("/canary-in-the-path").header("x-secret", "canary-in-a-header").send(&app).await;
    secrets.extend(["canary-in-the-path".into(), "canary-in-a-header".into()]);
    let broken = Call::post("/api/v1/login").body("application/json", "{\"password\":\"canary-in-broken-json\"");
    broken.send(&app).await.refused(400, "invalid_request");
    secrets.push("canary-in-broken-json".into());
    device.change_password(PASSWORD, "canary of a new password 9").await.done();
    device.log_out().await.done();
    let kept = format!("{:?}", kept(&app).await);
    app.hallpass.db().close().await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    Call::new(Method::POST, "/api/v1/login").json(&body).send(&app).await.refused(503, "unavailable");

    let text = log.text();
    assert!(
        text.contains("signed_in") && text.contains("answered") && text.contains("password_changed"),
        "the log was read"
    );
    for event in ["signed_up", "signed_in", "sign_in_failed", "password_changed", "session_ended"] {
        assert!(kept.contains(event) && text.contains(event), "{event}");
    }
    for secret in secrets {
        assert!(!text.contains(&secret) && !kept.contains(&secret), "{secret}");
    }
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

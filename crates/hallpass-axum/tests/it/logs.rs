use std::{
    io,
    sync::{Arc, Mutex},
};

use axum::http::Method;
use hallpass_core::testing::TestDb;
use serde_json::json;
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

#[tokio::test]
async fn no_secret_reaches_the_log_at_any_level() {
    let (log, _listening) = listen();
    let app = TestApp::new(TestDb::sqlite().await).await;
    let mut device = app.sign_up("ada").await;
    let mut browser = app.log_in_browser("ada").await;
    let mut secrets: Vec<String> =
        [PASSWORD, "canary of a new password 9", "canary of a wrong one"].map(str::to_owned).into();
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
    app.hallpass.db().close().await;
    let body = json!({ "username": "ada", "password": PASSWORD });
    Call::new(Method::POST, "/api/v1/login").json(&body).send(&app).await.refused(503, "unavailable");

    let text = log.text();
    assert!(
        text.contains("signed_in") && text.contains("answered") && text.contains("password_changed"),
        "the log was read"
    );
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret}");
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
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
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
    let lines: Vec<serde_json::Value> = log.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let faults: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert_eq!(faults[0]["span"]["id"], id);
    assert!(!faults[0]["fields"]["source"].as_str().unwrap().is_empty());
}

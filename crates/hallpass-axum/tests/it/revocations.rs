//! The feed of what was taken back, as a verifier elsewhere reads it.

use std::time::{Duration, Instant};

use axum::{body::Body, http::Response};
use hallpass_core::{accounts, clients, on_both_engines, sessions, tasks};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::*;

/// The document of an answer.
async fn read(app: &TestApp, program: &Program, query: &str) -> Value {
    let answer = program.follow(query).send(app).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

fn since(document: &Value) -> String {
    format!("?since={}", document["cursor"].as_str().unwrap())
}

/// Signs somebody in and out again, and returns the line that says so.
async fn end_one(app: &TestApp) -> Value {
    let device = app.log_in("ada").await;
    let session = device.session().await;
    device.log_out().await.done();
    json!({ "session": session, "forget_at": app.now() + 425 })
}

/// An open stream of events.
struct Events {
    body: Body,
    text: String,
}

impl Events {
    async fn open(app: &TestApp, call: Call) -> Self {
        let response: Response<Body> = app.begin(call.header("accept", "text/event-stream")).await;
        let headers = response.headers();
        assert_eq!(response.status(), 200);
        assert_eq!(headers["content-type"], "text/event-stream");
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-accel-buffering"], "no");
        Self { body: response.into_body(), text: String::new() }
    }

    /// The next event: its name, its id, and its data; none at the end.
    async fn next(&mut self) -> Option<(String, Option<String>, Value)> {
        loop {
            if let Some((event, rest)) = self.text.split_once("\n\n") {
                let field = |name: &str| {
                    let mut lines = event.lines().filter_map(|line| line.split_once(": "));
                    lines.find(|(field, _)| *field == name).map(|(_, value)| value.to_owned())
                };
                let data = serde_json::from_str(&field("data").unwrap()).unwrap();
                let event = (field("event").unwrap(), field("id"), data);
                self.text = rest.to_owned();
                return Some(event);
            }
            let frame = timeout(Duration::from_secs(20), self.body.frame()).await.expect("something comes")?;
            self.text += str::from_utf8(frame.unwrap().data_ref().unwrap()).unwrap();
        }
    }

    /// The next event that is no heartbeat.
    async fn lines(&mut self) -> Value {
        loop {
            let (name, id, data) = self.next().await.unwrap();
            if name == "lines" {
                assert_eq!(id.as_deref(), data["cursor"].as_str());
                return data;
            }
            assert_eq!((name.as_str(), id, data), ("heartbeat", None, json!({})));
        }
    }
}

on_both_engines! {
    async fn a_verifier_reads_everything_that_is_live_and_then_what_is_new(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let program = app.program().await;
        let first = end_one(&app).await;
        let answer = program.follow("").send(&app).await;
        let all = answer.json();
        assert_eq!(all, json!({ "cursor": all["cursor"], "more": false, "reset": true, "lines": [first] }));
        assert_eq!(answer.header("etag"), Some(&*format!("\"{}\"", all["cursor"].as_str().unwrap())));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let nothing = read(&app, &program, &since(&all)).await;
        assert_eq!(nothing, json!({ "cursor": nothing["cursor"], "more": false, "reset": false, "lines": [] }));

        let second = end_one(&app).await;
        let ada = accounts::find(&app.hallpass, "ada").await.unwrap();
        accounts::grant_role(&app.hallpass, &app.ctx(), ada.id, "editor").await.unwrap();
        let news = read(&app, &program, &since(&nothing)).await;
        let version = accounts::find(&app.hallpass, "ada").await.unwrap().roles.len() + 1;
        let stale = json!({ "account": ada.id.0, "below_version": version, "forget_at": app.now() + 425 });
        assert_eq!((&news["reset"], &news["lines"]), (&json!(false), &json!([second, stale])));
        assert_eq!(read(&app, &program, "?since=of.nobody").await["reset"], true);
    }

    async fn whoever_has_the_newest_is_told_that_it_still_is(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let program = app.program().await;
        let tag = program.follow("").send(&app).await.header("etag").unwrap().to_owned();
        let query = format!("?since={}", tag.trim_matches('"'));
        app.pass(3).await;
        for tags in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}")] {
            for query in ["", &query] {
                let answer = program.follow(query).header("if-none-match", &tags).send(&app).await;
                assert_eq!((answer.status.as_u16(), answer.body.len()), (304, 0), "{query} {tags}");
                assert_eq!(answer.header("etag"), Some(&*tag));
            }
        }
        for tags in ["\"x\"", "x", "*", tag.trim_matches('"')] {
            assert_eq!(program.follow(&query).header("if-none-match", tags).send(&app).await.status, 200, "{tags}");
        }
        let ended = end_one(&app).await;
        let answer = program.follow(&query).header("if-none-match", &tag).send(&app).await;
        assert_eq!(answer.json()["lines"], json!([ended]));
        assert_ne!(answer.header("etag"), Some(&*tag));
    }

    async fn a_reader_that_waits_is_answered_as_soon_as_there_is_something_or_when_its_time_is_up(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let program = app.program().await;
        let tag = program.follow("").send(&app).await.header("etag").unwrap().to_owned();
        let query = |wait: u8| format!("?wait={wait}&since={}", tag.trim_matches('"'));
        let begun = Instant::now();
        assert_eq!(read(&app, &program, &query(1)).await["lines"], json!([]));
        assert!(begun.elapsed() >= Duration::from_secs(1));
        let answer = program.follow(&query(1)).header("if-none-match", &tag).send(&app).await;
        assert_eq!(answer.status, 304);
        assert!(begun.elapsed() >= Duration::from_secs(2));

        let begun = Instant::now();
        let waiting = program.follow(&query(25)).header("if-none-match", &tag).send(&app);
        let (answer, ended) = tokio::join!(waiting, end_one(&app));
        assert_eq!(answer.json()["lines"], json!([ended]));
        // What is new is told at once, and so is everything to whoever has nothing.
        assert_eq!(read(&app, &program, &query(25)).await["lines"], json!([ended]));
        assert_eq!(read(&app, &program, "?wait=25").await["reset"], true);
        assert!(begun.elapsed() < Duration::from_secs(20));
    }

    async fn what_cannot_be_a_position_is_refused(db) {
        let app = TestApp::new(db).await;
        let program = app.program().await;
        let long = "x".repeat(200);
        for fine in [format!("?since={long}"), "?since=".into(), "?".into(), "?wait=0".into()] {
            assert_eq!(read(&app, &program, &fine).await["reset"], true, "{fine}");
        }
        for query in [
            &*format!("?since={long}x"),
            "?since=a&since=a",
            "?since=%41",
            "?since=a+b",
            "?since=a/b",
            "?since='a'",
            "?wait=26",
            "?wait=-1",
            "?wait=01",
            "?wait=1.5",
            "?wait=",
            "?wait",
            "?Since=a",
            "?limit=1",
        ] {
            let answer = program.follow(query).send(&app).await;
            assert_eq!(answer.problem(), (400, "invalid_request".into()), "{query}");
        }
        let strange = program.follow("").header("accept", "text/event-stream").header("last-event-id", "a b");
        strange.send(&app).await.refused(400, "invalid_request");
    }

    async fn a_stream_brings_what_is_new_as_it_comes_and_signs_of_life_in_between(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let program = app.program().await;
        let first = end_one(&app).await;
        let mut events = Events::open(&app, program.follow("")).await;
        let all = events.lines().await;
        assert_eq!((&all["reset"], &all["lines"]), (&json!(true), &json!([first])));
        let alive = Instant::now();
        for _ in 0..2 {
            assert_eq!(events.next().await, Some(("heartbeat".into(), None, json!({}))));
        }
        assert!(alive.elapsed() >= Duration::from_secs(1), "no more often than is needed");
        let (news, second) = tokio::join!(events.lines(), end_one(&app));
        assert_eq!((&news["reset"], &news["lines"]), (&json!(false), &json!([second])));

        // Another server: this one hears of it when it reads the log.
        let other = app.neighbour(|_| {}).await;
        let device = app.log_in("ada").await;
        let session = device.session().await;
        sessions::sign_out(other.hallpass(), &app.ctx(), session.parse().unwrap()).await.unwrap();
        tasks::run(&app.hallpass, &app.ctx()).await.unwrap();
        assert_eq!(events.lines().await["lines"][0]["session"], json!(session));

        // Whoever lost the connection goes on where it was, even if the address still has an older place in it.
        let call = program.follow(&since(&all)).header("last-event-id", news["cursor"].as_str().unwrap());
        let again = Events::open(&app, call).await.lines().await;
        assert_eq!((&again["reset"], &again["lines"][0]["session"]), (&json!(false), &json!(session)));
        assert_eq!(again["lines"].as_array().unwrap().len(), 1);
        let mut older = Events::open(&app, program.follow(&since(&all))).await;
        assert_eq!(older.lines().await["lines"].as_array().unwrap().len(), 2);
        // And one to whom nothing is new hears at once that this is so.
        let newest = Events::open(&app, program.follow(&since(&again))).await.next().await.unwrap();
        assert_eq!(newest.0, "heartbeat");
    }

    async fn a_long_history_comes_in_parts_one_right_after_the_other(db) {
        let app = TestApp::new(db).await;
        let program = app.program().await;
        app.db.take_back(25_000, app.now()).await;
        let mut document = read(&app, &program, "").await;
        let mut read_lines = vec![document["lines"].as_array().unwrap().len()];
        assert_eq!((&document["more"], &document["reset"]), (&json!(true), &json!(true)));
        while document["more"] == true {
            document = read(&app, &program, &since(&document)).await;
            assert_eq!(document["reset"], false);
            read_lines.push(document["lines"].as_array().unwrap().len());
        }
        assert_eq!(read_lines, [10_000, 10_000, 5_000]);

        let mut events = Events::open(&app, program.follow("")).await;
        for lines in read_lines {
            let (name, _, data) = events.next().await.unwrap();
            assert_eq!((name.as_str(), data["lines"].as_array().unwrap().len()), ("lines", lines));
        }
    }

    async fn a_server_that_is_not_up_to_date_is_silent(db) {
        let app = TestApp::new(db).await;
        let program = app.program().await;
        let mut events = Events::open(&app, program.follow("")).await;
        events.lines().await;
        app.clock_forward(11);
        program.follow("").send(&app).await.refused(503, "unavailable");
        program.follow("").header("accept", "text/event-stream").send(&app).await.refused(503, "unavailable");
        timeout(Duration::from_secs(4), events.next()).await.expect_err("it says nothing");
        tasks::run(&app.hallpass, &app.ctx()).await.unwrap();
        assert_eq!(events.next().await.unwrap().0, "heartbeat");
    }

    async fn a_stream_ends_within_a_minute_once_its_client_is_removed(db) {
        let app = TestApp::new(db).await;
        let (program, other) = (app.program().await, app.program().await);
        let mut events = Events::open(&app, program.follow("")).await;
        let mut others = Events::open(&app, other.follow("")).await;
        for events in [&mut events, &mut others] {
            events.lines().await;
        }
        clients::remove(&app.hallpass, &app.ctx(), &program.id).await.unwrap();
        app.pass(60).await;
        while events.next().await.is_some() {}
        for _ in 0..2 {
            others.next().await.expect("nobody else is cut off");
        }
        program.follow("").send(&app).await.refused(401, "client_invalid");
    }
}

#[tokio::test]
async fn events_are_for_whoever_says_to_take_them() {
    let app = TestApp::new(hallpass_core::testing::TestDb::sqlite().await).await;
    let program = app.program().await;
    for (accept, kind) in [
        ("text/event-stream", "text/event-stream"),
        ("application/json, Text/Event-Stream;q=0.5", "text/event-stream"),
        ("application/json", "application/json; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        ("text/*", "application/json; charset=utf-8"),
    ] {
        let response = app.begin(program.follow("").header("accept", accept)).await;
        assert_eq!(response.headers()["content-type"], kind, "{accept}");
    }
}

use hallpass_core::{on_both_engines, testing::TestDb};
use serde_json::{Value, json};

use crate::support::*;

const ASK: &str = "/api/v1/introspect";
const END: &str = "/api/v1/revoke";

async fn ask(app: &TestApp, program: &Program, token: &str) -> Value {
    let answer = program.about(ASK, token).send(app).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    answer.json()
}

/// A form of a program's, as it is written.
fn form(program: &Program, path: &str, body: &[u8]) -> Call {
    let call = Call::post(path).body("application/x-www-form-urlencoded", body);
    call.header("authorization", &program.proof())
}

fn dead() -> Value {
    json!({ "active": false })
}

on_both_engines! {
    async fn a_program_learns_what_a_good_token_stands_for(db) {
        let app = TestApp::new(db).await;
        let (device, program) = (app.sign_up("ada").await, app.program().await);
        let session = device.session().await;
        let mut of_access = json!({
            "active": true, "token_type": "Bearer", "sub": "1", "sid": session, "iss": API, "aud": [API],
            "client_id": "hallpass", "exp": BEGIN + 300, "iat": BEGIN, "auth_time": BEGIN, "amr": ["pwd"], "roles": [],
        });
        assert_eq!(ask(&app, &program, &device.access).await, of_access);
        let of_refresh = of_access.as_object_mut().unwrap();
        of_refresh.insert("token_type".into(), "refresh_token".into());
        of_refresh.insert("exp".into(), (BEGIN + 86_400).into());
        // Nobody who takes it for an access token finds an audience or a role in it.
        of_refresh.retain(|name, _| !["aud", "roles"].contains(&name.as_str()));
        assert_eq!(ask(&app, &program, &device.refresh).await, of_access);
    }

    async fn of_a_token_that_is_not_good_a_program_learns_nothing_else(db) {
        let app = TestApp::new(db).await;
        let program = app.program().await;
        let mut device = app.sign_up("ada").await;
        let (access, refresh) = (device.access.clone(), device.refresh.clone());
        for _ in 0..2 {
            app.pass(60).await;
            device.refresh().await;
        }
        assert_eq!(ask(&app, &program, &refresh).await, dead(), "replaced");
        assert_eq!(ask(&app, &program, &device.refresh).await["active"], true, "and asking has ended nothing");
        app.pass(185).await;
        assert_eq!(ask(&app, &program, &access).await, dead(), "expired");
        let over = app.log_in("ada").await;
        over.log_out().await.done();
        let unknown = app.forgetful_twin().await;
        let elsewhere = TestApp::new(TestDb::sqlite().await).await;
        let foreign = elsewhere.sign_up("eve").await;
        for token in [&over.access, &over.refresh, &foreign.access, &foreign.refresh, "nonsense", "\0", "a b", &program.secret] {
            assert_eq!(ask(&app, &program, token).await, dead(), "{token}");
        }
        // What we signed, of a session that is not in the database.
        let known_there = unknown.program().await;
        let living = app.log_in("ada").await;
        assert_eq!(ask(&app, &program, &living.access).await["active"], true);
        unknown.clock_forward(app.now() - unknown.now());
        hallpass_core::tasks::run(&unknown.hallpass, &unknown.ctx()).await.unwrap();
        unknown.hallpass.verifier().set_keys(hallpass_token::KeySet::from_jwks(&app.hallpass.jwks()).unwrap());
        assert_eq!(Call::get("/api/v1/session").bearer(&living.access).send(&unknown).await.status, 200);
        assert_eq!(ask(&unknown, &known_there, &living.access).await, dead());
        assert_eq!(ask(&unknown, &known_there, &living.refresh).await, dead());
    }

    async fn a_program_ends_the_session_of_any_token_of_ours_and_the_answer_never_says_so(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let program = app.program().await;
        let end = async |token: &str| {
            let answer = program.about(END, token).send(&app).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0), "{}", answer.text());
        };
        let (one, other) = (app.log_in("ada").await, app.log_in("ada").await);
        let untouched = app.log_in("ada").await;
        for token in ["nonsense", &one.access, &one.access, &other.refresh, &other.refresh] {
            end(token).await;
        }
        for device in [&one, &other] {
            device.me().await.refused(401, "session_ended");
            let refused = device.try_refresh().await;
            refused.refused(401, "session_ended");
            assert_eq!(refused.json()["cause"], "ended_by_client");
        }
        let events = untouched.get("/api/v1/activity").await.json()["events"].clone();
        assert_eq!(
            (&events[0]["event"], &events[0]["cause"], &events[0]["by"]),
            (&json!("session_ended"), &json!("ended_by_client"), &json!("operator"))
        );
    }

    async fn a_form_that_two_readers_could_read_differently_or_that_has_no_token_is_refused(db) {
        let app = TestApp::new(db).await;
        let (device, program) = (app.sign_up("ada").await, app.program().await);
        let token = &device.access;
        for path in [ASK, END] {
            let hinted = format!("token_type_hint=refresh_token&token={token}&other=1");
            if path == ASK {
                assert_eq!(form(&program, path, hinted.as_bytes()).send(&app).await.json()["active"], true);
            }
            for body in [
                String::new(),
                "token".into(),
                "token=".into(),
                "tokens=x".into(),
                format!("token={token}&token={token}"),
                format!("token={token}&tok%65n=x"),
                format!("token={token}&hint=1&hint=1"),
                format!("token={token}&x=%ff"),
                format!("token={token}&x=é"),
                json!({ "token": token }).to_string(),
            ] {
                let answer = form(&program, path, body.as_bytes()).send(&app).await;
                assert_eq!(answer.problem(), (400, "invalid_request".into()), "{path} {body}");
            }
            let good = format!("token={token}");
            for kind in ["", "application/json", "text/plain", "multipart/form-data; boundary=x"] {
                let call = form(&program, path, good.as_bytes()).body(kind, good.clone());
                call.send(&app).await.refused(415, "unsupported_media_type");
            }
            let packed = form(&program, path, good.as_bytes()).header("content-encoding", "gzip");
            packed.send(&app).await.refused(415, "unsupported_media_type");
            let huge = format!("{good}&x={}", "a".repeat(64 * 1024));
            form(&program, path, huge.as_bytes()).send(&app).await.refused(413, "payload_too_large");
        }
        assert_eq!(device.me().await.status, 200, "nothing has ended");
        let spelled = form(&program, ASK, b"").body("Application/X-WWW-Form-Urlencoded; charset=UTF-8", format!("token={token}"));
        assert_eq!(spelled.send(&app).await.json()["active"], true);
    }

    async fn a_program_that_was_removed_learns_and_ends_nothing(db) {
        let app = TestApp::new(db).await;
        let (device, program) = (app.sign_up("ada").await, app.program().await);
        hallpass_core::clients::remove(&app.hallpass, &app.ctx(), &program.id).await.unwrap();
        for path in [ASK, END] {
            program.about(path, &device.access).send(&app).await.refused(401, "client_invalid");
        }
        assert_eq!(device.me().await.status, 200);
    }
}

//! A server that does not know what was taken back lately says so, and signs nobody out.

use axum::{
    body::Body,
    extract::{FromRef, FromRequestParts},
    http::{Method, Request},
};
use hallpass_axum::{CurrentUser, Gate, Rejection};
use hallpass_core::{config::WhenStale, on_both_engines};
use serde_json::json;

use crate::support::*;

const DAY: i64 = 86_400;

/// What an application of somebody else's says of a token.
async fn current_user(app: &TestApp, token: &str) -> Result<(), Rejection> {
    let request = Request::builder().header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
    let (mut parts, _) = request.into_parts();
    let gate = Gate::from_ref(&app.state);
    <CurrentUser as FromRequestParts<Gate>>::from_request_parts(&mut parts, &gate).await.map(drop)
}

/// Everything that an access token opens, but for the ways out.
const OPENED: [(Method, &str); 10] = [
    (Method::GET, "/api/v1/me"),
    (Method::PATCH, "/api/v1/me"),
    (Method::GET, "/api/v1/session"),
    (Method::GET, "/api/v1/sessions"),
    (Method::DELETE, "/api/v1/sessions"),
    (Method::GET, "/api/v1/csrf"),
    (Method::GET, "/api/v1/activity"),
    (Method::GET, "/api/v1/me/export"),
    (Method::POST, "/api/v1/password"),
    (Method::GET, "/api/v1/forward-auth"),
];

on_both_engines! {
    async fn a_server_that_has_not_read_the_log_for_long_lets_nobody_in_by_what_it_remembers(db) {
        let app = TestApp::new(db).await;
        let mut ada = app.sign_up("ada").await;
        // Too long ago, and before the clock was set back.
        for seconds in [11, -3, DAY, -DAY] {
            app.clock_forward(seconds);
            if seconds != DAY {
                ada.refresh().await;
            }
            for (method, path) in OPENED {
                let answer = Call::new(method, path).bearer(&ada.access).send(&app).await;
                if seconds == DAY {
                    // What is wrong with the token itself is said all the same.
                    answer.refused(401, "token_expired");
                } else {
                    answer.refused(503, "revocation_unknown");
                    assert_eq!(answer.header("retry-after"), Some("1"));
                }
            }
            if seconds != DAY {
                assert_eq!(current_user(&app, &ada.access).await, Err(Rejection::RevocationUnknown));
            }
            Call::get("/readyz").send(&app).await.refused(503, "unavailable");
            app.pass(0).await;
            ada.refresh().await;
            assert_eq!(ada.me().await.status, 200);
            assert_eq!(current_user(&app, &ada.access).await, Ok(()));
            assert_eq!(Call::get("/readyz").send(&app).await.status, 200);
        }
    }

    async fn what_reads_the_database_anyway_goes_on(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        let program = app.program().await;
        app.clock_forward(30);
        let mut again = app.log_in("ada").await;
        again.refresh().await;
        assert_eq!(program.about("/api/v1/introspect", &again.access).send(&app).await.json()["active"], true);
        ada.log_out().await.done();
        assert_eq!(program.about("/api/v1/introspect", &ada.access).send(&app).await.json()["active"], false);
        // With the access token as well.
        Call::post("/api/v1/logout").bearer(&again.access).send(&app).await.done();
        let last = app.log_in("ada").await;
        Call::post("/api/v1/logout-everywhere").bearer(&last.access).send(&app).await.done();
        last.try_refresh().await.refused(401, "session_ended");
        // Whoever is known to be out is told so.
        last.me().await.refused(401, "session_ended");
    }

    async fn with_accept_it_goes_on_by_what_it_knows(db) {
        let app = TestApp::with(db, |config, _| {
            config.revocation.when_stale = WhenStale::Accept;
            config.revocation.max_staleness = 30;
        })
        .await;
        let ada = app.sign_up("ada").await;
        app.clock_forward(31);
        assert_eq!(ada.me().await.status, 200);
        assert_eq!(current_user(&app, &ada.access).await, Ok(()));
        Call::get("/readyz").send(&app).await.refused(503, "unavailable");
        Call::post("/api/v1/login").json(&json!({ "username": "ada", "password": PASSWORD })).send(&app).await.json();
    }
}

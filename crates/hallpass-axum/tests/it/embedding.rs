//! Hallpass inside an application of somebody else.

use std::time::Duration;

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::FromRef,
    http::{Request, StatusCode},
    routing::get,
};
use hallpass_axum::{AppState, CurrentUser, Gate, maintain, router};
use hallpass_core::on_both_engines;
use tower::ServiceExt;

use crate::support::*;

/// The state of the application.
#[derive(Clone)]
struct Shop {
    hallpass: AppState,
}

impl FromRef<Shop> for Gate {
    fn from_ref(shop: &Shop) -> Gate {
        Gate::from_ref(&shop.hallpass)
    }
}

async fn orders(user: CurrentUser) -> String {
    format!("orders of {}", user.sub)
}

on_both_engines! {
    async fn an_application_has_our_routes_beside_its_own_and_knows_who_is_signed_in(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let shop = Shop { hallpass: app.state.clone() };
        let application =
            Router::new().route("/orders", get(orders)).with_state(shop).nest("/auth", router(app.state.clone()));
        let ask = async |path: &str, token: Option<&str>| {
            let mut request = Request::get(path);
            if let Some(token) = token {
                request = request.header("authorization", format!("Bearer {token}"));
            }
            let response = application.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
            let status = response.status();
            (status, String::from_utf8(to_bytes(response.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap())
        };
        assert_eq!(ask("/orders", Some(&device.access)).await.1, "orders of 1");
        assert_eq!(ask("/orders", None).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(ask("/auth/api/v1/me", Some(&device.access)).await.0, StatusCode::OK);
        assert_eq!(ask("/auth/nowhere", None).await.0, StatusCode::NOT_FOUND);
        device.log_out().await.done();
        assert_eq!(ask("/orders", Some(&device.access)).await.0, StatusCode::UNAUTHORIZED);
    }

    async fn the_background_work_keeps_the_server_ready(db) {
        let app = TestApp::new(db).await;
        app.clock_forward(60);
        Call::get("/readyz").send(&app).await.refused(503, "unavailable");
        let work = tokio::spawn(maintain(app.state.clone()));
        let ready = async {
            while Call::get("/readyz").send(&app).await.status != StatusCode::OK {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), ready).await.unwrap();
        work.abort();
    }

    async fn the_background_work_sends_the_mail(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", "ada@example.com").await;
        let work = tokio::spawn(maintain(app.state.clone()));
        let sent = async {
            while app.hallpass.mailer().mailbox().unwrap().is_empty() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), sent).await.unwrap();
        work.abort();
    }
}

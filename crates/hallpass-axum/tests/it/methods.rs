//! The method of a request is the one in its first line.

use axum::http::Method;
use hallpass_core::on_both_engines;
use serde_json::json;

use crate::{
    routes::{self, For, operations},
    support::*,
};

const HEADERS: [&str; 4] = ["x-http-method-override", "x-http-method", "x-method-override", "x-method"];

on_both_engines! {
    async fn no_header_and_no_member_turns_a_request_into_another(db) {
        let app = TestApp::new(db).await;
        app.sign_up("ada").await;
        let device = app.log_in("ada").await;
        let others = app.log_in("ada").await;
        let all = operations();
        for (id, wanted, path, ..) in &all {
            let here = all.iter().filter(|operation| operation.2 == *path);
            let taken: Vec<_> = here.map(|operation| &operation.1).collect();
            for sent in [Method::GET, Method::POST, Method::PUT].iter().filter(|method| !taken.contains(method)) {
                let path = path.replace("{id}", &others.session().await);
                let call = || Call::new(sent.clone(), &path).bearer(&device.access);
                let overridden = HEADERS.into_iter().fold(call(), |call, name| call.header(name, wanted.as_str()));
                overridden.send(&app).await.refused(405, "method_not_allowed");
                let body = json!({ "_method": wanted.as_str(), "first_name": "Eve" });
                call().json(&body).send(&app).await.refused(405, "method_not_allowed");
                let form = format!("_method={wanted}&first_name=Eve");
                let form = call().body("application/x-www-form-urlencoded", form).send(&app).await;
                form.refused(405, "method_not_allowed");
                let query = Call::new(sent.clone(), &format!("{path}?_method={wanted}")).bearer(&device.access);
                let query = query.send(&app).await;
                assert!([400, 405].contains(&query.status.as_u16()), "{id}: {}", query.status);
            }
        }
        assert_eq!(others.me().await.status, 200, "no session has ended");
        assert_eq!(device.me().await.json()["first_name"], "", "no account has changed");
    }

    async fn an_operation_stays_itself_whatever_else_is_asked_for(db) {
        let app = TestApp::new(db).await;
        app.sign_up_at("ada", routes::ADDRESS).await;
        app.superuser("root").await;
        for operation in operations() {
            let device = app.log_in(operation.3.somebody()).await;
            let body = routes::body(&app, &operation, &device).await;
            let (id, method, path, audience, _, success) = operation;
            let proof = app.program().await.proof();
            for other in ["DELETE", "GET"] {
                let path = routes::path_for(&app, path, &device).await;
                let query = Call::new(method.clone(), &format!("{path}?_method={other}")).bearer(&device.access);
                let answer = query.send(&app).await;
                if id == "forwardAuth" {
                    assert_eq!(answer.status, success, "what stands there is another request's");
                } else {
                    answer.refused(400, "invalid_request");
                }
            }
            let other = if method == Method::DELETE { "GET" } else { "DELETE" };
            let call = Call::new(method, &routes::path_for(&app, path, &device).await);
            let mut call = HEADERS.into_iter().fold(call, |call, name| call.header(name, other));
            if let Some(mut body) = body {
                body["_method"] = json!(other);
                call = audience.with(call, &body);
            }
            if audience == For::Program {
                call = call.header("authorization", &proof);
            }
            if audience.is_by_token() || ["logOut", "readCsrfToken"].contains(&id) {
                call = call.bearer(&device.access);
            }
            let answer = call.send(&app).await;
            assert_eq!(answer.status, success, "{id}: {}", answer.text());
            // Of those that end the session that asks, each must have, and no other may.
            let over = ["logOut", "logOutEverywhere", "endSession", "resetPassword", "scheduleDeletion"].contains(&id);
            assert_eq!(device.me().await.status, if over { 401 } else { 200 }, "{id}");
            if id == "changePassword" {
                device.change_password("lighthouse pickle gravity 9", PASSWORD).await.done();
            }
        }
    }
}

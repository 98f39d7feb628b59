use axum::http::Method;
use hallpass_core::{accounts, on_both_engines};

use crate::support::*;

const PATH: &str = "/api/v1/forward-auth";

/// What a proxy hands on of an answer.
fn told(answer: &Answer) -> [Option<&str>; 3] {
    ["x-hallpass-account", "x-hallpass-session", "x-hallpass-roles"].map(|name| answer.header(name))
}

on_both_engines! {
    async fn a_proxy_learns_who_sends_a_request(db) {
        let app = TestApp::new(db).await;
        let mut device = app.sign_up("ada").await;
        let session = device.session().await;
        let answer = device.get(PATH).await;
        assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
        assert_eq!(told(&answer), [Some("1"), Some(&*session), Some("")], "all of them, so that all are replaced");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert!(answer.set_cookies().is_empty());

        let ada = accounts::find(&app.hallpass, "ada").await.unwrap().id;
        for role in ["writer", "editor"] {
            accounts::grant_role(&app.hallpass, &app.ctx(), ada, role).await.unwrap();
        }
        let stale = device.get(PATH).await;
        stale.refused(401, "token_stale");
        assert_eq!(told(&stale), [None; 3]);
        device.refresh().await;
        assert_eq!(told(&device.get(PATH).await), [Some("1"), Some(&*session), Some("editor,writer")]);
        device.log_out().await.done();
        let ended = device.get(PATH).await;
        ended.refused(401, "session_ended");
        assert!(ended.header("www-authenticate").unwrap().starts_with("Bearer error=\"invalid_token\""));
    }

    async fn only_the_authorization_of_the_request_counts_whatever_else_a_proxy_sends_along(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let browser = app.log_in_browser("ada").await;
        let good = device.get(PATH).await;
        let bearer = format!("Bearer {}", device.access);
        for method in [Method::GET, Method::HEAD] {
            // As they come from a page of somebody else's, with what its visitor or an attacker wrote.
            let call = Call::new(method, &format!("{PATH}?next=%2F&access_token=x&a=1&a=2"))
                .header("origin", "https://elsewhere.example")
                .header("sec-fetch-site", "cross-site")
                .header("cookie", &browser.cookies())
                .header("content-type", "text/plain")
                .header("x-forwarded-method", "POST")
                .header("x-forwarded-uri", "/orders?x=1")
                .header("x-original-url", "/orders")
                .header("x-hallpass-account", "99")
                .header("x-hallpass-session", "99")
                .header("x-hallpass-roles", "admin");
            let answer = call.clone().header("authorization", &bearer).send(&app).await;
            assert_eq!(answer.status, 200);
            assert_eq!(told(&answer), told(&good));
            let nobody = call.send(&app).await;
            assert_eq!((nobody.status.as_u16(), told(&nobody)), (401, [None; 3]));
            assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
        }
    }
}

use axum::http::Method;
use hallpass_core::{accounts, on_both_engines};
use serde_json::{Value, json};

use crate::support::*;

fn names(answer: &Answer) -> Vec<String> {
    events(answer).iter().map(|event| event["event"].as_str().unwrap().to_owned()).collect()
}

fn events(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["events"].as_array().unwrap().clone()
}

on_both_engines! {
    async fn the_owner_reads_what_happened_to_the_account_newest_first(db) {
        const ELSEWHERE: &str = "192.0.2.7";
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        let signed_up = device.session().await;
        let guess = log_in("ada", "wrong wrong wrong wrong").from(ELSEWHERE).header("user-agent", "guesser/1");
        guess.send(&app).await.refused(401, "invalid_credentials");
        app.clock_forward(10);
        device.change_me(&json!({ "first_name": "Ada" })).await;
        let id = accounts::find(&app.hallpass, "ada").await.unwrap().id;
        accounts::grant_role(&app.hallpass, &app.ctx(), id, "editor").await.unwrap();
        let other = app.log_in("ada").await;

        let list = events(&other.get("/api/v1/activity").await);
        let ids: Vec<_> = list.iter().map(|event| event["id"].clone()).collect();
        let signed_in = other.session().await;
        let event = |place: usize, at: i64, event: &str, by: &str, session: Value, from: [Value; 2], cause: Value| {
            let [ip, user_agent] = from;
            json!({ "id": ids[place], "at": at, "event": event, "by": by, "session": session, "ip": ip,
                "user_agent": user_agent, "cause": cause })
        };
        let nowhere = || [Value::Null, Value::Null];
        let guessed = [json!(ELSEWHERE), json!("guesser/1")];
        let expected = [
            event(0, BEGIN + 10, "signed_in", "anonymous", json!(signed_in), nowhere(), Value::Null),
            event(1, BEGIN + 10, "role_granted", "operator", Value::Null, nowhere(), json!("editor")),
            event(2, BEGIN + 10, "account_changed", "owner", Value::Null, nowhere(), Value::Null),
            event(3, BEGIN, "sign_in_failed", "anonymous", Value::Null, guessed, json!("wrong_password")),
            event(4, BEGIN, "signed_up", "anonymous", json!(signed_up), nowhere(), Value::Null),
        ];
        assert_eq!(list, expected);
    }

    async fn nobody_reads_what_happened_to_somebody_else(db) {
        let app = TestApp::new(db).await;
        let ada = app.sign_up("ada").await;
        let bob = app.sign_up("bob").await;
        app.log_in("ada").await;
        let of_ada = events(&ada.get("/api/v1/activity").await);
        assert_eq!(of_ada.len(), 2);
        let before = of_ada[0]["id"].as_str().unwrap();
        let of_bob = bob.get(&format!("/api/v1/activity?before={before}")).await;
        assert!(events(&of_bob).iter().all(|event| !of_ada.contains(event)));
        assert_eq!(names(&of_bob), ["signed_up"]);
    }

    async fn the_list_goes_on_where_it_was_left(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        for _ in 0..3 {
            app.log_in("ada").await;
        }
        let all = events(&device.get("/api/v1/activity").await);
        assert_eq!(all.len(), 4);
        let mut pages = events(&device.get("/api/v1/activity?limit=3").await);
        assert_eq!(pages.len(), 3);
        let last = pages[2]["id"].as_str().unwrap().to_owned();
        pages.extend(events(&device.get(&format!("/api/v1/activity?limit=3&before={last}")).await));
        assert_eq!(pages, all);
        let last = pages[3]["id"].as_str().unwrap();
        assert_eq!(names(&device.get(&format!("/api/v1/activity?before={last}")).await), [""; 0]);
        assert_eq!(events(&device.get("/api/v1/activity?").await), all);
    }

    async fn a_query_that_is_not_exactly_understood_is_refused_before_anything_else(db) {
        let app = TestApp::new(db).await;
        let device = app.sign_up("ada").await;
        const ID: &str = "0199a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b";
        for query in [
            "x=1",
            "limit",
            "limit=",
            "limit=0",
            "limit=101",
            "limit=-1",
            "limit=+1",
            "limit=01",
            "limit=1.0",
            "limit=%31",
            "limit=99999999999999999999",
            "limit=1&limit=1",
            "limit=1&",
            "&limit=1",
            "LIMIT=1",
            "before",
            "before=",
            "before=x",
            "before=1",
            "before=00",
            "before=%00",
            "before='+or+1=1+--",
            &format!("before={ID}&before={ID}"),
            &format!("before={}", ID.to_uppercase()),
            &format!("before={}", ID.replace('-', "")),
            &format!("before={{{ID}}}"),
            &format!("limit=1&before={ID}&account=1"),
        ] {
            let path = format!("/api/v1/activity?{query}");
            device.get(&path).await.refused(400, "invalid_request");
            Call::new(Method::GET, &path).send(&app).await.refused(400, "invalid_request");
        }
        assert_eq!(names(&device.get(&format!("/api/v1/activity?limit=1&before={ID}")).await), [""; 0]);
        let good = Call::get(&format!("/api/v1/activity?limit=1&before={ID}"));
        good.send(&app).await.refused(401, "token_missing");
    }
}

//! PocketBase with its own collection `users`. It checks every token with the database, and a refresh brings another
//! token while the old one stays good.

use anyhow::Result;
use axum::http::header;
use serde_json::json;

use super::{Call, Person, Session, Wire, json, text};
use crate::connection::Answer;

pub(super) struct Pocketbase;

impl Wire for Pocketbase {
    fn sign_up(&self, person: &Person) -> Call {
        let password = Person::PASSWORD;
        let body = json!({ "email": person.email(), "password": password, "passwordConfirm": password });
        Call::post("/api/collections/users/records", &body)
    }

    fn sign_in(&self, person: &Person) -> Call {
        let body = json!({ "identity": person.email(), "password": Person::PASSWORD });
        Call::post("/api/collections/users/auth-with-password", &body)
    }

    fn session(&self, answer: &Answer) -> Result<Session> {
        let answer = json(answer)?;
        let token = text(&answer, "/token")?;
        Ok(Session { account: text(&answer, "/record/id")?, refresh: token.clone(), token })
    }

    fn checked(&self, session: &Session) -> Call {
        let path = format!("/api/collections/users/records/{}", session.account);
        Call::get(path).with(header::AUTHORIZATION, &session.token)
    }

    fn me(&self, session: &Session) -> Call {
        self.checked(session)
    }

    fn refresh(&self, session: &Session) -> Call {
        let path = "/api/collections/users/auth-refresh";
        Call::post(path, &json!({})).with(header::AUTHORIZATION, &session.refresh)
    }

    fn refreshed(&self, answer: &Answer, _: &Session) -> Result<Session> {
        self.session(answer)
    }

    fn rotates(&self) -> bool {
        false
    }
}

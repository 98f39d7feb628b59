//! Better Auth with addresses and passwords. Its sessions are rows that each request reads, named by a cookie; there is
//! nothing to refresh.

use anyhow::{Result, ensure};
use axum::http::header;
use serde_json::json;

use super::{Call, Person, Session, Wire, json, text};
use crate::connection::Answer;

pub(super) struct BetterAuth;

impl Wire for BetterAuth {
    fn sign_up(&self, person: &Person) -> Call {
        let body = json!({ "name": person.name, "email": person.email(), "password": Person::PASSWORD });
        Call::post("/api/auth/sign-up/email", &body)
    }

    fn sign_in(&self, person: &Person) -> Call {
        Call::post("/api/auth/sign-in/email", &json!({ "email": person.email(), "password": Person::PASSWORD }))
    }

    fn session(&self, answer: &Answer) -> Result<Session> {
        let cookies = answer.headers.get_all(header::SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        let cookies: Vec<&str> = cookies.filter_map(|cookie| cookie.split(';').next()).collect();
        ensure!(!cookies.is_empty(), "the answer has no cookies");
        let token = cookies.join("; ");
        Ok(Session { account: text(&json(answer)?, "/user/id")?, refresh: token.clone(), token })
    }

    fn checked(&self, session: &Session) -> Call {
        Call::get("/api/auth/get-session").with(header::COOKIE, &session.token)
    }

    fn me(&self, session: &Session) -> Call {
        self.checked(session)
    }

    fn refresh(&self, session: &Session) -> Call {
        self.checked(session)
    }

    fn refreshed(&self, _: &Answer, session: &Session) -> Result<Session> {
        Ok(session.clone())
    }

    fn rotates(&self) -> bool {
        false
    }
}

//! Hallpass itself, by its own interface, as an app without cookies uses it.

use std::sync::atomic::{AtomicU32, Ordering};

use anyhow::Result;
use axum::http::{HeaderName, StatusCode};
use serde_json::json;

use super::{Call, Person, Session, Wire, json, text};
use crate::connection::Answer;

pub(super) struct Hallpass;

impl Wire for Hallpass {
    fn sign_up(&self, person: &Person) -> Call {
        let body = json!({ "username": person.name, "password": Person::PASSWORD });
        from_elsewhere(Call::post("/api/v1/signup", &body)).expects(StatusCode::CREATED)
    }

    fn sign_in(&self, person: &Person) -> Call {
        let body = json!({ "username": person.name, "password": Person::PASSWORD });
        from_elsewhere(Call::post("/api/v1/login", &body))
    }

    fn session(&self, answer: &Answer) -> Result<Session> {
        let answer = json(answer)?;
        Ok(Session {
            token: text(&answer, "/access_token")?,
            refresh: text(&answer, "/refresh_token")?,
            account: text(&answer, "/user/id")?,
        })
    }

    fn checked(&self, session: &Session) -> Call {
        Call::get("/api/v1/session").bearer(&session.token)
    }

    fn me(&self, session: &Session) -> Call {
        Call::get("/api/v1/me").bearer(&session.token)
    }

    fn refresh(&self, session: &Session) -> Call {
        Call::post("/api/v1/refresh", &json!({ "refresh_token": session.refresh }))
    }

    fn refreshed(&self, answer: &Answer, _: &Session) -> Result<Session> {
        self.session(answer)
    }

    fn rotates(&self) -> bool {
        true
    }
}

/// As from an address of its own, behind a proxy: all rate limits are on, and none is reached.
fn from_elsewhere(call: Call) -> Call {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id() << 12);
    let [_, a, b, c] = number.to_be_bytes();
    call.with(HeaderName::from_static("x-forwarded-for"), &format!("10.{a}.{b}.{c}"))
}

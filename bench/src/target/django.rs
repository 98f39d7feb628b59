//! The Django project in `bench/peers/django`: Django REST framework with SimpleJWT.

use anyhow::{Context as _, Result};
use axum::http::StatusCode;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{Call, Person, Session, Wire, json, text};
use crate::connection::Answer;

pub(super) struct Django;

impl Wire for Django {
    fn sign_up(&self, person: &Person) -> Call {
        let body = json!({ "email": person.email(), "password": Person::PASSWORD });
        Call::post("/signup/", &body).expects(StatusCode::CREATED)
    }

    fn sign_in(&self, person: &Person) -> Call {
        Call::post("/token/", &json!({ "username": person.email(), "password": Person::PASSWORD }))
    }

    fn session(&self, answer: &Answer) -> Result<Session> {
        let answer = json(answer)?;
        let token = text(&answer, "/access")?;
        let claims = token.split('.').nth(1).context("the token is no JWT")?;
        let claims = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims)?)?;
        Ok(Session { account: text(&claims, "/user_id")?, refresh: text(&answer, "/refresh")?, token })
    }

    fn checked(&self, session: &Session) -> Call {
        Call::get("/checked/").bearer(&session.token)
    }

    fn me(&self, session: &Session) -> Call {
        Call::get("/me/").bearer(&session.token)
    }

    fn refresh(&self, session: &Session) -> Call {
        Call::post("/token/refresh/", &json!({ "refresh": session.refresh }))
    }

    fn refreshed(&self, answer: &Answer, _: &Session) -> Result<Session> {
        self.session(answer)
    }

    fn rotates(&self) -> bool {
        true
    }
}

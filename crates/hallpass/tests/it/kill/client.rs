//! A client that signs up, refreshes, changes its password and signs out, and remembers every answer.
//!
//! It never takes a request for done that was not answered, nor one for undone.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Method, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::{Fuse, Random};

/// Nobody answered: the request was carried out, or it was not.
#[derive(Debug)]
pub(crate) struct Unanswered;

/// Who signs up in a round, and what they know of their account.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) username: String,
    /// Whether the sign-up was answered.
    pub(crate) signed_up: bool,
    /// The newest password that was acknowledged, at first that of the sign-up.
    pub(crate) password: String,
    /// The one before it.
    pub(crate) replaced_password: Option<String>,
    /// A change of the password that was not answered: the new one, and the device that asked.
    pub(crate) maybe_password: Option<(String, usize)>,
    /// Whether a sign-in was not answered.
    pub(crate) maybe_signed_in: bool,
    pub(crate) devices: Vec<Device>,
}

/// A device of a person, with the tokens of its last answer.
#[derive(Debug)]
pub(crate) struct Device {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) state: State,
}

/// What a person knows of a device's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    SignedIn,
    Ended,
    /// The sign-out was not answered.
    MaybeEnded,
}

/// Does one thing after the other until there is no answer.
pub(crate) async fn live(api: Api, mut person: Person, mut random: Random, fuse: Arc<Fuse>) -> Person {
    while person.act(&api, &mut random).await.is_ok() {
        fuse.answered();
    }
    assert!(fuse.is_burnt(), "the server did not answer before it was killed: {person:?}");
    person
}

impl Person {
    pub(crate) fn new(username: String) -> Self {
        Self {
            password: format!("otters of {username} juggle lanterns"),
            username,
            signed_up: false,
            replaced_password: None,
            maybe_password: None,
            maybe_signed_in: false,
            devices: Vec::new(),
        }
    }

    async fn act(&mut self, api: &Api, random: &mut Random) -> Result<(), Unanswered> {
        if !self.signed_up {
            return self.sign_up(api).await;
        }
        let signed_in =
            |device: &usize| self.devices.get(*device).is_some_and(|device| device.state == State::SignedIn);
        let signed_in: Vec<usize> = (0..self.devices.len()).filter(signed_in).collect();
        let Some(&device) = signed_in.get(random.below(signed_in.len().max(1) as u64) as usize) else {
            return self.sign_in(api).await;
        };
        match random.below(20) {
            0 => self.change_password(api, device).await,
            1 => self.sign_out(api, device).await,
            2 | 3 => self.sign_in(api).await,
            _ => self.refresh(api, device).await,
        }
    }

    async fn sign_up(&mut self, api: &Api) -> Result<(), Unanswered> {
        let answer = api.sign_up(&self.username, &self.password).await?;
        self.devices.push(answer.issued(StatusCode::CREATED));
        self.signed_up = true;
        Ok(())
    }

    async fn sign_in(&mut self, api: &Api) -> Result<(), Unanswered> {
        self.maybe_signed_in = true;
        let answer = api.sign_in(&self.username, &self.password).await?;
        self.maybe_signed_in = false;
        self.devices.push(answer.issued(StatusCode::OK));
        Ok(())
    }

    async fn refresh(&mut self, api: &Api, device: usize) -> Result<(), Unanswered> {
        let device = &mut self.devices[device];
        // Without an answer the secret that the device has stays the one to use: a crash signs nobody out.
        *device = api.refresh(device).await?.issued(StatusCode::OK);
        Ok(())
    }

    async fn sign_out(&mut self, api: &Api, device: usize) -> Result<(), Unanswered> {
        let device = &mut self.devices[device];
        device.state = State::MaybeEnded;
        api.sign_out(device).await?.done();
        device.state = State::Ended;
        Ok(())
    }

    async fn change_password(&mut self, api: &Api, device: usize) -> Result<(), Unanswered> {
        let new = format!("{} again", self.password);
        self.maybe_password = Some((new.clone(), device));
        api.change_password(&self.devices[device], &self.password, &new).await?.done();
        self.maybe_password = None;
        self.replaced_password = Some(std::mem::replace(&mut self.password, new));
        for (other, ended) in self.devices.iter_mut().enumerate() {
            if other != device {
                ended.state = State::Ended;
            }
        }
        Ok(())
    }
}

/// The server's interface, one method for each thing that a client does.
#[derive(Clone)]
pub(crate) struct Api {
    client: Client,
    url: String,
}

impl Api {
    pub(crate) fn new(server: &str) -> Self {
        let client = Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Self { client, url: format!("{server}/api/v1") }
    }

    pub(crate) async fn sign_up(&self, username: &str, password: &str) -> Result<Answer, Unanswered> {
        let account = json!({ "username": username, "password": password });
        answer(self.request(Method::POST, "signup").json(&account)).await
    }

    pub(crate) async fn sign_in(&self, username: &str, password: &str) -> Result<Answer, Unanswered> {
        let who = json!({ "username": username, "password": password });
        answer(self.request(Method::POST, "login").json(&who)).await
    }

    pub(crate) async fn refresh(&self, device: &Device) -> Result<Answer, Unanswered> {
        let secret = json!({ "refresh_token": device.refresh });
        answer(self.request(Method::POST, "refresh").json(&secret)).await
    }

    pub(crate) async fn sign_out(&self, device: &Device) -> Result<Answer, Unanswered> {
        answer(self.request(Method::POST, "logout").bearer_auth(&device.access)).await
    }

    pub(crate) async fn change_password(&self, device: &Device, old: &str, new: &str) -> Result<Answer, Unanswered> {
        let change = json!({ "current_password": old, "new_password": new });
        answer(self.request(Method::POST, "password").bearer_auth(&device.access).json(&change)).await
    }

    pub(crate) async fn session(&self, device: &Device) -> Result<Answer, Unanswered> {
        answer(self.request(Method::GET, "session").bearer_auth(&device.access)).await
    }

    pub(crate) async fn sessions(&self, device: &Device) -> Result<Answer, Unanswered> {
        answer(self.request(Method::GET, "sessions").bearer_auth(&device.access)).await
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}/{path}", self.url))
    }
}

/// An answer that arrived whole.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) body: Value,
}

impl Answer {
    /// The device that has what was issued.
    pub(crate) fn issued(&self, status: StatusCode) -> Device {
        assert_eq!(self.status, status, "{self:?}");
        let text = |name: &str| self.body[name].as_str().unwrap().to_owned();
        Device { access: text("access_token"), refresh: text("refresh_token"), state: State::SignedIn }
    }

    fn done(&self) {
        assert_eq!(self.status, StatusCode::NO_CONTENT, "{self:?}");
    }
}

async fn answer(request: RequestBuilder) -> Result<Answer, Unanswered> {
    let response = request.send().await.map_err(|_| Unanswered)?;
    let status = response.status();
    let body = response.bytes().await.map_err(|_| Unanswered)?;
    Ok(Answer { status, body: if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() } })
}

//! What travels with every call: who acts, from where, and at what time.
//!
//! Nothing below the edge reads a clock or looks up the caller by itself.

use std::{net::IpAddr, sync::Arc};

use hallpass_token::{AccountId, SessionId};

use crate::mail::Links;

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// Somebody who has not signed in.
    Anonymous,
    /// The owner of an account, signed in on one device.
    Account(AccountId, SessionId),
    /// A program that asks about tokens, by the id of its client.
    Client(Arc<str>),
    /// Whoever runs the server, from its command line or its background tasks.
    Operator,
}

/// The circumstances of one request or command.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The time of this call, in seconds since 1970 (UTC).
    pub now: i64,
    /// Who acts.
    pub actor: Actor,
    /// The client's address, where there is one.
    pub ip: Option<IpAddr>,
    /// What the client calls itself, at most 300 characters.
    pub user_agent: Option<String>,
    /// The languages that the client prefers, as `Accept-Language` has them (RFC 9110 section 12.5.4), at most 200
    /// characters.
    pub languages: Option<String>,
    /// Where links in mails lead that this call causes; without it, to the pages of this server.
    pub links: Option<Links>,
    /// Finds everything that belongs to this call in the log.
    pub request_id: String,
}

impl Ctx {
    /// A call of the operator's: a command or a background task.
    pub fn operator(now: i64) -> Self {
        Self {
            now,
            actor: Actor::Operator,
            ip: None,
            user_agent: None,
            languages: None,
            links: None,
            request_id: "operator".into(),
        }
    }
}

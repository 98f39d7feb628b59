//! What every handler shares: the open core, the clock, and what follows from the web settings.
//!
//! It is cheap to clone and never changes while the server runs.

use std::sync::Arc;

use axum::extract::FromRef;
use hallpass_core::{Claims, Code, Error, Hallpass, revocation};
use hallpass_token::{Clock, Gate};

use crate::{
    ctx::RequestIds,
    dialects,
    error::Problem,
    web::{Policy, Web},
};

const UNKNOWN: &str = "Nothing is wrong with the token: this server has to find out what was taken back lately; try again \
    in a second";

/// The state of the router. Clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    hallpass: Hallpass,
    clock: Clock,
    policy: Policy,
    gate: Gate,
    dialects: Vec<dialects::Opened>,
    request_ids: RequestIds,
}

impl AppState {
    /// Checks the web settings and puts the parts together.
    ///
    /// # Errors
    /// What [`Web::check`] says: one sentence for each setting that cannot work.
    pub fn new(hallpass: Hallpass, web: &Web, clock: Clock) -> Result<Self, Vec<String>> {
        let policy = web.check()?;
        let dialects = web.dialects.iter().map(dialects::Dialect::open).collect::<Result<_, _>>();
        let dialects = dialects.map_err(|problem| vec![problem])?;
        let core = hallpass.clone();
        let known = move |now| revocation::is_known(&core, now);
        let gate = Gate::knowing(hallpass.verifier().clone(), clock.clone(), known);
        let request_ids = RequestIds::new();
        let state = Self(Arc::new(Inner { hallpass, clock, policy, gate, dialects, request_ids }));
        match dialects::clash(&state) {
            Some(problem) => Err(vec![problem]),
            None => Ok(state),
        }
    }

    /// The open core.
    pub fn hallpass(&self) -> &Hallpass {
        &self.0.hallpass
    }

    /// Where the time comes from.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// The claims of a token that is good, and known not to have been taken back lately.
    pub(crate) fn verify(&self, token: &str, now: i64) -> Result<Arc<Claims>, Problem> {
        // First, so that what is heard in the middle cannot vouch for a set that was looked at before.
        let known = self.demand_known(now);
        let claims = self.hallpass().verifier().verify(token, now)?;
        known?;
        Ok(claims)
    }

    /// Goes on if it is known what was taken back lately.
    pub(crate) fn demand_known(&self, now: i64) -> Result<(), Error> {
        let known = revocation::is_known(self.hallpass(), now);
        if known { Ok(()) } else { Err(Error::new(Code::RevocationUnknown, UNKNOWN).retry_after(1)) }
    }

    /// The wire formats of other servers that are spoken as well.
    pub(crate) fn dialects(&self) -> &[dialects::Opened] {
        &self.0.dialects
    }

    /// What requests are called.
    pub(crate) fn request_ids(&self) -> &RequestIds {
        &self.0.request_ids
    }

    /// What follows from the web settings.
    pub(crate) fn policy(&self) -> &Policy {
        &self.0.policy
    }
}

impl FromRef<AppState> for Gate {
    fn from_ref(state: &AppState) -> Self {
        state.0.gate.clone()
    }
}

impl FromRef<AppState> for Hallpass {
    fn from_ref(state: &AppState) -> Self {
        state.hallpass().clone()
    }
}

//! What every handler shares: the open core, the clock, and what follows from the web settings.
//!
//! It is cheap to clone and never changes while the server runs.

use std::sync::Arc;

use axum::extract::FromRef;
use hallpass_core::Hallpass;
use hallpass_token::{Clock, Gate};

use crate::web::{Policy, Web};

/// The state of the router. Clones share it.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    hallpass: Hallpass,
    clock: Clock,
    policy: Policy,
}

impl AppState {
    /// Checks the web settings and puts the parts together.
    ///
    /// # Errors
    /// What [`Web::check`] says: one sentence for each setting that cannot work.
    pub fn new(hallpass: Hallpass, web: &Web, clock: Clock) -> Result<Self, Vec<String>> {
        let policy = web.check()?;
        Ok(Self(Arc::new(Inner { hallpass, clock, policy })))
    }

    /// The open core.
    pub fn hallpass(&self) -> &Hallpass {
        &self.0.hallpass
    }

    /// Where the time comes from.
    pub fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// What follows from the web settings.
    pub(crate) fn policy(&self) -> &Policy {
        &self.0.policy
    }
}

impl FromRef<AppState> for Gate {
    fn from_ref(state: &AppState) -> Self {
        Self::new(state.hallpass().verifier().clone(), state.clock().clone())
    }
}

impl FromRef<AppState> for Hallpass {
    fn from_ref(state: &AppState) -> Self {
        state.hallpass().clone()
    }
}

//! Tells the log of an outage once and not with every attempt, and that it is over. It decides nothing and stops nothing.

use std::{
    mem::{self, Discriminant, discriminant},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::server::Failure;

/// How it stands with one thing that is asked for again and again.
pub(super) struct Outage {
    what: &'static str,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Why the last attempt failed, unless it succeeded.
    last: Option<Failure>,
    /// The kinds of failures since the last success.
    told: Vec<Discriminant<Failure>>,
}

impl Outage {
    /// `what` is what is asked for, as the subject of a sentence.
    pub(super) fn of(what: &'static str) -> Self {
        Self { what, state: Mutex::default() }
    }

    pub(super) fn note(&self, failure: Failure) {
        let kind = discriminant(&failure);
        let mut state = self.state();
        let news = !state.told.contains(&kind);
        if news {
            state.told.push(kind);
        }
        state.last = Some(failure.clone());
        drop(state);
        match failure {
            _ if !news => {}
            Failure::ClientRefused => {
                tracing::error!("{} cannot be read from the Hallpass server: {failure}", self.what)
            }
            _ => tracing::warn!("{} cannot be read from the Hallpass server for now: {failure}", self.what),
        }
    }

    pub(super) fn over(&self) {
        let ended = mem::take(&mut *self.state());
        if ended.last.is_some() {
            tracing::info!("{} can be read from the Hallpass server again", self.what);
        }
    }

    /// Why the last attempt failed, unless it succeeded.
    pub(super) fn last(&self) -> Option<Failure> {
        self.state().last.clone()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

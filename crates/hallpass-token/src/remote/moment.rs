//! A moment by both clocks of the machine. Neither alone says how long ago it was: the monotonic one may stand still
//! while the machine sleeps, and the other one can be set.

use std::time::Duration;

use tokio::time::Instant;

use crate::Clock;

/// Set back by more than this, the clock is not believed. A little is what keeping clocks right takes now and then.
const SET_BACK: Duration = Duration::from_secs(2);

#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    at: Instant,
    /// Since 1970 (UTC).
    shown: Duration,
}

impl Moment {
    pub(super) fn now(clock: &Clock) -> Self {
        Self { at: Instant::now(), shown: clock.since_1970() }
    }

    /// How long ago it was, by whichever clock says more; `None` if the clock shows a time before it, and nobody can say.
    pub(super) fn age(self, clock: &Clock) -> Option<Duration> {
        let now = clock.since_1970();
        let shown = now.saturating_sub(self.shown);
        (now + SET_BACK >= self.shown).then(|| self.at.elapsed().max(shown))
    }

    /// Whether it is no longer ago than `most`.
    pub(super) fn is_within(self, most: Duration, clock: &Clock) -> bool {
        self.age(clock).is_some_and(|age| age <= most)
    }
}

//! Where the time comes from: the system, or whatever a test says. Nothing else in Hallpass reads the system clock,
//! and nothing here waits.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A source of the time, in seconds since 1970 (UTC). Clones share the source.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Duration + Send + Sync>);

impl Clock {
    /// The clock of the machine. Before 1970 it stands at 0.
    pub fn system() -> Self {
        Self(Arc::new(|| {
            #[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
            SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
        }))
    }

    /// A clock that shows what `now` returns, for tests. Before 1970 it stands at 0.
    pub fn from_fn(now: impl Fn() -> i64 + Send + Sync + 'static) -> Self {
        Self(Arc::new(move || Duration::from_secs(u64::try_from(now()).unwrap_or(0))))
    }

    /// The time, in seconds since 1970 (UTC).
    pub fn now(&self) -> i64 {
        i64::try_from((self.0)().as_secs()).unwrap_or(i64::MAX)
    }

    /// The same to the fraction of a second.
    #[cfg(feature = "remote")]
    pub(crate) fn since_1970(&self) -> Duration {
        (self.0)()
    }
}

impl fmt::Debug for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Clock")
    }
}

//! A bounded number of places for heavy work: as many run as there are cores, a few wait, the rest shall come back.
//! Work that has begun is never given up, and its place is never free before it ends.

use std::{num::NonZeroUsize, sync::Arc, thread, time::Duration};

use tokio::{sync::Semaphore, task, time::timeout};

use crate::{Code, Error, Result};

/// Pieces of work that wait, for each that runs.
const WAITING_PER_CORE: usize = 4;
/// How long a piece of work waits for a core.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// Seconds after which somebody who was sent away should come back.
const RETRY_AFTER: u64 = 2;

pub(super) struct Pool {
    /// Whoever runs or waits holds one.
    admitted: Arc<Semaphore>,
    /// Whoever runs holds one.
    running: Arc<Semaphore>,
    longest_wait: Duration,
}

impl Pool {
    /// One place for each core.
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self::with(cores, WAITING_PER_CORE * cores, LONGEST_WAIT)
    }

    fn with(running: usize, waiting: usize, longest_wait: Duration) -> Self {
        Self {
            admitted: Arc::new(Semaphore::new(running + waiting)),
            running: Arc::new(Semaphore::new(running)),
            longest_wait,
        }
    }

    /// Runs `work` on a thread of its own as soon as there is a place.
    ///
    /// The work goes on to its end, and keeps its place until then, even if nobody waits for it any more: otherwise
    /// clients that hang up could start more of it than there are cores.
    ///
    /// # Errors
    /// [`Code::Busy`] if too many wait, or if no place was free within two seconds.
    pub(super) async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let admitted = Arc::clone(&self.admitted).try_acquire_owned().map_err(|_| busy())?;
        let waiting = timeout(self.longest_wait, Arc::clone(&self.running).acquire_owned());
        let running = waiting.await.map_err(|_| busy())?.map_err(Error::internal)?;
        let done = task::spawn_blocking(move || {
            let _held_until_the_end = (admitted, running);
            work()
        });
        done.await.map_err(Error::internal)
    }
}

fn busy() -> Error {
    let detail = "Too many people are signing in at this moment: try again in a few seconds";
    Error::new(Code::Busy, detail).retry_after(RETRY_AFTER)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_work_is_done_and_its_place_is_free_again() {
        let pool = Pool::with(1, 0, Duration::ZERO);
        assert_eq!(pool.run(|| 6 * 7).await.unwrap(), 42);
        drop(pool.running.acquire().await.unwrap());
        drop(pool.admitted.acquire().await.unwrap());
    }

    #[tokio::test]
    async fn whoever_comes_when_the_queue_is_full_is_sent_away_at_once() {
        let pool = Pool::with(1, 1, Duration::from_secs(3600));
        let (_finish, finished) = mpsc::channel::<()>();
        let mut first = Box::pin(pool.run(move || finished.recv()));
        let mut second = Box::pin(pool.run(|| ()));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        let error = pool.run(|| ()).now_or_never().expect("no wait").unwrap_err();
        assert_eq!(error.code, Code::Busy);
        assert_eq!(error.retry_after, Some(RETRY_AFTER));
    }

    #[tokio::test]
    async fn whoever_waits_too_long_is_sent_away() {
        let pool = Pool::with(1, 1, Duration::from_millis(1));
        let _occupied = pool.running.acquire().await.unwrap();
        assert_eq!(pool.run(|| ()).await.unwrap_err().code, Code::Busy);
        assert_eq!(pool.admitted.available_permits(), 2, "who left does not wait any more");
    }

    #[tokio::test]
    async fn a_client_that_hangs_up_does_not_free_the_place_of_its_work() {
        let pool = Pool::with(1, 0, Duration::from_secs(3600));
        let (finish, finished) = mpsc::channel::<()>();
        let mut abandoned = Box::pin(pool.run(move || finished.recv()));
        assert!((&mut abandoned).now_or_never().is_none());
        drop(abandoned);
        assert_eq!(pool.running.available_permits(), 0);
        assert_eq!(pool.run(|| ()).now_or_never().expect("no wait").unwrap_err().code, Code::Busy);
        finish.send(()).unwrap();
        drop(pool.running.acquire().await.unwrap());
    }

    #[tokio::test]
    async fn work_that_panics_is_an_internal_error_and_frees_its_place() {
        let pool = Pool::with(1, 0, Duration::ZERO);
        let error = pool.run(|| -> () { panic!("on purpose") }).await.unwrap_err();
        assert_eq!(error.code, Code::Internal);
        drop(pool.running.acquire().await.unwrap());
    }
}

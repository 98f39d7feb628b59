//! How long to wait before asking again: 0.1 s, then twice as long each time, up to 5 s. It is never quite as long as for
//! others, so that many do not ask at the same moment.

use std::time::Duration;

use aws_lc_rs::rand;

const FIRST: Duration = Duration::from_millis(100);
const LAST: Duration = Duration::from_secs(5);

pub(super) struct Backoff(Duration);

impl Backoff {
    pub(super) fn new() -> Self {
        Self(FIRST)
    }

    /// It works again: the next time begins with the shortest.
    pub(super) fn reset(&mut self) {
        self.0 = FIRST;
    }

    pub(super) async fn wait(&mut self) {
        tokio::time::sleep(self.next()).await;
    }

    /// Between half of the time and all of it.
    fn next(&mut self) -> Duration {
        let mut byte = [0; 1];
        // Without randomness it is half of the time.
        let _ = rand::fill(&mut byte);
        let [random] = byte;
        let whole = self.0;
        self.0 = (whole * 2).min(LAST);
        whole * (256 + u32::from(random)) / 512
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_doubles_up_to_five_seconds_and_begins_anew_after_a_success() {
        let mut backoff = Backoff::new();
        for _ in 0..2 {
            for milliseconds in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
                let whole = Duration::from_millis(milliseconds);
                let next = backoff.next();
                assert!((whole / 2..=whole).contains(&next), "{next:?} of {whole:?}");
            }
            backoff.reset();
        }
    }
}

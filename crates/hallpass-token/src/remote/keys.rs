//! Keeping up with the public keys of the server: they are asked for when their `max-age` is over, and once more when a
//! token names one that is not known. They never go because the server is away.

use std::{sync::Arc, time::Duration};

use reqwest::{
    StatusCode,
    header::{CACHE_CONTROL, HeaderMap},
};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, timeout},
};

use super::{
    backoff::Backoff,
    outage::Outage,
    server::{Failure, PATIENCE, Server, body},
};
use crate::{KeySet, Verifier};

/// An unknown key is a reason to ask at most this often.
const ASK_EVERY: Duration = Duration::from_secs(10);

/// The most time for which a request waits for the answer to that.
const ASK_WAIT: Duration = Duration::from_secs(1);

/// Seconds for which keys are fresh: where the answer says nothing, and the least and most that is believed.
const UNSAID: u64 = 300;
const LEAST: u64 = 10;
const MOST: u64 = 3_600;

pub(super) struct Keys {
    server: Arc<Server>,
    verifier: Verifier,
    asked: watch::Sender<Asked>,
    wanted: Notify,
    pub(super) outage: Outage,
}

/// What is known of the keys.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Asked {
    /// There are keys.
    pub(super) known: bool,
    /// When the last attempt began.
    at: Option<Instant>,
    /// Whether it failed.
    failed: bool,
}

impl Asked {
    /// Whether a key that is not there does not exist: the server was just asked.
    fn is_news(&self) -> bool {
        !self.failed && self.at.is_some_and(|at| at.elapsed() < ASK_EVERY)
    }
}

impl Keys {
    pub(super) fn new(server: Arc<Server>, verifier: Verifier) -> Self {
        Self {
            server,
            verifier,
            asked: watch::Sender::default(),
            wanted: Notify::new(),
            outage: Outage::of("the keys of access tokens"),
        }
    }

    /// Whether there are keys, now and whenever it changes.
    pub(super) fn watch(&self) -> watch::Receiver<Asked> {
        self.asked.subscribe()
    }

    /// Whether there are keys.
    pub(super) fn are_known(&self) -> bool {
        self.asked.borrow().known
    }

    /// Whether a key that is not known does not exist. If that cannot be said the server is asked once more.
    pub(super) fn are_all_known(&self) -> bool {
        let all = self.asked.borrow().is_news();
        if !all {
            self.wanted.notify_one();
        }
        all
    }

    /// Waits a moment for the answer to the question that [`Keys::are_all_known`] asked; not at all while the server is
    /// away.
    pub(super) async fn answer(&self) {
        let mut asked = self.asked.subscribe();
        let answered = asked.wait_for(|asked| asked.failed || asked.is_news());
        // Late, the keys are as they were.
        let _ = timeout(ASK_WAIT, answered).await;
    }

    /// Never returns.
    pub(super) async fn follow(&self) {
        let mut backoff = Backoff::new();
        loop {
            let at = Instant::now();
            match self.ask().await {
                Ok(fresh) => {
                    self.outage.over();
                    backoff.reset();
                    self.asked.send_replace(Asked { known: true, at: Some(at), failed: false });
                    tokio::select! {
                        () = sleep(fresh) => {}
                        () = self.wanted_after(at + ASK_EVERY) => {}
                    }
                }
                Err(failure) => {
                    self.outage.note(failure);
                    self.asked.send_modify(|asked| *asked = Asked { at: Some(at), failed: true, ..*asked });
                    backoff.wait().await;
                }
            }
        }
    }

    async fn wanted_after(&self, moment: Instant) {
        self.wanted.notified().await;
        while Instant::now() < moment {
            self.wanted.notified().await;
        }
    }

    /// Takes the keys over, and says for how long they are fresh.
    async fn ask(&self) -> Result<Duration, Failure> {
        let response = self.server.keys().timeout(PATIENCE).send().await?;
        if response.status() != StatusCode::OK {
            return Err(Failure::Status(response.status().as_u16()));
        }
        let fresh = max_age(response.headers());
        let document = String::from_utf8(body(response).await?).unwrap_or_default();
        let keys =
            KeySet::from_jwks(&document).map_err(|_| Failure::Unexpected("its answer is no set of public keys"))?;
        self.verifier.set_keys(keys);
        Ok(fresh)
    }
}

/// The `max-age` of `Cache-Control` (RFC 9111 section 5.2.2.1), within bounds.
fn max_age(headers: &HeaderMap) -> Duration {
    let said = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut directives = said.flat_map(|text| text.split(',')).filter_map(|directive| directive.trim().split_once('='));
    let age = directives.find(|(name, _)| name.eq_ignore_ascii_case("max-age"));
    let seconds = age.and_then(|(_, seconds)| seconds.trim_matches('"').parse().ok()).unwrap_or(UNSAID);
    Duration::from_secs(seconds.clamp(LEAST, MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_fresh_for_as_long_as_the_answer_says_within_bounds() {
        for (text, seconds) in [
            ("public, max-age=900", 900),
            ("Max-Age=\"60\"", 60),
            ("s-maxage=5,max-age=20", 20),
            ("max-age=0", LEAST),
            ("max-age=99999999", MOST),
            ("max-age=99999999999999999999999", UNSAID),
            ("max-age=-1", UNSAID),
            ("max-age=", UNSAID),
            ("no-store", UNSAID),
            ("", UNSAID),
        ] {
            let headers = HeaderMap::from_iter([(CACHE_CONTROL, text.parse().unwrap())]);
            assert_eq!(max_age(&headers), Duration::from_secs(seconds), "{text}");
        }
        assert_eq!(max_age(&HeaderMap::new()), Duration::from_secs(UNSAID));
    }
}

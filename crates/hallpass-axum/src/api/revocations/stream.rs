//! The stream of events: news as they come, and a heartbeat while this server is up to date with its log.
//!
//! It is made as fast as it is taken, and by nobody but the connection that takes it: a reader that is slow gets more
//! lines at a time, and one that takes nothing is cut off by [`crate::Patience::write`].

use std::{convert::Infallible, time::Duration};

use axum::{
    http::{HeaderName, header},
    response::{
        IntoResponse, Response,
        sse::{Event, Sse},
    },
};
use futures_util::stream;
use hallpass_core::{Code, Ctx, feed};
use tokio::{
    sync::watch,
    time::{Interval, MissedTickBehavior, interval},
};

use super::{Revocations, is_news};
use crate::{
    AppState,
    api::Answer,
    program::{Credentials, Program},
    serve::Draining,
};

/// Between two signs of life: less than the two seconds that are promised.
const HEARTBEAT: Duration = Duration::from_millis(1500);

/// Seconds between two looks whether the client still exists.
const CHECK: i64 = 60;

/// A reader of the stream.
struct Reader {
    app: AppState,
    ctx: Ctx,
    credentials: Credentials,
    /// When they were last found to be good.
    checked_at: i64,
    since: Option<String>,
    /// Whether the last page was not the last.
    more: bool,
    changes: watch::Receiver<u64>,
    heartbeat: Interval,
    draining: Draining,
}

/// Begins a stream behind the cursor `since`.
///
/// # Errors
/// [`Code::Unavailable`] if this server is not up to date itself.
pub(super) async fn open(
    app: AppState,
    Program { ctx, credentials }: Program,
    since: Option<String>,
    draining: Draining,
) -> Answer<Response> {
    app.hallpass().ready(&ctx).await?;
    let mut heartbeat = interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let changes = feed::watch(app.hallpass());
    let checked_at = ctx.now;
    let reader = Reader { app, ctx, credentials, checked_at, since, more: false, changes, heartbeat, draining };
    let events = stream::unfold(reader, async |mut reader: Reader| {
        let event = reader.next().await?;
        Some((Ok::<_, Infallible>(event), reader))
    });
    // nginx hands on what it gets at once if it is told so.
    let headers = [(header::CACHE_CONTROL, "no-store"), (HeaderName::from_static("x-accel-buffering"), "no")];
    Ok((headers, Sse::new(events)).into_response())
}

impl Reader {
    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let beat = !self.more && self.wakes().await?;
            self.ctx.now = self.app.clock().now();
            if beat && !self.may_go_on().await {
                return None;
            }
            let read = feed::read(self.app.hallpass(), &self.ctx, self.since.as_deref()).await;
            self.more = read.as_ref().is_ok_and(|page| page.more);
            // Whatever keeps it from reading, the reader learns it from the silence.
            let Ok(page) = read else { continue };
            self.since = Some(page.cursor.clone());
            if is_news(&page) {
                let event = Event::default().event("lines").id(&page.cursor);
                return event.json_data(Revocations::from(page)).ok();
            }
            if beat {
                return Some(Event::default().event("heartbeat").data("{}"));
            }
        }
    }

    /// Waits for news, or for the heartbeat, in which case it is true; `None` if the server stops.
    async fn wakes(&mut self) -> Option<bool> {
        tokio::select! {
            () = self.draining.begins() => None,
            _ = self.heartbeat.tick() => Some(true),
            changed = self.changes.changed() => changed.ok().map(|()| false),
        }
    }

    /// Whether the client still exists, as far as the database can be asked.
    async fn may_go_on(&mut self) -> bool {
        if self.ctx.now - self.checked_at < CHECK {
            return true;
        }
        match self.credentials.check(self.app.hallpass(), &self.ctx).await {
            Ok(()) => self.checked_at = self.ctx.now,
            Err(error) => return error.code == Code::Unavailable,
        }
        true
    }
}

//! What was taken back, for verifiers elsewhere: everything that is live, and from then on what is new.
//!
//! A reader never misses a line: it may get one twice, and out of order, which is harmless. This server holds what it
//! applied last in the order in which it did; a reader that comes from another server, from before a restart, or from
//! long ago is served from the log.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError, atomic::Ordering},
};

use hallpass_token::Revocation;
use tokio::sync::watch;

use crate::{Ctx, Hallpass, Result, revocation, secret, store};

/// Lines that are held in memory.
const HELD: usize = 65_536;
/// Lines of one page.
pub const PAGE: usize = 10_000;

/// The lines that this server applied last, numbered in that order.
pub(crate) struct Held {
    /// Tells this run of this server from all others.
    run: u64,
    lines: Mutex<VecDeque<Revocation>>,
    /// How many lines were ever applied in this run: the number of the next one.
    applied: watch::Sender<u64>,
}

/// A part of what was taken back.
#[derive(Debug)]
pub struct Page {
    /// Where to go on: opaque, at most 200 characters of letters, digits and `.`.
    pub cursor: String,
    /// Whether there is more to read at once.
    pub more: bool,
    /// Whether the lines begin with everything that is live, because the reader is new or its cursor unknown.
    pub reset: bool,
    /// In no order.
    pub lines: Vec<Revocation>,
}

/// Where a reader is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    /// Which run of which server counted `applied`.
    run: u64,
    /// What that run had applied.
    applied: u64,
    /// The last line of the log that it had read, and when: for every other run.
    read: Mark,
    /// While the log is read in pages: from where, and the last line of the page before.
    pages: Option<(Mark, i64)>,
}

/// A place in the log. Lines with higher numbers are behind it, and so may be lines that were written at about that time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Mark {
    line: i64,
    at: i64,
}

const BEGINNING: Mark = Mark { line: 0, at: 0 };

impl Held {
    pub(crate) fn new() -> Result<Self> {
        let run = u64::from_be_bytes(secret::random()?);
        Ok(Self { run, lines: Mutex::default(), applied: watch::Sender::new(0) })
    }

    /// Holds a line that was news here.
    pub(crate) fn push(&self, line: Revocation) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == HELD {
            lines.pop_front();
        }
        lines.push_back(line);
        self.applied.send_modify(|applied| *applied += 1);
    }

    /// The lines from the number `from` on, one page at most, and the number of the next; `None` if they are not held
    /// any more.
    fn since(&self, from: u64) -> Option<(Vec<Revocation>, u64)> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let applied = *self.applied.borrow();
        let back = usize::try_from(applied.checked_sub(from)?).ok()?;
        let skip = lines.len().checked_sub(back)?;
        let page: Vec<Revocation> = lines.iter().skip(skip).take(PAGE).copied().collect();
        let next = from + page.len() as u64;
        Some((page, next))
    }
}

/// Tells when this server has applied something: the count grows with every line.
pub fn watch(hallpass: &Hallpass) -> watch::Receiver<u64> {
    hallpass.0.held.applied.subscribe()
}

/// What is new for a reader with this cursor; for one without, everything that is live.
///
/// # Errors
/// [`crate::Code::Unavailable`] if this server is not up to date with the log itself, or the database does not answer.
pub async fn read(hallpass: &Hallpass, ctx: &Ctx, since: Option<&str>) -> Result<Page> {
    revocation::demand_news(hallpass, ctx.now)?;
    let held = &hallpass.0.held;
    let known = since.and_then(Cursor::decode);
    let here = || Cursor {
        run: held.run,
        // Before anything is read: what is applied meanwhile comes twice rather than not at all.
        applied: *held.applied.borrow(),
        read: Mark {
            line: hallpass.0.last_line.load(Ordering::Relaxed),
            at: hallpass.0.followed_at.load(Ordering::Relaxed),
        },
        pages: None,
    };
    if let Some(cursor) = known.filter(|cursor| cursor.run == held.run && cursor.pages.is_none()) {
        let here = here();
        if let Some((lines, applied)) = held.since(cursor.applied) {
            let more = applied < here.applied;
            // In the middle of what is held no later place in the log may be claimed.
            let read = if more { cursor.read } else { here.read };
            return Ok(Page { cursor: Cursor { applied, read, ..here }.encode(), more, reset: false, lines });
        }
    }
    let (target, from, after, reset) = match known {
        Some(cursor @ Cursor { pages: Some((from, after)), .. }) => (cursor, from, after, false),
        Some(cursor) => (here(), cursor.read, 0, false),
        None => (here(), BEGINNING, 0, true),
    };
    let limit = i64::try_from(PAGE).unwrap_or(i64::MAX);
    let written = revocation::overlap(from.at);
    let mut reader = hallpass.0.db.read().await?;
    let page = store::revocations::page(reader.conn(), from.line, written, after, ctx.now, limit).await?;
    let more = page.len() == PAGE;
    let last = page.last().map_or(after, |(number, _)| *number);
    let pages = more.then_some((from, last));
    let lines = page.into_iter().map(|(_, line)| line).collect();
    Ok(Page { cursor: Cursor { pages, ..target }.encode(), more, reset, lines })
}

/// Whether a reader with this cursor has read everything that this server has applied.
pub fn is_newest(hallpass: &Hallpass, cursor: &str) -> bool {
    let held = &hallpass.0.held;
    Cursor::decode(cursor).is_some_and(|cursor| {
        cursor.run == held.run && cursor.pages.is_none() && cursor.applied == *held.applied.borrow()
    })
}

impl Cursor {
    fn encode(self) -> String {
        let Self { run, applied, read, pages } = self;
        let mut text = format!("{run:x}.{applied}.{}.{}", read.line, read.at);
        if let Some((from, after)) = pages {
            text += &format!(".{}.{}.{after}", from.line, from.at);
        }
        text
    }

    fn decode(text: &str) -> Option<Self> {
        if text.len() > 200 {
            return None;
        }
        let mut parts = text.split('.');
        let run = u64::from_str_radix(parts.next()?, 16).ok()?;
        let applied = parts.next()?.parse().ok()?;
        let mut numbers = Vec::new();
        for part in parts {
            numbers.push(part.parse::<i64>().ok().filter(|number| *number >= 0)?);
        }
        let (read, pages) = match *numbers {
            [line, at] => (Mark { line, at }, None),
            [line, at, from_line, from_at, after] => {
                (Mark { line, at }, Some((Mark { line: from_line, at: from_at }, after)))
            }
            _ => return None,
        };
        Some(Self { run, applied, read, pages })
    }
}

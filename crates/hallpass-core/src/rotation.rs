//! Which answer a refresh secret gets: the one place that decides whether it is kept or rotated, or the session ends.
//! It reads no clock and no database and never changes anything: the caller carries out what it decides.
//!
//! A session hands out *generations* of its secret, numbered from 0. A client presents generation `g`; the *window*
//! follows each rotation and is at least twice as long as any client waits for an answer.
//!
//! | presented | window | answer | row afterwards |
//! |---|---|---|---|
//! | `first_child <= g <= generation` | open | the client has its successor already: it keeps `g` | unchanged |
//! | `first_child <= g <= generation` | over | `g` arrived: confirm it and issue `generation + 1` | parent = g; first_child = generation = generation + 1; rotated_at = now |
//! | `g == parent` | open | the newest successor again, byte for byte: a second tab, or a request sent twice | rotated_at = now |
//! | `g == parent` | over | the answer was lost: issue `generation + 1` as one more successor; the one that is used first lives | generation + 1; rotated_at = now |
//! | `g > generation` | - | the database fell back to an older copy: confirm `g` and issue `g + 1` | parent = g; first_child = generation = g + 1; rotated_at = now |
//! | anything else | - | reuse: somebody holds a secret that was replaced | the session ends |
//!
//! The third row restarts the window because the answer that it repeats starts a new crossing: the client may send `g`
//! once more until that answer arrives, and the successor as soon as it has. Were the window left as it was, a retry
//! just before its end, a successor confirmed just after it and a `g` that was still under way would sign an honest
//! client out.
//!
//! The promise: without a thief no history ends a session, however many tabs, retries, lost or reordered answers it has
//! and though the database falls back once, as long as a client gives up on a request in less than half a window. Once
//! two people hold different successors, the session ends at the latest when the second one is used after the window.
//! Two who always refresh within a window of each other stay in step: that is its price, and a window of 0 is without it.
//!
//! The window is open while now and `rotated_at` are less than a window apart, whichever is later. So a clock that is
//! a little behind the one that wrote the row (another node, a step back) still finds the window of that rotation
//! open; and a row that claims to be from the far future, because a clock was wrong when it was written, does not hold
//! its window open until then. A window of 0 is never open.
//!
//! The tests beside this file explore these rules exhaustively, over this very function, and show that each is needed.

/// What a session's row says about its refresh secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rotation {
    /// The newest generation issued.
    pub generation: i64,
    /// The last generation that a client proved to hold by using it; -1 while there is none.
    pub parent: i64,
    /// The oldest successor of `parent`.
    pub first_child: i64,
    /// When the newest generation was last issued, in seconds since 1970.
    pub rotated_at: i64,
}

impl Rotation {
    /// The row of a new session: generation 0 is issued and its window is over, so that its first use rotates it.
    pub fn new() -> Self {
        Self { generation: 0, parent: -1, first_child: 0, rotated_at: 0 }
    }
}

impl Default for Rotation {
    fn default() -> Self {
        Self::new()
    }
}

/// What to do with a refresh secret whose MAC is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Leave the row as it is and answer with this generation.
    Keep {
        /// The generation to answer with.
        generation: i64,
    },
    /// Write this row and answer with its newest generation, which may be the one that it had.
    Rotate {
        /// The row to write.
        next: Rotation,
    },
    /// End the session: the secret was replaced, and yet somebody uses it.
    Reuse,
}

/// Decides what becomes of the session in `row` when generation `presented` is used at `now`; `window` is in seconds.
///
/// A generation that has no successor within 64 bits was never issued, so it is reuse.
pub fn decide(row: Rotation, presented: i64, now: i64, window: i64) -> Decision {
    let Rotation { generation, parent, first_child, rotated_at } = row;
    let open = u64::try_from(window).is_ok_and(|window| now.abs_diff(rotated_at) < window);
    let confirm = |newest: i64| match newest.checked_add(1) {
        Some(next) => Decision::Rotate {
            next: Rotation { generation: next, parent: presented, first_child: next, rotated_at: now },
        },
        None => Decision::Reuse,
    };

    if presented < 0 {
        // -1 stands for "no parent yet" and is no generation.
        Decision::Reuse
    } else if presented > generation {
        confirm(presented)
    } else if presented >= first_child {
        if open { Decision::Keep { generation: presented } } else { confirm(generation) }
    } else if presented == parent {
        match generation.checked_add(1) {
            _ if open && now > rotated_at => Decision::Rotate { next: Rotation { rotated_at: now, ..row } },
            _ if open => Decision::Keep { generation },
            Some(next) => Decision::Rotate { next: Rotation { generation: next, rotated_at: now, ..row } },
            None => Decision::Reuse,
        }
    } else {
        Decision::Reuse
    }
}

#[cfg(test)]
mod model;
#[cfg(test)]
mod tests;

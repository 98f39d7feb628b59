//! Honest histories: one cookie jar, up to three requests under way, messages lost, late and reordered, a database that
//! falls back. There is no thief here, so that nothing may end the session.

use super::{Explored, Row, Rule, WINDOW, explore, small};

/// What travels between a client and the server, and the seconds since the client sent its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Message {
    Request { presents: i8, age: i8 },
    Answer { brings: i8, age: i8 },
}

impl Message {
    fn aged(self, seconds: i64) -> Self {
        match self {
            Self::Request { presents, age } => Self::Request { presents, age: age + small(seconds) },
            Self::Answer { brings, age } => Self::Answer { brings, age: age + small(seconds) },
        }
    }

    fn age(self) -> i64 {
        let (Self::Request { age, .. } | Self::Answer { age, .. }) = self;
        age.into()
    }
}

/// A copy of the database that it can fall back to, once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Copied {
    NotYet,
    Row(Row),
    Restored,
}

/// Honest people only: the session's row, one cookie jar, and messages under way, in no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Honest {
    row: Row,
    ended: bool,
    jar: i8,
    under_way: [Option<Message>; 3],
    copy: Copied,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "the numbers are there to be printed in a history")]
enum Step {
    Send(i8),
    RequestLost(i8),
    Serve { presented: i8, answer: Option<i8> },
    AnswerLost(i8),
    AnswerArrives(i8),
    TimePasses,
    CopyTaken,
    DatabaseFallsBack,
}

/// How far the histories go, and what the network may do in them.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) steps: usize,
    /// Seconds by which time moves on in one step.
    pub(super) tick: i64,
    /// Seconds that may pass, in whole ticks, between a request and its answer: less than one tick more in real time.
    pub(super) patience: i64,
}

/// What the table promises: a client gives up on a request in less than half a window.
pub(super) const PROMISED: Bounds = Bounds { steps: 40, tick: WINDOW / 4, patience: WINDOW / 4 };

/// Looks for an honest history that ends the session.
pub(super) fn explored(rule: Rule<'_>, bounds: Bounds) -> Explored {
    let start = Honest { row: Row::new(), ended: false, jar: 0, under_way: [None; 3], copy: Copied::NotYet };
    explore(start, bounds.steps, |state, following| state.following(rule, bounds, following), |state| state.ended)
}

impl Honest {
    fn following(self, rule: Rule<'_>, bounds: Bounds, following: &mut Vec<(Step, Self)>) {
        let mut add = |step, mut state: Self| {
            state.under_way.sort_unstable();
            following.push((step, state));
        };
        let with = |place: usize, message| {
            let mut under_way = self.under_way;
            under_way[place] = message;
            Self { under_way, ..self }
        };
        if let Some(free) = self.under_way.iter().position(Option::is_none) {
            add(Step::Send(self.jar), with(free, Some(Message::Request { presents: self.jar, age: 0 })));
        }
        for place in 0..self.under_way.len() {
            match self.under_way[place] {
                None => {}
                Some(Message::Request { presents, age }) => {
                    add(Step::RequestLost(presents), with(place, None));
                    let served = self.row.serve(rule, presents);
                    let step = Step::Serve { presented: presents, answer: served.map(|(_, answer)| answer) };
                    add(
                        step,
                        match served {
                            Some((row, brings)) => Self { row, ..with(place, Some(Message::Answer { brings, age })) },
                            None => Self { ended: true, ..with(place, None) },
                        },
                    );
                }
                Some(Message::Answer { brings, .. }) => {
                    add(Step::AnswerLost(brings), with(place, None));
                    add(Step::AnswerArrives(brings), Self { jar: brings, ..with(place, None) });
                }
            }
        }
        if self.under_way.iter().flatten().all(|message| message.age() + bounds.tick <= bounds.patience) {
            add(
                Step::TimePasses,
                Self {
                    row: self.row.aged(bounds.tick),
                    under_way: self.under_way.map(|message| message.map(|message| message.aged(bounds.tick))),
                    copy: if let Copied::Row(row) = self.copy { Copied::Row(row.aged(bounds.tick)) } else { self.copy },
                    ..self
                },
            );
        }
        let quiet = self.under_way.iter().all(Option::is_none);
        match self.copy {
            Copied::NotYet => {
                add(Step::CopyTaken, Self { copy: Copied::Row(self.row), ..self });
            }
            Copied::Row(row) if quiet => {
                add(Step::DatabaseFallsBack, Self { row, copy: Copied::Restored, ..self });
            }
            _ => {}
        }
    }
}

//! Histories of an owner and a thief who took a copy of the owner's secret; nothing else goes wrong in them.
//! They refresh one after the other, so that what is found is owed to the rules and not to the network.

use super::{Explored, Row, Rule, WINDOW, explore};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Who {
    Owner,
    Thief,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "who it was is there to be printed in a history")]
enum Step {
    Refresh(Who),
    RefreshAndKeepTheOldSecret(Who),
    Steal,
    HalfAWindowPasses,
}

/// Two holders who may part: each used a successor of his own since, or did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Parted {
    row: Row,
    owner: i8,
    thief: Option<i8>,
    owner_used: bool,
    thief_used: bool,
}

impl Parted {
    fn refresh(self, rule: Rule<'_>, who: Who, takes_the_answer: bool) -> Option<Self> {
        let held = match who {
            Who::Owner => self.owner,
            Who::Thief => self.thief?,
        };
        let (row, answer) = self.row.serve(rule, held)?;
        let mut after = Self { row, ..self };
        if self.thief.is_some_and(|thief| thief != self.owner) && self.row.confirmed_by(rule, held).is_some() {
            match who {
                Who::Owner => after.owner_used = true,
                Who::Thief => after.thief_used = true,
            }
        }
        if takes_the_answer {
            match who {
                Who::Owner => after.owner = answer,
                Who::Thief => after.thief = Some(answer),
            }
        }
        if after.thief == Some(after.owner) {
            (after.owner_used, after.thief_used) = (false, false);
        }
        Some(after)
    }
}

/// Looks for a history in which both use successors of their own after they parted, and the session still lives.
pub(super) fn parted(rule: Rule<'_>) -> Explored {
    let start = Parted { row: Row::new(), owner: 0, thief: None, owner_used: false, thief_used: false };
    explore(
        start,
        24,
        |state, following| {
            for who in [Who::Owner, Who::Thief] {
                let refreshed = state.refresh(rule, who, true).map(|after| (Step::Refresh(who), after));
                let kept = state.refresh(rule, who, false).map(|after| (Step::RefreshAndKeepTheOldSecret(who), after));
                following.extend(refreshed.into_iter().chain(kept));
            }
            if state.thief.is_none() {
                following.push((Step::Steal, Parted { thief: Some(state.owner), ..state }));
            }
            following.push((Step::HalfAWindowPasses, Parted { row: state.row.aged(WINDOW / 2), ..state }));
        },
        |state| state.owner_used && state.thief_used,
    )
}

/// Two holders of one secret who never refresh within a window of each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Turns {
    row: Row,
    owner: i8,
    thief: i8,
    last: Option<Who>,
    /// How often the turn went to the other; after three changes both are at their second turn.
    changes: u8,
}

/// What both hold at the beginning: the secret of a new session.
pub(super) const FIRST_SECRET: i8 = 0;
/// What both hold at the beginning: a secret that the row knows nothing of, because the database fell back.
pub(super) const SECRET_NEWER_THAN_THE_ROW: i8 = 3;

/// Looks for a history in which both come to a second turn, a window apart each time, and the session still lives.
pub(super) fn taking_turns(rule: Rule<'_>, held: i8) -> Explored {
    let start = Turns { row: Row::new(), owner: held, thief: held, last: None, changes: 0 };
    explore(
        start,
        8,
        |state, following| {
            for who in [Who::Owner, Who::Thief] {
                let change = state.last.is_some_and(|last| last != who);
                let row = if change { state.row.aged(WINDOW) } else { state.row };
                let held = if who == Who::Owner { state.owner } else { state.thief };
                let Some((row, answer)) = row.serve(rule, held) else { continue };
                let mut after = Turns { row, last: Some(who), changes: state.changes + u8::from(change), ..state };
                match who {
                    Who::Owner => after.owner = answer,
                    Who::Thief => after.thief = answer,
                }
                following.push((Step::Refresh(who), after));
            }
            following.push((Step::HalfAWindowPasses, Turns { row: state.row.aged(WINDOW / 2), ..state }));
        },
        |state| state.changes == 3,
    )
}

//! Which secrets are alive, whoever holds them: in these histories any secret that was issued may be used at any time.
//! It knows of no clients and no network, only of the row and of whose successor each secret is.

use super::{Explored, Row, Rule, WINDOW, explore};

/// Steps of the longest history, and with them the secrets that can be issued.
const STEPS: usize = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Family {
    row: Row,
    /// For which secret each was issued; -1 for the first.
    mothers: [i8; STEPS + 1],
    /// A secret was used after the window, and one of its siblings or ancestors outlived that.
    outlived: bool,
    /// A secret died though none of its siblings was used.
    died_unused: bool,
}

#[derive(Debug, Clone, Copy)]
#[expect(dead_code, reason = "the number is there to be printed in a history")]
enum Step {
    Use(i8),
    HalfAWindowPasses,
}

/// Looks for a history after which two secrets have live successors, or in which one lives or dies against the rule.
pub(super) fn explored(rule: Rule<'_>) -> Explored {
    let start = Family { row: Row::new(), mothers: [-1; STEPS + 1], outlived: false, died_unused: false };
    explore(
        start,
        STEPS,
        |state, following| {
            following.extend((0..=state.row.generation).filter_map(|secret| state.with_use_of(rule, secret)));
            following.push((Step::HalfAWindowPasses, Family { row: state.row.aged(WINDOW / 2), ..state }));
        },
        |state| state.outlived || state.died_unused || state.mothers_of_live_successors(rule) > 1,
    )
}

impl Family {
    fn with_use_of(self, rule: Rule<'_>, secret: i8) -> Option<(Step, Self)> {
        let (row, answer) = self.row.serve(rule, secret)?;
        let mut after = Self { row, ..self };
        if answer > self.row.generation {
            after.mothers[usize::try_from(answer).expect("generations start at 0")] = secret;
        }
        let alive = |row: Row, other| row.serve(rule, other).is_some();
        let mut others = (0..=self.row.generation).filter(|other| *other != secret);
        if self.row.is_window_over() && self.is_successor(rule, secret) {
            after.outlived = others.any(|other| alive(row, other) || alive(row.aged(WINDOW), other));
        } else {
            after.died_unused = others.any(|other| alive(self.row, other) && !alive(row, other));
        }
        Some((Step::Use(secret), after))
    }

    /// Whether `secret` is alive and not the parent: using it after the window puts it in the parent's place.
    fn is_successor(self, rule: Rule<'_>, secret: i8) -> bool {
        secret != self.row.parent && self.row.aged(WINDOW).serve(rule, secret).is_some()
    }

    fn mothers_of_live_successors(self, rule: Rule<'_>) -> usize {
        let mut mothers: Vec<i8> = (0..=self.row.generation)
            .zip(self.mothers)
            .filter_map(|(secret, mother)| self.is_successor(rule, secret).then_some(mother))
            .collect();
        mothers.sort_unstable();
        mothers.dedup();
        mothers.len()
    }
}

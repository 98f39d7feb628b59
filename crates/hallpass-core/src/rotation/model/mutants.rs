//! Each rule of the table taken away in turn, and the property that does not survive it.
//! A rule whose absence nothing noticed would be one that nobody needs, or a model that is blind.

use super::{
    super::{Decision, Rotation, decide},
    Property::{self, HonestClientsStaySignedIn, OneSuccessorLives, TheftIsNoticed},
};
use Decision::{Keep, Reuse, Rotate};
use Presented::{Newer, Parent, Replaced, Successor};

/// What the table says of a presented secret: its first column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presented {
    Successor,
    Parent,
    Newer,
    Replaced,
}

impl Presented {
    fn of(row: Rotation, presented: i64) -> Self {
        match presented {
            newer if newer > row.generation => Newer,
            successor if successor >= row.first_child => Successor,
            parent if parent == row.parent => Parent,
            _ => Replaced,
        }
    }
}

/// The table with one of its rows replaced.
struct Mutant {
    name: &'static str,
    presented: Presented,
    /// Only with the window open or only with it over; none: either.
    open: Option<bool>,
    /// What is decided instead, from the row, the presented secret and the time.
    instead: fn(Rotation, i64, i64) -> Decision,
    breaks: Property,
}

impl Mutant {
    fn decide(&self, row: Rotation, presented: i64, now: i64, window: i64) -> Decision {
        let open = now - row.rotated_at < window;
        if self.presented == Presented::of(row, presented) && self.open.is_none_or(|only| only == open) {
            (self.instead)(row, presented, now)
        } else {
            decide(row, presented, now, window)
        }
    }
}

/// The row after `parent` was confirmed and `next` issued for it.
fn confirmed(parent: i64, next: i64, now: i64) -> Rotation {
    Rotation { generation: next, parent, first_child: next, rotated_at: now }
}

const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "a successor rotates again within the window",
        presented: Successor,
        open: Some(true),
        instead: |row, g, now| Rotate { next: confirmed(g, row.generation + 1, now) },
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "a successor is reuse within the window",
        presented: Successor,
        open: Some(true),
        instead: |_, _, _| Reuse,
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "a successor never rotates",
        presented: Successor,
        open: None,
        instead: |_, g, _| Keep { generation: g },
        breaks: TheftIsNoticed,
    },
    Mutant {
        name: "the use of a successor leaves its siblings alive",
        presented: Successor,
        open: Some(false),
        instead: |row, g, now| Rotate {
            next: Rotation { first_child: row.first_child, ..confirmed(g, row.generation + 1, now) },
        },
        breaks: OneSuccessorLives,
    },
    Mutant {
        name: "the use of a successor leaves its parent alive",
        presented: Successor,
        open: Some(false),
        instead: |row, g, now| {
            let parent = if row.parent < 0 { g } else { row.parent };
            Rotate { next: Rotation { parent, ..confirmed(g, row.generation + 1, now) } }
        },
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "the use of a successor opens no window",
        presented: Successor,
        open: Some(false),
        instead: |row, g, _| Rotate { next: confirmed(g, row.generation + 1, row.rotated_at) },
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "the parent brings another successor within the window",
        presented: Parent,
        open: Some(true),
        instead: |row, _, now| Rotate { next: Rotation { generation: row.generation + 1, rotated_at: now, ..row } },
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "the parent is reuse within the window",
        presented: Parent,
        open: Some(true),
        instead: |_, _, _| Reuse,
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "a repeated answer does not restart the window",
        presented: Parent,
        open: Some(true),
        instead: |row, _, _| Keep { generation: row.generation },
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "the parent is reuse after the window",
        presented: Parent,
        open: Some(false),
        instead: |_, _, _| Reuse,
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "the parent brings the same successor for ever",
        presented: Parent,
        open: None,
        instead: |row, _, now| Rotate { next: Rotation { rotated_at: now, ..row } },
        breaks: TheftIsNoticed,
    },
    Mutant {
        name: "a second successor kills the first before either is used",
        presented: Parent,
        open: Some(false),
        instead: |row, g, now| Rotate { next: confirmed(g, row.generation + 1, now) },
        breaks: OneSuccessorLives,
    },
    Mutant {
        name: "a second successor opens no window",
        presented: Parent,
        open: Some(false),
        instead: |row, _, _| Rotate { next: Rotation { generation: row.generation + 1, ..row } },
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "a secret newer than the row is reuse",
        presented: Newer,
        open: None,
        instead: |_, _, _| Reuse,
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "a secret newer than the row is kept as it is",
        presented: Newer,
        open: None,
        instead: |_, g, _| Keep { generation: g },
        breaks: TheftIsNoticed,
    },
    Mutant {
        name: "after a fall back the row goes on counting where it was",
        presented: Newer,
        open: None,
        instead: |row, g, now| Rotate { next: confirmed(g, row.generation + 1, now) },
        breaks: HonestClientsStaySignedIn,
    },
    Mutant {
        name: "a replaced secret is tolerated",
        presented: Replaced,
        open: None,
        instead: |row, _, _| Keep { generation: row.generation },
        breaks: TheftIsNoticed,
    },
];

#[test]
fn each_rule_taken_away_breaks_a_property() {
    for mutant in MUTANTS {
        let rule = |row, presented, now, window| mutant.decide(row, presented, now, window);
        let broken = mutant.breaks.explore(&rule).into_iter().find_map(|(explored, _)| explored.broken);
        println!("{}: {:?}: {:?}", mutant.name, mutant.breaks, broken);
        assert!(broken.is_some(), "{}: {:?} holds without this rule", mutant.name, mutant.breaks);
    }
}

//! The rotation rules explored exhaustively: every history of a few steps, over the very function that runs.
//! It never samples: a property that holds here holds for all histories within the bounds.

use std::{
    collections::{HashMap, VecDeque},
    fmt::Debug,
    hash::Hash,
};

use super::{Decision, Rotation, decide};

mod honest;
mod mutants;
mod successors;
mod theft;

/// A decision function: ours, or one with a rule taken away.
type Rule<'a> = &'a dyn Fn(Rotation, i64, i64, i64) -> Decision;

/// Seconds of the window in the model.
const WINDOW: i64 = 12;

/// The moment at which every step takes place; time passes by making all else older.
const NOW: i64 = 1_000_000;

/// A session's row, small enough to keep millions; `age` is the seconds since the rotation, at most a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Row {
    generation: i8,
    parent: i8,
    first_child: i8,
    age: i8,
}

impl Row {
    fn new() -> Self {
        Rotation::new().into()
    }

    fn aged(self, seconds: i64) -> Self {
        Self { age: small((i64::from(self.age) + seconds).min(WINDOW)), ..self }
    }

    fn is_window_over(self) -> bool {
        i64::from(self.age) == WINDOW
    }

    /// The row and the answer after `presented` was used; none if that ended the session.
    fn serve(self, rule: Rule<'_>, presented: i8) -> Option<(Self, i8)> {
        let row = Rotation {
            generation: self.generation.into(),
            parent: self.parent.into(),
            first_child: self.first_child.into(),
            rotated_at: NOW - i64::from(self.age),
        };
        match rule(row, presented.into(), NOW, WINDOW) {
            Decision::Keep { generation } => Some((self, small(generation))),
            Decision::Rotate { next } => Some((next.into(), small(next.generation))),
            Decision::Reuse => None,
        }
    }

    /// The row after `presented` was used, if that proved that its holder has it and put it in the parent's place.
    fn confirmed_by(self, rule: Rule<'_>, presented: i8) -> Option<Self> {
        let (after, _) = self.serve(rule, presented)?;
        (after.parent == presented && self.parent != presented).then_some(after)
    }
}

impl From<Rotation> for Row {
    fn from(row: Rotation) -> Self {
        Self {
            generation: small(row.generation),
            parent: small(row.parent),
            first_child: small(row.first_child),
            age: small((NOW - row.rotated_at).min(WINDOW)),
        }
    }
}

fn small(number: i64) -> i8 {
    i8::try_from(number).expect("histories are too short for more")
}

/// What an exploration saw.
struct Explored {
    states: usize,
    /// The shortest history that breaks the property.
    broken: Option<String>,
}

/// Visits every state that at most `steps` steps reach, nearest first, until one is `broken`.
fn explore<State: Copy + Eq + Hash, Step: Copy + Debug>(
    start: State,
    steps: usize,
    next: impl Fn(State, &mut Vec<(Step, State)>),
    broken: impl Fn(State) -> bool,
) -> Explored {
    let mut came_from = HashMap::from([(start, None)]);
    let mut queue = VecDeque::from([(start, 0)]);
    let mut following = Vec::new();
    while let Some((state, depth)) = queue.pop_front() {
        if broken(state) {
            return Explored { states: came_from.len(), broken: Some(history(&came_from, state)) };
        }
        if depth == steps {
            continue;
        }
        next(state, &mut following);
        for (step, after) in following.drain(..) {
            came_from.entry(after).or_insert_with(|| {
                queue.push_back((after, depth + 1));
                Some((step, state))
            });
        }
    }
    Explored { states: came_from.len(), broken: None }
}

fn history<State: Copy + Eq + Hash, Step: Copy + Debug>(
    came_from: &HashMap<State, Option<(Step, State)>>,
    mut state: State,
) -> String {
    let mut steps = Vec::new();
    while let Some(Some((step, before))) = came_from.get(&state) {
        steps.push(format!("{step:?}"));
        state = *before;
    }
    steps.reverse();
    steps.join(", ")
}

/// The three properties, each as a search for a history that breaks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Property {
    /// Without a thief, nobody is signed out.
    HonestClientsStaySignedIn,
    /// Once a thief and the owner hold different successors, the session ends when the second of them is used.
    TheftIsNoticed,
    /// At most one secret has live successors; using one of them after the window kills the others, and only that does.
    OneSuccessorLives,
}

impl Property {
    /// The explorations of this property, with the number of states below which one would not be worth its name.
    fn explore(self, rule: Rule<'_>) -> Vec<(Explored, usize)> {
        match self {
            Self::HonestClientsStaySignedIn => vec![(honest::explored(rule, honest::PROMISED), 50_000)],
            Self::TheftIsNoticed => vec![
                (theft::parted(rule), 2_000),
                (theft::taking_turns(rule, theft::FIRST_SECRET), 20),
                (theft::taking_turns(rule, theft::SECRET_NEWER_THAN_THE_ROW), 20),
            ],
            Self::OneSuccessorLives => vec![(successors::explored(rule), 2_000)],
        }
    }
}

fn holds(property: Property) {
    for (explored, at_least) in property.explore(&decide) {
        assert_eq!(explored.broken, None, "{property:?}");
        assert!(explored.states > at_least, "{property:?}: only {} states", explored.states);
        println!("{property:?}: {} states", explored.states);
    }
}

#[test]
fn no_history_without_a_thief_ends_a_session() {
    holds(Property::HonestClientsStaySignedIn);
}

#[test]
fn a_thief_and_the_owner_never_both_use_successors_of_their_own() {
    holds(Property::TheftIsNoticed);
}

#[test]
fn one_secret_has_live_successors_and_they_die_when_one_of_them_is_used() {
    holds(Property::OneSuccessorLives);
}

#[test]
fn a_client_that_waits_for_half_a_window_can_be_signed_out() {
    // The promise names this bound, so the model has to know why.
    let patient = honest::Bounds { patience: WINDOW / 2, ..honest::PROMISED };
    assert!(honest::explored(&decide, patient).broken.is_some());
}

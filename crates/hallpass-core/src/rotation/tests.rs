use proptest::prelude::*;

use super::{
    Decision::{self, Keep, Reuse, Rotate},
    Rotation, decide,
};

const NOW: i64 = 1_790_000_000;
const WINDOW: i64 = 20;

/// A session in the middle of its life: 4 was used, 5 and 6 were issued for it.
fn row(rotated_at: i64) -> Rotation {
    Rotation { generation: 6, parent: 4, first_child: 5, rotated_at }
}

fn open(presented: i64) -> Decision {
    decide(row(NOW - WINDOW + 1), presented, NOW, WINDOW)
}

fn over(presented: i64) -> Decision {
    decide(row(NOW - WINDOW), presented, NOW, WINDOW)
}

#[test]
fn the_first_use_of_a_new_session_rotates_it() {
    let next = Rotation { generation: 1, parent: 0, first_child: 1, rotated_at: NOW };
    assert_eq!(decide(Rotation::new(), 0, NOW, WINDOW), Rotate { next });
    assert_eq!(decide(Rotation::new(), 0, NOW, 0), Rotate { next });
}

#[test]
fn a_successor_is_kept_within_the_window() {
    assert_eq!(open(5), Keep { generation: 5 });
    assert_eq!(open(6), Keep { generation: 6 });
}

#[test]
fn a_successor_rotates_after_the_window_and_its_siblings_and_the_parent_die() {
    for successor in [5, 6] {
        let next = Rotation { generation: 7, parent: successor, first_child: 7, rotated_at: NOW };
        assert_eq!(over(successor), Rotate { next });
        for other in (0..=6).filter(|other| *other != successor) {
            assert_eq!(decide(next, other, NOW, WINDOW), Reuse, "{other}");
        }
    }
}

#[test]
fn the_parent_brings_the_newest_successor_again_within_the_window_and_restarts_it() {
    let next = row(NOW);
    assert_eq!(open(4), Rotate { next });
    assert_eq!(next.generation, 6);
    assert_eq!(decide(next, 4, NOW, WINDOW), Keep { generation: 6 }, "twice in a second needs no second write");
}

#[test]
fn the_parent_brings_one_more_successor_after_the_window_and_the_first_lives_on() {
    let next = Rotation { generation: 7, ..row(NOW) };
    assert_eq!(over(4), Rotate { next });
    assert_eq!(decide(next, 5, NOW, WINDOW), Keep { generation: 5 });
}

#[test]
fn a_secret_newer_than_the_row_is_confirmed_because_the_database_fell_back() {
    let next = Rotation { generation: 10, parent: 9, first_child: 10, rotated_at: NOW };
    assert_eq!(open(9), Rotate { next });
    assert_eq!(over(9), Rotate { next });
}

#[test]
fn a_replaced_secret_is_reuse() {
    for replaced in 0..4 {
        assert_eq!(open(replaced), Reuse);
        assert_eq!(over(replaced), Reuse);
    }
}

#[test]
fn the_mark_of_a_missing_parent_is_no_secret() {
    assert_eq!(decide(Rotation::new(), -1, NOW, WINDOW), Reuse);
    assert_eq!(decide(Rotation { rotated_at: NOW, ..Rotation::new() }, -1, NOW, WINDOW), Reuse);
}

#[test]
fn a_window_of_zero_is_never_open() {
    let row = row(NOW);
    assert!(matches!(decide(row, 5, NOW, 0), Rotate { next } if next.generation == 7));
    assert!(matches!(decide(row, 4, NOW, 0), Rotate { next } if next.generation == 7));
}

#[test]
fn a_clock_that_is_a_little_behind_finds_the_window_open_and_does_not_turn_it_back() {
    let row = row(NOW);
    assert_eq!(decide(row, 5, NOW - WINDOW + 1, WINDOW), Keep { generation: 5 });
    assert_eq!(decide(row, 4, NOW - WINDOW + 1, WINDOW), Keep { generation: 6 });
}

#[test]
fn a_row_from_the_far_future_does_not_hold_its_window_open_until_then() {
    let next = Rotation { generation: 7, parent: 5, first_child: 7, rotated_at: NOW };
    assert_eq!(decide(row(NOW + 365 * 86_400), 5, NOW, WINDOW), Rotate { next });
}

#[test]
fn a_generation_without_a_successor_is_reuse() {
    assert_eq!(over(i64::MAX), Reuse);
    let last = Rotation { generation: i64::MAX, ..row(0) };
    assert_eq!(decide(last, 5, NOW, WINDOW), Reuse);
    assert_eq!(decide(last, 4, NOW, WINDOW), Reuse);
}

/// Numbers near each other, so that every row of the table is met, and numbers from everywhere.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -2..12_i64, 1 => any::<i64>(), 1 => Just(i64::MAX), 1 => Just(i64::MIN)]
}

fn any_row() -> impl Strategy<Value = Rotation> {
    (number(), number(), number(), number()).prop_map(|(generation, parent, first_child, rotated_at)| Rotation {
        generation,
        parent,
        first_child,
        rotated_at,
    })
}

proptest! {
    #[test]
    fn whatever_the_numbers_the_answer_is_a_secret_that_may_be_handed_out(
        row in any_row(), presented in number(), now in number(), window in number(),
    ) {
        match decide(row, presented, now, window) {
            Keep { generation } => prop_assert!(generation == presented || generation == row.generation),
            Rotate { next } => {
                prop_assert!(next != row, "a row that stays the same is not written");
                prop_assert!(next.generation >= row.generation, "a generation is never issued twice for two secrets");
                prop_assert!(next.parent == presented);
                prop_assert_eq!(next.rotated_at, now);
            }
            Reuse => {}
        }
    }

    #[test]
    fn without_a_window_nothing_is_ever_kept(row in any_row(), presented in number(), now in number()) {
        let kept = matches!(decide(row, presented, now, 0), Keep { .. });
        prop_assert!(!kept);
    }

    #[test]
    fn a_confirmed_secret_leaves_only_itself_and_its_successor_alive(
        row in any_row(), presented in number(), other in number(), now in number(), window in number(),
    ) {
        if let Rotate { next } = decide(row, presented, now, window)
            && next.parent != row.parent
            && other <= next.generation
        {
            let alive = decide(next, other, now, window) != Reuse;
            prop_assert!(!alive || other == next.parent || other == next.generation);
        }
    }
}

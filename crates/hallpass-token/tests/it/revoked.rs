//! The set of what was taken back: what is in it stays until nothing is left to concern.

use hallpass_token::{AccountId, Claims, Effect, Revocation, Revoked, SessionId};
use uuid::Uuid;

use crate::support::{NOW, claims};

fn ended(session: SessionId, forget_at: i64) -> Revocation {
    Revocation::Session { session, forget_at }
}

fn outdated(account: AccountId, below_version: i64, forget_at: i64) -> Revocation {
    Revocation::Account { account, below_version, forget_at }
}

#[test]
fn a_session_that_ended_stays_ended_until_it_can_be_forgotten() {
    let revoked = Revoked::new();
    assert_eq!(revoked.check(&claims()), None);
    revoked.apply(&ended(claims().sid, NOW + 300));
    revoked.forget(NOW + 299);
    assert_eq!(revoked.check(&claims()), Some(Effect::Ended));
    revoked.forget(NOW + 300);
    assert_eq!(revoked.check(&claims()), None);
    assert!(revoked.is_empty());
}

#[test]
fn a_revocation_can_come_twice_and_in_any_order() {
    let Claims { sub, sid, .. } = claims();
    let lines = [ended(sid, 10), ended(sid, 20), outdated(sub, 4, 20), outdated(sub, 9, 10), outdated(sub, 2, 30)];
    let forth = Revoked::new();
    let news = lines.iter().chain(&lines).filter(|line| forth.apply(line));
    assert_eq!(news.count(), lines.len(), "the second time none is news");
    let back = Revoked::new();
    let news = lines.iter().rev().filter(|line| back.apply(line));
    assert_eq!(news.count(), 3, "an earlier end and a lower version say nothing new");
    for revoked in [forth, back] {
        assert_eq!(revoked.len(), 2);
        revoked.forget(19);
        assert_eq!(revoked.check(&claims()), Some(Effect::Ended), "the later moment counts");
        revoked.forget(29);
        assert_eq!(
            revoked.check(&Claims { account_version: 8, ..claims() }),
            Some(Effect::Stale),
            "the higher version"
        );
        assert_eq!(revoked.check(&Claims { account_version: 9, ..claims() }), None);
        revoked.forget(30);
        assert!(revoked.is_empty());
    }
}

#[test]
fn nobody_elses_tokens_are_touched() {
    let revoked = Revoked::new();
    revoked.apply(&outdated(AccountId(8), i64::MAX, i64::MAX));
    revoked.apply(&ended(SessionId(Uuid::max()), i64::MAX));
    assert_eq!(revoked.check(&claims()), None);
}

#[test]
fn a_wave_of_revocations_is_all_kept_and_then_all_forgotten() {
    let revoked = Revoked::new();
    let session = |number: u128| SessionId(Uuid::from_u128(number));
    for number in 0..50_000 {
        revoked.apply(&ended(session(number), if number % 2 == 0 { 100 } else { 200 }));
    }
    assert_eq!(revoked.len(), 50_000);
    revoked.forget(100);
    assert_eq!(revoked.len(), 25_000);
    for number in 0..50_000 {
        let effect = revoked.check(&Claims { sid: session(number), ..claims() });
        assert_eq!(effect, (number % 2 == 1).then_some(Effect::Ended), "{number}");
    }
    revoked.forget(200);
    assert!(revoked.is_empty());
}

const MIB: u64 = 1 << 20;

#[test]
fn a_million_sessions_never_take_more_than_64_mib() {
    let revoked = Revoked::new();
    let counted = allocation_counter::measure(|| {
        for number in 0..1_000_000 {
            revoked.apply(&ended(SessionId(Uuid::from_u128(number)), NOW));
        }
        revoked.forget(NOW - 1);
    });
    assert_eq!(revoked.len(), 1_000_000);
    assert!(counted.bytes_max <= 64 * MIB, "{} bytes at most", counted.bytes_max);
    let given_back = allocation_counter::measure(|| revoked.forget(NOW));
    assert_eq!(counted.bytes_current + given_back.bytes_current, 0);
}

#[test]
fn as_many_that_come_and_go_for_long_take_no_more_than_at_first() {
    let revoked = Revoked::new();
    // At most 46,000 are live: four fifths of what there is room for.
    let come_and_go = |numbers: std::ops::Range<u32>| {
        for number in numbers {
            if number % 10_000 == 0 {
                revoked.forget(number.into());
            }
            revoked.apply(&ended(SessionId(Uuid::from_u128(number.into())), i64::from(number) + 36_000));
        }
    };
    let at_first = allocation_counter::measure(|| come_and_go(0..100_000));
    let later = allocation_counter::measure(|| come_and_go(100_000..400_000));
    assert_eq!(revoked.len(), 45_999);
    assert_eq!(later.bytes_current, 0, "beyond {} bytes", at_first.bytes_current);
}

#[test]
fn what_one_thread_applied_another_one_finds() {
    let revoked = Revoked::new();
    std::thread::scope(|threads| {
        for thread in 0..4_u128 {
            let revoked = &revoked;
            threads.spawn(move || {
                for number in 0..5_000 {
                    revoked.apply(&ended(SessionId(Uuid::from_u128(thread << 64 | number)), NOW + 1));
                    revoked.forget(NOW);
                }
            });
        }
    });
    assert_eq!(revoked.len(), 20_000);
}

//! What must hold for every token and every history, not only for the examples.

use std::{collections::HashMap, sync::LazyLock};

use hallpass_token::{AccountId, Algorithm, Claims, Effect, Revocation, Revoked, SessionId, SigningKey, TokenError};
use proptest::{collection::vec, option, prelude::*, sample::Index};
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::support::{AUDIENCE, NOW, claims, verifier};

static KEYS: LazyLock<Vec<SigningKey>> = LazyLock::new(|| {
    [Algorithm::ES256, Algorithm::EdDSA, Algorithm::HS256].map(|one| SigningKey::generate(one).unwrap()).into()
});

fn session() -> impl Strategy<Value = SessionId> {
    any::<u128>().prop_map(|bits| {
        // Version 7, variant of RFC 9562.
        SessionId(Uuid::from_u128((bits & !(0xf << 76) & !(0x3 << 62)) | 0x7 << 76 | 0x2 << 62))
    })
}

fn extra() -> impl Strategy<Value = Map<String, Value>> {
    let value = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,20}".prop_map(Value::from),
        vec(".{0,5}", 0..3).prop_map(Value::from),
    ];
    vec(("x_.{0,8}", value), 0..4).prop_map(|members| members.into_iter().collect())
}

fn any_claims() -> impl Strategy<Value = Claims> {
    let people = (1..=i64::MAX, session(), any::<i64>(), ".{0,20}", ".{0,30}");
    let times = (0..60_i64, 10..3_000_i64, 0..1_000_000_000_i64, option::of(0..1_000_i64));
    (people, times, vec(".{0,10}", 0..4), vec(".{0,10}", 0..4), vec(".{1,20}", 0..3), extra()).prop_map(
        |((sub, sid, account_version, jti, client_id), (age, rest, since, nbf), amr, roles, aud, extra)| Claims {
            sub: AccountId(sub),
            sid,
            account_version,
            jti,
            client_id,
            iat: NOW - age,
            exp: NOW + rest,
            auth_time: NOW - since,
            nbf: nbf.map(|before| NOW - before),
            amr,
            roles,
            aud: aud.into_iter().chain([AUDIENCE.to_owned()]).collect(),
            extra,
            ..claims()
        },
    )
}

proptest! {
    #[test]
    fn claims_come_back_as_they_went(claims in any_claims(), which in 0..3_usize) {
        let key = &KEYS[which];
        let token = key.sign(&claims).unwrap();
        let verifier = verifier(key);
        prop_assert_eq!(&*verifier.verify(&token, NOW).unwrap(), &claims);
        prop_assert_eq!(&*verifier.verify(&token, NOW).unwrap(), &claims);
    }

    #[test]
    fn a_token_with_one_other_byte_is_refused(at in any::<Index>(), byte in 0..128_u8, which in 0..3_usize) {
        let key = &KEYS[which];
        let verifier = verifier(key);
        let token = key.sign(&claims()).unwrap();
        prop_assert!(verifier.verify(&token, NOW).is_ok());
        let mut changed = token.clone().into_bytes();
        let at = at.index(changed.len());
        prop_assume!(changed[at] != byte);
        changed[at] = byte;
        let answer = verifier.verify(&String::from_utf8(changed).unwrap(), NOW);
        prop_assert!(matches!(answer, Err(TokenError::Invalid(_))), "{:?}", answer);
    }

    #[test]
    fn a_token_with_one_byte_more_or_less_is_refused(at in any::<Index>(), which in 0..3_usize) {
        let key = &KEYS[which];
        let verifier = verifier(key);
        let token = key.sign(&claims()).unwrap();
        let at = at.index(token.len());
        let (mut shorter, mut longer) = (token.clone(), token);
        shorter.remove(at);
        longer.insert(at, 'A');
        prop_assert!(matches!(verifier.verify(&shorter, NOW), Err(TokenError::Invalid(_))));
        prop_assert!(matches!(verifier.verify(&longer, NOW), Err(TokenError::Invalid(_))));
    }

    #[test]
    fn no_text_at_all_makes_the_verifier_panic(text in ".{0,200}") {
        let _ = verifier(&KEYS[0]).verify(&text, NOW).unwrap_err();
    }

    /// Against the plainest model there is: two maps, and a clock that goes on.
    #[test]
    fn the_set_never_loses_a_live_entry(steps in vec((0..8_u8, 0..6_u8, 0..10_i64, 0..50_i64), 0..80)) {
        let revoked = Revoked::new();
        let mut sessions: HashMap<u8, i64> = HashMap::new();
        let mut accounts: HashMap<u8, (i64, i64)> = HashMap::new();
        let mut now = 0;
        for (kind, who, version, ahead) in steps {
            let forget_at = now + ahead;
            match kind {
                0..3 => {
                    revoked.apply(&Revocation::Session { session: SessionId(Uuid::from_u128(who.into())), forget_at });
                    let known = sessions.entry(who).or_insert(forget_at);
                    *known = forget_at.max(*known);
                }
                3..6 => {
                    let account = AccountId(who.into());
                    revoked.apply(&Revocation::Account { account, below_version: version, forget_at });
                    let known = accounts.entry(who).or_insert((version, forget_at));
                    *known = (version.max(known.0), forget_at.max(known.1));
                }
                _ => {
                    now += ahead;
                    revoked.forget(now);
                    sessions.retain(|_, forget_at| now < *forget_at);
                    accounts.retain(|_, (_, forget_at)| now < *forget_at);
                }
            }
            prop_assert_eq!(revoked.len(), sessions.len() + accounts.len());
            for who in 0..6 {
                let sid = SessionId(Uuid::from_u128(who.into()));
                let claims = Claims { sid, sub: AccountId(who.into()), account_version: version, ..claims() };
                let expected = if sessions.contains_key(&who) {
                    Some(Effect::Ended)
                } else {
                    accounts.get(&who).and_then(|(below, _)| (version < *below).then_some(Effect::Stale))
                };
                prop_assert_eq!(revoked.check(&claims), expected);
            }
        }
    }
}

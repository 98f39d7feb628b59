//! The key ring: rotation by command and by age, and the death of a key.

use hallpass_core::{
    Algorithm, Code, Ctx, Db, Hallpass, MasterKey,
    keys::{self, KeyState},
    on_both_engines, tasks,
};

use crate::support::{House, code, config};

async fn states(hallpass: &Hallpass) -> Vec<(String, KeyState)> {
    keys::list(hallpass).await.unwrap().into_iter().map(|key| (key.kid, key.state)).collect()
}

async fn kid_in(hallpass: &Hallpass, wanted: KeyState) -> String {
    states(hallpass).await.into_iter().find(|(_, state)| *state == wanted).unwrap().0
}

on_both_engines! {
    async fn the_next_key_is_published_before_it_signs_and_old_tokens_stay_good(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let next = kid_in(&house.hallpass, KeyState::Next).await;
        assert!(house.hallpass.jwks().contains(&next));
        let before = house.sign_in("ada").await;
        keys::rotate(&house.hallpass, &house.ctx()).await.unwrap();
        assert_eq!(kid_in(&house.hallpass, KeyState::Current).await, next);
        let after = house.refresh(&before.refresh_token).await.unwrap();
        assert!(house.verify(&before).is_ok());
        assert!(house.verify(&after).is_ok());
        assert_ne!(before.access_token.split('.').next(), after.access_token.split('.').next());
    }

    async fn a_revoked_key_kills_its_tokens_at_once_and_the_next_one_takes_over(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let before = house.sign_in("ada").await;
        let current = kid_in(&house.hallpass, KeyState::Current).await;
        keys::revoke(&house.hallpass, &house.ctx(), &current).await.unwrap();
        assert!(house.verify(&before).is_err());
        assert!(!house.hallpass.jwks().contains(&current));
        let after = house.refresh(&before.refresh_token).await.unwrap();
        assert!(house.verify(&after).is_ok());
        assert_eq!(code(keys::revoke(&house.hallpass, &house.ctx(), &current).await), Code::NotFound);
        assert_eq!(code(keys::revoke(&house.hallpass, &house.ctx(), "nonsense").await), Code::NotFound);
    }

    async fn keys_rotate_by_age_and_are_forgotten_when_their_tokens_are_over(database) {
        let house = House::new(database).await;
        let first = kid_in(&house.hallpass, KeyState::Current).await;
        house.pass(90 * 86_400 - 61);
        tasks::run(&house.hallpass, &Ctx::operator(house.now())).await.unwrap();
        assert_eq!(kid_in(&house.hallpass, KeyState::Current).await, first);
        house.pass(61);
        tasks::run(&house.hallpass, &Ctx::operator(house.now())).await.unwrap();
        assert_eq!(kid_in(&house.hallpass, KeyState::Retired).await, first);
        house.pass(4000);
        tasks::run(&house.hallpass, &Ctx::operator(house.now())).await.unwrap();
        assert_eq!(states(&house.hallpass).await.len(), 2);
        assert!(!house.hallpass.jwks().contains(&first));
    }

    async fn another_process_takes_over_the_keys_in_one_pass(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let neighbour = house.neighbour().await;
        keys::rotate(&neighbour, &house.ctx()).await.unwrap();
        house.pass(1);
        tasks::run(&house.hallpass, &Ctx::operator(house.now())).await.unwrap();
        let issued = house.sign_in("ada").await;
        assert!(neighbour.verifier().verify(&issued.access_token, house.now()).is_ok());
        assert_eq!(house.hallpass.jwks(), neighbour.jwks());
    }

    async fn two_first_starts_at_once_agree_on_the_keys(database) {
        let master = MasterKey::generate().unwrap();
        let open = async || {
            let db = Db::open(&database.url).await.unwrap();
            Hallpass::open(db, &master, config(|_| ()), crate::support::START).await.unwrap()
        };
        let (one, two) = futures_util::future::join(open(), open()).await;
        assert_eq!(states(&one).await, states(&two).await);
        assert_eq!(one.jwks(), two.jwks());
    }

    async fn another_algorithm_is_published_by_the_server_and_takes_over_by_rotation(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let before = house.sign_in("ada").await;
        let mut config = house.hallpass.config().clone();
        config.tokens.algorithm = Algorithm::EdDSA;
        let master = MasterKey::from_base64(&house.master).unwrap();
        let changed = Hallpass::open(house.database.db.clone(), &master, config, house.now()).await.unwrap();
        assert_eq!(states(&changed).await, states(&house.hallpass).await, "to open it changes no key");
        house.pass(60);
        tasks::run(&changed, &Ctx::operator(house.now())).await.unwrap();
        keys::rotate(&changed, &house.ctx()).await.unwrap();
        let current = keys::list(&changed).await.unwrap().into_iter().find(|key| key.state == KeyState::Current);
        assert_eq!(current.unwrap().algorithm, Algorithm::EdDSA);
        assert!(changed.verifier().verify(&before.access_token, house.now()).is_ok());
    }

    async fn a_database_of_another_master_key_is_refused(database) {
        let house = House::new(database).await;
        let other = MasterKey::generate().unwrap();
        let refused = Hallpass::open(house.database.db.clone(), &other, config(|_| ()), house.now()).await;
        assert_eq!(refused.err().unwrap().code, Code::InvalidRequest);
    }

    async fn private_keys_are_not_in_the_database_in_clear(database) {
        let house = House::new(database).await;
        let sealed: Vec<Vec<u8>> = match &house.database.db {
            Db::Sqlite { writer, .. } => sqlx::query_scalar("select sealed from keys").fetch_all(writer).await.unwrap(),
            Db::Postgres { pool, .. } => sqlx::query_scalar("select sealed from keys").fetch_all(pool).await.unwrap(),
        };
        assert_eq!(sealed.len(), 2);
        for key in sealed {
            // A PKCS#8 document is a DER sequence that names its algorithm (RFC 5958 section 2): id-ecPublicKey here.
            let ec_public_key = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
            assert!(!key.windows(ec_public_key.len()).any(|part| part == ec_public_key));
        }
    }
}

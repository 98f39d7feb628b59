//! Copying the users of a Django project.

use std::sync::atomic::{AtomicU64, Ordering};

use hallpass_core::{
    AccountId, Code, accounts, addresses, import, on_both_engines,
    testing::{TestDb, make_django_tables},
};

use crate::{
    stored::execute,
    support::{House, code},
};

const NEW: &str = "insert into auth_user (password, is_superuser, username, last_name, email, is_staff, is_active, \
    date_joined, first_name) values";

/// A project with some users, whose ids have gaps.
async fn project() -> TestDb {
    let source = TestDb::sqlite().await;
    make_django_tables(&source.db).await;
    for (username, email) in [("ada", "Ada@example.com"), ("Grace", ""), ("gone", ""), ("eve", "ada@example.com")] {
        let values = format!("('!x', false, '{username}', '', '{email}', false, true, '2024-05-06 07:08:09.5', 'A')");
        execute(&source.db, &format!("{NEW} {values}")).await;
    }
    execute(&source.db, "delete from auth_user where username = 'gone'").await;
    execute(&source.db, "insert into auth_group (name) values ('editors')").await;
    execute(&source.db, "insert into auth_user_groups (user_id, group_id) values (1, 1)").await;
    let listed = "insert into account_emailaddress (user_id, email, verified, \"primary\") values";
    execute(&source.db, &format!("{listed} (1, 'ada@example.com', true, true)")).await;
    execute(&source.db, &format!("{listed} (1, 'second@example.com', false, false)")).await;
    source
}

on_both_engines! {
    async fn users_come_with_their_ids_groups_and_addresses(database) {
        let house = House::new(database).await;
        let source = project().await;
        let done = import::django(&house.database.db, &source.db, "auth_user", |_| ()).await.unwrap();
        assert_eq!((done.all, done.copied, done.there), (3, 3, 0));
        let ada = accounts::get(&house.hallpass, AccountId(1)).await.unwrap();
        assert_eq!((ada.username.as_deref(), ada.email_verified), (Some("ada"), true));
        assert_eq!(ada.roles, ["editors"]);
        assert_eq!(ada.date_joined, 1_714_979_289);
        assert_eq!(addresses::of_account(&house.hallpass, ada.id).await.unwrap().len(), 2);
        let grace = accounts::get(&house.hallpass, AccountId(2)).await.unwrap();
        assert_eq!((grace.username.as_deref(), grace.email), (Some("Grace"), None));
        assert_eq!(code(accounts::get(&house.hallpass, AccountId(3)).await), Code::NotFound);
        // Two users of Django can have one address; here it stands for the first one.
        let eve = accounts::get(&house.hallpass, AccountId(4)).await.unwrap();
        assert_eq!((eve.email.as_deref(), eve.email_verified), (Some("ada@example.com"), false));
        assert_eq!(accounts::find(&house.hallpass, "ada@example.com").await.unwrap().id, ada.id);
        assert_eq!(done.remarks.len(), 1, "{:?}", done.remarks);
        assert_eq!(house.create("next").await.id.0, 5);
    }

    async fn a_copy_that_is_started_again_goes_on_and_changes_nobody(database) {
        let house = House::new(database).await;
        let source = project().await;
        import::django(&house.database.db, &source.db, "auth_user", |_| ()).await.unwrap();
        execute(&source.db, &format!("{NEW} ('!x', false, 'late', '', '', false, true, '2024-01-01 00:00:00', '')")).await;
        execute(&source.db, "update auth_user set first_name = 'Changed'").await;
        let told = AtomicU64::new(0);
        let tell = |progress: &import::Progress| told.store(progress.done(), Ordering::Relaxed);
        let done = import::django(&house.database.db, &source.db, "auth_user", tell).await.unwrap();
        assert_eq!((done.copied, done.there), (1, 3));
        assert_eq!(told.into_inner(), 4);
        assert_eq!(accounts::get(&house.hallpass, AccountId(1)).await.unwrap().first_name, "A");
    }

    async fn somebody_elses_id_or_name_stops_it_before_anything_is_mixed_up(database) {
        let house = House::new(database).await;
        house.create("native").await;
        let source = project().await;
        let refused = import::django(&house.database.db, &source.db, "auth_user", |_| ()).await.unwrap_err();
        assert_eq!(refused.code, Code::ValidationFailed);
        assert!(refused.detail.contains("`ada`"), "{}", refused.detail);
        assert_eq!(accounts::get(&house.hallpass, AccountId(1)).await.unwrap().username.as_deref(), Some("native"));
    }

    async fn users_whose_key_is_no_number_get_ids_of_ours(database) {
        let house = House::new(database).await;
        let source = TestDb::sqlite().await;
        execute(&source.db, "create table people (id char(32) primary key, password text, email text, is_active bool)").await;
        for (key, email) in [("f0", "b@example.com"), ("0a", "a@example.com")] {
            execute(&source.db, &format!("insert into people values ('{key}', '!x', '{email}', true)")).await;
        }
        for copied in [2, 0] {
            let done = import::django(&house.database.db, &source.db, "people", |_| ()).await.unwrap();
            assert_eq!((done.copied, done.copied + done.there), (copied, 2));
        }
        assert!(accounts::find(&house.hallpass, "a@example.com").await.unwrap().is_active);
    }
}

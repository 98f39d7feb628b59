//! A Django project's database, taken over and given back.

use std::collections::BTreeMap;

use hallpass_core::{
    Code, Db,
    accounts::{self, Account, NewAccount},
    adopt::{self, Wishes},
    config::{NameRules, PasswordEncoding},
    deletion, on_both_engines, sessions, tasks,
    testing::{TestDb, dump, make_django_tables},
};

use crate::{
    stored::{execute, texts},
    support::{House, PASSWORD, code, person_at},
};

fn wishes() -> Wishes {
    Wishes { user_table: "auth_user".into(), defaults: BTreeMap::new() }
}

/// A Hallpass over the users of a Django project, of whom there are none yet.
async fn house(database: TestDb) -> House {
    make_django_tables(&database.db).await;
    let plan = adopt::plan(&database.db, &wishes()).await.unwrap();
    adopt::apply(&database.db, &plan).await.unwrap();
    House::with(database, |config| {
        config.accounts.names = NameRules::Django;
        config.passwords.encoding = PasswordEncoding::Django;
        config.passwords.min_score = 0;
    })
    .await
}

/// Somebody whose address nobody has verified.
async fn create_at(house: &House, username: &str, email: &str) -> Account {
    let standing = accounts::Standing::default();
    accounts::create(&house.hallpass, &house.ctx(), person_at(username, email), standing).await.unwrap()
}

async fn text(house: &House, query: &str) -> String {
    texts(&house.database.db, query).await.join("\n")
}

/// Adds to Django's table what the test has changed, and asks for a plan.
async fn refusal(database: &TestDb, change: &str, wishes: &Wishes) -> String {
    make_django_tables(&database.db).await;
    execute(&database.db, change).await;
    let before = dump(&database.db).await;
    let refused = adopt::plan(&database.db, wishes).await.unwrap_err();
    assert_eq!(refused.code, Code::ValidationFailed);
    assert_eq!(dump(&database.db).await, before);
    refused.detail.into_owned()
}

on_both_engines! {
    async fn a_plan_changes_nothing_and_says_what_it_would_do(database) {
        make_django_tables(&database.db).await;
        let before = dump(&database.db).await;
        let plan = adopt::plan(&database.db, &wishes()).await.unwrap();
        assert_eq!(dump(&database.db).await, before);
        assert!(plan.remarks.iter().any(|remark| remark.contains("0 users of `auth_user`")), "{:?}", plan.remarks);
        assert!(plan.statements.iter().any(|statement| statement.starts_with("create view accounts")));
    }

    async fn an_account_is_a_user_of_django(database) {
        let house = house(database).await;
        let account = house.create_at("ada", "Ada@example.com").await;
        accounts::grant_role(&house.hallpass, &house.ctx(), account.id, "editors").await.unwrap();
        let user = text(&house, "select username || ' ' || email || ' ' || substr(password, 1, 14) from auth_user").await;
        assert_eq!(user, "ada Ada@example.com pbkdf2_sha256$");
        let group = "select g.name from auth_group g join auth_user_groups m on m.group_id = g.id";
        assert_eq!(text(&house, group).await, "editors");
        let listed = "select email from account_emailaddress where verified and \"primary\"";
        assert_eq!(text(&house, listed).await, "ada@example.com");
        accounts::revoke_role(&house.hallpass, &house.ctx(), account.id, "editors").await.unwrap();
        assert_eq!(text(&house, group).await, "");
    }

    async fn what_django_changes_is_true_at_once(database) {
        let house = house(database).await;
        let account = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        execute(&house.database.db, "update auth_user set first_name = 'Augusta', is_staff = true").await;
        let seen = accounts::get(&house.hallpass, account.id).await.unwrap();
        assert_eq!((seen.first_name.as_str(), seen.is_staff), ("Augusta", true));
        execute(&house.database.db, "update auth_user set is_active = false").await;
        assert_eq!(code(house.try_sign_in("ada", PASSWORD).await), Code::InvalidCredentials);
        assert!(house.refresh(&issued.refresh_token).await.is_err());
    }

    async fn names_of_django_that_differ_in_letter_case_stay_two_accounts(database) {
        let house = house(database).await;
        house.create("ada").await;
        execute(&house.database.db,
            "insert into auth_user (password, is_superuser, username, last_name, email, is_staff, is_active, date_joined,
                first_name) select password, false, 'Ada@home', '', '', false, true, date_joined, 'Other' from auth_user")
            .await;
        execute(&house.database.db, "update auth_user set username = 'ADA' where username = 'Ada@home'").await;
        let first = house.sign_in("ada").await.account;
        let other = house.sign_in("ADA").await.account;
        assert_ne!(first.id, other.id);
        assert_eq!(other.first_name, "Other");
        assert_eq!(code(accounts::create(&house.hallpass, &house.ctx(), NewAccount {
            username: Some("aDa".into()), ..NewAccount::default()
        }, accounts::Standing::default()).await), Code::UsernameTaken);
    }

    async fn a_user_name_with_an_at_sign_signs_in(database) {
        let house = house(database).await;
        house.create("ada").await;
        execute(&house.database.db, "update auth_user set username = 'ada@home'").await;
        assert_eq!(house.sign_in("ada@home").await.account.username.as_deref(), Some("ada@home"));
    }

    async fn whoever_is_deleted_stays_in_django_without_a_name_or_a_way_in(database) {
        let house = house(database).await;
        let account = house.create_at("ada", "ada@example.com").await;
        let issued = house.sign_in("ada").await;
        let password = PASSWORD.to_owned().into();
        deletion::schedule(&house.hallpass, &house.ctx(), account.id, issued.session, password, None).await.unwrap();
        house.pass(365 * 24 * 3600);
        tasks::tidy(&house.hallpass, &house.ctx()).await.unwrap();
        assert_eq!(code(accounts::get(&house.hallpass, account.id).await), Code::NotFound);
        let left = text(&house, "select username || email || first_name || substr(password, 1, 1) from auth_user").await;
        assert!(left.starts_with(&format!("deleted-{}-", account.id)) && left.ends_with("@invalid!"), "{left}");
        assert_eq!(text(&house, "select username from auth_user where is_active").await, "");
        assert!(!dump(&house.database.db).await.contains("ada@example.com"));
    }

    async fn what_django_takes_away_does_not_come_back_with_a_change_of_somebodys_own(database) {
        let house = house(database).await;
        let account = house.create("ada").await;
        execute(&house.database.db, "update auth_user set is_active = false, last_name = 'King' where username = 'ada'").await;
        let first_name = Some("Augusta".to_owned());
        let changes = accounts::Changes { first_name, ..accounts::Changes::default() };
        let after = accounts::update(&house.hallpass, &house.ctx(), account.id, changes).await.unwrap();
        assert_eq!((after.is_active, after.last_name.as_str()), (false, "King"));
    }

    async fn adopted_again_the_view_is_made_anew_and_nobody_is_signed_out(database) {
        let house = house(database).await;
        let issued = { house.create("ada").await; house.sign_in("ada").await };
        let plan = adopt::plan(&house.database.db, &wishes()).await.unwrap();
        adopt::apply(&house.database.db, &plan).await.unwrap();
        let neighbour = house.neighbour().await;
        assert!(sessions::refresh(&neighbour, &house.ctx(), &issued.refresh_token).await.is_ok());
    }

    async fn a_schema_that_is_brought_up_to_date_is_adopted_still(database) {
        let house = house(database).await;
        house.create("ada").await;
        let undo = match &house.database.db {
            Db::Sqlite { .. } => "drop view addresses; drop table hallpass_addresses",
            Db::Postgres { .. } => "drop view addresses; drop table hallpass_addresses;
                drop function hallpass_addresses_insert();
                drop function hallpass_addresses_update(); drop function hallpass_addresses_delete()",
        };
        for statement in undo.split(';') {
            execute(&house.database.db, statement).await;
        }
        // As an older version would have adopted it: without the last migration, and what it brought.
        execute(&house.database.db, "delete from _sqlx_migrations where version = 7").await;
        execute(&house.database.db, "update meta set value = replace(value, '\"addresses\":true', '\"addresses\":false')").await;
        execute(&house.database.db, "create table addresses (id integer)").await;
        let another = Db::open(&house.database.url).await.unwrap();
        assert!(another.migrate().await.is_err(), "the migration has no place for its table");
        another.close().await;
        assert_eq!(text(&house, "select username from accounts").await, "ada", "and the users are there still");
        execute(&house.database.db, "drop table addresses").await;
        assert_eq!(house.database.db.migrate().await.unwrap().len(), 1);
        assert!(house.try_sign_in("ada", PASSWORD).await.is_ok());
        assert_eq!(text(&house, "select username from accounts").await, "ada");
    }

    async fn given_back_the_users_are_as_they_were_and_nothing_of_ours_is_left(database) {
        let url = database.url.clone();
        let house = house(database).await;
        house.create("ada").await;
        let users = "select username || password || email from auth_user";
        let before = text(&house, users).await;
        let plan = adopt::plan_to_undo(&house.database.db).await.unwrap();
        assert_eq!(text(&house, users).await, before);
        adopt::apply(&house.database.db, &plan).await.unwrap();
        let db = Db::open_to_look(&url).await.unwrap();
        let names = match &db {
            Db::Sqlite { .. } => "select name from sqlite_schema where name not like 'sqlite_%' order by 1",
            Db::Postgres { .. } =>
                "select relname::text from pg_class where relnamespace = 'public'::regnamespace
                 union all select proname::text from pg_proc where pronamespace = 'public'::regnamespace",
        };
        assert_eq!(texts(&db, users).await.join("\n"), before);
        for name in texts(&db, names).await {
            assert!(name.starts_with("auth_") || name.starts_with("account_"), "{name} is left");
        }
        assert_eq!(code(adopt::plan_to_undo(&db).await), Code::NotFound);
    }

    async fn a_table_that_cannot_be_adopted_is_refused_with_the_reason(database) {
        let change = "alter table auth_user add column phone varchar(20) not null default ''";
        let change = match &database.db {
            Db::Sqlite { .. } => change.to_owned(),
            Db::Postgres { .. } => format!("{change}; alter table auth_user alter column phone drop default"),
        };
        make_django_tables(&database.db).await;
        for statement in change.split(';') {
            execute(&database.db, statement).await;
        }
        let unknown = Wishes { user_table: "people".into(), ..wishes() };
        let refused = adopt::plan(&database.db, &unknown).await.unwrap_err();
        assert!(refused.detail.contains("`people`"), "{}", refused.detail);
        let no_users = Wishes { user_table: "auth_group".into(), ..wishes() };
        let refused = adopt::plan(&database.db, &no_users).await.unwrap_err();
        assert!(refused.detail.contains("no user table"), "{}", refused.detail);
        let both = ["fax", "phone"].map(|column| (column.to_owned(), String::new()));
        let no_column = Wishes { defaults: both.into(), ..wishes() };
        let refused = adopt::plan(&database.db, &no_column).await.unwrap_err();
        assert!(refused.detail.contains("no such column"), "{}", refused.detail);
        if let Db::Postgres { .. } = &database.db {
            let refused = adopt::plan(&database.db, &wishes()).await.unwrap_err();
            assert!(refused.detail.contains("--default phone=VALUE"), "{}", refused.detail);
        }
        let with_default = Wishes { defaults: [("phone".to_owned(), "none".to_owned())].into(), ..wishes() };
        let plan = adopt::plan(&database.db, &with_default).await.unwrap();
        adopt::apply(&database.db, &plan).await.unwrap();
        let house = House::with(database, |config| {
            config.accounts.names = NameRules::Django;
            config.passwords.encoding = PasswordEncoding::Django;
        })
        .await;
        house.create("ada").await;
        assert_eq!(text(&house, "select phone from auth_user").await, "none");
    }

    async fn accounts_of_our_own_are_not_put_aside(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let refused = refusal(&house.database, "select 1", &wishes()).await;
        assert!(refused.contains("accounts of Hallpass already"), "{refused}");
    }

    async fn it_does_not_start_while_django_could_not_read_what_is_written(database) {
        make_django_tables(&database.db).await;
        let plan = adopt::plan(&database.db, &wishes()).await.unwrap();
        adopt::apply(&database.db, &plan).await.unwrap();
        let master = hallpass_core::MasterKey::generate().unwrap();
        let config = crate::support::config(|_| ());
        let refused = hallpass_core::Hallpass::open(database.db.clone(), &master, config, 0).await.err().unwrap();
        assert!(refused.detail.contains("passwords.encoding"), "{}", refused.detail);
    }

    async fn of_two_accounts_with_one_address_the_first_gets_its_mail_until_the_other_shows_to_receive_it(database) {
        let house = house(database).await;
        let first = create_at(&house, "ada", "ada@example.com").await;
        let second = create_at(&house, "other", "ADA@example.com").await;
        let receiver = async || accounts::find(&house.hallpass, "ada@example.com").await.unwrap().id;
        assert_eq!(receiver().await, first.id);
        let verified = format!("update account_emailaddress set verified = true where user_id = {}", second.id);
        execute(&house.database.db, &format!(
            "insert into account_emailaddress (user_id, email, verified, \"primary\")
             values ({}, 'ada@example.com', false, false)", second.id)).await;
        execute(&house.database.db, &verified).await;
        assert_eq!(receiver().await, second.id);
    }
}

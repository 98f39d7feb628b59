//! What somebody who administers looks at: accounts, sessions and events, a page at a time.

use std::collections::BTreeSet;

use hallpass_core::{
    AccountId, Code, Hallpass, MasterKey, SessionId,
    accounts::{self, Account, NewAccount},
    admin::{self, Admin, Events, Order, Page, Search, Standing, Status},
    audit::Event,
    on_both_engines,
    testing::TestDb,
};

use crate::{
    stored::execute,
    support::{House, code, person_at},
};

/// Makes accounts `person00001` and so on, each third of which is not active.
async fn make_many(database: &TestDb, many: usize) {
    execute(
        &database.db,
        &format!(
            "with recursive n(i) as (select 1 union all select i + 1 from n where i < {many})
             insert into accounts (username, username_key, email, email_key, email_verified, first_name, last_name,
                password, is_active, is_staff, is_superuser, roles, profile, version, date_joined)
             select 'person' || i, 'person' || i, 'p' || i || '@example.com', 'p' || i || '@example.com', false, '', '',
                null, i % 3 <> 0, false, false, '[]', '{{}}', 1, 1790000000 from n"
        ),
    )
    .await;
}

async fn find(house: &House, admin: &Admin, search: Search) -> Vec<String> {
    let page = admin::search(&house.hallpass, admin, search, None, 100).await.unwrap();
    page.items.into_iter().map(|account| account.username.unwrap()).collect()
}

fn text(text: &str) -> Search {
    Search { text: Some(text.into()), order: Order::Oldest, ..Search::default() }
}

/// All pages of a list: every cursor but the last leads on.
async fn all<T>(mut page: impl AsyncFnMut(Option<&str>) -> Page<T>) -> Vec<Vec<T>> {
    let (mut pages, mut cursor) = (Vec::new(), None);
    loop {
        let Page { items, next } = page(cursor.as_deref()).await;
        pages.push(items);
        cursor = next;
        if cursor.is_none() {
            return pages;
        }
    }
}

async fn pages_of(house: &House, admin: &Admin, search: &Search, limit: u32) -> Vec<AccountId> {
    let pages =
        all(async |cursor| admin::search(&house.hallpass, admin, search.clone(), cursor, limit).await.unwrap()).await;
    let limit = usize::try_from(limit).unwrap();
    let (last, full) = pages.split_last().unwrap();
    assert!(full.iter().all(|page| page.len() == limit) && last.len() <= limit);
    pages.into_iter().flatten().map(|account| account.id).collect()
}

/// One that names nobody, but for the caller.
async fn refused(house: &House, admin: &Admin, search: Search, cursor: &str) -> Code {
    code(admin::search(&house.hallpass, admin, search, Some(cursor), 10).await)
}

on_both_engines! {
    async fn accounts_are_found_by_what_a_name_or_an_address_begins_with_in_any_spelling(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        let make = async |name: &str, email: &str| {
            let new = NewAccount { password: None, ..person_at(name, email) };
            accounts::create(&house.hallpass, &house.ctx(), new, accounts::Standing::default()).await.unwrap()
        };
        let ada = make("Ada", "countess@Example.com").await;
        make("adam", "first@example.org").await;
        make("grace", "ADA.l@example.com").await;
        make("adb", "x@example.net").await;
        make("Ada_b", "y@example.net").await;
        for (typed, expected) in [
            ("ada", vec!["Ada", "adam", "grace", "Ada_b"]),
            ("ADA", vec!["Ada", "adam", "grace", "Ada_b"]),
            (" Adam ", vec!["adam"]),
            ("ada.l@EXAMPLE", vec!["grace"]),
            ("countess@example.com", vec!["Ada"]),
            ("ada_", vec!["Ada_b"]),
            ("dam", vec![]),
            ("adaz", vec![]),
            ("999999", vec![]),
        ] {
            assert_eq!(find(&house, &admin, text(typed)).await, expected, "{typed}");
        }
        assert_eq!(find(&house, &admin, text(&ada.id.to_string())).await, ["Ada"]);
        assert_eq!(find(&house, &admin, text("")).await.len(), 6);
    }

    async fn what_means_something_in_a_pattern_or_a_statement_is_text(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        for name in ["ada", "bob"] {
            house.create(name).await;
        }
        let long = "a".repeat(100_000);
        for typed in [
            "%", "a%", "_da", "_", "a_a", "\\", "a\\", "*", "a*", "[a]", "?", "'", "''", "a'--", "\"", "a\"", ";", "a\0", "\0",
            "' or '1' = '1", "') or true --", "$1", "ada'; drop table accounts; --", "{}", "\u{10ffff}", "a\u{10ffff}", "\r\n",
            "𝒶𝒹\u{202e}", "-1", "9223372036854775808", "0", &long,
        ] {
            if typed.trim().is_empty() {
                continue;
            }
            assert_eq!(find(&house, &admin, text(typed)).await, [""; 0], "{typed:?}");
            let search = Search { role: Some(typed.into()), ..Search::default() };
            assert_eq!(find(&house, &admin, search).await, [""; 0], "{typed:?}");
        }
        assert_eq!(find(&house, &admin, Search::default()).await, ["bob", "ada", "zoe"]);
    }

    async fn filters_leave_what_is_asked_for(database) {
        let house = House::new(database).await;
        let (_, ctx, admin) = house.superuser("root").await;
        let server = &house.hallpass;
        house.create_at("verified", "v@example.com").await;
        let off = house.create("off").await;
        admin::set_active(server, &ctx, &admin, off.id, false).await.unwrap();
        let leaving = house.create("leaving").await;
        let session = house.sign_in("leaving").await.session;
        let password = crate::support::PASSWORD.to_owned().into();
        hallpass_core::deletion::schedule(server, &house.ctx(), leaving.id, session, password, None).await.unwrap();
        let staff = house.create("staff").await;
        let edits = admin::Edits { is_staff: Some(true), ..admin::Edits::default() };
        admin::change(server, &ctx, &admin, staff.id, edits).await.unwrap();
        let editor = house.create("editor").await;
        for role in ["editor", "a.b:c/d-e_f"] {
            admin::grant_role(server, &ctx, &admin, editor.id, role).await.unwrap();
        }
        let chief = house.create("chief").await;
        admin::grant_role(server, &ctx, &admin, chief.id, "editor.chief").await.unwrap();

        let of = |change: fn(&mut Search)| {
            let mut search = Search { order: Order::Oldest, ..Search::default() };
            change(&mut search);
            search
        };
        for (search, expected) in [
            (of(|s| s.status = Some(Status::Active)), vec!["root", "verified", "staff", "editor", "chief"]),
            (of(|s| s.status = Some(Status::Deactivated)), vec!["off"]),
            (of(|s| s.status = Some(Status::Deletion)), vec!["leaving"]),
            (of(|s| s.verified = Some(true)), vec!["verified"]),
            (of(|s| s.verified = Some(false)), vec!["root", "off", "leaving", "staff", "editor", "chief"]),
            (of(|s| s.role = Some("editor".into())), vec!["editor"]),
            (of(|s| s.role = Some("editor.chief".into())), vec!["chief"]),
            (of(|s| s.role = Some("a.b:c/d-e_f".into())), vec!["editor"]),
            (of(|s| s.role = Some("edit".into())), vec![]),
            (of(|s| s.level = Some(Standing::Staff)), vec!["staff"]),
            (of(|s| s.level = Some(Standing::Superuser)), vec!["root"]),
            (of(|s| (s.text, s.status) = (Some("off".into()), Some(Status::Active))), vec![]),
            (of(|s| (s.text, s.status) = (Some("o".into()), Some(Status::Deactivated))), vec!["off"]),
        ] {
            assert_eq!(find(&house, &admin, search.clone()).await, expected, "{search:?}");
        }
    }

    async fn pages_of_thousands_have_everybody_once_and_in_order(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        make_many(&house.database, 3000).await;
        let newest = Search::default();
        let everybody = pages_of(&house, &admin, &newest, 100).await;
        assert_eq!(everybody.len(), 3001);
        assert!(everybody.is_sorted_by(|a, b| a.0 > b.0));
        let mut oldest = pages_of(&house, &admin, &Search { order: Order::Oldest, ..newest }, 77).await;
        oldest.reverse();
        assert_eq!(oldest, everybody);

        // As many as are found by going through all, and as few as are looked up.
        for (begins, many) in [("person", 3000), ("p", 3000), ("person1", 1111), ("person12", 111), ("p12", 111), ("person123", 11)] {
            for order in [Order::Newest, Order::Oldest] {
                let search = Search { text: Some(begins.into()), order, ..Search::default() };
                let found = pages_of(&house, &admin, &search, 50).await;
                assert_eq!(found.len(), many, "{begins}");
                assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), many, "{begins}");
                let active = Search { status: Some(Status::Active), ..search };
                assert!(pages_of(&house, &admin, &active, 50).await.len() < many, "{begins}");
            }
        }
        let off = Search { status: Some(Status::Deactivated), ..Search::default() };
        assert_eq!(pages_of(&house, &admin, &off, 50).await.len(), 1000);
    }

    async fn what_comes_between_two_pages_neither_repeats_nor_hides_anybody(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        make_many(&house.database, 30).await;
        let first = admin::search(&house.hallpass, &admin, Search::default(), None, 10).await.unwrap();
        house.create("meanwhile").await;
        let rest = admin::search(&house.hallpass, &admin, Search::default(), first.next.as_deref(), 100).await.unwrap();
        let seen: BTreeSet<AccountId> = first.items.iter().chain(&rest.items).map(|account| account.id).collect();
        assert_eq!((seen.len(), rest.items.len()), (31, 21));
    }

    async fn a_cursor_is_good_for_the_list_that_it_came_with_and_for_no_other(database) {
        let house = House::new(database).await;
        let (helper, ctx, admin) = house.helper("zoe").await;
        make_many(&house.database, 30).await;
        let search = Search { text: Some("person".into()), ..Search::default() };
        let page = async |cursor: Option<&str>| {
            admin::search(&house.hallpass, &admin, search.clone(), cursor, 10).await.unwrap()
        };
        let cursor = page(None).await.next.unwrap();
        let good = page(Some(&cursor)).await;
        assert_eq!(good.items.len(), 10);
        // The size of a page may change.
        assert_eq!(admin::search(&house.hallpass, &admin, search.clone(), Some(&cursor), 3).await.unwrap().items.len(), 3);
        let neighbour = house.neighbour().await;
        let there = admin::search(&neighbour, &admin, search.clone(), Some(&cursor), 10).await.unwrap();
        assert_eq!(there.items, good.items);

        for other in [
            Search::default(),
            Search { text: Some("perso".into()), ..search.clone() },
            Search { order: Order::Oldest, ..search.clone() },
            Search { status: Some(Status::Active), ..search.clone() },
            Search { verified: Some(false), ..search.clone() },
            Search { role: Some("x".into()), ..search.clone() },
            Search { level: Some(Standing::Staff), ..search.clone() },
        ] {
            assert_eq!(refused(&house, &admin, other.clone(), &cursor).await, Code::InvalidRequest, "{other:?}");
        }
        for (position, character) in cursor.char_indices() {
            let mut forged = cursor.clone();
            forged.replace_range(position..=position, if character == 'A' { "B" } else { "A" });
            assert_eq!(refused(&house, &admin, search.clone(), &forged).await, Code::InvalidRequest, "{position}");
            assert_eq!(refused(&house, &admin, search.clone(), &cursor[..position]).await, Code::InvalidRequest);
        }
        let long = "A".repeat(100_000);
        for forged in ["", "0", "-1", "1' or '1", "%", "\0", "null", "=", &format!("{cursor}="), &format!("{cursor}A"), &long] {
            assert_eq!(refused(&house, &admin, search.clone(), forged).await, Code::InvalidRequest, "{forged}");
        }
        let foreign = Hallpass::open(
            hallpass_core::Db::open(&house.database.url).await.unwrap(),
            &MasterKey::generate().unwrap(),
            house.hallpass.config().clone(),
            house.now(),
        )
        .await;
        assert!(foreign.is_err(), "nobody makes cursors for a database of another master key");

        let server = &house.hallpass;
        assert_eq!(code(admin::events(server, &admin, Events::default(), Some(&cursor), 10).await), Code::InvalidRequest);
        assert_eq!(code(admin::sessions(server, &ctx, &admin, None, Some(&cursor), 10).await), Code::InvalidRequest);
        let events = admin::events(server, &admin, Events::default(), None, 1).await.unwrap();
        assert!(events.next.is_none(), "there is one: {:?}", helper.id);
    }

    async fn a_page_has_from_one_to_a_hundred(database) {
        let house = House::new(database).await;
        let (_, ctx, admin) = house.helper("zoe").await;
        let server = &house.hallpass;
        for limit in [0, 101, u32::MAX] {
            let search = Search::default();
            assert_eq!(code(admin::search(server, &admin, search, None, limit).await), Code::InvalidRequest);
            assert_eq!(code(admin::sessions(server, &ctx, &admin, None, None, limit).await), Code::InvalidRequest);
            assert_eq!(code(admin::events(server, &admin, Events::default(), None, limit).await), Code::InvalidRequest);
            assert_eq!(code(admin::waiting(server, &admin, limit).await), Code::InvalidRequest);
            assert_eq!(code(admin::statistics(server, &ctx, &admin, limit).await), Code::InvalidRequest);
        }
    }

    async fn sessions_of_everybody_are_listed_the_newest_first_while_they_live(database) {
        let house = House::new(database).await;
        let (_, ctx, admin) = house.helper("zoe").await;
        let ada = house.create_at("ada", "ada@example.com").await;
        house.create("bob").await;
        let mut begun: Vec<SessionId> = Vec::new();
        for n in 0..9 {
            house.pass(10);
            begun.push(house.sign_in(if n % 3 == 0 { "bob" } else { "ada" }).await.session);
        }
        begun.reverse();
        let list = async |account: Option<&Account>, limit| {
            let account = account.map(|account| account.id);
            let pages = all(async |cursor| {
                admin::sessions(&house.hallpass, &ctx, &admin, account, cursor, limit).await.unwrap()
            });
            pages.await.into_iter().flatten().collect::<Vec<_>>()
        };
        for limit in [2, 3, 100] {
            let ids: Vec<SessionId> = list(None, limit).await.iter().map(|live| live.session.id).collect();
            assert_eq!(ids, begun, "{limit}");
        }
        let adas = list(Some(&ada), 4).await;
        assert_eq!(adas.len(), 6);
        for live in &adas {
            assert_eq!((live.account, live.username.as_deref()), (ada.id, Some("ada")));
            assert_eq!(live.email.as_deref(), Some("ada@example.com"));
        }
        admin::end_session(&house.hallpass, &ctx, &admin, begun[4]).await.unwrap();
        assert_eq!(list(None, 3).await.len(), 8);
        let cursor = admin::sessions(&house.hallpass, &ctx, &admin, None, None, 2).await.unwrap().next.unwrap();
        let other = admin::sessions(&house.hallpass, &ctx, &admin, Some(ada.id), Some(&cursor), 2).await;
        assert_eq!(code(other), Code::InvalidRequest);
        house.pass(400 * 86_400);
        let later = house.ctx_of(&ada);
        let none = admin::sessions(&house.hallpass, &later, &admin, None, None, 100).await.unwrap();
        assert!(none.items.is_empty(), "all are over");
    }

    async fn events_are_found_by_account_kind_and_time(database) {
        let house = House::new(database).await;
        let (_, _, admin) = house.helper("zoe").await;
        let ada = house.create("ada").await;
        let start = house.now();
        for _ in 0..5 {
            house.pass(100);
            house.sign_in("ada").await;
        }
        house.create("bob").await;
        let found = async |wanted: Events| {
            let pages = all(async |cursor| admin::events(&house.hallpass, &admin, wanted, cursor, 2).await.unwrap());
            pages.await.into_iter().flatten().map(|entry| (entry.at - start, entry.event)).collect::<Vec<_>>()
        };
        let everything = found(Events::default()).await;
        assert_eq!(everything.len(), 8);
        assert!(everything.is_sorted_by(|a, b| a.0 >= b.0));
        let of_ada = Events { account: Some(ada.id), ..Events::default() };
        assert_eq!(found(of_ada).await.len(), 6);
        for account in [None, Some(ada.id)] {
            let sign_ins = Events { account, event: Some(Event::SignedIn), ..Events::default() };
            let between = Events { since: Some(start + 200), until: Some(start + 400), ..sign_ins };
            let times: Vec<i64> = found(between).await.into_iter().map(|(at, _)| at).collect();
            assert_eq!(times, [400, 300, 200]);
            assert_eq!(found(Events { until: Some(start + 99), ..sign_ins }).await, []);
        }
        let cursor = admin::events(&house.hallpass, &admin, of_ada, None, 2).await.unwrap().next.unwrap();
        for other in [Events::default(), Events { since: Some(0), ..of_ada }, Events { until: Some(i64::MAX), ..of_ada }] {
            let refused = admin::events(&house.hallpass, &admin, other, Some(&cursor), 2).await;
            assert_eq!(code(refused), Code::InvalidRequest, "{other:?}");
        }
    }
}

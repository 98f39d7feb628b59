//! What verifiers elsewhere are told: everything that is live, and then all that is new, whatever happens in between.

use std::collections::BTreeSet;

use hallpass_core::{
    Code, Ctx, Hallpass, SessionId, clients,
    feed::{self, Page},
    on_both_engines, revocation, sessions, tasks,
};
use hallpass_token::Revocation;

use crate::{
    stored::execute,
    support::{House, code},
};

async fn read(server: &Hallpass, house: &House, since: Option<&str>) -> Page {
    feed::read(server, &Ctx::operator(house.now()), since).await.unwrap()
}

/// All that is new for a reader, and where it is then.
async fn read_all(server: &Hallpass, house: &House, since: Option<&str>) -> (BTreeSet<SessionId>, String) {
    let mut page = read(server, house, since).await;
    let mut ended = sessions_of(&page);
    while page.more {
        page = read(server, house, Some(&page.cursor)).await;
        ended.extend(sessions_of(&page));
    }
    (ended, page.cursor)
}

fn sessions_of(page: &Page) -> BTreeSet<SessionId> {
    let session = |line: &Revocation| match line {
        Revocation::Session { session, .. } => Some(*session),
        Revocation::Account { .. } => None,
    };
    page.lines.iter().filter_map(session).collect()
}

/// Signs somebody in and out again at one of the servers.
async fn end_one(server: &Hallpass, house: &House) -> SessionId {
    let session = house.sign_in("ada").await.session;
    sessions::sign_out(server, &house.ctx(), session).await.unwrap();
    session
}

on_both_engines! {
    async fn a_newcomer_gets_all_that_is_live_and_then_only_what_is_new(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let first = end_one(&house.hallpass, &house).await;
        let page = read(&house.hallpass, &house, None).await;
        assert!(page.reset && !page.more);
        assert_eq!(sessions_of(&page), [first].into());
        assert!(feed::is_newest(&house.hallpass, &page.cursor));
        let nothing = read(&house.hallpass, &house, Some(&page.cursor)).await;
        assert_eq!((nothing.lines.len(), nothing.reset, &nothing.cursor), (0, false, &page.cursor));

        let second = end_one(&house.hallpass, &house).await;
        assert!(!feed::is_newest(&house.hallpass, &page.cursor));
        let news = read(&house.hallpass, &house, Some(&page.cursor)).await;
        assert_eq!((sessions_of(&news), news.reset), ([second].into(), false));
    }

    async fn a_reader_that_goes_on_at_another_server_misses_nothing(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let other = house.neighbour().await;
        let (_, cursor) = read_all(&house.hallpass, &house, None).await;
        let ended = [end_one(&house.hallpass, &house).await, end_one(&other, &house).await];
        tasks::run(&other, &house.ctx()).await.unwrap();
        let (news, cursor) = read_all(&other, &house, Some(&cursor)).await;
        assert_eq!(news, ended.into());
        let last = end_one(&other, &house).await;
        let (news, _) = read_all(&house.hallpass, &house, Some(&cursor)).await;
        assert!(news.contains(&last));
    }

    async fn a_line_that_is_committed_late_under_a_low_number_reaches_every_reader(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let (early, late) = (end_one(&house.hallpass, &house).await, house.sign_in("ada").await.session);
        // As if a transaction that began first, and took the lower number, were committed after the other.
        execute(&house.database.db, "update revocations set id = 100").await;
        let other = house.neighbour().await;
        let (_, cursor) = read_all(&other, &house, None).await;
        let bytes: String = late.0.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let id = match &house.database.db {
            hallpass_core::Db::Sqlite { .. } => format!("x'{bytes}'"),
            hallpass_core::Db::Postgres { .. } => format!("'{}'", late.0),
        };
        let forget_at = house.now() + 400;
        let line = format!(
            "insert into revocations (id, created_at, session_id, cause, forget_at)
             values (50, {}, {id}, 'signed_out', {forget_at})",
            house.now()
        );
        execute(&house.database.db, &line).await;
        revocation::catch_up(&other, house.now()).await.unwrap();
        let (news, cursor) = read_all(&other, &house, Some(&cursor)).await;
        assert!(news.contains(&late));
        // And one that comes to a third server with this cursor.
        let third = house.neighbour().await;
        let (news, _) = read_all(&third, &house, Some(&cursor)).await;
        assert!(news.is_superset(&[early, late].into()));
    }

    async fn a_cursor_that_nobody_knows_begins_anew(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let ended = end_one(&house.hallpass, &house).await;
        for strange in ["", "x", "1.2.3", "1.2.3.4.5", "1.2.-3.4", "zz.1.2.3", &"9.".repeat(120)] {
            let page = read(&house.hallpass, &house, Some(strange)).await;
            assert!(page.reset, "{strange}");
            assert_eq!(sessions_of(&page), [ended].into());
        }
    }

    async fn a_snapshot_of_many_comes_in_pages_with_what_is_new_meanwhile(database) {
        let house = House::new(database).await;
        house.create("ada").await;
        let many = feed::PAGE * 2 + 10;
        house.database.take_back(many, house.now()).await;
        revocation::follow(&house.hallpass, house.now()).await.unwrap();
        let first = read(&house.hallpass, &house, None).await;
        assert!(first.more && first.reset && first.lines.len() == feed::PAGE);
        let meanwhile = end_one(&house.hallpass, &house).await;
        let (rest, cursor) = read_all(&house.hallpass, &house, Some(&first.cursor)).await;
        let all: BTreeSet<SessionId> = rest.union(&sessions_of(&first)).copied().collect();
        let (news, _) = read_all(&house.hallpass, &house, Some(&cursor)).await;
        assert_eq!(all.union(&news).count(), many + 1);
        assert!(all.contains(&meanwhile) || news.contains(&meanwhile));
    }

    async fn a_server_that_is_not_up_to_date_tells_nobody_anything(database) {
        let house = House::new(database).await;
        house.pass(11);
        let answer = feed::read(&house.hallpass, &house.ctx(), None).await;
        assert_eq!(code(answer), Code::Unavailable);
    }

    async fn a_client_is_known_by_its_id_and_secret_until_it_is_removed(database) {
        let house = House::new(database).await;
        let made = clients::create(&house.hallpass, &house.ctx(), "orders").await.unwrap();
        let (id, secret) = (made.client.id.as_str(), made.secret.as_str());
        let known = clients::authenticate(&house.hallpass, &house.ctx(), id, secret).await.unwrap();
        assert_eq!((known.name.as_str(), clients::list(&house.hallpass).await.unwrap().len()), ("orders", 1));
        let other = clients::create(&house.hallpass, &house.ctx(), "billing").await.unwrap();
        for (id, secret) in [(id, ""), (id, &secret[1..]), ("", secret), ("\0", secret), (id, &other.secret), (&other.client.id, secret)] {
            assert_eq!(code(clients::authenticate(&house.hallpass, &house.ctx(), id, secret).await), Code::ClientInvalid);
        }
        assert!(!crate::stored::dump(&house.database.db).await.contains(&secret[4..].to_lowercase()));
        clients::remove(&house.hallpass, &house.ctx(), id).await.unwrap();
        assert_eq!(code(clients::authenticate(&house.hallpass, &house.ctx(), id, secret).await), Code::ClientInvalid);
        assert_eq!(code(clients::remove(&house.hallpass, &house.ctx(), id).await), Code::NotFound);
        assert_eq!(code(clients::create(&house.hallpass, &house.ctx(), " ").await), Code::ValidationFailed);
    }
}

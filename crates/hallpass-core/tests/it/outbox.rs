//! Mails that wait: each goes out once, whichever server sends it, and none is lost.

use std::collections::BTreeSet;

use futures_util::future::join_all;
use hallpass_core::{Hallpass, mail, on_both_engines, recovery};

use crate::support::House;

async fn deliver_all(server: &Hallpass, house: &House) {
    while mail::deliver(server, &house.ctx()).await.unwrap() {}
}

on_both_engines! {
    async fn of_three_servers_one_sends_each_mail(database) {
        let house = House::new(database).await;
        for n in 0..30 {
            house.create_at(&format!("user{n}"), &format!("user{n}@example.com")).await;
            recovery::request(&house.hallpass, &house.ctx(), &format!("user{n}@example.com")).await.unwrap();
        }
        let (second, third) = (house.neighbour().await, house.neighbour().await);
        let servers = [&house.hallpass, &second, &third];
        join_all(servers.map(|server| deliver_all(server, &house))).await;
        let sent = |server: &Hallpass| server.mailer().mailbox().unwrap().into_iter().map(|mail| mail.to);
        let all: Vec<String> = servers.into_iter().flat_map(sent).collect();
        assert_eq!((all.len(), all.iter().collect::<BTreeSet<_>>().len()), (30, 30));
        assert!(mail::waiting(&house.hallpass, 1).await.unwrap().is_empty());
    }

    async fn what_a_server_was_busy_with_when_it_died_is_sent_by_another(database) {
        let house = House::new(database).await;
        house.create_at("ada", "ada@example.com").await;
        recovery::request(&house.hallpass, &house.ctx(), "ada@example.com").await.unwrap();
        // As if a server had claimed it and was gone.
        let claimed = format!("update outbox set claimed_until = {}, attempts = 1", house.now() + 60);
        crate::stored::execute(&house.database.db, &claimed).await;
        assert!(house.mails().await.is_empty());
        house.pass(60);
        assert_eq!(house.mails().await.len(), 1);
    }

    async fn mails_that_went_out_are_forgotten_after_a_week(database) {
        let house = House::new(database).await;
        house.create_at("ada", "ada@example.com").await;
        recovery::request(&house.hallpass, &house.ctx(), "ada@example.com").await.unwrap();
        house.mails().await;
        assert_eq!(crate::stored::rows(&house.database.db, "outbox where sealed is null").await, 1);
        crate::stored::pass(&house, 7 * 86_400 + 60).await;
        assert_eq!(crate::stored::rows(&house.database.db, "outbox").await, 0);
        assert_eq!(crate::stored::rows(&house.database.db, "tickets").await, 0);
    }
}

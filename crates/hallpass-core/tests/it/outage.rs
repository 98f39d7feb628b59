//! The database goes away under a running server and comes back: nothing is done by halves, and nobody restarts anything.

use futures_util::future::{self, BoxFuture, FutureExt, join_all};
use hallpass_core::{
    Code, Ctx, Hallpass, Result,
    accounts::{self, Account},
    keys,
    login::{self, Identifier},
    on_both_engines,
    sessions::{self, Issued, Remember},
    tasks,
    testing::TestDb,
};
use hallpass_token::TokenError;
use sqlx::{Connection, PgConnection, SqliteConnection};

use crate::{
    stored::dump,
    support::{House, OTHER_PASSWORD, PASSWORD, code, person},
};

on_both_engines! {
    async fn without_the_database_nothing_is_issued_or_changed_and_tokens_that_are_out_stay_good(database) {
        let house = House::new(database).await;
        let ada = house.create("ada").await;
        let issued = house.sign_in("ada").await;
        house.pass(60);
        let before = dump(&house.database.db).await;
        house.database.db.close().await;
        assert_unavailable(write_all(&house.hallpass, &house.ctx(), &ada, &issued).await);
        assert_eq!(code(house.hallpass.ready(&house.ctx()).await), Code::Unavailable);
        assert_eq!(code(sessions::list(&house.hallpass, &house.ctx(), ada.id).await), Code::Unavailable);
        assert!(house.verify(&issued).is_ok(), "the sign-out failed, so the session goes on");
        let restarted = house.neighbour().await;
        assert_eq!(dump(restarted.db()).await, before);
        assert_all_is_well(&restarted, &house, &issued).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_another_program_holds_the_lock_of_sqlite_nothing_is_changed_and_afterwards_all_is_well() {
    let house = House::new(TestDb::sqlite().await).await;
    let ada = house.create("ada").await;
    let issued = house.sign_in("ada").await;
    house.pass(60);
    let before = dump(&house.database.db).await;
    let mut other = SqliteConnection::connect(&house.database.url).await.unwrap();
    sqlx::query("begin immediate").execute(&mut other).await.unwrap();
    assert_unavailable(write_all(&house.hallpass, &house.ctx(), &ada, &issued).await);
    assert_eq!(house.live(&ada).await, [issued.session], "reading goes on");
    assert!(house.verify(&issued).is_ok(), "the sign-out failed, so the session goes on");
    sqlx::query("rollback").execute(&mut other).await.unwrap();
    assert_eq!(dump(&house.database.db).await, before);
    assert_all_is_well(&house.hallpass, &house, &issued).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_postgresql_ends_are_replaced_and_no_call_fails_in_any_other_way() {
    let Some(database) = TestDb::postgres().await else { return };
    let house = House::new(database).await;
    let ada = house.create("ada").await;
    let mut administrator = PgConnection::connect(&house.database.url).await.unwrap();
    let issued = house.sign_in("ada").await;
    assert!(end_connections(&mut administrator).await >= 1);
    // One call may find out; the next one has a connection.
    if let Err(error) = house.refresh(&issued.refresh_token).await {
        assert_eq!(error.code, Code::Unavailable);
    }
    house.refresh(&issued.refresh_token).await.unwrap();

    for round in 0..10 {
        let issued = house.sign_in("ada").await;
        let ctx = house.ctx();
        let writes = write_all(&house.hallpass, &ctx, &ada, &issued);
        let (answers, ended) = future::join(writes, end_connections(&mut administrator)).await;
        assert!(ended >= 1);
        for (name, answer) in answers {
            // They also meet each other, and what the rounds before have done.
            let expected = [Code::Unavailable, Code::UsernameTaken, Code::InvalidCredentials, Code::SessionEnded];
            let fine = answer.as_ref().map_or_else(|error| expected.contains(&error.code), |()| true);
            assert!(fine, "{name} in round {round}: {answer:?}");
        }
        let back = PASSWORD.to_owned().into();
        if let Err(error) = accounts::set_password(&house.hallpass, &ctx, ada.id, back).await {
            assert_eq!(error.code, Code::Unavailable);
            accounts::set_password(&house.hallpass, &ctx, ada.id, PASSWORD.to_owned().into()).await.unwrap();
        }
        house.pass(60);
    }
    assert_all_is_well(&house.hallpass, &house, &house.sign_in("ada").await).await;
}

/// One of each kind of call that writes, all at once.
async fn write_all(hallpass: &Hallpass, ctx: &Ctx, ada: &Account, issued: &Issued) -> Vec<(&'static str, Result<()>)> {
    let who = Identifier { username: Some("ada".into()), email: None, exact: false };
    let sign_in = login::sign_in(hallpass, ctx, who, PASSWORD.to_owned().into(), Remember::No, None);
    let calls: [(_, BoxFuture<'_, Result<()>>); 8] = [
        ("sign-up", login::sign_up(hallpass, ctx, person("bob"), Remember::No).map(|answer| answer.map(drop)).boxed()),
        ("sign-in", sign_in.map(|answer| answer.map(drop)).boxed()),
        ("refresh", sessions::refresh(hallpass, ctx, &issued.refresh_token).map(|answer| answer.map(drop)).boxed()),
        ("sign-out", sessions::sign_out(hallpass, ctx, issued.session).boxed()),
        ("role", accounts::grant_role(hallpass, ctx, ada.id, "editor").map(|answer| answer.map(drop)).boxed()),
        ("password", accounts::set_password(hallpass, ctx, ada.id, OTHER_PASSWORD.to_owned().into()).boxed()),
        ("key", keys::rotate(hallpass, ctx).map(|answer| answer.map(drop)).boxed()),
        ("background", tasks::run(hallpass, ctx).boxed()),
    ];
    join_all(calls.into_iter().map(|(name, call)| call.map(move |answer| (name, answer)))).await
}

fn assert_unavailable(answers: Vec<(&'static str, Result<()>)>) {
    for (name, answer) in answers {
        assert_eq!(code(answer), Code::Unavailable, "{name}");
    }
}

/// A living session refreshes and is signed out, somebody new comes, and the background work is done.
async fn assert_all_is_well(hallpass: &Hallpass, house: &House, issued: &Issued) {
    let ctx = house.ctx();
    tasks::run(hallpass, &ctx).await.unwrap();
    hallpass.ready(&ctx).await.unwrap();
    let refreshed = sessions::refresh(hallpass, &ctx, &issued.refresh_token).await.unwrap();
    assert!(hallpass.verifier().verify(&refreshed.access_token, ctx.now).is_ok());
    sessions::sign_out(hallpass, &ctx, issued.session).await.unwrap();
    let ended = hallpass.verifier().verify(&refreshed.access_token, ctx.now);
    assert_eq!(ended.unwrap_err(), TokenError::Ended);
    login::sign_up(hallpass, &ctx, person("newcomer"), Remember::No).await.unwrap();
}

/// Ends every connection to this database but its own, as a restart of the server does, and says how many there were.
async fn end_connections(administrator: &mut PgConnection) -> i64 {
    const END: &str = "select count(*) filter (where pg_terminate_backend(pid, 5000)) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid()";
    sqlx::query_scalar(END).fetch_one(administrator).await.unwrap()
}

//! Connections of both engines that stay open from one use to the next, those of SQLite for reading alone.
//!
//! `sqlx`'s own pool asks each connection that comes back whether it still answers, and again before it is used. For a
//! file that is a thread to wake for nothing, and for a server as long a way as that of the statement itself. Here a
//! connection is asked only if it may be no good: after a second without use, or after another one has failed. One of
//! which nobody knows what it is doing is thrown away.

use std::{
    fmt, iter,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use sqlx::{ConnectOptions as _, Connection as _, Database, error::DatabaseError};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::POOL_WAIT;

/// What the codes begin with by which PostgreSQL says that it closes the connection (its appendix A, class 57).
const SHUTDOWN: &str = "57P";

/// How long a connection is taken for good that was good.
const TRUSTED: Duration = Duration::from_secs(1);

type Options<D> = <<D as Database>::Connection as sqlx::Connection>::Options;

/// A connection, once one was needed there.
type Slot<D> = Option<Line<D>>;

/// Takes back what a connection has done since its transaction began.
type Rollback<D> = fn(&mut <D as Database>::Connection) -> BoxFuture<'_, sqlx::Result<()>>;

/// As many connections as may be used at a time. Clones share them.
pub struct Connections<D: Database>(Arc<Inner<D>>);

struct Inner<D: Database> {
    options: Options<D>,
    rollback: Rollback<D>,
    slots: Box<[Arc<Mutex<Slot<D>>>]>,
    /// As many as slots are free.
    places: Arc<Semaphore>,
    /// How many connections have failed.
    failures: Arc<AtomicU64>,
}

/// A connection, and what is known of it.
pub(crate) struct Line<D: Database> {
    connection: D::Connection,
    doing: Doing,
    used: Instant,
    /// How many had failed when this one was good.
    failures: u64,
    all_failures: Arc<AtomicU64>,
}

/// What a connection is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Doing {
    Nothing,
    Transaction,
    /// A statement; stays so if it was given up.
    Statement,
}

/// A statement, from its beginning to its end.
pub(super) struct Statement<'c> {
    doing: &'c mut Doing,
    before: Doing,
    all_failures: &'c AtomicU64,
}

/// A connection that somebody uses.
pub(crate) struct Held<D: Database> {
    line: OwnedMappedMutexGuard<Slot<D>, Line<D>>,
    slot: Arc<Mutex<Slot<D>>>,
    rollback: Rollback<D>,
    /// Given back after the connection.
    place: Option<OwnedSemaphorePermit>,
}

impl<D: Database> Connections<D> {
    /// Opens the first of at most so many.
    pub(super) async fn open(options: Options<D>, most: usize, rollback: Rollback<D>) -> sqlx::Result<Self> {
        let slots = iter::repeat_with(Arc::default).take(most).collect();
        let (places, failures) = (Arc::new(Semaphore::new(most)), Arc::default());
        let connections = Self(Arc::new(Inner { options, rollback, slots, places, failures }));
        connections.take().await?;
        Ok(connections)
    }

    /// Waits for one that nobody uses.
    pub(crate) async fn take(&self) -> sqlx::Result<Held<D>> {
        timeout(POOL_WAIT, self.find()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    async fn find(&self) -> sqlx::Result<Held<D>> {
        let place = self.0.places.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        // The first ones first: what they have read lately is in their caches.
        let free = self.0.slots.iter().find_map(|slot| Some((slot.clone(), slot.clone().try_lock_owned().ok()?)));
        let (slot, mut locked) = free.ok_or(sqlx::Error::PoolTimedOut)?;
        self.renew(&mut locked).await?;
        let line = OwnedMutexGuard::try_map(locked, Option::as_mut).map_err(|_| sqlx::Error::WorkerCrashed)?;
        Ok(Held { line, slot, rollback: self.0.rollback, place: Some(place) })
    }

    /// Puts a connection there that is good.
    async fn renew(&self, slot: &mut Slot<D>) -> sqlx::Result<()> {
        // Whoever was given up may not have been taken back yet.
        take_back(slot, self.0.rollback).await;
        let failures = self.0.failures.load(Ordering::Relaxed);
        let is_good = match slot.as_mut() {
            Some(line) if line.failures == failures && line.used.elapsed() < TRUSTED => true,
            Some(line) => {
                line.doing = Doing::Statement;
                // In time for another one.
                let answers = matches!(timeout(POOL_WAIT / 2, line.connection.ping()).await, Ok(Ok(())));
                line.doing = Doing::Nothing;
                line.failures = failures;
                answers
            }
            None => false,
        };
        if !is_good {
            *slot = None;
            let connection = self.0.options.connect().await?;
            let (doing, used, all_failures) = (Doing::Nothing, Instant::now(), self.0.failures.clone());
            *slot = Some(Line { connection, doing, used, failures, all_failures });
        }
        Ok(())
    }

    /// Closes all, once nobody uses one any more.
    pub(super) async fn close(&self) {
        self.0.places.close();
        for slot in &self.0.slots {
            if let Some(line) = slot.lock().await.take() {
                let _ = line.connection.close().await;
            }
        }
    }
}

impl<D: Database> Clone for Connections<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Database> fmt::Debug for Connections<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("most", &self.0.slots.len()).finish_non_exhaustive()
    }
}

impl<D: Database> Line<D> {
    /// The connection, for a statement of which the caller says how it ended.
    pub(super) fn statement(&mut self) -> (&mut D::Connection, Statement<'_>) {
        let Self { connection, doing, all_failures, .. } = self;
        let before = std::mem::replace(doing, Doing::Statement);
        (connection, Statement { doing, before, all_failures })
    }
}

impl Statement<'_> {
    /// Notes how it ended.
    pub(super) fn ended<T>(&mut self, answer: &sqlx::Result<T>) {
        let server_goes_on = |error: &dyn DatabaseError| !error.code().is_some_and(|code| code.starts_with(SHUTDOWN));
        match answer {
            Ok(_) => *self.doing = self.before,
            Err(sqlx::Error::Database(error)) if server_goes_on(&**error) => *self.doing = self.before,
            // The other connections may be as bad.
            Err(_) => drop(self.all_failures.fetch_add(1, Ordering::Relaxed)),
        }
    }
}

impl<D: Database> Held<D> {
    pub(super) fn line(&mut self) -> &mut Line<D> {
        &mut self.line
    }

    /// The connection, where nothing is noted of it.
    pub(crate) fn connection(&mut self) -> &mut D::Connection {
        &mut self.line.connection
    }

    /// Notes that a transaction has begun, or is over.
    pub(super) fn set_transaction(&mut self, begun: bool) {
        self.line.doing = if begun { Doing::Transaction } else { Doing::Nothing };
    }

    /// Whether it is in a transaction, or in nobody knows what.
    pub(super) fn is_busy(&self) -> bool {
        self.line.doing != Doing::Nothing
    }
}

impl<D: Database> Drop for Held<D> {
    /// Sees to it that what was given up is taken back.
    fn drop(&mut self) {
        self.line.used = Instant::now();
        if self.line.doing != Doing::Nothing
            && let Ok(runtime) = Handle::try_current()
        {
            let (slot, rollback, place) = (self.slot.clone(), self.rollback, self.place.take());
            runtime.spawn(async move {
                take_back(&mut *slot.lock().await, rollback).await;
                drop(place);
            });
        }
    }
}

/// Takes back what was given up; throws the connection away if that cannot be.
async fn take_back<D: Database>(slot: &mut Slot<D>, rollback: Rollback<D>) {
    let Some(line) = slot else { return };
    let doing = std::mem::replace(&mut line.doing, Doing::Statement);
    let taken_back = match doing {
        Doing::Nothing => true,
        Doing::Transaction => {
            matches!(timeout(POOL_WAIT / 2, rollback(&mut line.connection)).await, Ok(Ok(())))
        }
        Doing::Statement => false,
    };
    if taken_back {
        line.doing = Doing::Nothing;
    } else {
        *slot = None;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use sqlx::Postgres;
    use tokio::task::yield_now;

    use super::*;
    use crate::{
        store::{Db, Patient, meta},
        testing::TestDb,
    };

    fn connections(db: &TestDb) -> &Connections<Postgres> {
        let Db::Postgres { connections, .. } = &db.db else { panic!() };
        connections
    }

    /// The process of the server behind a connection.
    async fn process(held: &mut Held<Postgres>) -> sqlx::Result<i32> {
        sqlx::query_scalar("select pg_backend_pid()").fetch_one(Patient(held.line())).await
    }

    #[tokio::test]
    async fn a_transaction_that_is_given_up_is_taken_back_and_its_connection_goes_on() {
        let Some(db) = TestDb::postgres().await else { return };
        let first = process(&mut connections(&db).take().await.unwrap()).await.unwrap();
        let mut tx = db.db.begin().await.unwrap();
        meta::set_once(tx.conn(), "given up", "written").await.unwrap();
        drop(tx);
        // Until the first one is free again.
        while process(&mut connections(&db).take().await.unwrap()).await.unwrap() != first {
            yield_now().await;
        }
        assert!(meta::get(db.db.read().await.unwrap().conn(), "given up").await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_connection_whose_statement_was_given_up_is_not_used_again() {
        let Some(db) = TestDb::postgres().await else { return };
        let mut held = connections(&db).take().await.unwrap();
        let given_up = process(&mut held).await.unwrap();
        let sleep = sqlx::query("select pg_sleep(60)").execute(Patient(held.line())).now_or_never();
        assert!(sleep.is_none());
        drop(held);
        for _ in 0..3 {
            assert_ne!(process(&mut connections(&db).take().await.unwrap()).await.unwrap(), given_up);
        }
    }

    #[tokio::test]
    async fn once_a_connection_has_failed_the_others_are_asked_before_they_are_used() {
        let Some(db) = TestDb::postgres().await else { return };
        let Db::Postgres { pool, .. } = &db.db else { panic!() };
        let (mut one, mut other) = (connections(&db).take().await.unwrap(), connections(&db).take().await.unwrap());
        for held in [&mut one, &mut other] {
            let ended = sqlx::query("select pg_terminate_backend($1, 5000)").bind(process(held).await.unwrap());
            ended.execute(pool).await.unwrap();
        }
        assert!(process(&mut one).await.is_err());
        drop((one, other));
        let (mut one, mut other) = (connections(&db).take().await.unwrap(), connections(&db).take().await.unwrap());
        assert_ne!(process(&mut one).await.unwrap(), process(&mut other).await.unwrap());
    }
}

//! Writing to SQLite, which has one writer, and whose every commit waits for the disk: whoever wants to write takes a
//! turn, and turns that follow each other without a pause are committed together.
//!
//! Each turn stands between savepoints of its own, so one that fails takes nothing of the others away; but one of a
//! single statement, which fails as a whole by itself, has none. A turn ends, as a commit does, when it is on disk. The
//! queue for turns is first in, first out, and after a turn the commit queues up in it like another one: it comes when
//! all have had theirs who were waiting already, and at once where nobody was.

use std::{
    mem,
    sync::{
        Arc, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{FutureExt, future::BoxFuture};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, pool::PoolConnection};
use tokio::{
    runtime::Handle,
    sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, oneshot},
    time::timeout,
};

use super::POOL_WAIT;

/// The connection, in a transaction: with what has been written and is not committed yet.
type Open = Option<PoolConnection<Sqlite>>;

/// What became of a turn.
type Outcome = Result<(), Arc<sqlx::Error>>;

/// The queue of those who want to write. Clones share it.
#[derive(Debug, Clone)]
pub struct Turns(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The one connection that writes.
    pool: SqlitePool,
    open: Arc<Mutex<Open>>,
    /// Whether the last turn was given up, or goes on.
    given_up: AtomicBool,
    /// Whether a turn of a single statement was given up, or goes on: a full disk, say, can have ended the transaction.
    unsure: AtomicBool,
    /// Those whose turn is over, and who wait for the commit.
    done: std::sync::Mutex<Vec<oneshot::Sender<Outcome>>>,
    /// Whether the commit is in the queue.
    settling: AtomicBool,
}

/// Somebody's turn; without [`Turn::commit`] nothing of it happened.
pub(crate) struct Turn {
    turns: Turns,
    open: OwnedMappedMutexGuard<Open, PoolConnection<Sqlite>>,
}

impl Turns {
    pub(super) fn new(pool: SqlitePool) -> Self {
        let (open, given_up, unsure, done, settling) = Default::default();
        Self(Arc::new(Inner { pool, open, given_up, unsure, done, settling }))
    }

    /// Waits for its turn.
    pub(super) async fn take(&self) -> sqlx::Result<Turn> {
        self.next(false).await
    }

    /// Waits for a turn of a single statement.
    pub(super) async fn take_one(&self) -> sqlx::Result<Turn> {
        self.next(true).await
    }

    async fn next(&self, is_one: bool) -> sqlx::Result<Turn> {
        let turn = timeout(POOL_WAIT, self.0.open.clone().lock_owned());
        let mut open = turn.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        if !is_one || self.0.given_up.load(Ordering::Relaxed) || self.0.unsure.load(Ordering::Relaxed) {
            self.follow(&mut open).await;
        }
        if open.is_none() {
            let connection = open.insert(self.0.pool.acquire().await?);
            // `immediate` takes the write lock now: a transaction that read first could not always be upgraded later.
            if let Err(error) = execute(connection, "begin immediate; savepoint turn").await {
                abandon(&mut open).await;
                return Err(error);
            }
        }
        let open = OwnedMutexGuard::try_map(open, Option::as_mut).map_err(|_| sqlx::Error::WorkerCrashed)?;
        self.0.given_up.store(!is_one, Ordering::Relaxed);
        self.0.unsure.store(is_one, Ordering::Relaxed);
        Ok(Turn { turns: self.clone(), open })
    }

    /// Commits all turns that are over, and tells them.
    async fn settle(&self) {
        let mut open = self.0.open.lock().await;
        self.0.settling.store(false, Ordering::Relaxed);
        let Some(connection) = open.as_deref_mut() else { return };
        let done = mem::take(&mut *self.done());
        let end = match self.0.given_up.load(Ordering::Relaxed) {
            _ if done.is_empty() => "rollback",
            true => "rollback to turn; commit",
            false => "commit",
        };
        let ended = execute(connection, end).await;
        match ended {
            Ok(()) => *open = None,
            Err(_) => abandon(&mut open).await,
        }
        tell(done, ended);
    }

    /// Sets a savepoint behind the turns before, and takes the last one back if it was given up.
    async fn follow(&self, open: &mut Open) {
        let Some(connection) = open.as_deref_mut() else { return };
        let given_up = self.0.given_up.load(Ordering::Relaxed);
        let statements = if given_up { "rollback to turn" } else { "release turn; savepoint turn" };
        if let Err(error) = execute(connection, statements).await {
            // After a full disk, say, SQLite has taken everything back by itself.
            abandon(open).await;
            tell(mem::take(&mut *self.done()), Err(error));
        }
    }

    fn done(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Outcome>>> {
        self.0.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives the connection back in no transaction any more, whether it still was in one or not.
async fn abandon(open: &mut Open) {
    if let Some(connection) = open.as_deref_mut() {
        let _ = rollback(connection).await;
    }
    *open = None;
}

/// Takes back what the transaction has done.
pub(super) fn rollback(connection: &mut SqliteConnection) -> BoxFuture<'_, sqlx::Result<()>> {
    execute(connection, "rollback").boxed()
}

async fn execute(connection: &mut SqliteConnection, statements: &'static str) -> sqlx::Result<()> {
    sqlx::raw_sql(statements).execute(connection).await.map(drop)
}

fn tell(done: Vec<oneshot::Sender<Outcome>>, committed: sqlx::Result<()>) {
    let committed = committed.map_err(Arc::new);
    for waits in done {
        // Whoever has gone in the meantime need not be told.
        let _ = waits.send(committed.clone());
    }
}

impl Turn {
    pub(super) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.open
    }

    /// Returns once the turn is on disk.
    pub(super) async fn commit(self) -> Outcome {
        // From here on it is committed whether or not somebody waits for it.
        self.turns.0.given_up.store(false, Ordering::Relaxed);
        self.turns.0.unsure.store(false, Ordering::Relaxed);
        let (waits, told) = oneshot::channel();
        self.turns.done().push(waits);
        drop(self);
        told.await.unwrap_or_else(|_| Err(Arc::new(sqlx::Error::WorkerCrashed)))
    }
}

impl Drop for Turn {
    /// Sees to it that the turn is committed, or taken back if it was given up.
    fn drop(&mut self) {
        if let Ok(runtime) = Handle::try_current()
            && !self.turns.0.settling.swap(true, Ordering::Relaxed)
        {
            // In a task of its own: others depend on it, whoever stops waiting here.
            let turns = self.turns.clone();
            runtime.spawn(async move { turns.settle().await });
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::{
        FutureExt,
        future::{join, join_all},
    };
    use tokio::time::timeout;

    use crate::store::{Db, Tx, meta};

    async fn database() -> (tempfile::TempDir, Db) {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.unwrap();
        db.migrate().await.unwrap();
        (folder, db)
    }

    async fn write(db: &Db, name: &str) -> Tx {
        let mut tx = db.begin().await.unwrap();
        meta::set_once(tx.conn(), name, "written").await.unwrap();
        tx
    }

    async fn is_there(db: &Db, name: &str) -> bool {
        meta::get(db.read().await.unwrap().conn(), name).await.unwrap().is_some()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn of_many_turns_those_are_there_that_were_committed_and_no_others() {
        let (_folder, db) = database().await;
        let turn = async |number: i32| {
            let name = format!("turn {number}");
            let tx = write(&db, &name).await;
            if number % 3 == 0 {
                drop(tx);
                return;
            }
            tx.commit().await.unwrap();
            assert!(is_there(&db, &name).await, "{name} was acknowledged");
        };
        let turn_of_one = async |number: i32| {
            let mut tx = db.begin_one().await.unwrap();
            if number % 3 == 0 {
                return;
            }
            meta::set_once(tx.conn(), &format!("turn of one {number}"), "written").await.unwrap();
            tx.commit().await.unwrap();
        };
        join_all((0..100).map(async |number| join(turn(number), turn_of_one(number)).await)).await;
        // After all that were given up.
        write(&db, "last").await.commit().await.unwrap();
        for number in 0..100 {
            for name in [format!("turn {number}"), format!("turn of one {number}")] {
                assert_eq!(is_there(&db, &name).await, number % 3 != 0, "{name}");
            }
        }
    }

    #[tokio::test]
    async fn turns_that_wait_behind_each_other_share_a_commit() {
        let (_folder, db) = database().await;
        let Db::Sqlite { turns, .. } = &db else { panic!() };
        let first = write(&db, "first").await;
        let second = tokio::spawn({
            let db = db.clone();
            async move { write(&db, "second").await.commit().await }
        });
        // Until the second stands in the queue.
        while std::sync::Arc::strong_count(&turns.0.open) < 3 {
            tokio::task::yield_now().await;
        }
        first.commit().await.unwrap();
        assert!(is_there(&db, "first").await && is_there(&db, "second").await);
        second.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_turn_that_is_given_up_lets_another_program_write() {
        let (folder, db) = database().await;
        drop(write(&db, "given up").await);
        let other = Db::open(&format!("sqlite:{}", folder.path().join("test.db").display())).await.unwrap();
        timeout(Duration::from_secs(4), write(&other, "other")).await.unwrap().commit().await.unwrap();
        assert!(!is_there(&db, "given up").await && is_there(&db, "other").await);
    }

    #[tokio::test]
    async fn whoever_leaves_the_queue_holds_nobody_up() {
        let (_folder, db) = database().await;
        let first = write(&db, "first").await;
        let mut leaves = Box::pin(db.begin());
        assert!((&mut leaves).now_or_never().is_none());
        let first = tokio::spawn(first.commit());
        tokio::task::yield_now().await;
        drop(leaves);
        first.await.unwrap().unwrap();
        assert!(is_there(&db, "first").await);
    }

    #[tokio::test]
    async fn a_full_disk_is_an_error_for_whoever_was_not_written_and_passes() {
        let (_folder, db) = database().await;
        let Db::Sqlite { writer, .. } = &db else { panic!() };
        let pages: i64 = sqlx::query_scalar("pragma page_count").fetch_one(writer).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("pragma max_page_count = {}", pages + 2)))
            .execute(writer)
            .await
            .unwrap();
        let turn = async |number: i32| {
            let name = format!("turn {number}");
            let mut tx = if number % 3 == 0 { db.begin().await? } else { db.begin_one().await? };
            meta::set_once(tx.conn(), &name, &"x".repeat(3_000)).await?;
            tx.commit().await
        };
        let outcomes = join_all((0..20).map(turn)).await;
        for (number, outcome) in outcomes.iter().enumerate() {
            assert_eq!(is_there(&db, &format!("turn {number}")).await, outcome.is_ok(), "turn {number}");
        }
        assert!(outcomes.iter().any(Result::is_err));
        sqlx::query("pragma max_page_count = 1000000").execute(writer).await.unwrap();
        write(&db, "room again").await.commit().await.unwrap();
        assert!(is_there(&db, "room again").await);
    }
}

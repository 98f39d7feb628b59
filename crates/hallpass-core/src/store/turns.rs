//! Writing to SQLite, which has one writer, and whose every commit waits for the disk: whoever wants to write takes a
//! turn, and turns that follow each other without a pause are committed together.
//!
//! Each turn stands between savepoints of its own, so one that fails takes nothing of the others away. It ends, as a
//! commit does, when it is on disk. The queue for turns is first in, first out, and after a turn the commit queues up in
//! it like another one: it comes when all have had theirs who were waiting already, and at once where nobody was.

use std::{
    mem,
    sync::{
        Arc, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

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
    /// Whether the last turn was given up, and is still to be taken back.
    given_up: AtomicBool,
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
        let (open, given_up, done, settling) = Default::default();
        Self(Arc::new(Inner { pool, open, given_up, done, settling }))
    }

    /// Waits for its turn.
    pub(super) async fn take(&self) -> sqlx::Result<Turn> {
        let turn = timeout(POOL_WAIT, self.0.open.clone().lock_owned());
        let mut open = turn.await.map_err(|_| sqlx::Error::PoolTimedOut)?;
        self.take_back(&mut open).await;
        if open.is_none() {
            let mut connection = self.0.pool.acquire().await?;
            // `immediate` takes the write lock now: a transaction that read first could not always be upgraded later.
            execute(&mut connection, "begin immediate").await?;
            *open = Some(connection);
        }
        let open = OwnedMutexGuard::try_map(open, Option::as_mut).map_err(|_| sqlx::Error::WorkerCrashed)?;
        let mut turn = Turn { turns: self.clone(), open };
        execute(turn.connection(), "savepoint turn").await?;
        self.0.given_up.store(true, Ordering::Relaxed);
        Ok(turn)
    }

    /// Commits all turns that are over, and tells them.
    async fn settle(&self) {
        let mut open = self.0.open.lock().await;
        self.0.settling.store(false, Ordering::Relaxed);
        self.take_back(&mut open).await;
        let Some(mut connection) = open.take() else { return };
        let done = mem::take(&mut *self.done());
        let end = if done.is_empty() { "rollback" } else { "commit" };
        let ended = execute(&mut connection, end).await;
        if ended.is_err() {
            abandon(connection).await;
        }
        tell(done, ended);
    }

    /// Takes back what was written in a turn that was given up, and nothing of the turns before.
    async fn take_back(&self, open: &mut Open) {
        if !self.0.given_up.load(Ordering::Relaxed) {
            return;
        }
        if let Some(connection) = open.as_deref_mut()
            && let Err(error) = sqlx::raw_sql("rollback to turn; release turn").execute(connection).await
        {
            // After a full disk, say, SQLite has taken everything back by itself.
            if let Some(connection) = open.take() {
                abandon(connection).await;
            }
            tell(mem::take(&mut *self.done()), Err(error));
        }
        self.0.given_up.store(false, Ordering::Relaxed);
    }

    fn done(&self) -> MutexGuard<'_, Vec<oneshot::Sender<Outcome>>> {
        self.0.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sees to it that the connection is in no transaction any more, whether it still was in one or not.
async fn abandon(mut connection: PoolConnection<Sqlite>) {
    let _ = execute(&mut connection, "rollback").await;
}

async fn execute(connection: &mut SqliteConnection, statement: &'static str) -> sqlx::Result<()> {
    sqlx::query(statement).execute(connection).await.map(drop)
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
    pub(super) async fn commit(mut self) -> Outcome {
        // From here on it is committed whether or not somebody waits for it.
        self.turns.0.given_up.store(false, Ordering::Relaxed);
        if let Err(error) = execute(self.connection(), "release turn").await {
            self.turns.0.given_up.store(true, Ordering::Relaxed);
            return Err(Arc::new(error));
        }
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

    use futures_util::{FutureExt, future::join_all};
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
        join_all((0..100).map(turn)).await;
        // After all that were given up.
        write(&db, "last").await.commit().await.unwrap();
        for number in 0..100 {
            assert_eq!(is_there(&db, &format!("turn {number}")).await, number % 3 != 0, "turn {number}");
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
        let mut first = Box::pin(first.commit());
        while turns.done().is_empty() {
            assert!((&mut first).now_or_never().is_none());
            tokio::task::yield_now().await;
        }
        // The first turn is over, and the second has had none of its own yet.
        assert!(!second.is_finished());
        first.await.unwrap();
        second.await.unwrap().unwrap();
        assert!(is_there(&db, "first").await && is_there(&db, "second").await);
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
            let mut tx = db.begin().await?;
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

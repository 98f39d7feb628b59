//! Connections that read from SQLite, kept open from one reading to the next.
//!
//! `sqlx`'s own pool asks each connection that comes back whether it still answers. In a file that is a thread to wake
//! for nothing, and takes longer than most of what is read.

use std::{iter, sync::Arc};

use sqlx::{ConnectOptions as _, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, OwnedMappedMutexGuard, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

use super::POOL_WAIT;

/// A connection, once one was needed there.
type Slot = Option<SqliteConnection>;

/// As many connections as may read at a time. Clones share them.
#[derive(Debug, Clone)]
pub struct Readers {
    options: Arc<SqliteConnectOptions>,
    slots: Arc<[Arc<Mutex<Slot>>]>,
    /// As many as slots are free.
    places: Arc<Semaphore>,
}

/// A connection of somebody who reads.
pub(crate) struct Reading {
    connection: OwnedMappedMutexGuard<Slot, SqliteConnection>,
    /// Given back after the connection.
    _place: OwnedSemaphorePermit,
}

impl Readers {
    /// Opens the first of at most so many.
    pub(super) async fn open(options: SqliteConnectOptions, most: usize) -> sqlx::Result<Self> {
        let slots = iter::repeat_with(Arc::default).take(most).collect();
        let readers = Self { options: options.into(), slots, places: Semaphore::new(most).into() };
        readers.take().await?;
        Ok(readers)
    }

    /// Waits for one that nobody uses.
    pub(crate) async fn take(&self) -> sqlx::Result<Reading> {
        let place = timeout(POOL_WAIT, self.places.clone().acquire_owned()).await;
        let place = place.map_err(|_| sqlx::Error::PoolTimedOut)?.map_err(|_| sqlx::Error::PoolClosed)?;
        // The first ones first: what they have read lately is in their caches.
        let free = self.slots.iter().find_map(|slot| slot.clone().try_lock_owned().ok());
        let mut slot = free.ok_or(sqlx::Error::PoolTimedOut)?;
        if slot.is_none() {
            *slot = Some(self.options.connect().await?);
        }
        let connection = OwnedMutexGuard::try_map(slot, Option::as_mut).map_err(|_| sqlx::Error::WorkerCrashed)?;
        Ok(Reading { connection, _place: place })
    }

    /// Closes all, once nobody reads any more.
    pub(super) async fn close(&self) {
        self.places.close();
        for slot in self.slots.iter() {
            if let Some(connection) = slot.lock().await.take() {
                let _ = connection.close().await;
            }
        }
    }
}

impl Reading {
    pub(crate) fn connection(&mut self) -> &mut SqliteConnection {
        &mut self.connection
    }
}

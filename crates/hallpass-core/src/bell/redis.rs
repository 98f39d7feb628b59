//! The bell that Redis and Valkey have: `PUBLISH` and `SUBSCRIBE` on one channel, with nothing in the message.
//!
//! It keeps nothing there, never waits longer than two seconds for an answer, and never repeats the address, which may
//! hold a password.

use std::{pin::pin, time::Duration};

use futures_util::{FutureExt as _, StreamExt as _};
use redis::{
    AsyncConnectionConfig, Client, RedisError, Value,
    aio::{MultiplexedConnection, PubSubSink, PubSubStream},
};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::timeout;

use crate::{Code, Error, Result};

/// All installations on one Redis share it: whose bell it was, the log says.
const CHANNEL: &str = "hallpass_revocations";

/// How long the server may take for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// How long nothing has to come before the server is asked whether it is still there: a connection that was cut on the
/// way is as silent as one on which nobody rings.
const SILENCE: Duration = Duration::from_secs(2);

/// What is needed to ring.
pub(crate) struct Rope {
    client: Client,
    connection: Option<MultiplexedConnection>,
}

/// What is needed to hear.
pub(super) struct Ear {
    sink: PubSubSink,
    stream: PubSubStream,
}

impl Rope {
    /// A bell at this address; connects to nothing yet.
    ///
    /// # Errors
    /// A sentence that says what to write, and does not repeat what was written.
    pub(crate) fn to(address: &SecretString) -> Result<Self, &'static str> {
        const PROBLEM: &str = "`revocation.redis` cannot be understood: write it like `redis://127.0.0.1:6379` or \
                               `rediss://USER:PASSWORD@redis.example.org:6379`";
        let address = address.expose_secret();
        // Behind a `#` the library takes switches, such as one that checks no certificate.
        let plain = ["redis://", "rediss://"].iter().any(|begin| address.starts_with(begin)) && !address.contains('#');
        let client = if plain { Client::open(address).map_err(|_| PROBLEM)? } else { return Err(PROBLEM) };
        Ok(Self { client, connection: None })
    }

    pub(super) async fn ring(&mut self) -> Result<()> {
        if let Some(mut connection) = self.connection.take()
            && publish(&mut connection).await.is_ok()
        {
            self.connection = Some(connection);
            return Ok(());
        }
        // There was none, or it was lost since the last time, which shows only now.
        let patience =
            AsyncConnectionConfig::new().set_connection_timeout(Some(PATIENCE)).set_response_timeout(Some(PATIENCE));
        let mut connection =
            self.client.get_multiplexed_async_connection_with_config(&patience).await.map_err(failed)?;
        publish(&mut connection).await.map_err(failed)?;
        self.connection = Some(connection);
        Ok(())
    }

    /// Hears what is rung from now on.
    pub(super) async fn listen(&self) -> Result<Ear> {
        let opened = async {
            let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
            sink.subscribe(CHANNEL).await?;
            Ok(Ear { sink, stream })
        };
        in_time(opened).await
    }
}

async fn publish(connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
    redis::cmd("PUBLISH").arg(CHANNEL).arg("").exec_async(connection).await
}

impl Ear {
    /// Waits until it rang, however often it did meanwhile.
    pub(super) async fn hear(&mut self) -> Result<()> {
        loop {
            match timeout(SILENCE, self.stream.next()).await {
                Ok(Some(_)) => break,
                Ok(None) => return Err(Error::new(Code::Unavailable, "Redis closed the connection")),
                Err(_) => in_time(self.sink.ping::<Value>()).await.map(drop)?,
            }
        }
        while let Some(Some(_)) = pin!(self.stream.next()).now_or_never() {}
        Ok(())
    }
}

/// What the server answers, if it does so in time.
async fn in_time<T>(answer: impl Future<Output = Result<T, RedisError>>) -> Result<T> {
    match timeout(PATIENCE, answer).await {
        Ok(answer) => answer.map_err(failed),
        Err(_) => Err(Error::new(Code::Unavailable, "Redis does not answer")),
    }
}

fn failed(error: RedisError) -> Error {
    Error::new(Code::Unavailable, format!("Redis: {error}"))
}

//! Counters that all instances share, in Redis. One connection, made when first needed and made
//! again by its manager after a loss.

use super::Slot;
use redis::{
    Client, RedisError,
    aio::{ConnectionManager, ConnectionManagerConfig},
};

/// The counters.
pub(super) struct SharedWindows(ConnectionManager);

impl std::fmt::Debug for SharedWindows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedWindows").finish_non_exhaustive()
    }
}

impl SharedWindows {
    /// Within a tokio runtime.
    pub(super) fn open(url: &str) -> Result<Self, RedisError> {
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(1)
            .set_connection_timeout(Some(super::DEADLINE))
            .set_response_timeout(Some(super::DEADLINE));
        let manager = ConnectionManager::new_lazy_with_config(Client::open(url)?, config)?;
        Ok(Self(manager))
    }

    /// Counts one event; the counter lives a window longer than needed and is then forgotten.
    pub(super) async fn increment(&self, key: &str, slot: Slot) -> Result<u64, RedisError> {
        let mut connection = self.0.clone();
        let key = format!("ploy:rate:{key}:{}:{}", slot.window_ms, slot.number);
        let (count,): (u64,) = redis::pipe()
            .atomic()
            .incr(&key, 1u64)
            .pexpire(&key, slot.window_ms.saturating_mul(2))
            .ignore()
            .query_async(&mut connection)
            .await?;
        Ok(count)
    }

    pub(super) async fn ping(&self) -> Result<(), RedisError> {
        let mut connection = self.0.clone();
        redis::cmd("PING").query_async(&mut connection).await
    }
}

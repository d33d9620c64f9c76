//! The log of accounts in memory only, to measure the path of an order without the durable write.
//! It keeps what is appended and hands it out by sequence; nothing here survives the process, so it
//! is never for trading.

use ploy_domain::{AccountId, OrderEvent};
use ploy_wire::api::Head;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

type Logs = BTreeMap<AccountId, Vec<OrderEvent>>;

/// Order logs in memory. Cloning shares them; locked only for a copy.
#[derive(Debug, Clone, Default)]
pub struct VolatileLog(Arc<Mutex<Logs>>);

impl VolatileLog {
    fn lock(&self) -> MutexGuard<'_, Logs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn append(&self, account: AccountId, events: &[OrderEvent]) {
        self.lock()
            .entry(account)
            .or_default()
            .extend_from_slice(events);
    }

    /// The account's events from `from_seq` on, at most `limit`.
    #[must_use]
    pub fn read(&self, account: &AccountId, from_seq: u64, limit: usize) -> Vec<OrderEvent> {
        let logs = self.lock();
        let events = logs.get(account).map_or(&[][..], Vec::as_slice);
        let from = events.partition_point(|event| event.seq < from_seq);
        events[from..].iter().take(limit).cloned().collect()
    }

    /// Where the account's log ends.
    #[must_use]
    pub fn head(&self, account: AccountId) -> Head {
        let logs = self.lock();
        let last = logs.get(&account).and_then(|events| events.last());
        let (seq, epoch) = last.map_or((0, 0), |event| (event.seq, event.epoch));
        Head {
            account,
            seq,
            epoch,
        }
    }
}

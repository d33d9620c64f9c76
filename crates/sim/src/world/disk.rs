//! The database of the platform: what survives every crash. It keeps the rules that PostgreSQL and
//! SQLite keep: a commit is whole or nothing, sequences are unique, and a writer that is not the
//! leader any more is refused (ORD-23, ORD-25, DB-9).

use super::plan::Part;
use ploy_domain::{
    ClientOrderId, ExecutionId, InstrumentId, Nanos, OrderEvent, OrderEventPayload, Timestamp,
    VenueOrderId,
};
use ploy_risk_core::TradingStates;
use std::collections::{BTreeMap, BTreeSet};

/// How long a lease holds without a renewal.
pub(crate) const LEASE_TTL: Nanos = Nanos::from_secs(5);

/// A process in one of its lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Address {
    pub(crate) part: Part,
    pub(crate) life: u32,
}

#[derive(Debug, Clone, Copy)]
struct Lease {
    holder: Option<Address>,
    epoch: u64,
    expires: Timestamp,
}

/// Why the database did not commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The writer leads no longer.
    Fenced,
    /// The sequence is taken, or leaves a gap.
    Sequence,
}

/// The tables.
#[derive(Debug)]
pub(crate) struct Disk {
    log: Vec<OrderEvent>,
    journaled: BTreeSet<ClientOrderId>,
    fills: BTreeSet<FillKey>,
    newest_fill: Option<Timestamp>,
    lease: Lease,
    /// How far the log was handed to the bus, as far as anybody wrote down.
    pub(crate) relayed: usize,
    /// The last decision of each strategy.
    pub(crate) decisions: BTreeMap<u8, u64>,
    /// The trading states as recorded.
    pub(crate) states: TradingStates,
    /// The newest epoch of the risk service.
    pub(crate) risk_epoch: u64,
}

pub(crate) type FillKey = (InstrumentId, VenueOrderId, ExecutionId);

impl Disk {
    pub(crate) fn new() -> Self {
        Self {
            log: Vec::new(),
            journaled: BTreeSet::new(),
            fills: BTreeSet::new(),
            newest_fill: None,
            lease: Lease {
                holder: None,
                epoch: 0,
                expires: Timestamp::EPOCH,
            },
            relayed: 0,
            decisions: BTreeMap::new(),
            states: TradingStates::default(),
            risk_epoch: 0,
        }
    }

    /// The whole log of the account.
    pub(crate) fn log(&self) -> &[OrderEvent] {
        &self.log
    }

    /// The log from a sequence on.
    pub(crate) fn log_from(&self, seq: u64) -> &[OrderEvent] {
        let skipped = usize::try_from(seq.saturating_sub(1)).unwrap_or(usize::MAX);
        self.log.get(skipped..).unwrap_or_default()
    }

    pub(crate) fn head_seq(&self) -> u64 {
        self.log.len() as u64
    }

    /// Whether the order's send permit is durable.
    pub(crate) fn is_journaled(&self, order_id: &ClientOrderId) -> bool {
        self.journaled.contains(order_id)
    }

    pub(crate) fn fill_keys(&self) -> &BTreeSet<FillKey> {
        &self.fills
    }

    pub(crate) const fn newest_fill(&self) -> Option<Timestamp> {
        self.newest_fill
    }

    /// Who leads the account, if anybody does.
    pub(crate) fn leader(&self, now: Timestamp) -> Option<Address> {
        self.lease.holder.filter(|_| now < self.lease.expires)
    }

    /// The newest fencing epoch.
    pub(crate) const fn epoch(&self) -> u64 {
        self.lease.epoch
    }

    /// Renews the lease, or takes it over when it ran out; answers the epoch it is held under.
    pub(crate) fn lease(&mut self, who: Address, held: Option<u64>, now: Timestamp) -> Option<u64> {
        let is_ours = self.lease.holder == Some(who) && held == Some(self.lease.epoch);
        let is_free = self.lease.holder.is_none() || now >= self.lease.expires;
        if is_ours && now < self.lease.expires {
            self.lease.expires = now.plus(LEASE_TTL);
            return Some(self.lease.epoch);
        }
        if held.is_some() || !is_free {
            return None;
        }
        self.lease = Lease {
            holder: Some(who),
            epoch: self.lease.epoch + 1,
            expires: now.plus(LEASE_TTL),
        };
        Some(self.lease.epoch)
    }

    /// Appends events of the leader of `epoch`.
    pub(crate) fn commit(&mut self, epoch: u64, events: Vec<OrderEvent>) -> Result<(), Refused> {
        if epoch != self.lease.epoch {
            return Err(Refused::Fenced);
        }
        let free = self.head_seq() + 1..;
        if !events.iter().zip(free).all(|(event, seq)| event.seq == seq) {
            return Err(Refused::Sequence);
        }
        for event in events {
            match &event.payload {
                OrderEventPayload::Journaled { order_id } => {
                    self.journaled.insert(*order_id);
                }
                OrderEventPayload::Filled(fill) => {
                    self.fills
                        .insert((fill.instrument, fill.venue_order_id, fill.execution_id));
                    self.newest_fill = self.newest_fill.max(Some(fill.ts_event));
                }
                _ => {}
            }
            self.log.push(event);
        }
        Ok(())
    }
}

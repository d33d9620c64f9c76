//! Exposure of an account: positions, working orders (unknown ones at full size) and the
//! reservations of approvals that are not journaled yet (RSK-3).

use crate::rate::RateWindow;
use ploy_domain::{
    ClientOrderId, Execution, Instrument, InstrumentId, Intent, Nanos, Order, OrderEvent,
    OrderEventPayload, OrderKind, OrderState, Position, PositionError, Price, Quantity, Side,
    StrategyId, Timestamp, order::ApplyError,
};
use std::collections::BTreeMap;

/// An approval that holds exposure until its order is journaled, or until five seconds after it
/// could last be used.
#[derive(Debug, Clone)]
pub(crate) struct Reservation {
    pub(crate) instrument: InstrumentId,
    pub(crate) strategy: StrategyId,
    pub(crate) signed: Quantity,
    pub(crate) content_hash: u128,
    pub(crate) expires_at: Timestamp,
}

/// How long an unused reservation outlives its approval (RSK-3).
pub(crate) const RESERVATION_GRACE: Nanos = Nanos::from_secs(5);

/// Position and possible changes of it in one instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ExposureLine {
    /// Signed position.
    pub position: Quantity,
    /// What working buys can still add.
    pub open_buy: Quantity,
    /// What working sells can still take.
    pub open_sell: Quantity,
    /// What approved buys may add.
    pub reserved_buy: Quantity,
    /// What approved sells may take.
    pub reserved_sell: Quantity,
}

impl ExposureLine {
    /// The position if everything on `side` were filled, saturating at the ends of the range.
    #[must_use]
    pub const fn worst(&self, side: Side) -> Quantity {
        let position = self.position.raw();
        Quantity::from_raw(match side {
            Side::Buy => position
                .saturating_add(self.open_buy.raw())
                .saturating_add(self.reserved_buy.raw()),
            Side::Sell => position
                .saturating_sub(self.open_sell.raw())
                .saturating_sub(self.reserved_sell.raw()),
        })
    }

    fn add_open(&mut self, signed: Quantity) {
        let side = if signed.is_negative() {
            &mut self.open_sell
        } else {
            &mut self.open_buy
        };
        *side = Quantity::from_raw(side.raw().saturating_add(signed.abs().raw()));
    }

    fn add_reserved(&mut self, signed: Quantity) {
        let side = if signed.is_negative() {
            &mut self.reserved_sell
        } else {
            &mut self.reserved_buy
        };
        *side = Quantity::from_raw(side.raw().saturating_add(signed.abs().raw()));
    }
}

/// Everything that risk knows of an account.
#[derive(Debug, Clone, Default)]
pub struct AccountExposure {
    last_seq: u64,
    epoch: u64,
    ready: bool,
    orders: BTreeMap<ClientOrderId, Order>,
    positions: BTreeMap<(InstrumentId, StrategyId), Position>,
    pub(crate) reservations: BTreeMap<ClientOrderId, Reservation>,
    pub(crate) rate: RateWindow,
}

/// Why an event of the log cannot be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// It is about an order that was never created.
    #[error("event {seq} is about order {order_id}, which the log never created")]
    UnknownOrder {
        /// The event.
        seq: u64,
        /// The order.
        order_id: ClientOrderId,
    },
    /// It contradicts the order's state.
    #[error("event {seq} contradicts the order")]
    Order {
        /// The event.
        seq: u64,
        /// What is wrong.
        #[source]
        source: ApplyError,
    },
    /// It names an instrument that is not known here.
    #[error("event {seq} names instrument {instrument}, which is not known")]
    UnknownInstrument {
        /// The event.
        seq: u64,
        /// The instrument.
        instrument: InstrumentId,
    },
    /// Its execution cannot be booked.
    #[error("event {seq} cannot be booked")]
    Position {
        /// The event.
        seq: u64,
        /// What is wrong.
        #[source]
        source: PositionError,
    },
}

impl AccountExposure {
    /// The last event applied.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The highest fencing epoch seen in the log.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether the log says that the account is reconciled.
    #[must_use]
    pub const fn is_ready(&self) -> bool {
        self.ready
    }

    /// Orders that are not terminal, and approvals that may become orders.
    #[must_use]
    pub fn open_orders(&self) -> usize {
        self.orders.len() + self.reservations.len()
    }

    /// Limit orders of a side that may rest in the venue's book, with their prices.
    pub(crate) fn resting(
        &self,
        instrument: &InstrumentId,
        side: Side,
    ) -> impl Iterator<Item = (ClientOrderId, Price)> + '_ {
        let instrument = *instrument;
        self.orders.values().filter_map(move |order| {
            let intent = &order.intent;
            let rests = intent.instrument == instrument && intent.side == side;
            match intent.kind {
                OrderKind::Limit { price, .. } if rests => Some((order.id(), price)),
                _ => None,
            }
        })
    }

    /// Orders whose outcome nobody knows.
    pub(crate) fn unknown_orders(&self) -> impl Iterator<Item = ClientOrderId> + '_ {
        let unknown = |order: &&Order| order.state() == OrderState::Unknown;
        self.orders.values().filter(unknown).map(Order::id)
    }

    /// The content of a working order.
    pub(crate) fn order(&self, id: &ClientOrderId) -> Option<&Order> {
        self.orders.get(id)
    }

    /// All positions, by instrument and strategy.
    pub fn positions(&self) -> impl Iterator<Item = (&(InstrumentId, StrategyId), &Position)> {
        self.positions.iter()
    }

    /// The exposure in one instrument, over all strategies.
    #[must_use]
    pub fn line(&self, instrument: &InstrumentId) -> ExposureLine {
        let mut line = ExposureLine::default();
        for ((of, _), position) in &self.positions {
            if of == instrument {
                let sum = line
                    .position
                    .raw()
                    .saturating_add(position.quantity().raw());
                line.position = Quantity::from_raw(sum);
            }
        }
        let orders = self
            .orders
            .values()
            .filter(|order| order.intent.instrument == *instrument);
        orders.for_each(|order| line.add_open(order.signed_working_leaves()));
        let reserved = self
            .reservations
            .values()
            .filter(|held| held.instrument == *instrument);
        reserved.for_each(|held| line.add_reserved(held.signed));
        line
    }

    /// The exposure by instrument and strategy.
    #[must_use]
    pub fn lines(&self) -> BTreeMap<(InstrumentId, StrategyId), ExposureLine> {
        let mut lines: BTreeMap<(InstrumentId, StrategyId), ExposureLine> = BTreeMap::new();
        for (key, position) in &self.positions {
            lines.entry(*key).or_default().position = position.quantity();
        }
        for order in self.orders.values() {
            let key = (order.intent.instrument, order.intent.strategy);
            lines
                .entry(key)
                .or_default()
                .add_open(order.signed_working_leaves());
        }
        for held in self.reservations.values() {
            lines
                .entry((held.instrument, held.strategy))
                .or_default()
                .add_reserved(held.signed);
        }
        lines
    }

    /// Reserves the exposure of an approved order.
    pub(crate) fn reserve(&mut self, intent: &Intent, content_hash: u128, expires_at: Timestamp) {
        let signed = match intent.side {
            Side::Buy => intent.quantity,
            Side::Sell => Quantity::from_raw(-intent.quantity.raw()),
        };
        let held = Reservation {
            instrument: intent.instrument,
            strategy: intent.strategy,
            signed,
            content_hash,
            expires_at,
        };
        self.reservations.insert(intent.order_id, held);
    }

    /// Drops reservations whose approvals nobody used.
    pub(crate) fn release_expired(&mut self, now: Timestamp) {
        self.reservations
            .retain(|_, held| now <= held.expires_at.plus(RESERVATION_GRACE));
    }

    /// Applies the next event of the account's log. The caller has checked the sequence.
    pub(crate) fn apply(
        &mut self,
        event: &OrderEvent,
        instruments: &BTreeMap<InstrumentId, Instrument>,
    ) -> Result<(), LogError> {
        let seq = event.seq;
        match &event.payload {
            OrderEventPayload::Created(intent) => {
                self.orders
                    .insert(intent.order_id, Order::new((**intent).clone()));
            }
            OrderEventPayload::Adopted {
                intent,
                venue_order_id,
            } => {
                let order = Order::adopted((**intent).clone(), *venue_order_id);
                self.orders.insert(intent.order_id, order);
            }
            OrderEventPayload::AccountReady => self.ready = true,
            OrderEventPayload::AccountNotReady { .. } => self.ready = false,
            OrderEventPayload::Deposited { .. } => {}
            OrderEventPayload::Filled(execution) => {
                self.book(seq, execution, instruments)?;
                self.advance(event)?;
            }
            OrderEventPayload::Journaled { order_id } => {
                // From here on the order itself carries the exposure.
                self.reservations.remove(order_id);
                self.advance(event)?;
            }
            OrderEventPayload::Denied { order_id, .. } => {
                self.reservations.remove(order_id);
                self.advance(event)?;
            }
            OrderEventPayload::Checked { .. }
            | OrderEventPayload::Submitted { .. }
            | OrderEventPayload::BecameUnknown { .. }
            | OrderEventPayload::Accepted { .. }
            | OrderEventPayload::Rejected { .. }
            | OrderEventPayload::Triggered { .. }
            | OrderEventPayload::CancelRequested { .. }
            | OrderEventPayload::CancelRefused { .. }
            | OrderEventPayload::Cancelled { .. }
            | OrderEventPayload::Expired { .. } => self.advance(event)?,
        }
        self.last_seq = seq;
        self.epoch = self.epoch.max(event.epoch);
        Ok(())
    }

    fn book(
        &mut self,
        seq: u64,
        execution: &Execution,
        instruments: &BTreeMap<InstrumentId, Instrument>,
    ) -> Result<(), LogError> {
        let id = execution.instrument;
        let unknown = LogError::UnknownInstrument {
            seq,
            instrument: id,
        };
        let instrument = instruments.get(&id).ok_or(unknown)?;
        let position = self.positions.entry((id, execution.strategy)).or_default();
        let booked = position.apply(execution, instrument);
        booked
            .map(|_| ())
            .map_err(|source| LogError::Position { seq, source })
    }

    fn advance(&mut self, event: &OrderEvent) -> Result<(), LogError> {
        let seq = event.seq;
        let Some(order_id) = event.payload.order_id() else {
            return Ok(());
        };
        let Some(order) = self.orders.get_mut(&order_id) else {
            // A late fill of an order that ended long ago moves the position alone.
            let is_late_fill = matches!(event.payload, OrderEventPayload::Filled(_));
            let unknown = LogError::UnknownOrder { seq, order_id };
            return if is_late_fill { Ok(()) } else { Err(unknown) };
        };
        order
            .apply(&event.payload, event.ts_event)
            .map_err(|source| LogError::Order { seq, source })?;
        if order.state().is_terminal() {
            self.orders.remove(&order_id);
        }
        Ok(())
    }
}

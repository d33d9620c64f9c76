//! Orders, positions, accounts and strategies as their owners show them.

use super::{WireError, Word, list, named, part, parts, shown, text, text_if_given, unnamed};
use crate::{
    api::{AccountView, FillView, Head, OrderView, PositionView, StrategyView},
    proto,
};
use ploy_domain::{Amount, Asset, Price, Quantity, Timestamp};

impl From<&OrderView> for proto::Order {
    fn from(order: &OrderView) -> Self {
        Self {
            account: order.account.to_string(),
            order_id: order.order_id.to_string(),
            strategy: order.strategy.to_string(),
            instrument: Some((&order.instrument).into()),
            side: order.side.number(),
            kind: Some((&order.kind).into()),
            quantity_e8: order.quantity.raw(),
            time_in_force: order.time_in_force.number(),
            reduce_only: order.reduce_only,
            state: order.state.number(),
            filled_e8: order.filled.raw(),
            average_price_e8: order.average_price.map(Price::raw),
            venue_order_id: shown(order.venue_order_id),
            reasons: list(&order.reasons),
            late_fill: order.late_fill,
            version: order.version,
            created_at_ns: order.created_at.as_nanos(),
            updated_at_ns: order.updated_at.as_nanos(),
        }
    }
}

impl TryFrom<proto::Order> for OrderView {
    type Error = WireError;
    fn try_from(order: proto::Order) -> Result<Self, WireError> {
        Ok(Self {
            account: text("account", &order.account)?,
            order_id: text("order_id", &order.order_id)?,
            strategy: text("strategy", &order.strategy)?,
            instrument: part("instrument", order.instrument)?,
            side: Word::of("side", order.side)?,
            kind: part("kind", order.kind)?,
            quantity: Quantity::from_raw(order.quantity_e8),
            time_in_force: Word::of("time_in_force", order.time_in_force)?,
            reduce_only: order.reduce_only,
            state: Word::of("state", order.state)?,
            filled: Quantity::from_raw(order.filled_e8),
            average_price: order.average_price_e8.map(Price::from_raw),
            venue_order_id: text_if_given("venue_order_id", &order.venue_order_id)?,
            reasons: parts("reasons", order.reasons)?,
            late_fill: order.late_fill,
            version: order.version,
            created_at: Timestamp::from_nanos(order.created_at_ns),
            updated_at: Timestamp::from_nanos(order.updated_at_ns),
        })
    }
}

impl From<&FillView> for proto::Fill {
    fn from(fill: &FillView) -> Self {
        Self {
            seq: fill.seq,
            execution: Some((&fill.execution).into()),
        }
    }
}

impl TryFrom<proto::Fill> for FillView {
    type Error = WireError;
    fn try_from(fill: proto::Fill) -> Result<Self, WireError> {
        Ok(Self {
            seq: fill.seq,
            execution: part("execution", fill.execution)?,
        })
    }
}

impl From<&PositionView> for proto::Position {
    fn from(position: &PositionView) -> Self {
        Self {
            account: position.account.to_string(),
            instrument: Some((&position.instrument).into()),
            strategy: position.strategy.to_string(),
            quantity_e8: position.quantity.raw(),
            average_price_e8: position.average_price.map(Price::raw),
            realised_gross_e8: position.realised_gross.raw(),
            charges_e8: position.charges.raw(),
            realised_net_e8: position.realised_net.raw(),
            unrealised_e8: position.unrealised.map(Amount::raw),
            mark_e8: position.mark.map(Price::raw),
            opened_at_ns: position.opened_at.map(Timestamp::as_nanos),
        }
    }
}

impl TryFrom<proto::Position> for PositionView {
    type Error = WireError;
    fn try_from(position: proto::Position) -> Result<Self, WireError> {
        Ok(Self {
            account: text("account", &position.account)?,
            instrument: part("instrument", position.instrument)?,
            strategy: text("strategy", &position.strategy)?,
            quantity: Quantity::from_raw(position.quantity_e8),
            average_price: position.average_price_e8.map(Price::from_raw),
            realised_gross: Amount::from_raw(position.realised_gross_e8),
            charges: Amount::from_raw(position.charges_e8),
            realised_net: Amount::from_raw(position.realised_net_e8),
            unrealised: position.unrealised_e8.map(Amount::from_raw),
            mark: position.mark_e8.map(Price::from_raw),
            opened_at: position.opened_at_ns.map(Timestamp::from_nanos),
        })
    }
}

impl From<&AccountView> for proto::Account {
    fn from(account: &AccountView) -> Self {
        let balance = |(asset, amount): &(Asset, Amount)| proto::Balance {
            asset: asset.to_string(),
            amount_e8: amount.raw(),
        };
        Self {
            account: account.account.to_string(),
            venue: account.venue.to_string(),
            ready: account.ready,
            reason: account.reason.clone(),
            epoch: account.epoch,
            head_seq: account.head_seq,
            balances: account.balances.iter().map(balance).collect(),
            unknown_orders: account.unknown_orders,
            open_orders: account.open_orders,
        }
    }
}

impl TryFrom<proto::Balance> for (Asset, Amount) {
    type Error = WireError;
    fn try_from(balance: proto::Balance) -> Result<Self, WireError> {
        Ok((
            text("asset", &balance.asset)?,
            Amount::from_raw(balance.amount_e8),
        ))
    }
}

impl TryFrom<proto::Account> for AccountView {
    type Error = WireError;
    fn try_from(account: proto::Account) -> Result<Self, WireError> {
        Ok(Self {
            account: text("account", &account.account)?,
            venue: text("venue", &account.venue)?,
            ready: account.ready,
            reason: account.reason,
            epoch: account.epoch,
            head_seq: account.head_seq,
            balances: parts("balances", account.balances)?,
            unknown_orders: account.unknown_orders,
            open_orders: account.open_orders,
        })
    }
}

impl From<&Head> for proto::Head {
    fn from(head: &Head) -> Self {
        Self {
            account: head.account.to_string(),
            seq: head.seq,
            epoch: head.epoch,
        }
    }
}

impl TryFrom<proto::Head> for Head {
    type Error = WireError;
    fn try_from(head: proto::Head) -> Result<Self, WireError> {
        Ok(Self {
            account: text("account", &head.account)?,
            seq: head.seq,
            epoch: head.epoch,
        })
    }
}

impl From<&StrategyView> for proto::Strategy {
    fn from(strategy: &StrategyView) -> Self {
        Self {
            id: strategy.id.to_string(),
            kind: strategy.kind.clone(),
            instrument: Some((&strategy.instrument).into()),
            account: strategy.account.to_string(),
            params: named(&strategy.params),
            state: strategy.state.number(),
            detail: strategy.detail.clone(),
            decisions: strategy.decisions,
            last_decision_at_ns: strategy.last_decision_at.map(Timestamp::as_nanos),
        }
    }
}

impl TryFrom<proto::Strategy> for StrategyView {
    type Error = WireError;
    fn try_from(strategy: proto::Strategy) -> Result<Self, WireError> {
        Ok(Self {
            id: text("id", &strategy.id)?,
            kind: strategy.kind,
            instrument: part("instrument", strategy.instrument)?,
            account: text("account", &strategy.account)?,
            params: unnamed(strategy.params),
            state: Word::of("state", strategy.state)?,
            detail: strategy.detail,
            decisions: strategy.decisions,
            last_decision_at: strategy.last_decision_at_ns.map(Timestamp::from_nanos),
        })
    }
}

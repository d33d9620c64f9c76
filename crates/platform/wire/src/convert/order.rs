//! What somebody wants to do, and what the venue did with it.

use super::{WireError, Word, part, text};
use crate::proto::{self, order_kind};
use ploy_domain::{
    Amount, Execution, Intent, OrderKind, Price, Quantity, Reason, ReasonCode, Timestamp,
};

impl From<&OrderKind> for proto::OrderKind {
    fn from(kind: &OrderKind) -> Self {
        let kind = match *kind {
            OrderKind::Market => order_kind::Kind::Market(order_kind::Market {}),
            OrderKind::Limit { price, post_only } => order_kind::Kind::Limit(order_kind::Limit {
                price_e8: price.raw(),
                post_only,
            }),
            OrderKind::Stop { stop } => order_kind::Kind::Stop(order_kind::Stop {
                stop_price_e8: stop.raw(),
            }),
            OrderKind::StopLimit { stop, price } => {
                order_kind::Kind::StopLimit(order_kind::StopLimit {
                    stop_price_e8: stop.raw(),
                    price_e8: price.raw(),
                })
            }
        };
        Self { kind: Some(kind) }
    }
}

impl TryFrom<proto::OrderKind> for OrderKind {
    type Error = WireError;
    fn try_from(message: proto::OrderKind) -> Result<Self, WireError> {
        Ok(match message.kind {
            None => return Err(WireError::missing("kind")),
            Some(order_kind::Kind::Market(_)) => Self::Market,
            Some(order_kind::Kind::Limit(limit)) => Self::Limit {
                price: Price::from_raw(limit.price_e8),
                post_only: limit.post_only,
            },
            Some(order_kind::Kind::Stop(stop)) => Self::Stop {
                stop: Price::from_raw(stop.stop_price_e8),
            },
            Some(order_kind::Kind::StopLimit(both)) => Self::StopLimit {
                stop: Price::from_raw(both.stop_price_e8),
                price: Price::from_raw(both.price_e8),
            },
        })
    }
}

impl From<&Intent> for proto::Intent {
    fn from(intent: &Intent) -> Self {
        Self {
            order_id: intent.order_id.to_string(),
            account: intent.account.to_string(),
            strategy: intent.strategy.to_string(),
            instrument: Some((&intent.instrument).into()),
            side: intent.side.number(),
            kind: Some((&intent.kind).into()),
            quantity_e8: intent.quantity.raw(),
            time_in_force: intent.time_in_force.number(),
            reduce_only: intent.reduce_only,
            decision_price_e8: intent.decision_price.map(Price::raw),
            created_at_ns: intent.created_at.as_nanos(),
            valid_until_ns: intent.valid_until.as_nanos(),
        }
    }
}

impl TryFrom<proto::Intent> for Intent {
    type Error = WireError;
    fn try_from(intent: proto::Intent) -> Result<Self, WireError> {
        Ok(Self {
            order_id: text("order_id", &intent.order_id)?,
            account: text("account", &intent.account)?,
            strategy: text("strategy", &intent.strategy)?,
            instrument: part("instrument", intent.instrument)?,
            side: Word::of("side", intent.side)?,
            kind: part("kind", intent.kind)?,
            quantity: Quantity::from_raw(intent.quantity_e8),
            time_in_force: Word::of("time_in_force", intent.time_in_force)?,
            reduce_only: intent.reduce_only,
            decision_price: intent.decision_price_e8.map(Price::from_raw),
            created_at: Timestamp::from_nanos(intent.created_at_ns),
            valid_until: Timestamp::from_nanos(intent.valid_until_ns),
        })
    }
}

impl From<&Execution> for proto::Execution {
    fn from(execution: &Execution) -> Self {
        Self {
            account: execution.account.to_string(),
            order_id: execution.order_id.to_string(),
            strategy: execution.strategy.to_string(),
            instrument: Some((&execution.instrument).into()),
            side: execution.side.number(),
            price_e8: execution.price.raw(),
            quantity_e8: execution.quantity.raw(),
            fee_e8: execution.fee.raw(),
            fee_asset: execution.fee_asset.to_string(),
            liquidity: execution.liquidity.number(),
            venue_order_id: execution.venue_order_id.to_string(),
            execution_id: execution.execution_id.to_string(),
            ts_event_ns: execution.ts_event.as_nanos(),
        }
    }
}

impl TryFrom<proto::Execution> for Execution {
    type Error = WireError;
    fn try_from(execution: proto::Execution) -> Result<Self, WireError> {
        Ok(Self {
            account: text("account", &execution.account)?,
            order_id: text("order_id", &execution.order_id)?,
            strategy: text("strategy", &execution.strategy)?,
            instrument: part("instrument", execution.instrument)?,
            side: Word::of("side", execution.side)?,
            price: Price::from_raw(execution.price_e8),
            quantity: Quantity::from_raw(execution.quantity_e8),
            fee: Amount::from_raw(execution.fee_e8),
            fee_asset: text("fee_asset", &execution.fee_asset)?,
            liquidity: Word::of("liquidity", execution.liquidity)?,
            venue_order_id: text("venue_order_id", &execution.venue_order_id)?,
            execution_id: text("execution_id", &execution.execution_id)?,
            ts_event: Timestamp::from_nanos(execution.ts_event_ns),
        })
    }
}

impl From<&Reason> for proto::Reason {
    fn from(reason: &Reason) -> Self {
        Self {
            code: reason.code.word().to_owned(),
            context: reason.context.clone(),
        }
    }
}

impl TryFrom<proto::Reason> for Reason {
    type Error = WireError;
    fn try_from(reason: proto::Reason) -> Result<Self, WireError> {
        Ok(Self {
            code: text::<ReasonCode>("code", &reason.code)?,
            context: reason.context,
        })
    }
}

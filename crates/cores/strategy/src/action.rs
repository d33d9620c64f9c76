//! What a strategy may ask for. The buffer belongs to the caller, so asking allocates nothing.

use ploy_domain::{ClientOrderId, OrderKind, Price, Quantity, Side, TimeInForce};

/// The content of an order as a strategy sees it; the instance adds who, where and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRequest {
    /// Buy or sell.
    pub side: Side,
    /// How.
    pub kind: OrderKind,
    /// How much, above zero.
    pub quantity: Quantity,
    /// For how long.
    pub time_in_force: TimeInForce,
    /// May only shrink the position.
    pub reduce_only: bool,
    /// The price the decision was made at, for measuring slippage.
    pub decision_price: Option<Price>,
}

impl OrderRequest {
    /// A market order; what cannot be filled at once expires.
    #[must_use]
    pub const fn market(side: Side, quantity: Quantity) -> Self {
        Self {
            side,
            kind: OrderKind::Market,
            quantity,
            time_in_force: TimeInForce::Ioc,
            reduce_only: false,
            decision_price: None,
        }
    }

    /// A limit order that rests until it is filled or cancelled.
    #[must_use]
    pub const fn limit(side: Side, quantity: Quantity, price: Price) -> Self {
        Self {
            side,
            kind: OrderKind::Limit {
                price,
                post_only: false,
            },
            quantity,
            time_in_force: TimeInForce::Gtc,
            reduce_only: false,
            decision_price: None,
        }
    }

    /// The same order, allowed only to shrink the position.
    #[must_use]
    pub const fn reducing(mut self) -> Self {
        self.reduce_only = true;
        self
    }

    /// The same order with the price it was decided at.
    #[must_use]
    pub const fn decided_at(mut self, price: Price) -> Self {
        self.decision_price = Some(price);
        self
    }
}

/// One wish of a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Send an order.
    Submit(OrderRequest),
    /// Cancel one of its own orders.
    Cancel(ClientOrderId),
}

/// The wishes of one decision, at most [`Actions::MAX`] of them.
#[derive(Debug, Default)]
pub struct Actions {
    wanted: Vec<Action>,
    refused: usize,
}

impl Actions {
    /// Most actions of one decision. A strategy that asks for more is out of control.
    pub const MAX: usize = 64;

    /// A buffer that never grows.
    pub(crate) fn with_room() -> Self {
        Self {
            wanted: Vec::with_capacity(Self::MAX),
            refused: 0,
        }
    }

    /// Asks for an order.
    pub fn submit(&mut self, request: OrderRequest) {
        self.push(Action::Submit(request));
    }

    /// Asks for a cancel.
    pub fn cancel(&mut self, order_id: ClientOrderId) {
        self.push(Action::Cancel(order_id));
    }

    fn push(&mut self, action: Action) {
        if self.wanted.len() < Self::MAX {
            self.wanted.push(action);
        } else {
            self.refused += 1;
        }
    }

    /// What was asked for, in order.
    #[must_use]
    pub fn as_slice(&self) -> &[Action] {
        &self.wanted
    }

    /// How many wishes beyond [`Actions::MAX`] were dropped.
    #[must_use]
    pub const fn refused(&self) -> usize {
        self.refused
    }

    pub(crate) fn clear(&mut self) {
        self.wanted.clear();
        self.refused = 0;
    }
}

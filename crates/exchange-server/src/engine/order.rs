//! An order as this venue shows it: its terms in the venue's words, how far it got, and the JSON
//! of answers. The matching engine forgets closed orders; these records do not.

use crate::{clock::millis, decimal::fixed};
use ploy_domain::{Amount, OrderKind, Price, Quantity, Side, TimeInForce, Timestamp};
use ploy_exchange_core::{ClientId, ExpiryReason, OrderId, OrderSize, StpMode};
use serde_json::{Map, Value, json};

/// The venue's words for kinds of orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderType {
    Limit,
    LimitMaker,
    Market,
    StopLoss,
    StopLossLimit,
}

impl OrderType {
    pub(crate) const ALL: [Self; 5] = [
        Self::Limit,
        Self::LimitMaker,
        Self::Market,
        Self::StopLoss,
        Self::StopLossLimit,
    ];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Limit => "LIMIT",
            Self::LimitMaker => "LIMIT_MAKER",
            Self::Market => "MARKET",
            Self::StopLoss => "STOP_LOSS",
            Self::StopLossLimit => "STOP_LOSS_LIMIT",
        }
    }

    pub(crate) fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.word() == word)
    }

    pub(crate) const fn is_stop(self) -> bool {
        matches!(self, Self::StopLoss | Self::StopLossLimit)
    }
}

/// How much of the outcome a placement is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseType {
    Ack,
    Result,
    Full,
}

/// What an order asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// Index of the instrument.
    pub(crate) symbol: usize,
    pub(crate) side: Side,
    pub(crate) order_type: OrderType,
    pub(crate) time_in_force: TimeInForce,
    pub(crate) size: OrderSize,
    /// Zero where the type has none.
    pub(crate) price: Price,
    /// Zero where the type has none.
    pub(crate) stop_price: Price,
    pub(crate) client_id: ClientId,
    pub(crate) stp: StpMode,
    pub(crate) strategy_id: Option<u64>,
    pub(crate) strategy_type: Option<u64>,
}

impl Terms {
    /// The kind as the matching engine knows it.
    pub(crate) const fn kind(&self) -> OrderKind {
        match self.order_type {
            OrderType::Market => OrderKind::Market,
            OrderType::Limit => OrderKind::Limit {
                price: self.price,
                post_only: false,
            },
            OrderType::LimitMaker => OrderKind::Limit {
                price: self.price,
                post_only: true,
            },
            OrderType::StopLoss => OrderKind::Stop {
                stop: self.stop_price,
            },
            OrderType::StopLossLimit => OrderKind::StopLimit {
                stop: self.stop_price,
                price: self.price,
            },
        }
    }

    /// The quote amount of a market order that was sized by it, else zero.
    pub(crate) const fn quote_quantity(&self) -> Amount {
        match self.size {
            OrderSize::Quote(amount) => amount,
            OrderSize::Base(_) => Amount::ZERO,
        }
    }
}

/// Where an order stands, in the venue's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    PartiallyFilled,
    Filled,
    Cancelled,
    Expired,
    ExpiredInMatch,
}

impl Status {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Cancelled => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::ExpiredInMatch => "EXPIRED_IN_MATCH",
        }
    }

    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
}

/// Names an order across the venue: instrument index and the exchange's number.
pub(crate) type OrderName = (usize, u64);

/// An order and what became of it.
#[derive(Debug, Clone)]
pub(crate) struct OrderRecord {
    pub(crate) id: u64,
    /// Index of the owner.
    pub(crate) account: usize,
    pub(crate) terms: Terms,
    /// The matching engine's number in this run, while the order is open.
    pub(crate) core_id: Option<OrderId>,
    pub(crate) quantity: Quantity,
    pub(crate) executed: Quantity,
    pub(crate) value: Amount,
    pub(crate) prevented: Quantity,
    pub(crate) status: Status,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    /// Since when it works; `None` while a stop waits.
    pub(crate) working_at: Option<Timestamp>,
    pub(crate) expiry: Option<&'static str>,
    /// The client order id of the cancel that ended it.
    pub(crate) cancel_id: Option<ClientId>,
}

/// An execution of one order, as the owner sees it.
#[derive(Debug, Clone)]
pub(crate) struct OwnTrade {
    pub(crate) trade_id: u64,
    pub(crate) order: OrderName,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) quantity: Quantity,
    pub(crate) value: Amount,
    pub(crate) commission: Amount,
    pub(crate) commission_asset: ploy_domain::Asset,
    pub(crate) maker: bool,
    pub(crate) at: Timestamp,
}

impl OrderRecord {
    pub(crate) const fn name(&self) -> OrderName {
        (self.terms.symbol, self.id)
    }

    pub(crate) fn remaining(&self) -> Quantity {
        let raw = self.quantity.raw() - self.executed.raw() - self.prevented.raw();
        Quantity::from_raw(raw.max(0))
    }

    pub(crate) const fn is_working(&self) -> bool {
        self.working_at.is_some()
    }

    /// The fields that every answer about an order carries.
    fn common(&self, symbol: &str) -> Map<String, Value> {
        let terms = &self.terms;
        let value = json!({
            "symbol": symbol, "orderId": self.id, "orderListId": -1,
            "clientOrderId": terms.client_id.as_str(),
            "price": fixed(terms.price.raw()), "origQty": fixed(self.quantity.raw()),
            "executedQty": fixed(self.executed.raw()),
            "origQuoteOrderQty": fixed(terms.quote_quantity().raw()),
            "cummulativeQuoteQty": fixed(self.value.raw()),
            "status": self.status.word(), "timeInForce": tif_word(terms.time_in_force),
            "type": terms.order_type.word(), "side": side_word(terms.side),
            "selfTradePreventionMode": stp_word(terms.stp),
        });
        let Value::Object(mut fields) = value else {
            return Map::new();
        };
        if terms.order_type.is_stop() {
            fields.insert("stopPrice".into(), fixed(terms.stop_price.raw()).into());
        }
        if let Some(id) = terms.strategy_id {
            fields.insert("strategyId".into(), id.into());
        }
        if let Some(kind) = terms.strategy_type {
            fields.insert("strategyType".into(), kind.into());
        }
        if let Some(reason) = self.expiry {
            fields.insert("expiryReason".into(), reason.into());
        }
        if self.prevented.is_positive() {
            fields.insert(
                "preventedQuantity".into(),
                fixed(self.prevented.raw()).into(),
            );
        }
        fields
    }

    fn working_time(&self) -> Value {
        self.working_at.map_or(json!(-1), |at| json!(millis(at)))
    }

    /// The answer to a placement, after matching.
    pub(crate) fn placed(&self, symbol: &str, kind: ResponseType, fills: &[OwnTrade]) -> Value {
        if kind == ResponseType::Ack {
            return json!({
                "symbol": symbol, "orderId": self.id, "orderListId": -1,
                "clientOrderId": self.terms.client_id.as_str(),
                "transactTime": millis(self.updated_at),
            });
        }
        let mut fields = self.common(symbol);
        fields.insert("transactTime".into(), millis(self.updated_at).into());
        fields.insert("workingTime".into(), self.working_time());
        if kind == ResponseType::Full {
            let fills: Vec<_> = fills.iter().map(OwnTrade::fill).collect();
            fields.insert("fills".into(), fills.into());
        }
        fields.into()
    }

    /// The answer to a cancel.
    pub(crate) fn cancelled(&self, symbol: &str) -> Value {
        let mut fields = self.common(symbol);
        let own = self.terms.client_id;
        fields.insert("origClientOrderId".into(), own.as_str().into());
        let cancel = self.cancel_id.unwrap_or(own);
        fields.insert("clientOrderId".into(), cancel.as_str().into());
        fields.insert("transactTime".into(), millis(self.updated_at).into());
        fields.into()
    }

    /// The answer to a query.
    pub(crate) fn queried(&self, symbol: &str) -> Value {
        let mut fields = self.common(symbol);
        let stop = fixed(self.terms.stop_price.raw());
        fields.insert("stopPrice".into(), stop.into());
        fields.insert("icebergQty".into(), fixed(0).into());
        fields.insert("time".into(), millis(self.created_at).into());
        fields.insert("updateTime".into(), millis(self.updated_at).into());
        fields.insert("isWorking".into(), self.is_working().into());
        fields.insert("workingTime".into(), self.working_time());
        fields.into()
    }
}

impl OwnTrade {
    fn fill(&self) -> Value {
        json!({
            "price": fixed(self.price.raw()), "qty": fixed(self.quantity.raw()),
            "commission": fixed(self.commission.raw()),
            "commissionAsset": self.commission_asset.as_str(), "tradeId": self.trade_id,
        })
    }

    /// A row of `myTrades`.
    pub(crate) fn row(&self, symbol: &str) -> Value {
        json!({
            "symbol": symbol, "id": self.trade_id, "orderId": self.order.1, "orderListId": -1,
            "price": fixed(self.price.raw()), "qty": fixed(self.quantity.raw()),
            "quoteQty": fixed(self.value.raw()), "commission": fixed(self.commission.raw()),
            "commissionAsset": self.commission_asset.as_str(), "time": millis(self.at),
            "isBuyer": self.side == Side::Buy, "isMaker": self.maker, "isBestMatch": true,
        })
    }
}

pub(crate) const fn side_word(side: Side) -> &'static str {
    match side {
        Side::Buy => "BUY",
        Side::Sell => "SELL",
    }
}

pub(crate) fn parse_side(word: &str) -> Option<Side> {
    [Side::Buy, Side::Sell]
        .into_iter()
        .find(|side| side_word(*side) == word)
}

pub(crate) const fn tif_word(time_in_force: TimeInForce) -> &'static str {
    match time_in_force {
        TimeInForce::Gtc | TimeInForce::Day => "GTC",
        TimeInForce::Ioc => "IOC",
        TimeInForce::Fok => "FOK",
    }
}

pub(crate) fn parse_tif(word: &str) -> Option<TimeInForce> {
    [TimeInForce::Gtc, TimeInForce::Ioc, TimeInForce::Fok]
        .into_iter()
        .find(|time_in_force| tif_word(*time_in_force) == word)
}

pub(crate) const STP_MODES: [StpMode; 4] = [
    StpMode::None,
    StpMode::ExpireTaker,
    StpMode::ExpireMaker,
    StpMode::ExpireBoth,
];

pub(crate) const fn stp_word(mode: StpMode) -> &'static str {
    match mode {
        StpMode::None => "NONE",
        StpMode::ExpireTaker => "EXPIRE_TAKER",
        StpMode::ExpireMaker => "EXPIRE_MAKER",
        StpMode::ExpireBoth => "EXPIRE_BOTH",
    }
}

pub(crate) fn parse_stp(word: &str) -> Option<StpMode> {
    STP_MODES.into_iter().find(|mode| stp_word(*mode) == word)
}

/// The reason of an expiry from its word in the ledger.
pub(crate) fn parse_expiry(word: &str) -> Option<&'static str> {
    [
        ExpiryReason::UnfilledIoc,
        ExpiryReason::UnfilledFok,
        ExpiryReason::InsufficientLiquidity,
        ExpiryReason::Rejected,
        ExpiryReason::SelfTrade,
    ]
    .into_iter()
    .map(ExpiryReason::word)
    .find(|known| *known == word)
}

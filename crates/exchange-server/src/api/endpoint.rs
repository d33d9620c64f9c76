//! The table of requests: REST path, WebSocket API method, security and weight of each.

use super::{error::ApiError, params::Params, security::Security};

/// A request that the API answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Ping,
    Time,
    ExchangeInfo,
    Depth,
    Trades,
    HistoricalTrades,
    AggTrades,
    Klines,
    AvgPrice,
    Ticker24h,
    TickerPrice,
    BookTicker,
    PlaceOrder,
    TestOrder,
    QueryOrder,
    CancelOrder,
    OpenOrders,
    CancelOpenOrders,
    AllOrders,
    Account,
    Commission,
    MyTrades,
    OrderRateLimits,
}

struct Row {
    endpoint: Endpoint,
    verb: &'static str,
    path: &'static str,
    method: &'static str,
}

const fn row(
    endpoint: Endpoint,
    (verb, path): (&'static str, &'static str),
    method: &'static str,
) -> Row {
    Row {
        endpoint,
        verb,
        path,
        method,
    }
}

/// The prefix of all REST paths.
pub(crate) const REST_PREFIX: &str = "/api/v3/";

const TABLE: &[Row] = &[
    row(Endpoint::Ping, ("GET", "ping"), "ping"),
    row(Endpoint::Time, ("GET", "time"), "time"),
    row(
        Endpoint::ExchangeInfo,
        ("GET", "exchangeInfo"),
        "exchangeInfo",
    ),
    row(Endpoint::Depth, ("GET", "depth"), "depth"),
    row(Endpoint::Trades, ("GET", "trades"), "trades.recent"),
    row(
        Endpoint::HistoricalTrades,
        ("GET", "historicalTrades"),
        "trades.historical",
    ),
    row(
        Endpoint::AggTrades,
        ("GET", "aggTrades"),
        "trades.aggregate",
    ),
    row(Endpoint::Klines, ("GET", "klines"), "klines"),
    row(Endpoint::Klines, ("GET", "uiKlines"), "uiKlines"),
    row(Endpoint::AvgPrice, ("GET", "avgPrice"), "avgPrice"),
    row(Endpoint::Ticker24h, ("GET", "ticker/24hr"), "ticker.24hr"),
    row(
        Endpoint::TickerPrice,
        ("GET", "ticker/price"),
        "ticker.price",
    ),
    row(
        Endpoint::BookTicker,
        ("GET", "ticker/bookTicker"),
        "ticker.book",
    ),
    row(Endpoint::PlaceOrder, ("POST", "order"), "order.place"),
    row(Endpoint::TestOrder, ("POST", "order/test"), "order.test"),
    row(Endpoint::QueryOrder, ("GET", "order"), "order.status"),
    row(Endpoint::CancelOrder, ("DELETE", "order"), "order.cancel"),
    row(
        Endpoint::OpenOrders,
        ("GET", "openOrders"),
        "openOrders.status",
    ),
    row(
        Endpoint::CancelOpenOrders,
        ("DELETE", "openOrders"),
        "openOrders.cancelAll",
    ),
    row(Endpoint::AllOrders, ("GET", "allOrders"), "allOrders"),
    row(Endpoint::Account, ("GET", "account"), "account.status"),
    row(
        Endpoint::Commission,
        ("GET", "account/commission"),
        "account.commission",
    ),
    row(Endpoint::MyTrades, ("GET", "myTrades"), "myTrades"),
    row(
        Endpoint::OrderRateLimits,
        ("GET", "rateLimit/order"),
        "account.rateLimits.orders",
    ),
];

impl Endpoint {
    /// The endpoint of a REST request, its path without [`REST_PREFIX`].
    pub(crate) fn of_rest(verb: &str, path: &str) -> Option<Self> {
        let found = TABLE
            .iter()
            .find(|row| row.verb == verb && row.path == path);
        found.map(|row| row.endpoint)
    }

    /// The endpoint of a WebSocket API method.
    pub(crate) fn of_method(method: &str) -> Option<Self> {
        let method = method.strip_prefix("v3/").unwrap_or(method);
        let found = TABLE.iter().find(|row| row.method == method);
        found.map(|row| row.endpoint)
    }

    /// The method's name, under which the ledger records a request.
    pub(crate) fn method(self) -> &'static str {
        let found = TABLE.iter().find(|row| row.endpoint == self);
        found.map_or("", |row| row.method)
    }

    pub(crate) const fn security(self) -> Security {
        match self {
            Self::Ping
            | Self::Time
            | Self::ExchangeInfo
            | Self::Depth
            | Self::Trades
            | Self::HistoricalTrades
            | Self::AggTrades
            | Self::Klines
            | Self::AvgPrice
            | Self::Ticker24h
            | Self::TickerPrice
            | Self::BookTicker => Security::None,
            Self::PlaceOrder
            | Self::TestOrder
            | Self::QueryOrder
            | Self::CancelOrder
            | Self::OpenOrders
            | Self::CancelOpenOrders
            | Self::AllOrders
            | Self::Account
            | Self::Commission
            | Self::MyTrades
            | Self::OrderRateLimits => Security::Signed,
        }
    }

    /// The weight of a request (binance-spot §4); what cannot be read yet weighs as its default.
    pub(crate) fn weight(self, params: &Params) -> u32 {
        let one = |single: u32, many: u32| if params.has("symbol") { single } else { many };
        match self {
            Self::Ping
            | Self::Time
            | Self::PlaceOrder
            | Self::CancelOrder
            | Self::CancelOpenOrders
            | Self::TestOrder => 1,
            Self::ExchangeInfo | Self::AllOrders | Self::Account | Self::Commission => 20,
            Self::Depth => depth_weight(params.limit(100, 5_000)),
            Self::Trades | Self::HistoricalTrades => 25,
            Self::AggTrades | Self::QueryOrder => 4,
            Self::Klines | Self::AvgPrice => 2,
            Self::Ticker24h => one(2, 80),
            Self::TickerPrice | Self::BookTicker => one(2, 4),
            Self::OpenOrders => one(6, 80),
            Self::MyTrades => {
                if params.has("orderId") {
                    5
                } else {
                    20
                }
            }
            Self::OrderRateLimits => 40,
        }
    }

    /// Whether it places or cancels.
    pub(crate) const fn trades(self) -> bool {
        self.is_free_when_successful()
    }

    /// Whether a successful request weighs nothing.
    pub(crate) const fn is_free_when_successful(self) -> bool {
        matches!(
            self,
            Self::PlaceOrder | Self::CancelOrder | Self::CancelOpenOrders
        )
    }
}

fn depth_weight(limit: Result<usize, ApiError>) -> u32 {
    match limit {
        Ok(101..=500) => 25,
        Ok(501..=1_000) => 50,
        Ok(1_001..) => 250,
        Ok(_) | Err(_) => 5,
    }
}

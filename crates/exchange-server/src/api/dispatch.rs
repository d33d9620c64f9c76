//! From a request to its answer: authentication, then the endpoint. The order of checks is that of
//! binance-spot §3.4.

use super::{
    account,
    endpoint::Endpoint,
    error::ApiError,
    exchange_info, market,
    params::Params,
    security::{Security, Window, verify},
    trading,
};
use crate::{
    config::{Config, ConfigError},
    engine::Engine,
};
use ploy_domain::{Instrument, Timestamp};
use serde_json::Value;
use std::collections::HashMap;

/// What every request is answered with.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) engine: Engine,
    pub(crate) rules: Vec<Instrument>,
    pub(crate) symbols: HashMap<String, usize>,
    pub(crate) config: Config,
    keys: HashMap<String, usize>,
}

/// A request on its way in.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) params: Params,
    /// Parameters in the order sent, for the ledger.
    pub(crate) as_sent: Vec<(String, String)>,
    pub(crate) api_key: Option<String>,
    /// The text that the signature covers.
    pub(crate) payload: String,
    pub(crate) arrived: Timestamp,
}

/// An answer to a request that was not refused.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Value,
    /// Unfilled orders in the last ten seconds and the day, after a placement.
    pub(crate) order_counts: Option<[u32; 2]>,
}

impl From<Value> for Answer {
    fn from(body: Value) -> Self {
        Self {
            body,
            order_counts: None,
        }
    }
}

/// An authenticated caller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// Index of the account.
    pub(crate) account: usize,
    pub(crate) window: Window,
}

impl Api {
    pub(crate) fn new(engine: Engine, config: &Config) -> Result<Self, ConfigError> {
        let rules = config
            .instruments
            .iter()
            .map(crate::config::InstrumentConfig::instrument)
            .collect::<Result<Vec<_>, _>>()?;
        let mut keys = HashMap::new();
        for (index, account) in config.accounts.iter().enumerate() {
            if keys.insert(account.api_key.clone(), index).is_some() {
                return Err(ConfigError::DuplicateKey {
                    account: account.name.clone(),
                });
            }
        }
        let symbol = |rules: &Instrument| rules.id.symbol().as_str().to_owned();
        Ok(Self {
            engine,
            symbols: (0..rules.len()).map(|n| (symbol(&rules[n]), n)).collect(),
            rules,
            config: config.clone(),
            keys,
        })
    }

    /// Who sent a signed request, if the signature holds and the request is fresh.
    pub(crate) fn authenticate(&self, incoming: &Incoming) -> Result<Caller, ApiError> {
        let key = incoming.api_key.as_deref();
        let key = key
            .filter(|key| is_key(key))
            .ok_or_else(ApiError::key_malformed)?;
        let account = *self.keys.get(key).ok_or_else(ApiError::key_unknown)?;
        let signature = incoming.params.required("signature")?;
        incoming.params.required("timestamp")?;
        let secret = &self.config.accounts[account].secret.0;
        verify(secret, &incoming.payload, signature)?;
        let window = Window::check(&incoming.params, incoming.arrived)?;
        Ok(Caller { account, window })
    }
}

fn is_key(key: &str) -> bool {
    (1..=128).contains(&key.len())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// Answers a request.
pub(crate) async fn answer(
    api: &Api,
    endpoint: Endpoint,
    incoming: Incoming,
) -> Result<Answer, ApiError> {
    if endpoint.security() == Security::Signed {
        let caller = api.authenticate(&incoming)?;
        return signed(api, endpoint, (incoming, caller)).await;
    }
    let params = &incoming.params;
    let body = match endpoint {
        Endpoint::Ping => Ok(Value::Object(serde_json::Map::new())),
        Endpoint::Time => Ok(market::time()),
        Endpoint::ExchangeInfo => exchange_info::answer(api, params),
        Endpoint::Depth => market::depth(api, params).await,
        Endpoint::Trades => market::trades(api, params, None).await,
        Endpoint::HistoricalTrades => {
            let first = params.integer("fromId")?;
            market::trades(api, params, first).await
        }
        Endpoint::AggTrades => market::aggregates(api, params).await,
        Endpoint::Klines => market::klines(api, params).await,
        Endpoint::AvgPrice => market::average_price(api, params).await,
        Endpoint::Ticker24h => market::day_ticker(api, params).await,
        Endpoint::TickerPrice => market::price_ticker(api, params).await,
        Endpoint::BookTicker => market::book_ticker(api, params).await,
        _ => Err(ApiError::unknown_path()),
    };
    body.map(Answer::from)
}

async fn signed(
    api: &Api,
    endpoint: Endpoint,
    (incoming, caller): (Incoming, Caller),
) -> Result<Answer, ApiError> {
    let params = &incoming.params;
    let body = match endpoint {
        Endpoint::PlaceOrder => return trading::place(api, &incoming, caller).await,
        Endpoint::TestOrder => trading::test(api, &incoming, caller).await,
        Endpoint::CancelOrder => trading::cancel(api, &incoming, caller).await,
        Endpoint::CancelOpenOrders => trading::cancel_all(api, &incoming, caller).await,
        Endpoint::QueryOrder => account::order(api, params, caller).await,
        Endpoint::OpenOrders => account::open_orders(api, params, caller).await,
        Endpoint::AllOrders => account::all_orders(api, params, caller).await,
        Endpoint::Account => account::account(api, params, caller).await,
        Endpoint::Commission => account::commission(api, params, caller),
        Endpoint::MyTrades => account::trades(api, params, caller).await,
        Endpoint::OrderRateLimits => account::order_rate_limits(api, caller).await,
        _ => Err(ApiError::unknown_path()),
    };
    body.map(Answer::from)
}

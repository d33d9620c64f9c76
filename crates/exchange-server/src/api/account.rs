//! What an account may ask about itself (binance-spot §11).

use super::{
    dispatch::{Api, Caller},
    error::ApiError,
    market::span,
    params::Params,
    trading::which_order,
};
use crate::{
    clock::millis,
    config::AccountConfig,
    decimal::fixed,
    engine::{
        DAY,
        order::{OrderRecord, OwnTrade},
        requests::Mismatch,
        venue::Venue,
    },
};
use ploy_domain::{Nanos, SCALE, Timestamp};
use serde_json::{Value, json};

const ROWS_DEFAULT: usize = 500;
const ROWS_MAX: usize = 1_000;
/// The longest span between `startTime` and `endTime`.
const SPAN_MAX: Nanos = DAY;

pub(super) async fn order(api: &Api, params: &Params, caller: Caller) -> Result<Value, ApiError> {
    let which = which_order(api, params)?;
    api.engine
        .run(move |venue, _| match venue.find(caller.account, &which) {
            Ok(order) => Ok(order.queried(&venue.listed[which.symbol].symbol)),
            Err(Mismatch::Unknown) => Err(ApiError::order_unknown()),
            Err(Mismatch::OtherClientId) => Err(ApiError::other_orders_client_id()),
        })
        .await?
}

pub(super) async fn open_orders(
    api: &Api,
    params: &Params,
    caller: Caller,
) -> Result<Value, ApiError> {
    let symbol = params
        .text("symbol")?
        .map(|name| api.index(name))
        .transpose()?;
    api.engine
        .run(move |venue, _| {
            let open = venue.accounts[caller.account].open_orders();
            open.filter(|order| symbol.is_none_or(|symbol| order.terms.symbol == symbol))
                .map(|order| order.queried(&venue.listed[order.terms.symbol].symbol))
                .collect()
        })
        .await
}

pub(super) async fn all_orders(
    api: &Api,
    params: &Params,
    caller: Caller,
) -> Result<Value, ApiError> {
    let symbol = api.symbol(params)?;
    let (first, limit) = (
        params.integer("orderId")?,
        params.limit(ROWS_DEFAULT, ROWS_MAX)?,
    );
    let (start, end) = checked_span(params)?;
    let within = move |order: &OrderRecord| {
        start.is_none_or(|start| order.created_at >= start)
            && end.is_none_or(|end| order.created_at <= end)
    };
    let oldest = first.is_some() || start.is_some();
    api.engine
        .run(move |venue, _| {
            let orders = venue.accounts[caller.account].orders_of(symbol, first.unwrap_or(0));
            let matching = orders.filter(|order| within(order));
            let name = &venue.listed[symbol].symbol;
            window(matching, oldest, limit)
                .into_iter()
                .map(|order| order.queried(name))
                .collect()
        })
        .await
}

/// The oldest or the newest `limit` items, oldest first.
fn window<'a, T>(
    items: impl DoubleEndedIterator<Item = &'a T>,
    oldest: bool,
    limit: usize,
) -> Vec<&'a T> {
    if oldest {
        return items.take(limit).collect();
    }
    let mut newest: Vec<_> = items.rev().take(limit).collect();
    newest.reverse();
    newest
}

fn checked_span(params: &Params) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    let (start, end) = span(params)?;
    if let (Some(start), Some(end)) = (start, end)
        && end - start > SPAN_MAX
    {
        return Err(ApiError::span_too_long());
    }
    Ok((start, end))
}

pub(super) async fn account(api: &Api, params: &Params, caller: Caller) -> Result<Value, ApiError> {
    let omit_zero = params.flag("omitZeroBalances")?.unwrap_or(false);
    let terms = api.config.accounts[caller.account].clone();
    api.engine
        .run(move |venue, _| account_of(venue, (caller.account, &terms), omit_zero))
        .await
}

fn account_of(venue: &Venue, (index, terms): (usize, &AccountConfig), omit_zero: bool) -> Value {
    let account = &venue.accounts[index];
    let balances = venue.core.balances(&account.id);
    let balances: Vec<_> = balances
        .filter(|(_, balance)| {
            !omit_zero || balance.free.is_positive() || balance.locked.is_positive()
        })
        .map(|(asset, balance)| {
            json!({
                "asset": asset.as_str(), "free": fixed(balance.free.raw()),
                "locked": fixed(balance.locked.raw()),
            })
        })
        .collect();
    json!({
        "makerCommission": terms.maker_fee_bps, "takerCommission": terms.taker_fee_bps,
        "buyerCommission": 0, "sellerCommission": 0,
        "commissionRates": rates(terms),
        "canTrade": true, "canWithdraw": true, "canDeposit": true, "brokered": false,
        "requireSelfTradePrevention": false, "preventSor": false,
        "updateTime": millis(account.updated_at), "accountType": "SPOT",
        "balances": balances, "permissions": ["SPOT"], "uid": index + 1,
    })
}

/// Commission rates as fractions.
fn rates(terms: &AccountConfig) -> Value {
    let rate = |bps: i32| fixed(i64::from(bps) * SCALE / 10_000);
    json!({
        "maker": rate(terms.maker_fee_bps), "taker": rate(terms.taker_fee_bps),
        "buyer": fixed(0), "seller": fixed(0),
    })
}

pub(super) fn commission(api: &Api, params: &Params, caller: Caller) -> Result<Value, ApiError> {
    let symbol = api.symbol(params)?;
    let none = json!({
        "maker": fixed(0), "taker": fixed(0), "buyer": fixed(0), "seller": fixed(0),
    });
    Ok(json!({
        "symbol": api.rules[symbol].id.symbol().as_str(),
        "standardCommission": rates(&api.config.accounts[caller.account]),
        "specialCommission": none, "taxCommission": none,
        "discount": {
            "enabledForAccount": false, "enabledForSymbol": false, "discountAsset": "BNB",
            "discount": fixed(0),
        },
    }))
}

/// Which own trades are asked for.
#[derive(Debug, Clone, Copy)]
struct TradeFilter {
    order: Option<u64>,
    first: Option<u64>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl TradeFilter {
    fn read(params: &Params) -> Result<Self, ApiError> {
        let (start, end) = checked_span(params)?;
        let filter = Self {
            order: params.integer("orderId")?,
            first: params.integer("fromId")?,
            start,
            end,
        };
        let timed = start.is_some() || end.is_some();
        if timed && (filter.order.is_some() || filter.first.is_some()) {
            return Err(ApiError::combination());
        }
        Ok(filter)
    }

    fn accepts(&self, trade: &OwnTrade) -> bool {
        self.order.is_none_or(|order| trade.order.1 == order)
            && self.first.is_none_or(|first| trade.trade_id >= first)
            && self.start.is_none_or(|start| trade.at >= start)
            && self.end.is_none_or(|end| trade.at <= end)
    }
}

pub(super) async fn trades(api: &Api, params: &Params, caller: Caller) -> Result<Value, ApiError> {
    let (symbol, limit) = (api.symbol(params)?, params.limit(ROWS_DEFAULT, ROWS_MAX)?);
    let filter = TradeFilter::read(params)?;
    let oldest = filter.first.is_some() || filter.start.is_some();
    api.engine
        .run(move |venue, _| {
            let trades = venue.accounts[caller.account].trades_of(symbol);
            let matching = trades.filter(|trade| filter.accepts(trade));
            let name = &venue.listed[symbol].symbol;
            window(matching, oldest, limit)
                .into_iter()
                .map(|trade| trade.row(name))
                .collect()
        })
        .await
}

pub(super) async fn order_rate_limits(api: &Api, caller: Caller) -> Result<Value, ApiError> {
    let mut limits = super::exchange_info::rate_limits(&api.config.limits);
    let counts = api
        .engine
        .run(move |venue, now| venue.accounts[caller.account].unfilled.counts(now))
        .await?;
    let Value::Array(rows) = &mut limits else {
        return Ok(limits);
    };
    rows.retain(|row| row["rateLimitType"] == "ORDERS");
    for (row, count) in rows.iter_mut().zip(counts) {
        row["count"] = count.into();
    }
    Ok(limits)
}

//! Market data requests (binance-spot §7).

use super::{
    dispatch::Api,
    error::ApiError,
    params::{Params, check_symbol},
};
use crate::{
    clock::{self, millis},
    engine::{Interval, venue::Venue},
};
use ploy_domain::Timestamp;
use serde_json::{Value, json};

/// Levels per side that a snapshot may have.
const DEPTH_MAX: usize = 5_000;
const ROWS_DEFAULT: usize = 500;
const ROWS_MAX: usize = 1_000;

impl Api {
    /// The index of the mandatory `symbol`.
    pub(crate) fn symbol(&self, params: &Params) -> Result<usize, ApiError> {
        self.index(params.required("symbol")?)
    }

    /// The index of a symbol.
    pub(crate) fn index(&self, symbol: &str) -> Result<usize, ApiError> {
        let symbol = check_symbol(symbol)?;
        self.symbols
            .get(symbol)
            .copied()
            .ok_or_else(ApiError::symbol)
    }

    /// The indices of the JSON array `symbols`.
    pub(crate) fn indices(&self, text: &str) -> Result<Vec<usize>, ApiError> {
        let names: Vec<String> =
            serde_json::from_str(text).map_err(|_| ApiError::invalid_data("symbols"))?;
        let mut indices = Vec::with_capacity(names.len());
        for name in names {
            let index = self.index(&name)?;
            if indices.contains(&index) {
                return Err(ApiError::repeated_symbol());
            }
            indices.push(index);
        }
        Ok(indices)
    }
}

pub(super) fn time() -> Value {
    json!({"serverTime": millis(clock::now())})
}

pub(super) async fn depth(api: &Api, params: &Params) -> Result<Value, ApiError> {
    let (symbol, limit) = (api.symbol(params)?, params.limit(100, DEPTH_MAX)?);
    api.engine
        .run(move |venue, _| venue.listed[symbol].depth(&venue.core, limit))
        .await
}

pub(super) async fn trades(
    api: &Api,
    params: &Params,
    first: Option<u64>,
) -> Result<Value, ApiError> {
    let (symbol, limit) = (api.symbol(params)?, params.limit(ROWS_DEFAULT, ROWS_MAX)?);
    api.engine
        .run(move |venue, _| {
            let trades = venue.listed[symbol].tape.trades(first, limit);
            trades.into_iter().map(|trade| trade.row()).collect()
        })
        .await
}

pub(super) async fn aggregates(api: &Api, params: &Params) -> Result<Value, ApiError> {
    let (symbol, limit) = (api.symbol(params)?, params.limit(ROWS_DEFAULT, ROWS_MAX)?);
    let (first, span) = (params.integer("fromId")?, span(params)?);
    api.engine
        .run(move |venue, _| {
            let aggregates = venue.listed[symbol].tape.aggregates(first, span, limit);
            aggregates
                .into_iter()
                .map(|aggregate| aggregate.row())
                .collect()
        })
        .await
}

pub(super) async fn klines(api: &Api, params: &Params) -> Result<Value, ApiError> {
    let interval = params.required("interval")?;
    let symbol = api.symbol(params)?;
    let position = Interval::position(interval).ok_or_else(ApiError::interval)?;
    let (limit, span) = (params.limit(ROWS_DEFAULT, ROWS_MAX)?, span(params)?);
    api.engine
        .run(move |venue, _| {
            let klines = venue.listed[symbol].klines.range(position, span, limit);
            klines.into_iter().map(|kline| kline.row()).collect()
        })
        .await
}

/// `startTime` and `endTime`.
pub(super) fn span(params: &Params) -> Result<(Option<Timestamp>, Option<Timestamp>), ApiError> {
    Ok((params.time("startTime")?, params.time("endTime")?))
}

pub(super) async fn average_price(api: &Api, params: &Params) -> Result<Value, ApiError> {
    let symbol = api.symbol(params)?;
    api.engine
        .run(move |venue, now| venue.listed[symbol].average_price(now))
        .await
}

pub(super) async fn day_ticker(api: &Api, params: &Params) -> Result<Value, ApiError> {
    let full = match params.text("type")? {
        None | Some("FULL") => true,
        Some("MINI") => false,
        Some(_) => return Err(ApiError::invalid_data("type")),
    };
    per_symbol(api, params, move |venue, symbol, now| {
        let listed = &venue.listed[symbol];
        let day = listed.day(now);
        if !full {
            return day.mini_row(&listed.symbol).into();
        }
        let last = listed.tape.last().map_or(0, |trade| trade.quantity.raw());
        day.full_row(&listed.symbol, &listed.book_ticker(&venue.core), last)
    })
    .await
}

pub(super) async fn price_ticker(api: &Api, params: &Params) -> Result<Value, ApiError> {
    per_symbol(api, params, |venue, symbol, _| {
        venue.listed[symbol].price_ticker()
    })
    .await
}

pub(super) async fn book_ticker(api: &Api, params: &Params) -> Result<Value, ApiError> {
    per_symbol(api, params, |venue, symbol, _| {
        venue.listed[symbol].book_ticker(&venue.core)
    })
    .await
}

/// One row for `symbol`, an array for `symbols` or for all.
async fn per_symbol(
    api: &Api,
    params: &Params,
    row: impl Fn(&Venue, usize, Timestamp) -> Value + Send + 'static,
) -> Result<Value, ApiError> {
    let (one, many) = (params.text("symbol")?, params.text("symbols")?);
    let (single, indices) = match (one, many) {
        (Some(_), Some(_)) => return Err(ApiError::combination()),
        (Some(symbol), None) => (true, vec![api.index(symbol)?]),
        (None, Some(symbols)) => (false, api.indices(symbols)?),
        (None, None) => (false, (0..api.rules.len()).collect()),
    };
    api.engine
        .run(move |venue, now| {
            let mut rows: Vec<_> = indices.iter().map(|n| row(venue, *n, now)).collect();
            if single {
                rows.pop().unwrap_or(Value::Null)
            } else {
                rows.into()
            }
        })
        .await
}

//! `exchangeInfo`: what is listed, under which rules and limits. Every field of binance-spot §6.1
//! is there, since strict decoders fail on a missing one.

use super::{dispatch::Api, error::ApiError, params::Params};
use crate::{
    clock::{self, millis},
    config::LimitsConfig,
    decimal::fixed,
    engine::{
        AVERAGE_MINUTES, BAND_DOWN_DIVISOR, BAND_UP,
        order::{OrderType, STP_MODES, stp_word},
    },
};
use ploy_domain::{Instrument, SCALE};
use serde_json::{Value, json};

/// Limits published where none is configured, because strict decoders want some: never enforced, and
/// so high that a client that keeps to them is not held back.
const ORDERS_10S_PUBLISHED: u32 = 10_000;
const ORDERS_DAY_PUBLISHED: u32 = 20_000_000;

pub(super) fn answer(api: &Api, params: &Params) -> Result<Value, ApiError> {
    let indices = selection(api, params)?;
    let open_orders_max = api.config.limits.open_orders_max;
    let symbols: Vec<_> = indices
        .into_iter()
        .map(|index| symbol(&api.rules[index], open_orders_max))
        .collect();
    Ok(json!({
        "timezone": "UTC", "serverTime": millis(clock::now()),
        "rateLimits": rate_limits(&api.config.limits), "exchangeFilters": [],
        "symbols": symbols,
    }))
}

/// Which instruments are asked for; `symbol`, `symbols` and the rest exclude each other.
fn selection(api: &Api, params: &Params) -> Result<Vec<usize>, ApiError> {
    let (one, many) = (params.text("symbol")?, params.text("symbols")?);
    let permissions = params.text("permissions")?;
    let status = params.text("symbolStatus")?;
    let named = usize::from(one.is_some()) + usize::from(many.is_some());
    if named + usize::from(permissions.is_some()) > 1 || (named > 0 && status.is_some()) {
        return Err(ApiError::combination());
    }
    if let Some(symbol) = one {
        return Ok(vec![api.index(symbol)?]);
    }
    if let Some(symbols) = many {
        return api.indices(symbols);
    }
    let wanted = permissions.is_none_or(|text| text.contains("SPOT"))
        && status.is_none_or(|status| status == "TRADING");
    Ok(if wanted {
        (0..api.rules.len()).collect()
    } else {
        Vec::new()
    })
}

/// The rate limits, as `exchangeInfo` and the WebSocket API show them.
pub(crate) fn rate_limits(limits: &LimitsConfig) -> Value {
    json!([
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1,
         "limit": limits.weight_per_minute},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10,
         "limit": limits.orders_per_10s.unwrap_or(ORDERS_10S_PUBLISHED)},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1,
         "limit": limits.orders_per_day.unwrap_or(ORDERS_DAY_PUBLISHED)},
        {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5,
         "limit": 300_000},
    ])
}

fn symbol(rules: &Instrument, open_orders_max: u32) -> Value {
    let types: Vec<_> = OrderType::ALL.iter().map(|kind| kind.word()).collect();
    let modes: Vec<_> = STP_MODES.iter().map(|mode| stp_word(*mode)).collect();
    json!({
        "symbol": rules.id.symbol().as_str(), "status": "TRADING",
        "baseAsset": rules.base.as_str(), "baseAssetPrecision": 8,
        "quoteAsset": rules.quote.as_str(), "quotePrecision": 8, "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8, "quoteCommissionPrecision": 8,
        "orderTypes": types,
        "icebergAllowed": false, "ocoAllowed": false, "otoAllowed": false, "opoAllowed": false,
        "quoteOrderQtyMarketAllowed": true, "allowTrailingStop": false,
        "cancelReplaceAllowed": false, "amendAllowed": false, "pegInstructionsAllowed": false,
        "isSpotTradingAllowed": true, "isMarginTradingAllowed": false,
        "filters": filters(rules, open_orders_max), "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": modes,
    })
}

fn filters(rules: &Instrument, open_orders_max: u32) -> Value {
    let (up, down) = (fixed(BAND_UP * SCALE), fixed(SCALE / BAND_DOWN_DIVISOR));
    let (min, max) = (
        fixed(rules.quantity_min.raw()),
        fixed(rules.quantity_max.raw()),
    );
    let step = fixed(rules.lot.raw());
    json!([
        {"filterType": "PRICE_FILTER", "minPrice": fixed(rules.price_min.raw()),
         "maxPrice": fixed(rules.price_max.raw()), "tickSize": fixed(rules.tick.raw())},
        {"filterType": "LOT_SIZE", "minQty": min, "maxQty": max, "stepSize": step},
        {"filterType": "MARKET_LOT_SIZE", "minQty": min, "maxQty": max, "stepSize": step},
        {"filterType": "PERCENT_PRICE_BY_SIDE", "bidMultiplierUp": up,
         "bidMultiplierDown": down, "askMultiplierUp": up, "askMultiplierDown": down,
         "avgPriceMins": AVERAGE_MINUTES},
        {"filterType": "NOTIONAL", "minNotional": fixed(rules.notional_min.raw()),
         "applyMinToMarket": true, "maxNotional": fixed(rules.notional_max.raw()),
         "applyMaxToMarket": true, "avgPriceMins": AVERAGE_MINUTES},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": open_orders_max},
    ])
}

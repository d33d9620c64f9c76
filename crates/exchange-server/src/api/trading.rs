//! Placing and cancelling: from parameters to an order that is sound in itself. Whether the venue
//! takes it is decided by the engine.

use super::{
    dispatch::{Answer, Api, Caller, Incoming},
    endpoint::Endpoint,
    error::{ApiError, text},
    params::{CLIENT_ID_RANGE, Params},
};
use crate::engine::{
    order::{OrderType, ResponseType, Terms, parse_side, parse_stp, parse_tif},
    requests::{CancelOrder, NewOrder, Request, Restriction, WhichOrder, generated_id},
};
use ploy_domain::{
    Amount, Instrument, InstrumentViolation, Price, Quantity, TimeInForce, Timestamp,
};
use ploy_exchange_core::{ClientId, OrderSize, StpMode};
use serde_json::{Value, json};

/// The lowest `strategyType`.
const STRATEGY_TYPE_MIN: u64 = 1_000_000;

pub(super) async fn place(
    api: &Api,
    incoming: &Incoming,
    caller: Caller,
) -> Result<Answer, ApiError> {
    let request = request(Endpoint::PlaceOrder, incoming, caller);
    let order = new_order(api, incoming);
    api.engine
        .run(move |venue, now| {
            let body = venue.place(&request, order, now)?;
            let counts = venue.accounts[request.account].unfilled.counts(now);
            Ok(Answer {
                body,
                order_counts: Some(counts),
            })
        })
        .await?
}

pub(super) async fn test(
    api: &Api,
    incoming: &Incoming,
    caller: Caller,
) -> Result<Value, ApiError> {
    let order = new_order(api, incoming)?;
    api.engine
        .run(move |venue, now| venue.test(caller.account, &order, now))
        .await??;
    Ok(json!({}))
}

pub(super) async fn cancel(
    api: &Api,
    incoming: &Incoming,
    caller: Caller,
) -> Result<Value, ApiError> {
    let request = request(Endpoint::CancelOrder, incoming, caller);
    let order = cancel_order(api, incoming);
    api.engine
        .run(move |venue, now| venue.cancel(&request, order, now))
        .await?
}

pub(super) async fn cancel_all(
    api: &Api,
    incoming: &Incoming,
    caller: Caller,
) -> Result<Value, ApiError> {
    let request = request(Endpoint::CancelOpenOrders, incoming, caller);
    let symbol = api.symbol(&incoming.params);
    api.engine
        .run(move |venue, now| venue.cancel_all(&request, symbol, now))
        .await?
}

fn request(endpoint: Endpoint, incoming: &Incoming, caller: Caller) -> Request {
    let named = match endpoint {
        Endpoint::CancelOrder => "origClientOrderId",
        _ => "newClientOrderId",
    };
    let client_order_id = incoming.params.text(named).ok().flatten();
    Request {
        account: caller.account,
        method: endpoint.method(),
        api_key: incoming.api_key.clone().unwrap_or_default(),
        client_order_id: client_order_id.map(str::to_owned),
        parameters: incoming.as_sent.clone(),
        window: caller.window,
    }
}

fn new_order(api: &Api, incoming: &Incoming) -> Result<NewOrder, ApiError> {
    let params = &incoming.params;
    for name in ["symbol", "side", "type"] {
        params.required(name)?;
    }
    for name in [
        "quantity",
        "quoteOrderQty",
        "price",
        "stopPrice",
        "icebergQty",
    ] {
        params.check_decimal(name)?;
    }
    let named = client_id(params, "newClientOrderId")?;
    let symbol = api.symbol(params)?;
    let side = parse_side(params.required("side")?).ok_or_else(ApiError::side)?;
    let order_type = order_type(params.required("type")?)?;
    let time_in_force = time_in_force(params, order_type)?;
    let stp = self_trade_prevention(params)?;
    let response = response_type(params, order_type)?;
    check_combination(params, order_type)?;
    let terms = Terms {
        symbol,
        side,
        order_type,
        time_in_force,
        size: size(params)?,
        price: params.decimal("price")?.unwrap_or(Price::ZERO),
        stop_price: params.decimal("stopPrice")?.unwrap_or(Price::ZERO),
        client_id: match named {
            Some(id) => id,
            None => generated(incoming)?,
        },
        stp,
        strategy_id: params.integer("strategyId")?,
        strategy_type: strategy_type(params)?,
    };
    check_filters(&api.rules[symbol], &terms)?;
    Ok(NewOrder { terms, response })
}

fn client_id(params: &Params, name: &str) -> Result<Option<ClientId>, ApiError> {
    let parse = |id| ClientId::parse(id).map_err(|_| ApiError::illegal(name, CLIENT_ID_RANGE));
    params.client_id(name)?.map(parse).transpose()
}

/// An id for a request without one, unlike that of any other request.
fn generated(incoming: &Incoming) -> Result<ClientId, ApiError> {
    let arrived: Timestamp = incoming.arrived;
    generated_id(&[
        &arrived.as_nanos().to_be_bytes(),
        incoming.payload.as_bytes(),
    ])
}

fn order_type(word: &str) -> Result<OrderType, ApiError> {
    match word {
        "TAKE_PROFIT" => Err(ApiError::order_refused(text::NO_TAKE_PROFIT)),
        "TAKE_PROFIT_LIMIT" => Err(ApiError::order_refused(text::NO_TAKE_PROFIT_LIMIT)),
        word => OrderType::parse(word).ok_or_else(ApiError::order_type),
    }
}

fn time_in_force(params: &Params, kind: OrderType) -> Result<TimeInForce, ApiError> {
    match kind {
        OrderType::Limit | OrderType::StopLossLimit => {
            let word = params.required("timeInForce")?;
            parse_tif(word).ok_or_else(ApiError::time_in_force)
        }
        OrderType::LimitMaker | OrderType::Market | OrderType::StopLoss => {
            if params.has("timeInForce") {
                return Err(ApiError::not_required("timeInForce"));
            }
            Ok(TimeInForce::Gtc)
        }
    }
}

fn self_trade_prevention(params: &Params) -> Result<StpMode, ApiError> {
    match params.text("selfTradePreventionMode")? {
        None => Ok(StpMode::ExpireMaker),
        Some(word) => parse_stp(word).ok_or_else(ApiError::self_trade_mode),
    }
}

fn response_type(params: &Params, kind: OrderType) -> Result<ResponseType, ApiError> {
    match params.text("newOrderRespType")? {
        None => Ok(match kind {
            OrderType::Market | OrderType::Limit => ResponseType::Full,
            OrderType::LimitMaker | OrderType::StopLoss | OrderType::StopLossLimit => {
                ResponseType::Ack
            }
        }),
        Some("ACK") => Ok(ResponseType::Ack),
        Some("RESULT") => Ok(ResponseType::Result),
        Some("FULL") => Ok(ResponseType::Full),
        Some(_) => Err(ApiError::invalid_data("newOrderRespType")),
    }
}

/// Which parameters a type needs and which it does not allow (binance-spot §8).
fn check_combination(params: &Params, kind: OrderType) -> Result<(), ApiError> {
    let (needed, foreign): (&[&str], &[&str]) = match kind {
        OrderType::Limit => (&["quantity", "price"], &["stopPrice", "quoteOrderQty"]),
        OrderType::LimitMaker => (&["quantity", "price"], &["stopPrice", "quoteOrderQty"]),
        OrderType::Market => (&[], &["price", "stopPrice", "icebergQty"]),
        OrderType::StopLoss => (&["quantity"], &["price", "quoteOrderQty"]),
        OrderType::StopLossLimit => (&["quantity", "price"], &["quoteOrderQty"]),
    };
    for name in needed {
        params.required(name)?;
    }
    if let Some(name) = foreign.iter().find(|name| params.has(name)) {
        return Err(ApiError::not_required(name));
    }
    if params.has("trailingDelta") {
        return Err(ApiError::order_refused(text::NO_TRAILING));
    }
    if params
        .decimal::<Quantity>("icebergQty")?
        .is_some_and(Quantity::is_positive)
    {
        return Err(ApiError::order_refused(text::NO_ICEBERG));
    }
    if kind.is_stop() && !params.has("stopPrice") {
        return Err(ApiError::missing_either("stopPrice", "trailingDelta"));
    }
    if kind == OrderType::Market {
        match (params.has("quantity"), params.has("quoteOrderQty")) {
            (true, true) => return Err(ApiError::combination()),
            (false, false) => {
                return Err(ApiError::missing_either("quantity", "quoteOrderQty"));
            }
            (true, false) | (false, true) => {}
        }
    }
    Ok(())
}

fn size(params: &Params) -> Result<OrderSize, ApiError> {
    if let Some(quantity) = params.decimal::<Quantity>("quantity")? {
        return Ok(OrderSize::Base(quantity));
    }
    let budget = params.decimal::<Amount>("quoteOrderQty")?;
    Ok(OrderSize::Quote(budget.unwrap_or(Amount::ZERO)))
}

fn strategy_type(params: &Params) -> Result<Option<u64>, ApiError> {
    match params.integer("strategyType")? {
        Some(kind) if kind < STRATEGY_TYPE_MIN => Err(ApiError::strategy_type()),
        other => Ok(other),
    }
}

/// The filters that need no state. The value of a market order by quantity is checked later,
/// against the average price.
fn check_filters(rules: &Instrument, terms: &Terms) -> Result<(), ApiError> {
    let filter = |violation: InstrumentViolation| ApiError::filter(filter_of(&violation));
    if terms.order_type != OrderType::Market && terms.order_type != OrderType::StopLoss {
        rules.check_price("price", terms.price).map_err(filter)?;
    }
    if terms.order_type.is_stop() {
        rules
            .check_price("stopPrice", terms.stop_price)
            .map_err(filter)?;
    }
    let quantity = match terms.size {
        OrderSize::Base(quantity) => quantity,
        OrderSize::Quote(budget) => {
            let bounds = rules.notional_min..=rules.notional_max;
            return if bounds.contains(&budget) {
                Ok(())
            } else {
                Err(ApiError::filter("NOTIONAL"))
            };
        }
    };
    rules.check_quantity(quantity).map_err(filter)?;
    let price = match terms.order_type {
        OrderType::Market => return Ok(()),
        OrderType::StopLoss => terms.stop_price,
        OrderType::Limit | OrderType::LimitMaker | OrderType::StopLossLimit => terms.price,
    };
    rules.check_notional(price, quantity).map_err(filter)?;
    Ok(())
}

/// The venue's name for the rule that an order breaks.
pub(crate) const fn filter_of(violation: &InstrumentViolation) -> &'static str {
    match violation {
        InstrumentViolation::QuantityNotPositive { .. }
        | InstrumentViolation::OffLot { .. }
        | InstrumentViolation::QuantityOutOfRange { .. } => "LOT_SIZE",
        InstrumentViolation::OffTick { .. } | InstrumentViolation::PriceOutOfRange { .. } => {
            "PRICE_FILTER"
        }
        InstrumentViolation::NotionalOutOfRange { .. }
        | InstrumentViolation::NotionalOverflow(_) => "NOTIONAL",
    }
}

fn cancel_order(api: &Api, incoming: &Incoming) -> Result<CancelOrder, ApiError> {
    let params = &incoming.params;
    let which = which_order(api, params)?;
    let cancel_id = match client_id(params, "newClientOrderId")? {
        Some(id) => id,
        None => generated(incoming)?,
    };
    let restriction = match params.text("cancelRestrictions")? {
        None => None,
        Some("ONLY_NEW") => Some(Restriction::OnlyNew),
        Some("ONLY_PARTIALLY_FILLED") => Some(Restriction::OnlyPartiallyFilled),
        Some(_) => return Err(ApiError::cancel_restrictions_word()),
    };
    Ok(CancelOrder {
        which,
        cancel_id,
        restriction,
    })
}

/// The order that `orderId` and `origClientOrderId` name.
pub(super) fn which_order(api: &Api, params: &Params) -> Result<WhichOrder, ApiError> {
    params.required("symbol")?;
    let order_id = params.integer("orderId")?;
    let client_id = client_id(params, "origClientOrderId")?;
    let symbol = api.symbol(params)?;
    if order_id.is_none() && client_id.is_none() {
        return Err(ApiError::missing_either("origClientOrderId", "orderId"));
    }
    Ok(WhichOrder {
        symbol,
        order_id,
        client_id,
    })
}

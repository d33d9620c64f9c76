//! Orders, fills and balances in the answers of the REST interface.

use super::{Decimal, Number, VenueTime};
use crate::ids;
use ploy_domain::{
    Amount, Asset, InstrumentId, Liquidity, OrderKind, Price, Quantity, Reason, ReasonCode, Side,
    Symbol, TextError, TimeInForce, VenueId,
};
use ploy_venue_port::{Acknowledgement, Balance, Fee, VenueExecution, VenueOrder, VenueOrderState};
use serde::Deserialize;

/// An identifier in an answer is not one.
#[derive(Debug, thiserror::Error)]
#[error("{field} '{value}' in the answer is not valid")]
pub(crate) struct FieldError {
    pub(crate) field: &'static str,
    pub(crate) value: String,
}

pub(crate) fn field_error(field: &'static str, value: &str) -> impl Fn(TextError) -> FieldError {
    move |_| FieldError {
        field,
        value: value.to_owned(),
    }
}

pub(crate) fn instrument(symbol: &str, venue: VenueId) -> Result<InstrumentId, FieldError> {
    let symbol = Symbol::parse(symbol).map_err(field_error("symbol", symbol))?;
    Ok(InstrumentId::new(symbol, venue))
}

pub(crate) fn side(word: &str) -> Result<Side, FieldError> {
    match word {
        "BUY" => Ok(Side::Buy),
        "SELL" => Ok(Side::Sell),
        _ => Err(FieldError {
            field: "side",
            value: word.to_owned(),
        }),
    }
}

/// Where the venue's status word leaves an order.
pub(crate) fn state(word: &str) -> VenueOrderState {
    match word {
        "NEW" | "PENDING_NEW" | "PENDING_CANCEL" => VenueOrderState::Accepted,
        "PARTIALLY_FILLED" => VenueOrderState::PartiallyFilled,
        "FILLED" => VenueOrderState::Filled,
        "CANCELED" => VenueOrderState::Cancelled,
        "EXPIRED" | "EXPIRED_IN_MATCH" => VenueOrderState::Expired,
        "REJECTED" => VenueOrderState::Rejected,
        _ => VenueOrderState::Unrecognised,
    }
}

/// Why an order in `status` ended, in canonical form; `None` while it lives or when it is filled.
pub(crate) fn end_reason(status: &str, expiry: Option<&str>) -> Option<Reason> {
    let context = || expiry.map_or_else(String::new, |word| format!("expiry_reason={word}"));
    match (status, expiry) {
        ("CANCELED", _) => Some(Reason::bare(ReasonCode::CancelRequested)),
        ("REJECTED", _) => Some(Reason::new(ReasonCode::VenueRefused, context())),
        ("EXPIRED_IN_MATCH", _) => Some(Reason::new(
            ReasonCode::VenueEnded,
            "cause=self_trade_prevention",
        )),
        (
            "EXPIRED",
            None
            | Some(
                "NONE"
                | "UNFILLED_IOC_QUANTITY_EXPIRED"
                | "UNFILLED_FOK_ORDER_EXPIRED"
                | "INSUFFICIENT_LIQUIDITY",
            ),
        ) => Some(Reason::new(ReasonCode::TimeInForceEnded, context())),
        ("EXPIRED", Some("REJECTED")) => Some(Reason::new(ReasonCode::VenueRefused, context())),
        ("EXPIRED", Some(_)) => Some(Reason::new(ReasonCode::VenueEnded, context())),
        _ => None,
    }
}

/// The answer to a new order in its `FULL` form.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WirePlacement {
    symbol: String,
    order_id: Number,
    client_order_id: String,
    transact_time: VenueTime,
    executed_qty: Decimal<Quantity>,
    pub(crate) status: String,
    side: String,
    expiry_reason: Option<String>,
    fills: Vec<WireFill>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireFill {
    price: Decimal<Price>,
    qty: Decimal<Quantity>,
    commission: Decimal<Amount>,
    commission_asset: String,
    trade_id: Number,
}

impl WirePlacement {
    pub(crate) fn acknowledgement(&self, venue: VenueId) -> Result<Acknowledgement, FieldError> {
        let instrument = instrument(&self.symbol, venue)?;
        let venue_order_id = ids::venue_order_id(instrument.symbol(), self.order_id.0)
            .map_err(field_error("orderId", &self.symbol))?;
        let side = side(&self.side)?;
        let execution = |fill: &WireFill| {
            Ok(VenueExecution {
                instrument,
                execution_id: ids::execution_id(instrument.symbol(), fill.trade_id.0)
                    .map_err(field_error("tradeId", &self.symbol))?,
                venue_order_id,
                client_order_id: Some(self.client_order_id.clone()),
                side,
                price: fill.price.0,
                quantity: fill.qty.0,
                fee: Some(fee(fill.commission, &fill.commission_asset)?),
                // What fills while the order is being placed takes liquidity.
                liquidity: Some(Liquidity::Taker),
                ts_event: self.transact_time.0,
            })
        };
        Ok(Acknowledgement {
            instrument,
            venue_order_id,
            client_order_id: self.client_order_id.clone(),
            state: state(&self.status),
            reason: end_reason(&self.status, self.expiry_reason.as_deref()),
            filled: self.executed_qty.0,
            executions: self.fills.iter().map(execution).collect::<Result<_, _>>()?,
            ts_event: self.transact_time.0,
        })
    }
}

pub(crate) fn fee(amount: Decimal<Amount>, asset: &str) -> Result<Fee, FieldError> {
    Ok(Fee {
        amount: amount.0,
        asset: Asset::parse(asset).map_err(field_error("commissionAsset", asset))?,
    })
}

/// The answer to a cancel.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireCancel {
    pub(crate) order_id: Number,
    pub(crate) executed_qty: Decimal<Quantity>,
    pub(crate) transact_time: VenueTime,
    pub(crate) status: String,
}

/// An order in a list or in the answer to a query.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireOrder {
    symbol: String,
    order_id: Number,
    client_order_id: String,
    price: Decimal<Price>,
    orig_qty: Decimal<Quantity>,
    executed_qty: Decimal<Quantity>,
    /// Negative for archived orders whose value is not known.
    cummulative_quote_qty: Decimal<Amount>,
    pub(crate) status: String,
    time_in_force: String,
    #[serde(rename = "type")]
    kind: String,
    side: String,
    stop_price: Option<Decimal<Price>>,
    expiry_reason: Option<String>,
    time: VenueTime,
    update_time: VenueTime,
}

impl WireOrder {
    pub(crate) fn order(&self, venue: VenueId) -> Result<VenueOrder, FieldError> {
        let instrument = instrument(&self.symbol, venue)?;
        let value = self.cummulative_quote_qty.0;
        Ok(VenueOrder {
            instrument,
            venue_order_id: ids::venue_order_id(instrument.symbol(), self.order_id.0)
                .map_err(field_error("orderId", &self.symbol))?,
            client_order_id: self.client_order_id.clone(),
            side: side(&self.side)?,
            kind: self.kind(),
            time_in_force: time_in_force(&self.time_in_force),
            quantity: self.orig_qty.0,
            filled: self.executed_qty.0,
            filled_value: (!value.is_negative()).then_some(value),
            state: state(&self.status),
            reason: end_reason(&self.status, self.expiry_reason.as_deref()),
            created_at: self.time.0,
            updated_at: self.update_time.0,
        })
    }

    fn kind(&self) -> Option<OrderKind> {
        let (price, stop) = (self.price.0, self.stop_price.map(|stop| stop.0));
        let limit = |post_only| Some(OrderKind::Limit { price, post_only });
        match self.kind.as_str() {
            "MARKET" => Some(OrderKind::Market),
            "LIMIT" => limit(false),
            "LIMIT_MAKER" => limit(true),
            "STOP_LOSS" => stop.map(|stop| OrderKind::Stop { stop }),
            "STOP_LOSS_LIMIT" => stop.map(|stop| OrderKind::StopLimit { stop, price }),
            _ => None,
        }
    }
}

pub(crate) fn time_in_force(word: &str) -> Option<TimeInForce> {
    match word {
        "GTC" => Some(TimeInForce::Gtc),
        "IOC" => Some(TimeInForce::Ioc),
        "FOK" => Some(TimeInForce::Fok),
        _ => None,
    }
}

/// A row of `myTrades`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireMyTrade {
    symbol: String,
    pub(crate) id: Number,
    order_id: Number,
    price: Decimal<Price>,
    qty: Decimal<Quantity>,
    commission: Decimal<Amount>,
    commission_asset: String,
    time: VenueTime,
    is_buyer: bool,
    is_maker: bool,
}

impl WireMyTrade {
    pub(crate) fn execution(&self, venue: VenueId) -> Result<VenueExecution, FieldError> {
        let instrument = instrument(&self.symbol, venue)?;
        let symbol = instrument.symbol();
        Ok(VenueExecution {
            instrument,
            execution_id: ids::execution_id(symbol, self.id.0)
                .map_err(field_error("id", &self.symbol))?,
            venue_order_id: ids::venue_order_id(symbol, self.order_id.0)
                .map_err(field_error("orderId", &self.symbol))?,
            client_order_id: None,
            side: if self.is_buyer { Side::Buy } else { Side::Sell },
            price: self.price.0,
            quantity: self.qty.0,
            fee: Some(fee(self.commission, &self.commission_asset)?),
            liquidity: Some(if self.is_maker {
                Liquidity::Maker
            } else {
                Liquidity::Taker
            }),
            ts_event: self.time.0,
        })
    }
}

/// The answer of `account`, as far as it is used.
#[derive(Debug, Deserialize)]
pub(crate) struct WireAccount {
    pub(crate) balances: Vec<WireBalance>,
}

/// One balance, in REST and with short names on the stream.
#[derive(Debug, Deserialize)]
pub(crate) struct WireBalance {
    #[serde(alias = "a")]
    asset: String,
    #[serde(alias = "f")]
    free: Decimal<Amount>,
    #[serde(alias = "l")]
    locked: Decimal<Amount>,
}

impl WireBalance {
    pub(crate) fn balance(&self) -> Result<Balance, FieldError> {
        Ok(Balance {
            asset: Asset::parse(&self.asset).map_err(field_error("asset", &self.asset))?,
            free: self.free.0,
            locked: self.locked.0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn venue() -> VenueId {
        VenueId::parse("SIM").unwrap()
    }

    #[test]
    fn a_full_answer_is_an_acknowledgement_with_its_fills() {
        let json = r#"{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"demo-1","transactTime":1735689600125,
         "price":"25000.10000000","origQty":"0.01000000","executedQty":"0.01000000","origQuoteOrderQty":"0.00000000",
         "cummulativeQuoteQty":"250.00000000","status":"FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY",
         "workingTime":1735689600125,
         "fills":[{"price":"25000.00000000","qty":"0.01000000","commission":"0.00001000","commissionAsset":"BTC","tradeId":912}],
         "selfTradePreventionMode":"NONE"}"#;
        let wire: WirePlacement = serde_json::from_str(json).unwrap();
        let answer = wire.acknowledgement(venue()).unwrap();
        assert_eq!(answer.venue_order_id.as_str(), "BTCUSDT-28");
        assert_eq!(answer.state, VenueOrderState::Filled);
        let fill = &answer.executions[0];
        assert_eq!(fill.execution_id.as_str(), "BTCUSDT-912");
        assert_eq!(fill.fee.unwrap().amount.to_string(), "0.00001");
        assert_eq!(answer.reports().len(), 2);
    }

    #[test]
    fn the_same_fill_in_my_trades_has_the_same_identity() {
        let json = r#"{"symbol":"BTCUSDT","id":912,"orderId":28,"orderListId":-1,"price":"25000.00000000","qty":"0.01000000","quoteQty":"250.0",
          "commission":"0.00001000","commissionAsset":"BTC","time":1735689600125,"isBuyer":true,"isMaker":false,"isBestMatch":true}"#;
        let wire: WireMyTrade = serde_json::from_str(json).unwrap();
        let fill = wire.execution(venue()).unwrap();
        let key = (fill.venue_order_id.as_str(), fill.execution_id.as_str());
        assert_eq!(key, ("BTCUSDT-28", "BTCUSDT-912"));
        assert_eq!(
            (fill.side, fill.liquidity),
            (Side::Buy, Some(Liquidity::Taker))
        );
    }

    #[test]
    fn every_documented_status_has_a_state_and_every_end_a_reason() {
        use VenueOrderState as V;
        for (word, expected) in [
            ("NEW", V::Accepted),
            ("PENDING_NEW", V::Accepted),
            ("PENDING_CANCEL", V::Accepted),
            ("PARTIALLY_FILLED", V::PartiallyFilled),
            ("FILLED", V::Filled),
            ("CANCELED", V::Cancelled),
            ("EXPIRED", V::Expired),
            ("EXPIRED_IN_MATCH", V::Expired),
            ("REJECTED", V::Rejected),
            ("SOMETHING_NEW", V::Unrecognised),
        ] {
            assert_eq!(state(word), expected, "{word}");
            let ended = expected.is_terminal() && expected != V::Filled;
            assert_eq!(end_reason(word, None).is_some(), ended, "{word}");
        }
        let code = |expiry| end_reason("EXPIRED", Some(expiry)).map(|reason| reason.code);
        assert_eq!(
            code("UNFILLED_IOC_QUANTITY_EXPIRED"),
            Some(ReasonCode::TimeInForceEnded)
        );
        assert_eq!(code("REJECTED"), Some(ReasonCode::VenueRefused));
        assert_eq!(code("EXCHANGE_CANCELED"), Some(ReasonCode::VenueEnded));
        assert_eq!(code("SOMETHING_NEW"), Some(ReasonCode::VenueEnded));
    }

    #[test]
    fn a_foreign_order_with_words_we_lack_is_still_an_order() {
        let json = r#"{"symbol":"BTCUSDT","orderId":31,"orderListId":-1,"clientOrderId":"x-TKT5PX2F12","price":"0.0","origQty":"1.0",
          "executedQty":"0.0","cummulativeQuoteQty":"-1.0","status":"NEW","timeInForce":"GTD","type":"TAKE_PROFIT","side":"SELL",
          "stopPrice":"30000.0","icebergQty":"0.0","time":1735689600125,"updateTime":1735689600126,"isWorking":false}"#;
        let wire: WireOrder = serde_json::from_str(json).unwrap();
        let order = wire.order(venue()).unwrap();
        assert_eq!(
            (order.kind, order.time_in_force, order.filled_value),
            (None, None, None)
        );
        assert_eq!(order.order_id(), None);
    }
}

//! The private stream: what each event means in canonical form.

use super::{
    Decimal, Number, VenueTime,
    orders::{self, FieldError, WireBalance, field_error},
};
use crate::ids;
use ploy_domain::{Amount, Liquidity, Price, Quantity, Reason, ReasonCode, VenueId};
use ploy_venue_port::{OrderChange, OrderReport, ReportBody, VenueExecution, VenueOrderState};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;

/// A frame of the WebSocket API: the answer to a request, or an event of the subscription.
#[derive(Deserialize)]
pub(crate) struct ApiFrame<'a> {
    pub(crate) status: Option<u16>,
    #[serde(borrow)]
    pub(crate) error: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(crate) event: Option<&'a RawValue>,
}

/// What an event of the private stream asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserEvent {
    /// Tell the account's owner.
    Report(ReportBody),
    /// The subscription or the connection is about to end: connect again.
    Ending,
}

#[derive(Deserialize)]
struct Kind<'a> {
    #[serde(borrow)]
    e: Cow<'a, str>,
}

#[derive(Deserialize)]
struct Position {
    #[serde(rename = "B")]
    balances: Vec<WireBalance>,
}

/// `executionReport`, as far as it is used (binance-spot §16.2).
#[derive(Deserialize)]
struct WireReport<'a> {
    #[serde(borrow)]
    s: Cow<'a, str>,
    /// The order's client id; a cancel's own id on `CANCELED`.
    #[serde(borrow)]
    c: Cow<'a, str>,
    /// The order's client id on cancels, else empty.
    #[serde(rename = "C", borrow, default)]
    original: Cow<'a, str>,
    #[serde(rename = "S", borrow)]
    side: Cow<'a, str>,
    #[serde(rename = "o", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    x: Cow<'a, str>,
    #[serde(rename = "X", borrow)]
    status: Cow<'a, str>,
    #[serde(borrow, default)]
    r: Cow<'a, str>,
    i: Number,
    l: Decimal<Quantity>,
    z: Decimal<Quantity>,
    #[serde(rename = "L")]
    last_price: Decimal<Price>,
    n: Option<Decimal<Amount>>,
    #[serde(rename = "N", borrow)]
    fee_asset: Option<Cow<'a, str>>,
    #[serde(rename = "T")]
    time: VenueTime,
    t: i64,
    #[serde(default)]
    w: bool,
    #[serde(default)]
    m: bool,
    #[serde(rename = "eR", borrow, default)]
    expiry: Option<Cow<'a, str>>,
}

/// An event that is not in the documented form.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EventError {
    #[error("event is not in the documented form")]
    Json(#[from] serde_json::Error),
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Decodes an event.
pub(crate) fn decode_event(text: &str, venue: VenueId) -> Result<UserEvent, EventError> {
    let kind: Kind<'_> = serde_json::from_str(text)?;
    match kind.e.as_ref() {
        "executionReport" => {
            let wire: WireReport<'_> = serde_json::from_str(text)?;
            let report = wire.report(venue)?;
            Ok(UserEvent::Report(ReportBody::Order(Box::new(report))))
        }
        "outboundAccountPosition" => {
            let wire: Position = serde_json::from_str(text)?;
            let balances = wire.balances.iter().map(WireBalance::balance);
            let balances = balances.collect::<Result<_, _>>()?;
            Ok(UserEvent::Report(ReportBody::Balances(balances)))
        }
        "eventStreamTerminated" | "serverShutdown" => Ok(UserEvent::Ending),
        _ => Ok(UserEvent::Report(ReportBody::Unrecognised)),
    }
}

impl WireReport<'_> {
    fn report(&self, venue: VenueId) -> Result<OrderReport, FieldError> {
        let instrument = orders::instrument(&self.s, venue)?;
        let venue_order_id = ids::venue_order_id(instrument.symbol(), self.i.0)
            .map_err(field_error("i", &self.s))?;
        let mut report = OrderReport {
            instrument,
            venue_order_id,
            client_order_id: self.client_order_id().to_owned(),
            change: OrderChange::Other,
            state: orders::state(&self.status),
            filled: self.z.0,
            ts_event: self.time.0,
        };
        report.change = self.change(&report)?;
        Ok(report)
    }

    fn client_order_id(&self) -> &str {
        if self.original.is_empty() {
            &self.c
        } else {
            &self.original
        }
    }

    fn change(&self, report: &OrderReport) -> Result<OrderChange, FieldError> {
        let is_stop = self.kind.starts_with("STOP_LOSS") || self.kind.starts_with("TAKE_PROFIT");
        Ok(match self.x.as_ref() {
            // A stop is reported as new twice: when it starts to wait, and when it goes to work.
            "NEW" if is_stop && self.w => OrderChange::Triggered,
            "NEW" => OrderChange::Accepted,
            "TRADE" => OrderChange::Filled(Box::new(self.execution(report)?)),
            // Whatever else happened: where the order stands is what counts.
            _ => OrderChange::ended(report.state, self.end_reason()).unwrap_or(OrderChange::Other),
        })
    }

    fn end_reason(&self) -> Option<Reason> {
        if report_is_refusal(&self.status, &self.r) {
            let context = format!("reject_reason={}", self.r);
            return Some(Reason::new(ReasonCode::VenueRefused, context));
        }
        orders::end_reason(&self.status, self.expiry.as_deref())
    }

    fn execution(&self, report: &OrderReport) -> Result<VenueExecution, FieldError> {
        let number = u64::try_from(self.t).map_err(|_| FieldError {
            field: "t",
            value: self.t.to_string(),
        })?;
        let fee = match (self.n, &self.fee_asset) {
            (Some(amount), Some(asset)) => Some(orders::fee(amount, asset)?),
            _ => None,
        };
        Ok(VenueExecution {
            instrument: report.instrument,
            execution_id: ids::execution_id(report.instrument.symbol(), number)
                .map_err(field_error("t", &self.s))?,
            venue_order_id: report.venue_order_id,
            client_order_id: Some(report.client_order_id.clone()),
            side: orders::side(&self.side)?,
            price: self.last_price.0,
            quantity: self.l.0,
            fee,
            liquidity: Some(if self.m {
                Liquidity::Maker
            } else {
                Liquidity::Taker
            }),
            ts_event: self.time.0,
        })
    }
}

fn report_is_refusal(status: &str, reject_reason: &str) -> bool {
    status == "REJECTED" && !matches!(reject_reason, "" | "NONE")
}

/// Whether the order of this report stands where this adapter has no word for.
pub(crate) fn is_unrecognised(body: &ReportBody) -> bool {
    match body {
        ReportBody::Order(report) => report.state == VenueOrderState::Unrecognised,
        ReportBody::Unrecognised => true,
        ReportBody::Stream(_) | ReportBody::Balances(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A report with some of its fields replaced.
    fn decode(changes: &[(&str, &str)]) -> Result<UserEvent, EventError> {
        let base = r#"{"e":"executionReport","E":1735689600126,"s":"BTCUSDT","c":"pd3v3dozeqtax56xztx","S":"BUY","o":"LIMIT","f":"GTC",
            "q":"0.02000000","p":"25000.10000000","P":"0.00000000","F":"0.00000000","g":-1,"C":"","x":"NEW","X":"NEW","r":"NONE","i":28,
            "l":"0.00000000","z":"0.00000000","L":"0.00000000","n":"0","N":null,"T":1735689600125,"t":-1,"I":77,"w":true,"m":false,"M":false,
            "O":1735689600125,"Z":"0.00000000","Y":"0.00000000","Q":"0.00000000","V":"NONE"}"#;
        let mut report: serde_json::Value = serde_json::from_str(base).unwrap();
        for (key, value) in changes {
            report[*key] = serde_json::from_str(value).unwrap();
        }
        decode_event(&report.to_string(), VenueId::parse("SIM").unwrap())
    }

    fn order(changes: &[(&str, &str)]) -> OrderReport {
        match decode(changes).unwrap() {
            UserEvent::Report(ReportBody::Order(report)) => *report,
            other => panic!("not an order report: {other:?}"),
        }
    }

    #[test]
    fn a_resting_order_is_accepted() {
        let report = order(&[]);
        assert_eq!(report.change, OrderChange::Accepted);
        assert_eq!(report.order_id().unwrap().as_str(), "pd3v3dozeqtax56xztx");
        assert_eq!(report.venue_order_id.as_str(), "BTCUSDT-28");
    }

    #[test]
    fn a_fill_has_the_identity_of_its_row_in_my_trades() {
        let report = order(&[
            ("x", "\"TRADE\""),
            ("X", "\"PARTIALLY_FILLED\""),
            ("l", "\"0.01\""),
            ("z", "\"0.01\""),
            ("L", "\"25000\""),
            ("n", "\"0.00001\""),
            ("N", "\"BTC\""),
            ("t", "912"),
            ("m", "true"),
        ]);
        assert_eq!(report.state, VenueOrderState::PartiallyFilled);
        let OrderChange::Filled(fill) = report.change else {
            panic!("no fill");
        };
        assert_eq!(fill.execution_id.as_str(), "BTCUSDT-912");
        assert_eq!(fill.liquidity, Some(Liquidity::Maker));
        assert_eq!(fill.fee.unwrap().asset.as_str(), "BTC");
    }

    #[test]
    fn a_cancel_is_reported_under_the_orders_own_id() {
        let report = order(&[
            ("x", "\"CANCELED\""),
            ("X", "\"CANCELED\""),
            ("c", "\"some-cancel-id\""),
            ("C", "\"pd3v3dozeqtax56xztx\""),
            ("z", "\"0.01\""),
        ]);
        assert!(matches!(report.change, OrderChange::Cancelled(_)));
        assert!(report.order_id().is_some());
        assert_eq!(report.filled.to_string(), "0.01");
    }

    #[test]
    fn a_stop_waits_first_and_works_later() {
        let stop = ("o", "\"STOP_LOSS_LIMIT\"");
        assert_eq!(order(&[stop, ("w", "false")]).change, OrderChange::Accepted);
        assert_eq!(order(&[stop]).change, OrderChange::Triggered);
    }

    #[test]
    fn every_documented_happening_has_a_change() {
        let change = |x: &str, status: &str, expiry: &str| {
            let quote = |word: &str| format!("\"{word}\"");
            order(&[
                ("x", &quote(x)),
                ("X", &quote(status)),
                ("eR", &quote(expiry)),
            ])
            .change
        };
        let code = |change| match change {
            OrderChange::Expired(reason) | OrderChange::Rejected(reason) => Some(reason.code),
            _ => None,
        };
        let ioc = change("EXPIRED", "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED");
        assert_eq!(code(ioc), Some(ReasonCode::TimeInForceEnded));
        let refused = change("EXPIRED", "EXPIRED", "REJECTED");
        assert_eq!(code(refused), Some(ReasonCode::VenueRefused));
        let rejected = change("REJECTED", "REJECTED", "NONE");
        assert_eq!(code(rejected), Some(ReasonCode::VenueRefused));
        let prevented = change("TRADE_PREVENTION", "EXPIRED_IN_MATCH", "NONE");
        assert_eq!(code(prevented), Some(ReasonCode::VenueEnded));
        assert_eq!(
            change("TRADE_PREVENTION", "NEW", "NONE"),
            OrderChange::Other
        );
        assert_eq!(
            change("REPLACED", "PARTIALLY_FILLED", "NONE"),
            OrderChange::Other
        );
        assert_eq!(change("SOMETHING_NEW", "NEW", "NONE"), OrderChange::Other);
    }

    #[test]
    fn an_unknown_status_is_surfaced() {
        let report = order(&[("x", "\"WHATEVER\""), ("X", "\"SOMETHING_NEW\"")]);
        assert_eq!(report.state, VenueOrderState::Unrecognised);
        assert!(is_unrecognised(&ReportBody::Order(Box::new(report))));
    }

    #[test]
    fn balances_are_absolute_and_the_end_is_announced() {
        let venue = VenueId::parse("SIM").unwrap();
        let position =
            r#"{"e":"outboundAccountPosition","E":1,"u":1,"B":[{"a":"BTC","f":"1.5","l":"0.25"}]}"#;
        let UserEvent::Report(ReportBody::Balances(balances)) =
            decode_event(position, venue).unwrap()
        else {
            panic!("no balances");
        };
        assert_eq!(balances[0].locked.to_string(), "0.25");
        for end in ["eventStreamTerminated", "serverShutdown"] {
            let event = decode_event(&format!(r#"{{"e":"{end}","E":1}}"#), venue);
            assert_eq!(event.unwrap(), UserEvent::Ending);
        }
        let foreign = decode_event(r#"{"e":"listStatus","E":1}"#, venue).unwrap();
        assert_eq!(foreign, UserEvent::Report(ReportBody::Unrecognised));
    }

    #[test]
    fn malformed_events_are_errors() {
        assert!(decode(&[("t", "-1"), ("x", "\"TRADE\"")]).is_err());
        assert!(decode(&[("S", "\"HOLD\""), ("x", "\"TRADE\""), ("t", "1")]).is_err());
        assert!(decode(&[("z", "0.01")]).is_err());
        assert!(decode_event("{}", VenueId::parse("SIM").unwrap()).is_err());
    }
}

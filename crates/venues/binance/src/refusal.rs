//! What an error answer proves (failure-model ORD-10): the table of codes that prove that an order
//! was not placed. What is not in it proves nothing.

use ploy_domain::{Reason, ReasonCode};
use ploy_venue_port::VenueError;
use serde::Deserialize;
use std::{fmt, time::Duration};

/// Why the venue refused, in words that every venue shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// Not enough of the asset.
    InsufficientFunds,
    /// Price off the tick or out of its bounds.
    PriceFilter,
    /// Quantity off the lot or out of its bounds.
    QuantityFilter,
    /// Order value out of its bounds.
    NotionalFilter,
    /// Price too far from the reference.
    PriceBand,
    /// Too many orders are open.
    TooManyOpenOrders,
    /// A post-only order would take liquidity.
    PostOnlyWouldTake,
    /// A stop's trigger is reached already.
    StopWouldTrigger,
    /// The market takes no orders.
    MarketClosed,
    /// No such instrument.
    InstrumentUnknown,
    /// This account may not trade it.
    NotPermitted,
    /// The venue does not offer this combination.
    Unsupported,
    /// Outside the venue's time window.
    Clock,
    /// Key or signature are not valid.
    Auth,
    /// The request makes no sense to the venue.
    Malformed,
    /// Another documented refusal.
    Other,
}

impl Refusal {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::InsufficientFunds => "insufficient_funds",
            Self::PriceFilter => "price_filter",
            Self::QuantityFilter => "quantity_filter",
            Self::NotionalFilter => "notional_filter",
            Self::PriceBand => "price_band",
            Self::TooManyOpenOrders => "too_many_open_orders",
            Self::PostOnlyWouldTake => "post_only_would_take",
            Self::StopWouldTrigger => "stop_would_trigger",
            Self::MarketClosed => "market_closed",
            Self::InstrumentUnknown => "instrument_unknown",
            Self::NotPermitted => "not_permitted",
            Self::Unsupported => "unsupported_combination",
            Self::Clock => "clock",
            Self::Auth => "auth",
            Self::Malformed => "malformed",
            Self::Other => "other",
        }
    }
}

/// What an error answer to an order proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The order was not placed.
    Refused(Refusal),
    /// The order was not placed, because a limit was reached.
    RateLimited,
    /// Nothing.
    Nothing,
}

/// The codes that prove a refusal when they come with a 4xx (binance-spot §13). Left out on
/// purpose: −1000, −1001, −1006, −1007 and −1008, which say nothing about the order.
const REFUSALS: &[(i64, Refusal)] = &[
    (-1002, Refusal::Auth),
    (-1013, Refusal::Other),
    (-1021, Refusal::Clock),
    (-1022, Refusal::Auth),
    (-1100, Refusal::Malformed),
    (-1101, Refusal::Malformed),
    (-1102, Refusal::Malformed),
    (-1103, Refusal::Malformed),
    (-1104, Refusal::Malformed),
    (-1105, Refusal::Malformed),
    (-1106, Refusal::Malformed),
    (-1108, Refusal::Malformed),
    (-1111, Refusal::Malformed),
    (-1112, Refusal::Other),
    (-1114, Refusal::Malformed),
    (-1115, Refusal::Malformed),
    (-1116, Refusal::Malformed),
    (-1117, Refusal::Malformed),
    (-1121, Refusal::InstrumentUnknown),
    (-1128, Refusal::Malformed),
    (-1130, Refusal::Malformed),
    (-1131, Refusal::Clock),
    (-1134, Refusal::Malformed),
    (-1220, Refusal::MarketClosed),
    (-2010, Refusal::Other),
    (-2014, Refusal::Auth),
    (-2015, Refusal::Auth),
];

/// The texts that say more than their code, which is −1013 or −2010.
const TEXTS: &[(&str, Refusal)] = &[
    ("Filter failure: PRICE_FILTER", Refusal::PriceFilter),
    ("Filter failure: PERCENT_PRICE", Refusal::PriceBand),
    ("Filter failure: LOT_SIZE", Refusal::QuantityFilter),
    ("Filter failure: MARKET_LOT_SIZE", Refusal::QuantityFilter),
    ("Filter failure: MIN_NOTIONAL", Refusal::NotionalFilter),
    ("Filter failure: NOTIONAL", Refusal::NotionalFilter),
    ("Filter failure: MAX_NUM", Refusal::TooManyOpenOrders),
    (
        "Filter failure: EXCHANGE_MAX_NUM",
        Refusal::TooManyOpenOrders,
    ),
    (
        "Account has insufficient balance",
        Refusal::InsufficientFunds,
    ),
    ("Order would immediately match", Refusal::PostOnlyWouldTake),
    ("Order would trigger immediately", Refusal::StopWouldTrigger),
    ("Market is closed", Refusal::MarketClosed),
    ("Unsupported order combination", Refusal::Unsupported),
    ("This symbol is not permitted", Refusal::NotPermitted),
    ("This symbol is restricted", Refusal::NotPermitted),
    ("This account may not", Refusal::NotPermitted),
    ("This action is disabled", Refusal::NotPermitted),
];

/// What an error answer with this HTTP status, code and text proves about an order.
#[must_use]
pub fn proof_of_refusal(status: u16, code: Option<i64>, text: &str) -> Proof {
    if matches!(status, 429 | 418) {
        return Proof::RateLimited;
    }
    if !(400..500).contains(&status) || status == 408 {
        return Proof::Nothing;
    }
    // An order with this id exists: possibly the very one that was just sent.
    if text.starts_with("Duplicate order sent") {
        return Proof::Nothing;
    }
    let by_code = REFUSALS.iter().find(|(known, _)| Some(*known) == code);
    match by_code {
        Some((-1013 | -2010, _)) => {
            let by_text = TEXTS.iter().find(|(prefix, _)| text.starts_with(prefix));
            Proof::Refused(by_text.map_or(Refusal::Other, |(_, refusal)| *refusal))
        }
        Some((_, refusal)) => Proof::Refused(*refusal),
        None => Proof::Nothing,
    }
}

/// The venue's error body.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<i64>,
    #[serde(default)]
    pub(crate) msg: String,
}

/// An error answer: its status, and its body as far as it has the venue's form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ErrorAnswer {
    pub(crate) status: u16,
    pub(crate) body: ErrorBody,
    pub(crate) retry_after: Duration,
}

impl fmt::Display for ErrorAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status={}", self.status)?;
        if let Some(code) = self.body.code {
            write!(f, " code={code} text={:?}", self.body.msg)?;
        }
        Ok(())
    }
}

impl ErrorAnswer {
    pub(crate) fn new(status: u16, body: &[u8], retry_after: Duration) -> Self {
        Self {
            status,
            body: serde_json::from_slice(body).unwrap_or_default(),
            retry_after,
        }
    }

    pub(crate) fn proof(&self) -> Proof {
        proof_of_refusal(self.status, self.body.code, &self.body.msg)
    }

    /// The refusal as a reason, with the venue's own words.
    pub(crate) fn reason(&self, refusal: Refusal) -> Reason {
        let context = format!("class={} {self}", refusal.word());
        Reason::new(ReasonCode::VenueRefused, context)
    }

    /// The class of the error for a request that changes nothing.
    pub(crate) fn read_error(&self, operation: &'static str) -> VenueError {
        let detail = self.to_string();
        match self.proof() {
            Proof::RateLimited => VenueError::RateLimited {
                operation,
                after: self.retry_after,
            },
            Proof::Refused(Refusal::Clock) => VenueError::Clock { operation, detail },
            Proof::Refused(Refusal::Auth) => VenueError::Auth { operation, detail },
            Proof::Refused(refusal) => VenueError::Refused {
                operation,
                reason: self.reason(refusal),
            },
            Proof::Nothing if self.status >= 500 => VenueError::Unavailable { operation, detail },
            Proof::Nothing if self.status == 401 => VenueError::Auth { operation, detail },
            Proof::Nothing if self.body.code.is_some() => VenueError::Refused {
                operation,
                reason: self.reason(Refusal::Other),
            },
            Proof::Nothing => VenueError::Protocol { operation, detail },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(status: u16, code: i64, text: &str, expected: Proof) {
        let proof = proof_of_refusal(status, Some(code), text);
        assert_eq!(proof, expected, "{status} {code} {text}");
    }

    #[test]
    fn every_code_of_the_table_proves_a_refusal_with_400_and_nothing_with_500() {
        for (code, _) in REFUSALS {
            assert!(
                matches!(proof_of_refusal(400, Some(*code), ""), Proof::Refused(_)),
                "{code}"
            );
            check(500, *code, "", Proof::Nothing);
            check(200, *code, "", Proof::Nothing);
        }
    }

    #[test]
    fn what_is_not_in_the_table_proves_nothing() {
        for code in [-1000, -1001, -1006, -1007, -1008, -2011, -2013, -9999, 0] {
            check(400, code, "", Proof::Nothing);
        }
        for status in [403, 404, 408, 500, 502, 503, 504] {
            assert_eq!(proof_of_refusal(status, None, ""), Proof::Nothing);
        }
        check(408, -2010, "", Proof::Nothing);
    }

    #[test]
    fn a_duplicate_id_proves_that_an_order_exists() {
        check(400, -2010, "Duplicate order sent.", Proof::Nothing);
    }

    #[test]
    fn rate_limits_are_proof_whatever_the_code() {
        check(429, -1015, "Too many new orders; …", Proof::RateLimited);
        check(
            418,
            -1003,
            "Way too much request weight used; …",
            Proof::RateLimited,
        );
        assert_eq!(proof_of_refusal(429, None, ""), Proof::RateLimited);
    }

    #[test]
    fn the_venues_words_become_everybodys() {
        use Refusal as R;
        for (code, text, refusal) in [
            (-1013, "Filter failure: PRICE_FILTER", R::PriceFilter),
            (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", R::PriceBand),
            (-1013, "Filter failure: LOT_SIZE", R::QuantityFilter),
            (-1013, "Filter failure: NOTIONAL", R::NotionalFilter),
            (
                -2010,
                "Filter failure: MAX_NUM_ALGO_ORDERS",
                R::TooManyOpenOrders,
            ),
            (
                -2010,
                "Account has insufficient balance for requested action.",
                R::InsufficientFunds,
            ),
            (
                -2010,
                "Order would immediately match and take.",
                R::PostOnlyWouldTake,
            ),
            (
                -2010,
                "Order would trigger immediately.",
                R::StopWouldTrigger,
            ),
            (-2010, "something new", R::Other),
            (-1121, "Invalid symbol.", R::InstrumentUnknown),
            (
                -1021,
                "Timestamp for this request is outside of the recvWindow.",
                R::Clock,
            ),
        ] {
            check(400, code, text, Proof::Refused(refusal));
        }
        check(
            401,
            -2015,
            "Invalid API-key, IP, or permissions for action.",
            Proof::Refused(R::Auth),
        );
    }

    #[test]
    fn reads_know_the_class_of_every_error() {
        let class = |status, body: &str| {
            ErrorAnswer::new(status, body.as_bytes(), Duration::from_secs(1))
                .read_error("test")
                .class()
        };
        assert_eq!(class(429, ""), "rate_limited");
        assert_eq!(class(400, r#"{"code":-1021,"msg":"x"}"#), "clock");
        assert_eq!(class(401, r#"{"code":-2014,"msg":"x"}"#), "auth");
        assert_eq!(class(400, r#"{"code":-2013,"msg":"x"}"#), "refused");
        assert_eq!(class(503, "<html>"), "unavailable");
        assert_eq!(class(404, "<html>"), "protocol");
    }
}

//! The refusals of the API: HTTP status, code and exact text. Clients choose exception classes by
//! the text, so every one is written here once and nowhere else.

use serde_json::{Value, json};

/// A refusal as the caller receives it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(crate) struct ApiError {
    /// HTTP status, also the `status` of a WebSocket API answer.
    pub(crate) status: u16,
    /// The venue's code, below zero.
    pub(crate) code: i32,
    /// The venue's text.
    pub(crate) message: String,
    /// Milliseconds since the epoch at which asking again is allowed, for rate limits.
    pub(crate) retry_after_ms: Option<i64>,
}

impl ApiError {
    fn new(status: u16, code: i32, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            retry_after_ms: None,
        }
    }

    fn bad(code: i32, message: impl Into<String>) -> Self {
        Self::new(400, code, message)
    }

    /// The JSON body.
    pub(crate) fn body(&self) -> Value {
        json!({"code": self.code, "msg": self.message})
    }

    pub(crate) fn unknown_path() -> Self {
        Self::new(404, -1000, "no such path")
    }

    pub(crate) fn unknown_method() -> Self {
        Self::bad(-1000, "Unknown method.")
    }

    pub(crate) fn internal() -> Self {
        Self::new(
            500,
            -1000,
            "An unknown error occurred while processing the request.",
        )
    }

    /// The outcome is unknown: the engine did not answer in time or is stopping.
    pub(crate) fn timeout() -> Self {
        Self::new(
            504,
            -1007,
            "Timeout waiting for response from backend server. Send status unknown; execution \
             status unknown.",
        )
    }

    pub(crate) fn overloaded() -> Self {
        Self::new(
            503,
            -1008,
            "Server is currently overloaded with other requests. Please try again in a few minutes.",
        )
    }

    pub(crate) fn weight_exceeded(limit: u32, retry_after_ms: i64) -> Self {
        let text = format!(
            "Too much request weight used; current limit is {limit} request weight per 1 MINUTE. \
             Please use WebSocket Streams for live updates to avoid polling the API."
        );
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::new(429, -1003, text)
        }
    }

    pub(crate) fn too_many_orders(limit: u32, per: &str, retry_after_ms: i64) -> Self {
        let text = format!("Too many new orders; current limit is {limit} orders per {per}.");
        Self {
            retry_after_ms: Some(retry_after_ms),
            ..Self::new(429, -1015, text)
        }
    }

    pub(crate) fn key_malformed() -> Self {
        Self::new(401, -2014, "API-key format invalid.")
    }

    pub(crate) fn key_unknown() -> Self {
        Self::new(
            401,
            -2015,
            "Invalid API-key, IP, or permissions for action.",
        )
    }

    pub(crate) fn signature() -> Self {
        Self::bad(-1022, "Signature for this request is not valid.")
    }

    pub(crate) fn outside_window() -> Self {
        Self::bad(
            -1021,
            "Timestamp for this request is outside of the recvWindow.",
        )
    }

    pub(crate) fn ahead_of_server() -> Self {
        Self::bad(
            -1021,
            "Timestamp for this request was 1000ms ahead of the server's time.",
        )
    }

    pub(crate) fn window_too_long() -> Self {
        Self::bad(-1131, "recvWindow must be less than 60000.")
    }

    pub(crate) fn illegal(name: &str, range: &str) -> Self {
        Self::bad(
            -1100,
            format!("Illegal characters found in parameter '{name}'; legal range is '{range}'."),
        )
    }

    pub(crate) fn duplicate_parameter() -> Self {
        Self::bad(-1101, "Duplicate values for a parameter detected.")
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::bad(
            -1102,
            format!("Mandatory parameter '{name}' was not sent, was empty/null, or malformed."),
        )
    }

    pub(crate) fn missing_either(one: &str, other: &str) -> Self {
        Self::bad(
            -1102,
            format!("Param '{one}' or '{other}' must be sent, but both were empty/null!"),
        )
    }

    pub(crate) fn empty(name: &str) -> Self {
        Self::bad(-1105, format!("Parameter '{name}' was empty."))
    }

    pub(crate) fn not_required(name: &str) -> Self {
        Self::bad(-1106, format!("Parameter '{name}' sent when not required."))
    }

    pub(crate) fn overflow(name: &str) -> Self {
        Self::bad(-1108, format!("Parameter '{name}' overflowed."))
    }

    pub(crate) fn precision(name: &str) -> Self {
        Self::bad(-1111, format!("Parameter '{name}' has too much precision."))
    }

    pub(crate) fn time_in_force() -> Self {
        Self::bad(-1115, "Invalid timeInForce.")
    }

    pub(crate) fn order_type() -> Self {
        Self::bad(-1116, "Invalid orderType.")
    }

    pub(crate) fn side() -> Self {
        Self::bad(-1117, "Invalid side.")
    }

    pub(crate) fn interval() -> Self {
        Self::bad(-1120, "Invalid interval.")
    }

    pub(crate) fn symbol() -> Self {
        Self::bad(-1121, "Invalid symbol.")
    }

    pub(crate) fn span_too_long() -> Self {
        Self::bad(-1127, "More than 24 hours between startTime and endTime.")
    }

    pub(crate) fn strategy_type() -> Self {
        Self::bad(-1134, "strategyType was less than 1000000.")
    }

    pub(crate) fn combination() -> Self {
        Self::bad(-1128, "Combination of optional parameters invalid.")
    }

    pub(crate) fn invalid_data(name: &str) -> Self {
        Self::bad(
            -1130,
            format!("Data sent for parameter '{name}' is not valid."),
        )
    }

    pub(crate) fn json() -> Self {
        Self::bad(-1135, "Invalid JSON Request")
    }

    pub(crate) fn cancel_restrictions_word() -> Self {
        Self::bad(-1145, "Invalid cancelRestrictions")
    }

    pub(crate) fn repeated_symbol() -> Self {
        Self::bad(-1151, "Symbol is present multiple times in the list.")
    }

    pub(crate) fn filter(name: &str) -> Self {
        Self::bad(-1013, format!("Filter failure: {name}"))
    }

    /// A filter that needs the account's state.
    pub(crate) fn account_filter(name: &str) -> Self {
        Self::bad(-2010, format!("Filter failure: {name}"))
    }

    pub(crate) fn combination_unsupported() -> Self {
        Self::bad(-1013, "Unsupported order combination")
    }

    pub(crate) fn self_trade_mode() -> Self {
        Self::bad(
            -1013,
            "This symbol does not allow the specified self-trade prevention mode.",
        )
    }

    pub(crate) fn order_refused(text: &str) -> Self {
        Self::bad(-2010, text)
    }

    pub(crate) fn cancel_refused(text: &str) -> Self {
        Self::bad(-2011, text)
    }

    pub(crate) fn order_unknown() -> Self {
        Self::bad(-2013, "Order does not exist.")
    }

    pub(crate) fn subscription_active() -> Self {
        Self::bad(
            -2035,
            "User Data Stream subscription already active on this connection.",
        )
    }

    pub(crate) fn subscription_inactive() -> Self {
        Self::bad(-2036, "User Data Stream subscription not active.")
    }

    pub(crate) fn other_orders_client_id() -> Self {
        Self::bad(-2039, "Client order ID is not correct for this order ID.")
    }
}

/// Texts with −2010 and −2011 that the matching engine does not already say.
pub(crate) mod text {
    pub(crate) const UNKNOWN_ORDER: &str = "Unknown order sent.";
    pub(crate) const IDS_DISAGREE: &str = "Cancel order is invalid. Check origClOrdId and orderId.";
    pub(crate) const RESTRICTED: &str = "Order was not canceled due to cancel restrictions.";
    pub(crate) const NO_ICEBERG: &str = "Iceberg orders are not supported for this symbol.";
    pub(crate) const NO_TRAILING: &str = "Trailing stop orders are not supported for this symbol.";
    pub(crate) const NO_TAKE_PROFIT: &str = "Take profit orders are not supported for this symbol.";
    pub(crate) const NO_TAKE_PROFIT_LIMIT: &str =
        "Take profit limit orders are not supported for this symbol.";
}

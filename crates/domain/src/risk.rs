//! Words shared by everyone who asks, judges or obeys risk: trading states, scopes, reasons,
//! approvals and decisions (trading-semantics §2).

use crate::{
    ids::{AccountId, DecisionId, InstrumentId, StrategyId, VenueId},
    money::Price,
    time::{Nanos, Timestamp},
};
use std::{fmt, str::FromStr};

/// How much trading is allowed; the greatest state of all scopes of an order applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum TradingState {
    /// Everything within the limits.
    #[default]
    Active,
    /// Only what shrinks the position without changing its sign.
    Reducing,
    /// Only cancels.
    CancelOnly,
    /// Nothing from strategies.
    Halted,
}

impl TradingState {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Reducing => "reducing",
            Self::CancelOnly => "cancel_only",
            Self::Halted => "halted",
        }
    }
}

impl fmt::Display for TradingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// The text is no trading state or scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not a {what}; expected {expected}")]
pub struct RiskWordError {
    /// What was expected.
    pub what: &'static str,
    /// The offending text.
    pub value: String,
    /// How to write it.
    pub expected: &'static str,
}

impl FromStr for TradingState {
    type Err = RiskWordError;
    fn from_str(value: &str) -> Result<Self, RiskWordError> {
        match value {
            "active" => Ok(Self::Active),
            "reducing" => Ok(Self::Reducing),
            "cancel_only" => Ok(Self::CancelOnly),
            "halted" => Ok(Self::Halted),
            _ => Err(RiskWordError {
                what: "trading state",
                value: value.to_owned(),
                expected: "active, reducing, cancel_only or halted",
            }),
        }
    }
}

/// What a trading state holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything.
    Platform,
    /// One venue.
    Venue(VenueId),
    /// One account.
    Account(AccountId),
    /// One strategy instance.
    Strategy(StrategyId),
    /// One instrument.
    Instrument(InstrumentId),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Platform => f.write_str("platform"),
            Self::Venue(id) => write!(f, "venue:{id}"),
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Strategy(id) => write!(f, "strategy:{id}"),
            Self::Instrument(id) => write!(f, "instrument:{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = RiskWordError;
    fn from_str(value: &str) -> Result<Self, RiskWordError> {
        let error = || RiskWordError {
            what: "scope",
            value: value.to_owned(),
            expected: "platform, venue:ID, account:ID, strategy:ID or instrument:SYMBOL.VENUE",
        };
        match value.split_once(':') {
            None if value == "platform" => Ok(Self::Platform),
            Some(("venue", id)) => id.parse().map(Self::Venue).map_err(|_| error()),
            Some(("account", id)) => id.parse().map(Self::Account).map_err(|_| error()),
            Some(("strategy", id)) => id.parse().map(Self::Strategy).map_err(|_| error()),
            Some(("instrument", id)) => id.parse().map(Self::Instrument).map_err(|_| error()),
            Some(_) | None => Err(error()),
        }
    }
}

macro_rules! reason_codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal),+ $(,)?) => {
        /// A stable code for why something was refused. Codes are never renamed.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum ReasonCode { $($(#[$doc])* $variant),+ }

        impl ReasonCode {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The code as text.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl FromStr for ReasonCode {
            type Err = RiskWordError;
            fn from_str(value: &str) -> Result<Self, RiskWordError> {
                match value {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(RiskWordError {
                        what: "reason code",
                        value: value.to_owned(),
                        expected: "a code such as SESSION_CLOSED",
                    }),
                }
            }
        }
    };
}

reason_codes! {
    /// Check 1: live trading was not armed.
    ModeNotArmed = "MODE_NOT_ARMED",
    /// Check 2: a kill switch is in force.
    KillSwitchActive = "KILL_SWITCH_ACTIVE",
    /// Check 3: halted.
    TradingHalted = "TRADING_STATE_HALTED",
    /// Check 3: only cancels.
    TradingCancelOnly = "TRADING_STATE_CANCEL_ONLY",
    /// Check 3: only reducing orders.
    TradingReducing = "TRADING_STATE_REDUCING",
    /// Check 4: came after its `valid_until`.
    Expired = "EXPIRED",
    /// Check 4: the order id was judged before, with other content.
    DuplicateOrderId = "DUPLICATE_ORDER_ID",
    /// Check 4: the message makes no sense.
    Malformed = "MALFORMED",
    /// Check 5: the strategy is not enabled or not warmed up.
    StrategyNotReady = "STRATEGY_NOT_READY",
    /// Check 6: nobody knows the instrument.
    InstrumentUnknown = "INSTRUMENT_UNKNOWN",
    /// Check 6: the instrument takes no orders.
    InstrumentNotTradable = "INSTRUMENT_NOT_TRADABLE",
    /// Check 6: outside trading hours.
    SessionClosed = "SESSION_CLOSED",
    /// Check 7: quantity breaks a rule of the instrument.
    QuantityInvalid = "QUANTITY_INVALID",
    /// Check 7: price breaks a rule of the instrument.
    PriceInvalid = "PRICE_INVALID",
    /// Check 7: order value breaks a rule of the instrument.
    NotionalInvalid = "NOTIONAL_INVALID",
    /// Check 8: no fresh quote.
    StaleData = "STALE_DATA",
    /// Check 8: the feed is not good.
    FeedUnavailable = "FEED_UNAVAILABLE",
    /// Check 8: best bid at or above best ask.
    BookCrossed = "BOOK_CROSSED",
    /// Check 8: the private stream of the account is not alive.
    PrivateStreamUnavailable = "PRIVATE_STREAM_UNAVAILABLE",
    /// Check 8: the account is not reconciled.
    AccountNotReconciled = "ACCOUNT_NOT_RECONCILED",
    /// Check 9: too far from the reference price.
    PriceOutsideBand = "PRICE_OUTSIDE_BAND",
    /// Check 9: there is no reference price.
    ReferencePriceUnavailable = "REFERENCE_PRICE_UNAVAILABLE",
    /// Check 10: quantity above the limit per order.
    QuantityExceedsMax = "QUANTITY_EXCEEDS_MAX_PER_ORDER",
    /// Check 10: value above the limit per order.
    NotionalExceedsMax = "NOTIONAL_EXCEEDS_MAX_PER_ORDER",
    /// It would trade with another order of its own account.
    CrossesOwnOrder = "CROSSES_OWN_ORDER",
    /// Check 12: too many open orders.
    OpenOrdersExceedMax = "OPEN_ORDERS_EXCEED_MAX",
    /// Check 12: too many orders in the window.
    OrderRateExceeded = "ORDER_RATE_EXCEEDED",
    /// Check 13: position after the trade above the limit.
    PositionExceedsMax = "POSITION_EXCEEDS_MAX",
    /// Check 13: gross exposure after the trade above the limit.
    GrossExposureExceedsMax = "GROSS_EXPOSURE_EXCEEDS_MAX",
    /// Check 13: net exposure after the trade above the limit.
    NetExposureExceedsMax = "NET_EXPOSURE_EXCEEDS_MAX",
    /// Check 16: loss of the day above the limit.
    DailyLossExceedsMax = "DAILY_LOSS_EXCEEDS_MAX",
    /// Check 16: fall from the session's peak above the limit.
    DrawdownExceedsMax = "DRAWDOWN_EXCEEDS_MAX",
    /// Check 16: profit cannot be computed.
    ProfitUnavailable = "PROFIT_UNAVAILABLE",
    /// A limit is not configured; a missing limit is not "no limit".
    LimitUnavailable = "LIMIT_UNAVAILABLE",
    /// Position or exposure cannot be computed.
    ExposureUnavailable = "EXPOSURE_UNAVAILABLE",
    /// Risk did not answer in time.
    RiskUnavailable = "RISK_UNAVAILABLE",
    /// Risk has not applied the account's log up to the head.
    NotCaughtUp = "NOT_CAUGHT_UP",
    /// The approval does not fit the order or is used up.
    ApprovalInvalid = "APPROVAL_INVALID",
    /// Proven not to have left this machine.
    NotSent = "NOT_SENT",
    /// Proven to be absent at the venue.
    Absent = "ABSENT",
    /// An order with an unknown outcome blocks this one.
    UnknownOrderPending = "UNKNOWN_ORDER_PENDING",
    /// Execution's own last guard refused.
    EgressGuard = "EGRESS_GUARD",
    /// This process does not lead the account.
    LeaseLost = "LEASE_LOST",
    /// The outcome of a request is not known.
    OutcomeUnknown = "OUTCOME_UNKNOWN",
    /// The process ended between the record and the answer.
    CrashAfterJournal = "CRASH_AFTER_JOURNAL",
    /// The venue refused; its own words follow.
    VenueRefused = "VENUE_REFUSED",
    /// Somebody or some rule asked for a cancel.
    CancelRequested = "CANCEL_REQUESTED",
    /// The time in force ended the order.
    TimeInForceEnded = "TIME_IN_FORCE_ENDED",
    /// The venue ended the order by its own decision.
    VenueEnded = "VENUE_ENDED",
}

impl fmt::Display for ReasonCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A code and the numbers behind it: `NOTIONAL_EXCEEDS_MAX_PER_ORDER max=100000 was=125000`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// The stable code.
    pub code: ReasonCode,
    /// `key=value` pairs, separated by blanks.
    pub context: String,
}

impl Reason {
    /// A reason without numbers.
    #[must_use]
    pub const fn bare(code: ReasonCode) -> Self {
        Self {
            code,
            context: String::new(),
        }
    }

    /// A reason with context.
    #[must_use]
    pub fn new(code: ReasonCode, context: impl fmt::Display) -> Self {
        Self {
            code,
            context: context.to_string(),
        }
    }

    /// A reason that a bound was broken.
    #[must_use]
    pub fn above(code: ReasonCode, max: impl fmt::Display, was: impl fmt::Display) -> Self {
        Self {
            code,
            context: format!("max={max} was={was}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.context.is_empty() {
            write!(f, "{}", self.code)
        } else {
            write!(f, "{} {}", self.code, self.context)
        }
    }
}

/// The record of an approval: usable once, for exactly this content, until it expires (RSK-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approval {
    /// The decision.
    pub decision_id: DecisionId,
    /// Hash of the order's content.
    pub content_hash: u128,
    /// The version of the limits that were applied.
    pub limits_version: u64,
    /// The version of the trading states that were applied.
    pub state_epoch: u64,
    /// The fencing epoch of the risk service.
    pub risk_epoch: u64,
    /// Not usable after this.
    pub expires_at: Timestamp,
}

/// What risk says about an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskDecision {
    /// Approved, or every reason against it; the first is *the* reason.
    pub verdict: Result<Approval, Vec<Reason>>,
    /// The reference price that was used.
    pub reference_price: Option<Price>,
    /// How old it was.
    pub reference_age: Option<Nanos>,
    /// How long the decision took.
    pub took: Nanos,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_grow_from_active_to_halted() {
        assert!(TradingState::Active < TradingState::Reducing);
        assert!(TradingState::Reducing < TradingState::CancelOnly);
        assert!(TradingState::CancelOnly < TradingState::Halted);
    }

    #[test]
    fn scopes_and_codes_round_trip() {
        for text in [
            "platform",
            "venue:SIM",
            "account:main",
            "strategy:a",
            "instrument:BTCUSDT.SIM",
        ] {
            assert_eq!(text.parse::<Scope>().unwrap().to_string(), text);
        }
        assert!("instrument:BTCUSDT".parse::<Scope>().is_err());
        for code in ReasonCode::ALL {
            assert_eq!(code.word().parse::<ReasonCode>().as_ref(), Ok(code));
        }
    }
}

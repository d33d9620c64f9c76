//! What an exchange is opened with: instruments and accounts. Both are fixed for its life.

use ploy_domain::{AccountId, Bps, Instrument, InstrumentId};

/// An instrument and the limits that are the exchange's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The trading rules.
    pub instrument: Instrument,
    /// Open orders that one account may have in it, stops included (`MAX_NUM_ORDERS`).
    pub open_orders_max: u32,
}

/// An account and what it pays for trading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountTerms {
    /// Its name.
    pub id: AccountId,
    /// Commission when its order was in the book, 0 to 10 000.
    pub maker_fee: Bps,
    /// Commission when its order came in, 0 to 10 000.
    pub taker_fee: Bps,
}

/// Why an exchange cannot be opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Two listings of one instrument.
    #[error("instrument {0} is listed twice")]
    DuplicateInstrument(InstrumentId),
    /// Two accounts with one name.
    #[error("account {0} is given twice")]
    DuplicateAccount(AccountId),
    /// An instrument priced in itself.
    #[error("instrument {0} has the same base and quote asset")]
    SameAssets(InstrumentId),
    /// A commission below nothing or above the whole.
    #[error("{field} of account {account} must be 0bp to 10000bp, was {was}")]
    FeeOutOfRange {
        /// Whose.
        account: AccountId,
        /// `maker_fee` or `taker_fee`.
        field: &'static str,
        /// What was given.
        was: Bps,
    },
    /// All orders that may be open at once, at their largest, cannot be counted at one price.
    #[error(
        "the largest orders of {accounts} accounts with {open_orders_max} open orders each overflow \
         one price of {instrument}; lower quantity_max ({quantity_max}) or open_orders_max"
    )]
    DepthOverflow {
        /// Where.
        instrument: InstrumentId,
        /// How many accounts there are.
        accounts: usize,
        /// Open orders of each.
        open_orders_max: u32,
        /// The largest order.
        quantity_max: ploy_domain::Quantity,
    },
}

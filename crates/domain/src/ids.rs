//! Identifiers. Holding one proves that its text is valid; all are `Copy` and live inline.

use crate::text::{Text, TextError};
use std::{cmp::Ordering, fmt, str::FromStr};

macro_rules! identifier {
    ($(#[$doc:meta])* $name:ident, $max:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Text<$max>);

        impl $name {
            /// Parses the identifier.
            ///
            /// # Errors
            /// [`TextError`] for empty, long or foreign text.
            pub fn parse(value: &str) -> Result<Self, TextError> {
                Text::parse(value).map(Self)
            }

            /// The text of the identifier.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.0.as_str()
            }
        }

        impl FromStr for $name {
            type Err = TextError;
            fn from_str(value: &str) -> Result<Self, TextError> {
                Self::parse(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
}

identifier!(
    /// A trading account at a venue, as Ploy names it: `main`, `acct-7`.
    AccountId, 32
);
identifier!(
    /// A strategy instance: `ma-cross-btc`.
    StrategyId, 32
);
identifier!(
    /// A venue in capitals: `SIM` (the built-in exchange), `BINANCE`.
    VenueId, 12
);
identifier!(
    /// What a venue calls an instrument: `BTCUSDT`.
    Symbol, 24
);
identifier!(
    /// A currency or asset: `BTC`, `USDT`, `INR`.
    Asset, 12
);
identifier!(
    /// The venue's own identifier of an order, scoped to the account.
    VenueOrderId, 40
);
identifier!(
    /// The venue's own identifier of an execution, scoped to the account and the order.
    ExecutionId, 40
);
identifier!(
    /// A caller's key that makes a command idempotent.
    IdempotencyKey, 64
);
identifier!(
    /// A risk decision.
    DecisionId, 40
);

/// An instrument at a venue, written `SYMBOL.VENUE`: `BTCUSDT.SIM`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InstrumentId {
    symbol: Symbol,
    venue: VenueId,
}

impl InstrumentId {
    /// The instrument `symbol` at `venue`.
    #[must_use]
    pub const fn new(symbol: Symbol, venue: VenueId) -> Self {
        Self { symbol, venue }
    }

    /// The venue's name for it.
    #[must_use]
    pub const fn symbol(&self) -> &Symbol {
        &self.symbol
    }

    /// The venue it trades at.
    #[must_use]
    pub const fn venue(&self) -> &VenueId {
        &self.venue
    }
}

/// Why a text is not an instrument.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentIdError {
    /// There is no dot between symbol and venue.
    #[error("'{0}' names no venue; write SYMBOL.VENUE, for example BTCUSDT.SIM")]
    NoVenue(String),
    /// One of the halves is not an identifier.
    #[error("the {part} of instrument '{value}' is not valid")]
    Part {
        /// `symbol` or `venue`.
        part: &'static str,
        /// The whole text.
        value: String,
        /// What is wrong with the half.
        #[source]
        source: TextError,
    },
}

impl FromStr for InstrumentId {
    type Err = InstrumentIdError;
    fn from_str(value: &str) -> Result<Self, InstrumentIdError> {
        let (symbol, venue) = value
            .rsplit_once('.')
            .ok_or_else(|| InstrumentIdError::NoVenue(value.to_owned()))?;
        let part = |part| {
            move |source| InstrumentIdError::Part {
                part,
                value: value.to_owned(),
                source,
            }
        };
        Ok(Self {
            symbol: Symbol::parse(symbol).map_err(part("symbol"))?,
            venue: VenueId::parse(venue).map_err(part("venue"))?,
        })
    }
}

impl fmt::Display for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.symbol, self.venue)
    }
}

impl fmt::Debug for InstrumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InstrumentId({self})")
    }
}

/// Ploy's identifier of an order, sent to the venue as the client order id.
///
/// Exactly 19 characters `[a-z0-9]`, so that every venue's tag field takes it (failure-model
/// ORD-1: SmartAPI refuses 20). Derived, never random: the same decision always yields the same id,
/// which is what makes a repeated submit the same order.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientOrderId([u8; ClientOrderId::LEN]);

impl Ord for ClientOrderId {
    /// The order of the text. Books of orders are maps by this id, and two integers compare faster
    /// than a string of bytes.
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_integers().cmp(&other.as_integers())
    }
}

impl PartialOrd for ClientOrderId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a client order id is derived from. The same parts always give the same id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderIdParts<'a> {
    /// Two characters `[a-z0-9]` that name platform and environment: `pd` (dev), `pp`, `pl`.
    pub prefix: [u8; 2],
    /// The account that trades.
    pub account: &'a AccountId,
    /// The strategy instance, or `api` for orders of people.
    pub origin: &'a str,
    /// The decision: a strategy's sequence in decimal, or a person's idempotency key.
    pub decision: &'a str,
    /// Which leg of the decision, from 0.
    pub leg: u32,
}

impl ClientOrderId {
    /// The length of every id.
    pub const LEN: usize = 19;

    /// Derives the id of `parts`: the prefix and 17 base-36 digits (87.9 bits) of a hash.
    #[must_use]
    pub fn derive(parts: &OrderIdParts<'_>) -> Self {
        let mut hash = Hash128::new();
        for field in [parts.account.as_str(), parts.origin, parts.decision] {
            hash.write(field.as_bytes());
            hash.write(&[0]);
        }
        hash.write(&parts.leg.to_be_bytes());
        let mut rest = hash.finish();
        let mut bytes = [0; Self::LEN];
        bytes[..2].copy_from_slice(&parts.prefix);
        for byte in bytes[2..].iter_mut().rev() {
            let digit = (rest % 36) as u8;
            *byte = if digit < 10 {
                b'0' + digit
            } else {
                b'a' + digit - 10
            };
            rest /= 36;
        }
        Self(bytes)
    }

    /// Parses an id.
    ///
    /// # Errors
    /// [`ClientOrderIdError`] unless the text is exactly 19 characters `[a-z0-9]`.
    pub fn parse(value: &str) -> Result<Self, ClientOrderIdError> {
        let bytes: [u8; Self::LEN] =
            value
                .as_bytes()
                .try_into()
                .map_err(|_| ClientOrderIdError {
                    value: value.to_owned(),
                })?;
        if bytes
            .iter()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        {
            Ok(Self(bytes))
        } else {
            Err(ClientOrderIdError {
                value: value.to_owned(),
            })
        }
    }

    const fn as_integers(&self) -> (u128, u32) {
        let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s] = self.0;
        let high = u128::from_be_bytes([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]);
        (high, u32::from_be_bytes([0, q, r, s]))
    }

    /// The text of the id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the fallback is never taken.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The text is not 19 characters `[a-z0-9]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not an order id; expected exactly 19 characters a-z 0-9")]
pub struct ClientOrderIdError {
    /// The offending text.
    pub value: String,
}

impl FromStr for ClientOrderId {
    type Err = ClientOrderIdError;
    fn from_str(value: &str) -> Result<Self, ClientOrderIdError> {
        Self::parse(value)
    }
}

impl fmt::Display for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ClientOrderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientOrderId({})", self.as_str())
    }
}

/// FNV-1a with 128 bits (Fowler, Noll, Vo; parameters of RFC 9923) and a final avalanche: stable
/// for ever and on every platform, which a derived identifier needs more than cryptographic
/// strength.
#[derive(Debug, Clone, Copy)]
pub struct Hash128(u128);

impl Default for Hash128 {
    fn default() -> Self {
        Self::new()
    }
}

impl Hash128 {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    const MIX: u128 = 0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835;

    /// A hash of nothing yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Self::BASIS)
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u128::from(*byte)).wrapping_mul(Self::PRIME);
        }
    }

    /// The hash of everything written.
    #[must_use]
    pub const fn finish(self) -> u128 {
        let mut x = self.0;
        x = (x ^ (x >> 64)).wrapping_mul(Self::MIX);
        x = (x ^ (x >> 59)).wrapping_mul(Self::MIX);
        x ^ (x >> 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn derive(decision: &str, leg: u32) -> ClientOrderId {
        let account = AccountId::parse("main").unwrap();
        ClientOrderId::derive(&OrderIdParts {
            prefix: *b"pd",
            account: &account,
            origin: "ma-cross-btc",
            decision,
            leg,
        })
    }

    #[test]
    fn an_instrument_is_symbol_and_venue() {
        let id: InstrumentId = "BTCUSDT.SIM".parse().unwrap();
        assert_eq!(
            (id.symbol().as_str(), id.venue().as_str()),
            ("BTCUSDT", "SIM")
        );
        assert_eq!(id.to_string(), "BTCUSDT.SIM");
        assert!("BTCUSDT".parse::<InstrumentId>().is_err());
        assert!(".SIM".parse::<InstrumentId>().is_err());
    }

    #[test]
    fn a_client_order_id_never_changes_between_releases() {
        // A changed value here would make a restarted strategy send its last order again.
        assert_eq!(derive("7", 0).as_str(), "pd3v3dozeqtax56xztx");
    }

    #[test]
    fn ten_thousand_decisions_have_ten_thousand_ids() {
        let ids: BTreeSet<_> = (0..5_000)
            .flat_map(|n| [derive(&n.to_string(), 0), derive(&n.to_string(), 1)])
            .collect();
        assert_eq!(ids.len(), 10_000);
    }

    proptest! {
        #[test]
        fn derived_ids_parse(decision in "[0-9]{1,18}", leg in 0u32..9) {
            let id = derive(&decision, leg);
            prop_assert_eq!(ClientOrderId::parse(id.as_str()), Ok(id));
        }

        #[test]
        fn ids_are_ordered_like_their_text(a in "[a-z0-9]{19}", b in "[a-z0-9]{19}", common in 0usize..19) {
            let b = format!("{}{}", &a[..common], &b[common..]);
            let id = |text: &str| ClientOrderId::parse(text).unwrap();
            prop_assert_eq!(id(&a).cmp(&id(&b)), a.cmp(&b));
        }
    }
}

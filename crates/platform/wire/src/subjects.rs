//! What the bus's subjects are called: `ploy.md.<venue>.<symbol>.<channel>` and the like.
//!
//! It decides how identifiers become tokens and back. Identifiers may hold `.` and `:`; a token must
//! not, so these are written `%2E` and `%3A`. Venues are written in lower case; a venue's own lower
//! case letters are escaped too. So two identifiers never share a token, and none is refused.

use ploy_domain::{AccountId, InstrumentId, MarketEvent, Symbol, VenueId};
use std::{fmt, str::FromStr};

/// Every market fact.
pub const ALL_MARKET: &str = "ploy.md.>";
/// The feed states of every venue.
pub const ALL_FEED_STATUS: &str = "ploy.md.*.status";
/// Every account's log.
pub const ALL_ORDERS: &str = "ploy.orders.*";
/// The heartbeat of every account's log.
pub const ALL_HEADS: &str = "ploy.orders.*.head";
/// The state of risk.
pub const RISK_STATE: &str = "ploy.risk.state";

/// What a market fact is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Trades.
    Trade,
    /// Best prices.
    Quote,
    /// Depth.
    Book,
    /// Closed bars.
    Bar,
}

impl Channel {
    const ALL: [Self; 4] = [Self::Trade, Self::Quote, Self::Book, Self::Bar];

    /// The token.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Trade => "trade",
            Self::Quote => "quote",
            Self::Book => "book",
            Self::Bar => "bar",
        }
    }
}

/// A subject, understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// Facts of an instrument.
    Market {
        /// Which instrument.
        instrument: InstrumentId,
        /// Which facts.
        channel: Channel,
    },
    /// States of a venue's feed.
    FeedStatus {
        /// Which venue.
        venue: VenueId,
    },
    /// The log of an account.
    Orders {
        /// Which account.
        account: AccountId,
    },
    /// The heartbeat of an account's log.
    OrdersHead {
        /// Which account.
        account: AccountId,
    },
    /// The state of risk.
    RiskState,
}

impl Subject {
    /// Where a market fact is published.
    #[must_use]
    pub const fn of(event: &MarketEvent) -> Self {
        let (instrument, channel) = match event {
            MarketEvent::Trade(trade) => (trade.instrument, Channel::Trade),
            MarketEvent::Quote(quote) => (quote.instrument, Channel::Quote),
            MarketEvent::Book(delta) => (delta.instrument, Channel::Book),
            MarketEvent::Bar(bar) => (bar.instrument, Channel::Bar),
            MarketEvent::Status(status) => {
                return Self::FeedStatus {
                    venue: status.venue,
                };
            }
        };
        Self::Market {
            instrument,
            channel,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Market {
                instrument,
                channel,
            } => {
                let (venue, symbol) = (venue_token(instrument.venue()), symbol_token(instrument));
                write!(f, "ploy.md.{venue}.{symbol}.{}", channel.word())
            }
            Self::FeedStatus { venue } => write!(f, "ploy.md.{}.status", venue_token(venue)),
            Self::Orders { account } => write!(f, "ploy.orders.{}", account_token(account)),
            Self::OrdersHead { account } => {
                write!(f, "ploy.orders.{}.head", account_token(account))
            }
            Self::RiskState => f.write_str(RISK_STATE),
        }
    }
}

/// The text is no subject of Ploy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a subject of Ploy")]
pub struct SubjectError(String);

impl FromStr for Subject {
    type Err = SubjectError;
    fn from_str(text: &str) -> Result<Self, SubjectError> {
        let read = read(text).ok_or_else(|| SubjectError(text.to_owned()))?;
        // One identifier, one token: another way to write the same is not understood.
        if read.to_string() == text {
            Ok(read)
        } else {
            Err(SubjectError(text.to_owned()))
        }
    }
}

/// Every fact of an instrument.
#[must_use]
pub fn all_of_instrument(instrument: &InstrumentId) -> String {
    let (venue, symbol) = (venue_token(instrument.venue()), symbol_token(instrument));
    format!("ploy.md.{venue}.{symbol}.*")
}

/// Every market fact of a venue, its feed's states among them.
#[must_use]
pub fn all_of_venue(venue: &VenueId) -> String {
    format!("ploy.md.{}.>", venue_token(venue))
}

/// One channel of every instrument of every venue.
#[must_use]
pub fn all_of_channel(channel: Channel) -> String {
    format!("ploy.md.*.*.{}", channel.word())
}

fn read(text: &str) -> Option<Subject> {
    let tokens: Vec<&str> = text.split('.').collect();
    let account = |token| AccountId::parse(&Case::Kept.identifier(token)?).ok();
    let venue = |token| VenueId::parse(&Case::Lower.identifier(token)?).ok();
    let symbol = |token| Symbol::parse(&Case::Kept.identifier(token)?).ok();
    Some(match tokens.as_slice() {
        ["ploy", "md", id, "status"] => Subject::FeedStatus { venue: venue(id)? },
        ["ploy", "md", id, name, channel] => Subject::Market {
            instrument: InstrumentId::new(symbol(name)?, venue(id)?),
            channel: Channel::ALL.into_iter().find(|c| c.word() == *channel)?,
        },
        ["ploy", "orders", id] => Subject::Orders {
            account: account(id)?,
        },
        ["ploy", "orders", id, "head"] => Subject::OrdersHead {
            account: account(id)?,
        },
        ["ploy", "risk", "state"] => Subject::RiskState,
        _ => return None,
    })
}

fn account_token(account: &AccountId) -> String {
    Case::Kept.token(account.as_str())
}

fn venue_token(venue: &VenueId) -> String {
    Case::Lower.token(venue.as_str())
}

fn symbol_token(instrument: &InstrumentId) -> String {
    Case::Kept.token(instrument.symbol().as_str())
}

/// How the letters of an identifier are written in its token.
#[derive(Clone, Copy)]
enum Case {
    /// As they are.
    Kept,
    /// Capitals in lower case, and lower case escaped.
    Lower,
}

impl Case {
    fn token(self, id: &str) -> String {
        let mut token = String::with_capacity(id.len());
        for c in id.chars() {
            match (c, self) {
                ('.' | ':', _) | ('a'..='z', Self::Lower) => {
                    token.push_str(&format!("%{:02X}", u32::from(c)));
                }
                (_, Self::Lower) => token.push(c.to_ascii_lowercase()),
                (_, Self::Kept) => token.push(c),
            }
        }
        token
    }

    fn identifier(self, token: &str) -> Option<String> {
        let mut id = String::with_capacity(token.len());
        let mut rest = token.chars();
        while let Some(c) = rest.next() {
            id.push(match (c, self) {
                ('%', _) => {
                    let (high, low) = (rest.next()?.to_digit(16)?, rest.next()?.to_digit(16)?);
                    char::from_u32(high * 16 + low)?
                }
                (_, Self::Lower) => c.to_ascii_uppercase(),
                (_, Self::Kept) => c,
            });
        }
        Some(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arbitrary::ids;
    use proptest::prelude::*;

    fn shown(symbol: &str, venue: &str) -> String {
        let instrument = InstrumentId::new(symbol.parse().unwrap(), venue.parse().unwrap());
        let channel = Channel::Trade;
        Subject::Market {
            instrument,
            channel,
        }
        .to_string()
    }

    #[test]
    fn subjects_are_as_published() {
        assert_eq!(shown("BTCUSDT", "SIM"), "ploy.md.sim.BTCUSDT.trade");
        assert_eq!(shown("M.M:EQ", "NSE"), "ploy.md.nse.M%2EM%3AEQ.trade");
        assert_eq!(shown("X", "Nse"), "ploy.md.n%73%65.X.trade");
        let account = "main".parse().unwrap();
        assert_eq!(Subject::Orders { account }.to_string(), "ploy.orders.main");
        let head = Subject::OrdersHead { account }.to_string();
        assert_eq!(head, "ploy.orders.main.head");
        let instrument = "BTCUSDT.SIM".parse().unwrap();
        assert_eq!(all_of_instrument(&instrument), "ploy.md.sim.BTCUSDT.*");
        assert_eq!(all_of_venue(instrument.venue()), "ploy.md.sim.>");
        assert_eq!(all_of_channel(Channel::Bar), "ploy.md.*.*.bar");
    }

    #[test]
    fn what_is_not_ours_is_refused() {
        for text in [
            "",
            "ploy.md.SIM.BTCUSDT.trade",
            "ploy.md.sim.BTCUSDT.trades",
            "ploy.md.sim.%42TCUSDT.trade",
            "ploy.md.sim.M%2.trade",
            "ploy.md.sim.M%2e.trade",
            "ploy.md.*.status",
            "ploy.orders.>",
            "ploy.orders.a.b.head",
        ] {
            assert!(text.parse::<Subject>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_subject_comes_back(instrument in ids::instrument(), account in ids::account()) {
            let venue = *instrument.venue();
            let markets = Channel::ALL.map(|channel| Subject::Market { instrument, channel });
            let others = [
                Subject::FeedStatus { venue },
                Subject::Orders { account },
                Subject::OrdersHead { account },
                Subject::RiskState,
            ];
            for subject in markets.into_iter().chain(others) {
                let text = subject.to_string();
                prop_assert!(text.split('.').all(|token| !token.is_empty()));
                prop_assert!(!text.contains(['*', '>', ' ', ':']));
                prop_assert_eq!(text.parse(), Ok(subject));
            }
        }
    }
}

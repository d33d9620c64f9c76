//! What the exchange is opened with: where it listens and keeps its ledger, what it lists, who may
//! trade and what moves the market. Where the values come from is the caller's business.

use ploy_domain::{
    AccountId, Amount, Asset, Bps, Instrument, InstrumentId, Price, Quantity, Session, Symbol,
    TextError, VenueId, instrument::InstrumentStatus,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, net::SocketAddr, path::PathBuf};

/// The venue id of the built-in exchange.
pub const VENUE: &str = "SIM";

/// Everything the exchange needs to know before it opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address of all REST paths, streams and the WebSocket API; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Directory of the ledger.
    pub data_dir: PathBuf,
    /// Seed of the generated market and of injected faults.
    pub seed: u64,
    /// What is listed.
    pub instruments: Vec<InstrumentConfig>,
    /// Who may trade.
    pub accounts: Vec<AccountConfig>,
    /// What moves the market when no script does.
    pub market: MarketConfig,
    /// Rate limits.
    pub limits: LimitsConfig,
    /// Whether `POST /ploy/faults` is served.
    pub fault_injection: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            data_dir: PathBuf::from(".ploy/exchange"),
            seed: 1,
            instruments: InstrumentConfig::defaults(),
            accounts: Vec::new(),
            market: MarketConfig::default(),
            limits: LimitsConfig::default(),
            fault_injection: false,
        }
    }
}

/// One listed instrument.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstrumentConfig {
    /// Its symbol in capitals, at most 20 characters.
    pub symbol: String,
    /// What is bought and sold.
    pub base: String,
    /// What it is paid in.
    pub quote: String,
    /// Prices are multiples of this.
    #[serde(with = "as_text")]
    pub tick: Price,
    /// Quantities are multiples of this.
    #[serde(with = "as_text")]
    pub lot: Quantity,
    /// Largest order.
    #[serde(with = "as_text")]
    pub quantity_max: Quantity,
    /// Highest price.
    #[serde(with = "as_text")]
    pub price_max: Price,
    /// Smallest order value in the quote asset.
    #[serde(with = "as_text")]
    pub notional_min: Amount,
    /// Largest order value in the quote asset.
    #[serde(with = "as_text")]
    pub notional_max: Amount,
    /// Where the generated market starts when the ledger knows no last price.
    #[serde(with = "as_text")]
    pub opening_price: Price,
}

impl InstrumentConfig {
    /// The three instruments that are listed unless others are given.
    #[must_use]
    pub fn defaults() -> Vec<Self> {
        vec![
            Self::against_usdt("BTC", [1_000_000, 1_000, 6_500_000_000_000]),
            Self::against_usdt("ETH", [1_000_000, 10_000, 340_000_000_000]),
            Self::against_usdt("SOL", [1_000_000, 100_000, 15_000_000_000]),
        ]
    }

    /// An instrument quoted in USDT, with tick, lot and opening price in units of 1e-8.
    fn against_usdt(base: &str, [tick, lot, opening]: [i64; 3]) -> Self {
        Self {
            symbol: format!("{base}USDT"),
            base: base.to_owned(),
            quote: "USDT".to_owned(),
            tick: Price::from_raw(tick),
            lot: Quantity::from_raw(lot),
            quantity_max: Quantity::from_raw(9_000 * ploy_domain::SCALE),
            price_max: Price::from_raw(1_000_000 * ploy_domain::SCALE),
            notional_min: Amount::from_raw(5 * ploy_domain::SCALE),
            notional_max: Amount::from_raw(9_000_000 * ploy_domain::SCALE),
            opening_price: Price::from_raw(opening),
        }
    }

    /// The trading rules as the rest of the platform knows them.
    ///
    /// # Errors
    /// [`ConfigError`] for a name that is no identifier or a step that is not above zero.
    pub fn instrument(&self) -> Result<Instrument, ConfigError> {
        let name = |source| ConfigError::Name {
            what: "instrument",
            source,
        };
        for (field, raw) in [("tick", self.tick.raw()), ("lot", self.lot.raw())] {
            if raw <= 0 {
                return Err(ConfigError::NotPositive {
                    symbol: self.symbol.clone(),
                    field,
                });
            }
        }
        Ok(Instrument {
            id: InstrumentId::new(
                Symbol::parse(&self.symbol).map_err(name)?,
                VenueId::parse(VENUE).map_err(name)?,
            ),
            base: Asset::parse(&self.base).map_err(name)?,
            quote: Asset::parse(&self.quote).map_err(name)?,
            tick: self.tick,
            lot: self.lot,
            quantity_min: self.lot,
            quantity_max: self.quantity_max,
            price_min: self.tick,
            price_max: self.price_max,
            notional_min: self.notional_min,
            notional_max: self.notional_max,
            session: Session::Always,
            status: InstrumentStatus::Trading,
        })
    }
}

/// One trading account and its key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountConfig {
    /// Its name in the ledger.
    pub name: String,
    /// The key in `X-MBX-APIKEY`.
    pub api_key: String,
    /// The HMAC secret of the key.
    pub secret: Secret,
    /// Commission on orders that rested, in hundredths of a percent.
    #[serde(default = "ten")]
    pub maker_fee_bps: i32,
    /// Commission on orders that came in, in hundredths of a percent.
    #[serde(default = "ten")]
    pub taker_fee_bps: i32,
    /// What it owns when the ledger sees it first, by asset, as decimals.
    pub balances: BTreeMap<String, String>,
}

const fn ten() -> i32 {
    10
}

impl AccountConfig {
    /// The account `name` with the usual opening balances and fees of 10 bps.
    #[must_use]
    pub fn new(name: &str, api_key: &str, secret: &str) -> Self {
        let balances = [
            ("USDT", "100000"),
            ("BTC", "1"),
            ("ETH", "10"),
            ("SOL", "100"),
        ];
        Self {
            name: name.to_owned(),
            api_key: api_key.to_owned(),
            secret: Secret(secret.to_owned()),
            maker_fee_bps: ten(),
            taker_fee_bps: ten(),
            balances: balances
                .map(|(asset, amount)| (asset.to_owned(), amount.to_owned()))
                .into(),
        }
    }

    /// The account's name as an identifier.
    ///
    /// # Errors
    /// [`ConfigError::Name`].
    pub fn id(&self) -> Result<AccountId, ConfigError> {
        AccountId::parse(&self.name).map_err(|source| ConfigError::Name {
            what: "account",
            source,
        })
    }

    /// The opening balances.
    ///
    /// # Errors
    /// [`ConfigError`] for a name that is no asset or a text that is no amount.
    pub fn opening(&self) -> Result<Vec<(Asset, Amount)>, ConfigError> {
        let read = |(asset, amount): (&String, &String)| {
            let parsed = Asset::parse(asset).map_err(|source| ConfigError::Name {
                what: "asset",
                source,
            })?;
            let amount: Amount = amount.parse().map_err(|source| ConfigError::Balance {
                account: self.name.clone(),
                asset: asset.clone(),
                source,
            })?;
            if amount.is_negative() {
                return Err(ConfigError::NegativeBalance {
                    account: self.name.clone(),
                    asset: asset.clone(),
                });
            }
            Ok((parsed, amount))
        };
        self.balances.iter().map(read).collect()
    }

    pub(crate) fn fees(&self) -> (Bps, Bps) {
        (Bps::new(self.maker_fee_bps), Bps::new(self.taker_fee_bps))
    }
}

/// A secret that no log shows.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// What moves the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MarketConfig {
    /// Whether the seeded generator runs.
    pub generate: bool,
    /// Actions of the generator per second and instrument, at most 1000.
    pub actions_per_sec: u32,
}

impl Default for MarketConfig {
    fn default() -> Self {
        Self {
            generate: true,
            actions_per_sec: 30,
        }
    }
}

/// Rate limits; `exchangeInfo` publishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsConfig {
    /// Request weight per address and minute.
    pub weight_per_minute: u32,
    /// Unfilled orders per account and ten seconds; absent: not limited.
    pub orders_per_10s: Option<u32>,
    /// Unfilled orders per account and day; absent: not limited.
    pub orders_per_day: Option<u32>,
    /// Open orders per account and instrument, stops included.
    pub open_orders_max: u32,
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            weight_per_minute: 6_000,
            orders_per_10s: None,
            orders_per_day: None,
            open_orders_max: 200,
        }
    }
}

/// Why the exchange cannot open with this configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A name that is no identifier.
    #[error("a name of an {what} is not valid")]
    Name {
        /// What it names.
        what: &'static str,
        /// What is wrong with it.
        #[source]
        source: TextError,
    },
    /// A balance that is no amount.
    #[error("balance {asset} of account {account} is not an amount")]
    Balance {
        /// Whose.
        account: String,
        /// Of what.
        asset: String,
        /// What is wrong with it.
        #[source]
        source: ploy_domain::MoneyError,
    },
    /// A balance below nothing.
    #[error("balance {asset} of account {account} is below zero")]
    NegativeBalance {
        /// Whose.
        account: String,
        /// Of what.
        asset: String,
    },
    /// A step of nothing.
    #[error("{field} of {symbol} must be above zero")]
    NotPositive {
        /// The instrument.
        symbol: String,
        /// `tick` or `lot`.
        field: &'static str,
    },
    /// Two accounts with one key.
    #[error("account {account} has the API key of another account")]
    DuplicateKey {
        /// The second of them.
        account: String,
    },
    /// The matching engine refuses instruments or accounts.
    #[error("the matching engine refuses the configuration")]
    Exchange(#[from] ploy_exchange_core::ConfigError),
}

/// Decimals as text, so that no float comes near money.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use std::{fmt::Display, str::FromStr};

    pub(super) fn serialize<T: Display, S: Serializer>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?
            .parse()
            .map_err(D::Error::custom)
    }
}

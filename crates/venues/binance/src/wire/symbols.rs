//! `exchangeInfo`: the trading rules of instruments, and the venue's own limits.

use super::VenueTime;
use ploy_domain::{
    Amount, Asset, Instrument, InstrumentId, InstrumentStatus, MoneyError, Price, Quantity,
    Session, Symbol, TextError, VenueId,
};
use serde::Deserialize;
use std::str::FromStr;

/// The answer of `exchangeInfo`, as far as it is used.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExchangeInfo {
    #[serde(default)]
    pub(crate) rate_limits: Vec<WireRateLimit>,
    pub(crate) symbols: Vec<WireSymbol>,
}

/// One limit.
#[derive(Debug, Deserialize)]
pub(crate) struct WireRateLimit {
    #[serde(rename = "rateLimitType")]
    pub(crate) kind: String,
    pub(crate) interval: String,
    #[serde(rename = "intervalNum")]
    pub(crate) interval_count: u32,
    pub(crate) limit: u32,
}

/// The answer of `time`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ServerTime {
    pub(crate) server_time: VenueTime,
}

/// One symbol.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WireSymbol {
    pub(crate) symbol: String,
    pub(crate) status: String,
    base_asset: String,
    quote_asset: String,
    #[serde(default = "yes")]
    is_spot_trading_allowed: bool,
    #[serde(default)]
    permission_sets: Vec<Vec<String>>,
    filters: Vec<WireFilter>,
}

const fn yes() -> bool {
    true
}

/// Any filter; which fields it has depends on its type.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct WireFilter {
    filter_type: String,
    min_price: Option<String>,
    max_price: Option<String>,
    tick_size: Option<String>,
    min_qty: Option<String>,
    max_qty: Option<String>,
    step_size: Option<String>,
    min_notional: Option<String>,
    max_notional: Option<String>,
}

/// A symbol whose rules cannot be expressed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SymbolError {
    #[error("symbol '{symbol}': '{value}' is not a name Ploy can hold")]
    Name {
        symbol: String,
        value: String,
        #[source]
        source: TextError,
    },
    #[error("symbol '{symbol}': {field} '{value}' cannot be held exactly")]
    Number {
        symbol: String,
        field: &'static str,
        value: String,
        #[source]
        source: MoneyError,
    },
}

impl WireSymbol {
    /// The trading rules in canonical form, and whether its status is a word this adapter knows.
    pub(crate) fn instrument(&self, venue: VenueId) -> Result<(Instrument, bool), SymbolError> {
        let (status, known) = self.status();
        let price = self.filter(&["PRICE_FILTER"]);
        let lot = self.filter(&["LOT_SIZE"]);
        let notional = self.filter(&["NOTIONAL", "MIN_NOTIONAL"]);
        let get = |filter: Option<&WireFilter>, field: fn(&WireFilter) -> Option<&String>| {
            filter.and_then(field).cloned()
        };
        let tick: Price = self.step("tickSize", get(price, |f| f.tick_size.as_ref()))?;
        let step: Quantity = self.step("stepSize", get(lot, |f| f.step_size.as_ref()))?;
        let instrument = Instrument {
            id: InstrumentId::new(self.name(&self.symbol)?, venue),
            base: self.name::<Asset>(&self.base_asset)?,
            quote: self.name::<Asset>(&self.quote_asset)?,
            tick,
            lot: step,
            quantity_min: self.minimum("minQty", get(lot, |f| f.min_qty.as_ref()))?,
            quantity_max: maximum(get(lot, |f| f.max_qty.as_ref()), Quantity::MAX),
            price_min: self.minimum("minPrice", get(price, |f| f.min_price.as_ref()))?,
            price_max: maximum(get(price, |f| f.max_price.as_ref()), Price::MAX),
            notional_min: self
                .minimum("minNotional", get(notional, |f| f.min_notional.as_ref()))?,
            notional_max: maximum(get(notional, |f| f.max_notional.as_ref()), Amount::MAX),
            session: Session::Always,
            status,
        };
        Ok((instrument, known))
    }

    fn status(&self) -> (InstrumentStatus, bool) {
        let spot = self.permission_sets.is_empty()
            || self
                .permission_sets
                .iter()
                .any(|set| set.iter().any(|p| p == "SPOT"));
        match self.status.as_str() {
            "TRADING" if self.is_spot_trading_allowed && spot => (InstrumentStatus::Trading, true),
            "CANCEL_ONLY" => (InstrumentStatus::CancelOnly, true),
            "TRADING" | "END_OF_DAY" | "HALT" | "BREAK" => (InstrumentStatus::Halted, true),
            _ => (InstrumentStatus::Halted, false),
        }
    }

    fn filter(&self, names: &[&str]) -> Option<&WireFilter> {
        self.filters
            .iter()
            .find(|filter| names.contains(&filter.filter_type.as_str()))
    }

    fn name<T: FromStr<Err = TextError>>(&self, value: &str) -> Result<T, SymbolError> {
        value.parse().map_err(|source| SymbolError::Name {
            symbol: self.symbol.clone(),
            value: value.to_owned(),
            source,
        })
    }

    /// A step; zero switches the rule off, which leaves the smallest step there is.
    fn step<T>(&self, field: &'static str, value: Option<String>) -> Result<T, SymbolError>
    where
        T: FromStr<Err = MoneyError> + Default + PartialEq + Smallest,
    {
        let step: T = self.minimum(field, value)?;
        Ok(if step == T::default() {
            T::SMALLEST
        } else {
            step
        })
    }

    /// A lower bound; missing means none.
    fn minimum<T>(&self, field: &'static str, value: Option<String>) -> Result<T, SymbolError>
    where
        T: FromStr<Err = MoneyError> + Default,
    {
        let Some(value) = value else {
            return Ok(T::default());
        };
        value.parse().map_err(|source| SymbolError::Number {
            symbol: self.symbol.clone(),
            field,
            value,
            source,
        })
    }
}

/// An upper bound; missing, zero or larger than a number can be means none.
fn maximum<T: FromStr + Default + PartialEq>(value: Option<String>, none: T) -> T {
    match value.and_then(|value| value.parse().ok()) {
        Some(bound) if bound != T::default() => bound,
        Some(_) | None => none,
    }
}

trait Smallest {
    const SMALLEST: Self;
}

impl Smallest for Price {
    const SMALLEST: Self = Self::EPSILON;
}

impl Smallest for Quantity {
    const SMALLEST: Self = Self::EPSILON;
}

/// The symbol's name for `exchangeInfo?symbols=…`.
pub(crate) fn symbol_list(symbols: &[Symbol]) -> String {
    let quoted: Vec<_> = symbols.iter().map(|s| format!("\"{s}\"")).collect();
    format!("[{}]", quoted.join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BTCUSDT: &str = r#"{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT",
        "isSpotTradingAllowed":true,"permissions":[],"permissionSets":[["SPOT","MARGIN"]],"unknownFlag":true,
        "filters":[
        {"filterType":"PRICE_FILTER","minPrice":"0.01000000","maxPrice":"1000000.00000000","tickSize":"0.01000000"},
        {"filterType":"LOT_SIZE","minQty":"0.00001000","maxQty":"9000.00000000","stepSize":"0.00001000"},
        {"filterType":"MARKET_LOT_SIZE","minQty":"0.00000000","maxQty":"100.0","stepSize":"0.00000000"},
        {"filterType":"NOTIONAL","minNotional":"5.00000000","applyMinToMarket":true,"maxNotional":"9000000.00000000","applyMaxToMarket":false,"avgPriceMins":5},
        {"filterType":"SOMETHING_NEW","limit":25}]}"#;

    fn instrument(json: &str) -> (Instrument, bool) {
        let symbol: WireSymbol = serde_json::from_str(json).unwrap();
        symbol.instrument(VenueId::parse("SIM").unwrap()).unwrap()
    }

    #[test]
    fn filters_become_trading_rules() {
        let (rules, known) = instrument(BTCUSDT);
        assert!(known);
        assert_eq!(rules.id.to_string(), "BTCUSDT.SIM");
        let texts = [
            rules.tick.to_string(),
            rules.lot.to_string(),
            rules.quantity_min.to_string(),
            rules.quantity_max.to_string(),
            rules.price_min.to_string(),
            rules.price_max.to_string(),
            rules.notional_min.to_string(),
            rules.notional_max.to_string(),
        ];
        let expected = [
            "0.01", "0.00001", "0.00001", "9000", "0.01", "1000000", "5", "9000000",
        ];
        assert_eq!(texts, expected);
        assert_eq!(rules.status, InstrumentStatus::Trading);
    }

    #[test]
    fn missing_and_zero_filters_switch_rules_off() {
        let json = r#"{"symbol":"X","status":"TRADING","baseAsset":"A","quoteAsset":"B","filters":[
            {"filterType":"PRICE_FILTER","minPrice":"0.0","maxPrice":"0.0","tickSize":"0.0"},
            {"filterType":"LOT_SIZE","minQty":"1","maxQty":"99999999999999","stepSize":"1"}]}"#;
        let (rules, _) = instrument(json);
        assert_eq!((rules.tick, rules.price_max), (Price::EPSILON, Price::MAX));
        assert_eq!(rules.quantity_max, Quantity::MAX);
        assert_eq!(
            (rules.notional_min, rules.notional_max),
            (Amount::ZERO, Amount::MAX)
        );
    }

    #[test]
    fn a_status_decides_whether_orders_are_taken() {
        let with = |status: &str| instrument(&BTCUSDT.replace("TRADING\"", &format!("{status}\"")));
        assert_eq!(with("CANCEL_ONLY").0.status, InstrumentStatus::CancelOnly);
        assert_eq!(with("BREAK").0.status, InstrumentStatus::Halted);
        let (rules, known) = with("SOMETHING_NEW");
        assert_eq!((rules.status, known), (InstrumentStatus::Halted, false));
        let no_spot = BTCUSDT.replace("[\"SPOT\",\"MARGIN\"]", "[\"MARGIN\"]");
        assert_eq!(instrument(&no_spot).0.status, InstrumentStatus::Halted);
    }
}

//! What a backtest is told: what is traded, by whom, with how much, at which cost and within which
//! limits.

use crate::error::BacktestError;
use ploy_domain::{
    Amount, Bps, Instrument, InstrumentId, InstrumentStatus, Nanos, Price, Quantity, Rounding,
    Session, TextError,
};
use ploy_risk_core::Limits;
use std::{collections::BTreeMap, fmt, str::FromStr};

/// How kind the simulated market is to orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FillProfile {
    /// No spread, any quantity, limit orders fill when their price is touched.
    Optimistic,
    /// A spread of 1 bp to each side and at least a tick, as much as was traded, limit orders fill
    /// when their price is penetrated.
    Base,
    /// As base, with 5 bp and a quarter of what was traded.
    #[default]
    Conservative,
}

impl FillProfile {
    const ALL: [Self; 3] = [Self::Optimistic, Self::Base, Self::Conservative];

    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Optimistic => "optimistic",
            Self::Base => "base",
            Self::Conservative => "conservative",
        }
    }

    /// What it means in numbers.
    #[must_use]
    pub const fn model(self) -> FillModel {
        let (slippage, ticks_min, participation) = match self {
            Self::Optimistic => (0, 0, None),
            Self::Base => (1, 1, Some(10_000)),
            Self::Conservative => (5, 1, Some(2_500)),
        };
        FillModel {
            profile: self,
            slippage: Bps::new(slippage),
            ticks_min,
            participation: match participation {
                Some(bps) => Some(Bps::new(bps)),
                None => None,
            },
            latency: Nanos::ZERO,
        }
    }
}

impl fmt::Display for FillProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl FromStr for FillProfile {
    type Err = String;
    /// Parses the word; the error lists all of them.
    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.iter().find(|profile| profile.word() == text);
        known.copied().ok_or_else(|| {
            let words = Self::ALL.map(Self::word).join(", ");
            format!("'{text}' is no fill profile; known are {words}")
        })
    }
}

/// What a price of the recording lets an order do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillModel {
    /// The profile it comes from.
    pub profile: FillProfile,
    /// Distance of the best quotes from the recorded price.
    pub slippage: Bps,
    /// The least of that distance, in ticks.
    pub ticks_min: u8,
    /// The part of the traded quantity that is there to be taken; `None` for any quantity. A bar's
    /// volume is spread evenly over its four prices. Where a recording knows no volume, any
    /// quantity is there.
    pub participation: Option<Bps>,
    /// How long an order takes to reach the market.
    pub latency: Nanos,
}

impl FillModel {
    /// The best price that a buyer finds around the recorded `price`.
    pub(crate) fn ask(&self, price: Price, tick: Price) -> Option<Price> {
        let least = price.raw().checked_add(self.least(tick))?;
        let away = price.shifted(self.slippage, Rounding::Ceil).ok()?;
        away.max(Price::from_raw(least))
            .round_to(tick, Rounding::Ceil)
            .ok()
    }

    /// The best price that a seller finds around the recorded `price`.
    pub(crate) fn bid(&self, price: Price, tick: Price) -> Option<Price> {
        let least = price.raw().checked_sub(self.least(tick))?;
        let slippage = Bps::new(-self.slippage.get());
        let away = price.shifted(slippage, Rounding::Floor).ok()?;
        away.min(Price::from_raw(least))
            .round_to(tick, Rounding::Floor)
            .ok()
            .filter(|bid| bid.is_positive())
    }

    fn least(&self, tick: Price) -> i64 {
        tick.raw().saturating_mul(i64::from(self.ticks_min))
    }
}

/// What a backtest is told.
#[derive(Debug, Clone)]
pub struct BacktestConfig {
    /// Which strategy.
    pub strategy: String,
    /// Its parameters; what is not given takes its default.
    pub params: BTreeMap<String, String>,
    /// The rules of what is traded.
    pub instrument: Instrument,
    /// What the account owns at first, in the quote asset.
    pub cash: Amount,
    /// What the venue charges, of what is received, as maker and as taker.
    pub fee: Bps,
    /// What a price of the recording lets an order do.
    pub fills: FillModel,
    /// What the risk core allows.
    pub limits: Limits,
}

impl BacktestConfig {
    /// A backtest of `strategy` with its defaults: 10 bp fees, conservative fills, and limits that
    /// let the strategy use its whole capital and no more.
    #[must_use]
    pub fn new(strategy: &str, instrument: Instrument, cash: Amount) -> Self {
        Self {
            strategy: strategy.to_owned(),
            params: BTreeMap::new(),
            instrument,
            cash,
            fee: Bps::new(10),
            fills: FillProfile::default().model(),
            limits: whole_capital(cash),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), BacktestError> {
        let refuse = |name, expected, was: String| {
            Err(BacktestError::Config {
                name,
                expected,
                was,
            })
        };
        // The simulated market needs room for as much money as the account has.
        let most = Amount::from_raw(i64::MAX / 4);
        if !self.cash.is_positive() || self.cash > most {
            return refuse(
                "cash",
                "above 0 and at most 23058430092",
                self.cash.to_string(),
            );
        }
        if !(0..=1_000).contains(&self.fee.get()) {
            return refuse("fee", "0bp to 1000bp", self.fee.to_string());
        }
        if !(0..=1_000).contains(&self.fills.slippage.get()) {
            return refuse("slippage", "0bp to 1000bp", self.fills.slippage.to_string());
        }
        if let Some(part) = self.fills.participation
            && !(1..=10_000).contains(&part.get())
        {
            return refuse("participation", "1bp to 10000bp", part.to_string());
        }
        if !(0..=3_600_000).contains(&self.fills.latency.as_millis()) {
            let was = format!("{}ms", self.fills.latency.as_millis());
            return refuse("latency", "0ms to 3600000ms", was);
        }
        match self.limits.validate() {
            Ok(()) => Ok(()),
            Err(errors) => match errors.into_iter().next() {
                Some(error) => refuse(error.name, "above 0", error.was),
                None => Ok(()),
            },
        }
    }
}

/// Limits that end where the money does.
fn whole_capital(cash: Amount) -> Limits {
    // Profits may be invested again, so that positions can outgrow the first capital.
    let grown = Amount::from_raw(cash.raw().saturating_mul(100));
    Limits {
        version: 1,
        order_notional_max: grown,
        price_band: Bps::new(1_000),
        quote_age_max: Nanos::from_secs(60),
        open_orders_max: 100,
        order_rate_max: 100,
        position_notional_max: grown,
        gross_exposure_max: grown,
        net_exposure_max: grown,
        daily_loss_max: cash,
        drawdown_max: cash,
    }
}

/// Rules for an instrument of which nothing is known but its name: the finest steps, open at all
/// hours.
///
/// # Errors
/// [`TextError`] never, in practice: the names are constant.
pub fn default_instrument(id: InstrumentId) -> Result<Instrument, TextError> {
    const HUNDRED_MILLION: Quantity = Quantity::from_raw(10_000_000_000_000_000);
    Ok(Instrument {
        id,
        base: "BASE".parse()?,
        quote: "QUOTE".parse()?,
        tick: Price::EPSILON,
        lot: Quantity::EPSILON,
        quantity_min: Quantity::EPSILON,
        quantity_max: HUNDRED_MILLION,
        price_min: Price::EPSILON,
        price_max: Price::MAX,
        notional_min: Amount::EPSILON,
        notional_max: Amount::MAX,
        session: Session::Always,
        status: InstrumentStatus::Trading,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_stand_around_the_price_and_on_the_tick() {
        let tick: Price = "0.5".parse().unwrap();
        let quotes = |profile: &str, price: &str| {
            let model = profile.parse::<FillProfile>().unwrap().model();
            let price = price.parse().unwrap();
            let (bid, ask) = (model.bid(price, tick), model.ask(price, tick));
            (bid.unwrap().to_string(), ask.unwrap().to_string())
        };
        assert_eq!(quotes("optimistic", "100"), ("100".into(), "100".into()));
        assert_eq!(quotes("base", "100"), ("99.5".into(), "100.5".into()));
        assert_eq!(
            quotes("conservative", "2000"),
            ("1999".into(), "2001".into())
        );
        assert!("kind".parse::<FillProfile>().is_err());
    }

    #[test]
    fn numbers_out_of_bounds_are_named() {
        let instrument = default_instrument("A.SIM".parse().unwrap()).unwrap();
        let mut config = BacktestConfig::new("ma-cross", instrument, Amount::ZERO);
        let said = config.validate().unwrap_err().to_string();
        assert_eq!(said, "cash must be above 0 and at most 23058430092, was 0");
        config.cash = Amount::from_int(1_000).unwrap();
        config.limits = whole_capital(config.cash);
        config.fee = Bps::new(-1);
        let said = config.validate().unwrap_err().to_string();
        assert_eq!(said, "fee must be 0bp to 1000bp, was -1bp");
    }
}

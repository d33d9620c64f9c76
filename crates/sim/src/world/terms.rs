//! What is traded, by whom and within which limits: small numbers, so that every limit is met.

use ploy_domain::{
    AccountId, Amount, Bps, Instrument, InstrumentStatus, Nanos, Price, Quantity, Session,
    StrategyId,
};
use ploy_orders_core::EgressGuard;
use ploy_risk_core::{Limits, ResetRules};

/// Marks our order ids.
pub(crate) const PREFIX: [u8; 2] = *b"ps";
/// How long an order that the venue does not show may still exist: twice the visibility lag
/// (ORD-16).
pub(crate) const QUARANTINE: Nanos = Nanos::from_secs(16);
/// How long an approval may be used (RSK-2).
pub(crate) const APPROVAL_TTL: Nanos = Nanos::from_millis(500);
/// How long a decision may take to reach the venue.
pub(crate) const ORDER_VALIDITY: Nanos = Nanos::from_secs(2);
/// How many strategy instances there are.
pub(crate) const STRATEGIES: u8 = 3;
/// The largest value of a position with its open orders.
pub(crate) const POSITION_NOTIONAL_MAX: i64 = 300;
/// The largest sum of the values of all positions with their open orders.
pub(crate) const GROSS_EXPOSURE_MAX: i64 = 240;
/// By how much the price may move between a check and its order, in hundredths.
pub(crate) const PRICE_RANGE_PERCENT: i64 = 5;

const UNIT: i64 = ploy_domain::SCALE;

/// Names that cannot be built are a mistake in this file, found by its test.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) account: AccountId,
    pub(crate) manual: StrategyId,
    pub(crate) strategies: Vec<StrategyId>,
    pub(crate) instruments: Vec<Instrument>,
}

impl Terms {
    pub(crate) fn new() -> Option<Self> {
        let strategies = (0..STRATEGIES).map(|n| StrategyId::parse(&format!("gambler-{n}")).ok());
        Some(Self {
            account: AccountId::parse("main").ok()?,
            manual: StrategyId::parse("manual").ok()?,
            strategies: strategies.collect::<Option<_>>()?,
            instruments: vec![instrument("AAA")?, instrument("BBB")?],
        })
    }

    /// The instrument of a strategy: the first two compete for one.
    pub(crate) fn instrument_of(&self, strategy: u8) -> Option<&Instrument> {
        self.instruments
            .get(usize::from(strategy == STRATEGIES - 1))
    }
}

fn instrument(base: &str) -> Option<Instrument> {
    Some(Instrument {
        id: format!("{base}USDT.SIM").parse().ok()?,
        base: base.parse().ok()?,
        quote: "USDT".parse().ok()?,
        tick: Price::from_raw(UNIT / 100),
        lot: Quantity::from_raw(UNIT / 100),
        quantity_min: Quantity::from_raw(UNIT / 100),
        quantity_max: Quantity::from_raw(1_000_000 * UNIT),
        price_min: Price::from_raw(UNIT / 100),
        price_max: Price::from_raw(1_000_000 * UNIT),
        notional_min: Amount::from_raw(UNIT / 100),
        notional_max: Amount::MAX,
        session: Session::Always,
        status: InstrumentStatus::Trading,
    })
}

pub(crate) fn limits() -> Limits {
    let amount = |units: i64| Amount::from_raw(units * UNIT);
    Limits {
        version: 1,
        order_notional_max: amount(100),
        price_band: Bps::new(500),
        quote_age_max: Nanos::from_secs(3),
        open_orders_max: 24,
        order_rate_max: 50,
        position_notional_max: amount(POSITION_NOTIONAL_MAX),
        gross_exposure_max: amount(GROSS_EXPOSURE_MAX),
        net_exposure_max: amount(240),
        daily_loss_max: amount(1_000_000),
        drawdown_max: amount(1_000_000),
    }
}

/// Two persons, without a wait: the wait is tested where it is decided.
pub(crate) const fn resets() -> ResetRules {
    ResetRules {
        hold: Nanos::ZERO,
        second_person: true,
    }
}

pub(crate) const fn guard() -> EgressGuard {
    EgressGuard {
        notional_max: Amount::from_raw(110 * UNIT),
        orders_per_second_max: 60,
        open_orders_max: 30,
        identical_window: Nanos::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_one() {
        let terms = Terms::new().unwrap();
        assert_eq!(terms.instruments.len(), 2);
        assert!(limits().validate().is_ok());
        assert!(terms.instrument_of(0).unwrap().id != terms.instrument_of(2).unwrap().id);
    }
}

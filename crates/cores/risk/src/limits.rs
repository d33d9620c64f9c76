//! The limits that orders are judged by. There is no "no limit": every bound is present.

use ploy_domain::{Amount, Bps, Nanos};

/// One version of the limits. A decision uses exactly one version (RSK-8).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Rises by one with every change.
    pub version: u64,
    /// Largest value of one order, in the quote asset (check 10).
    pub order_notional_max: Amount,
    /// Largest distance of a price from the reference price (check 9).
    pub price_band: Bps,
    /// Oldest usable quote (check 8).
    pub quote_age_max: Nanos,
    /// Most open orders of an account, unknown ones included (check 12).
    pub open_orders_max: u32,
    /// Most orders per second of an account (check 12).
    pub order_rate_max: u32,
    /// Largest value of the position in one instrument, with open orders (check 13).
    pub position_notional_max: Amount,
    /// Largest sum of all position values of an account, with open orders (check 13).
    pub gross_exposure_max: Amount,
    /// Largest net position value of an account, with open orders (check 13).
    pub net_exposure_max: Amount,
    /// Largest loss of an account since the session began (check 16).
    pub daily_loss_max: Amount,
    /// Largest fall of an account's profit from the session's peak (check 16).
    pub drawdown_max: Amount,
}

/// A limit that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("limit {name} must be above 0, was {was}")]
pub struct LimitsError {
    /// Which limit.
    pub name: &'static str,
    /// Its value.
    pub was: String,
}

impl Limits {
    /// Refuses limits that are zero or negative: RSK-7, a nonsensical limit is not "no limit".
    ///
    /// # Errors
    /// Every [`LimitsError`] found.
    pub fn validate(&self) -> Result<(), Vec<LimitsError>> {
        let amounts = [
            ("order_notional_max", self.order_notional_max),
            ("position_notional_max", self.position_notional_max),
            ("gross_exposure_max", self.gross_exposure_max),
            ("net_exposure_max", self.net_exposure_max),
            ("daily_loss_max", self.daily_loss_max),
            ("drawdown_max", self.drawdown_max),
        ];
        let counts = [
            ("open_orders_max", i64::from(self.open_orders_max)),
            ("order_rate_max", i64::from(self.order_rate_max)),
            ("price_band_bps", i64::from(self.price_band.get())),
            ("quote_age_max_ms", self.quote_age_max.as_millis()),
        ];
        let amounts = amounts
            .into_iter()
            .filter(|(_, value)| !value.is_positive())
            .map(|(name, value)| LimitsError {
                name,
                was: value.to_string(),
            });
        let counts = counts
            .into_iter()
            .filter(|(_, value)| *value <= 0)
            .map(|(name, value)| LimitsError {
                name,
                was: value.to_string(),
            });
        let errors: Vec<_> = amounts.chain(counts).collect();
        if errors.is_empty() {
            Ok(())
        } else {
            Err(errors)
        }
    }

    /// Every limit by name, for people and for the database.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, String)> {
        vec![
            ("order_notional_max", self.order_notional_max.to_string()),
            ("price_band_bps", self.price_band.get().to_string()),
            (
                "quote_age_max_ms",
                self.quote_age_max.as_millis().to_string(),
            ),
            ("open_orders_max", self.open_orders_max.to_string()),
            ("order_rate_max", self.order_rate_max.to_string()),
            (
                "position_notional_max",
                self.position_notional_max.to_string(),
            ),
            ("gross_exposure_max", self.gross_exposure_max.to_string()),
            ("net_exposure_max", self.net_exposure_max.to_string()),
            ("daily_loss_max", self.daily_loss_max.to_string()),
            ("drawdown_max", self.drawdown_max.to_string()),
        ]
    }
}

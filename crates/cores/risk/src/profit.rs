//! Profit of an account since its session began, marked at the price at which its positions could
//! be closed, and the worst fall from the session's peak (check 16).

use crate::{exposure::AccountExposure, market::Market};
use ploy_domain::{Amount, MoneyError, Timestamp};

/// Where the session began and how high it went.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SessionProfit {
    day: i64,
    start: Option<Amount>,
    peak: Amount,
}

/// Profit of the session at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ProfitNow {
    pub(crate) since_start: Amount,
    pub(crate) below_peak: Amount,
}

/// Realised, charges and unrealised profit together; `None` when a position cannot be marked.
pub(crate) fn total(
    account: &AccountExposure,
    market: &Market,
) -> Result<Option<Amount>, MoneyError> {
    let mut sum = Amount::ZERO;
    for ((instrument, _), position) in account.positions() {
        sum = sum.plus(position.realised_net()?)?;
        if !position.quantity().is_zero() {
            let Some(mark) = market.mark(instrument).closing_price(position.quantity()) else {
                return Ok(None);
            };
            sum = sum.plus(position.unrealised(mark)?)?;
        }
    }
    Ok(Some(sum))
}

impl SessionProfit {
    /// Follows the account to `now`; a new UTC day starts a new session. The first sight of an
    /// account starts its session at its present profit.
    pub(crate) fn update(
        &mut self,
        total: Amount,
        now: Timestamp,
    ) -> Result<ProfitNow, MoneyError> {
        let day = ploy_domain::Session::Always.day(now);
        let start = match self.start {
            Some(start) if self.day == day => start,
            _ => {
                *self = Self {
                    day,
                    start: Some(total),
                    peak: Amount::ZERO,
                };
                total
            }
        };
        let since_start = total.minus(start)?;
        self.peak = self.peak.max(since_start);
        Ok(ProfitNow {
            since_start,
            below_peak: self.peak.minus(since_start)?,
        })
    }
}

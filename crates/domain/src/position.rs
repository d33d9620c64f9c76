//! Positions: net quantity, exact cost and profit per account, instrument and strategy
//! (trading-semantics §4).

use crate::{
    execution::Execution,
    ids::Asset,
    instrument::Instrument,
    money::{Amount, MoneyError, Price, Quantity, Rounding, SCALE},
    order::Side,
    time::Timestamp,
};

/// The net result of all executions so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    quantity: Quantity,
    /// Signed cost of the open quantity in units of 1e-16 of the quote asset, so that no product of
    /// price and quantity is ever rounded.
    cost: i128,
    realised_gross: Amount,
    charges: Amount,
    cycle: u64,
    opened_at: Option<Timestamp>,
}

/// What an execution did to a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionChange {
    /// Signed quantity after fees in the base asset.
    pub quantity: Quantity,
    /// Gross profit realised by it.
    pub realised: Amount,
    /// Its charges, valued in the quote asset.
    pub charges: Amount,
}

/// Why an execution cannot be booked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PositionError {
    /// A number leaves the range.
    #[error("position arithmetic of execution {execution} failed")]
    Money {
        /// Which execution.
        execution: String,
        /// What went wrong.
        #[source]
        source: MoneyError,
    },
    /// The fee is in an asset that is neither base nor quote, and no rate is known.
    #[error("execution {execution} is charged in {asset}, which is neither base nor quote")]
    ForeignFee {
        /// Which execution.
        execution: String,
        /// The fee's asset.
        asset: Asset,
    },
}

impl Position {
    /// Signed quantity: above zero long, below zero short.
    #[must_use]
    pub const fn quantity(&self) -> Quantity {
        self.quantity
    }

    /// Average entry price of the open quantity; `None` when flat.
    #[must_use]
    pub fn average_price(&self) -> Option<Price> {
        if self.quantity.is_zero() {
            return None;
        }
        // cost [1e-16] ÷ quantity [1e-8] = price [1e-8], to the nearest.
        let (cost, quantity) = (self.cost.abs(), i128::from(self.quantity.raw()).abs());
        i64::try_from((cost + quantity / 2) / quantity)
            .ok()
            .map(Price::from_raw)
    }

    /// Realised profit before charges.
    #[must_use]
    pub const fn realised_gross(&self) -> Amount {
        self.realised_gross
    }

    /// All charges so far, valued in the quote asset.
    #[must_use]
    pub const fn charges(&self) -> Amount {
        self.charges
    }

    /// How many times the position was opened from flat.
    #[must_use]
    pub const fn cycle(&self) -> u64 {
        self.cycle
    }

    /// When the current cycle began.
    #[must_use]
    pub const fn opened_at(&self) -> Option<Timestamp> {
        self.opened_at
    }

    /// Realised profit after charges.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub const fn realised_net(&self) -> Result<Amount, MoneyError> {
        self.realised_gross.minus(self.charges)
    }

    /// Profit of the open quantity at `mark`.
    ///
    /// # Errors
    /// [`MoneyError::Overflow`].
    pub fn unrealised(&self, mark: Price) -> Result<Amount, MoneyError> {
        let value = i128::from(mark.raw()) * i128::from(self.quantity.raw());
        narrow(value - self.cost)
    }

    /// Books an execution.
    ///
    /// # Errors
    /// [`PositionError`]; the position is as it was.
    pub fn apply(
        &mut self,
        execution: &Execution,
        instrument: &Instrument,
    ) -> Result<PositionChange, PositionError> {
        let name = || execution.execution_id.to_string();
        let money = |source| PositionError::Money {
            execution: name(),
            source,
        };
        let (fee_quantity, charges) = if execution.fee.is_zero() {
            (Quantity::ZERO, Amount::ZERO)
        } else if execution.fee_asset == instrument.base {
            let fee = Quantity::from_raw(execution.fee.raw());
            (
                fee,
                execution
                    .price
                    .times(fee, Rounding::HalfEven)
                    .map_err(money)?,
            )
        } else if execution.fee_asset == instrument.quote {
            (Quantity::ZERO, execution.fee)
        } else {
            return Err(PositionError::ForeignFee {
                execution: name(),
                asset: execution.fee_asset,
            });
        };
        let bought = match execution.side {
            Side::Buy => execution.quantity,
            Side::Sell => execution.quantity.negated().map_err(money)?,
        };
        let signed = bought.minus(fee_quantity).map_err(money)?;
        let mut next = *self;
        let realised = next
            .trade(signed, execution.price, execution.ts_event)
            .map_err(money)?;
        next.charges = next.charges.plus(charges).map_err(money)?;
        *self = next;
        Ok(PositionChange {
            quantity: signed,
            realised,
            charges,
        })
    }

    /// Adds `signed` units at `price`: same side averages, the other side realises, a flip does
    /// both.
    fn trade(
        &mut self,
        signed: Quantity,
        price: Price,
        at: Timestamp,
    ) -> Result<Amount, MoneyError> {
        if signed.is_zero() {
            return Ok(Amount::ZERO);
        }
        let held = self.quantity;
        let adds = held.is_zero() || held.is_positive() == signed.is_positive();
        let closing = if adds {
            Quantity::ZERO
        } else if signed.abs() <= held.abs() {
            signed
        } else {
            held.negated()?
        };
        let opening = signed.minus(closing)?;
        let realised = self.close(closing, price)?;
        if !opening.is_zero() {
            if self.quantity.is_zero() {
                self.cycle += 1;
                self.opened_at = Some(at);
            }
            self.cost += i128::from(opening.raw()) * i128::from(price.raw());
            self.quantity = self.quantity.plus(opening)?;
        }
        if self.quantity.is_zero() {
            self.opened_at = None;
        }
        Ok(realised)
    }

    fn close(&mut self, closing: Quantity, price: Price) -> Result<Amount, MoneyError> {
        if closing.is_zero() {
            return Ok(Amount::ZERO);
        }
        let (part, whole) = (
            i128::from(closing.raw()).abs(),
            i128::from(self.quantity.raw()).abs(),
        );
        // The released cost is the open cost in proportion; the last unit takes the exact rest.
        let released = if part == whole {
            self.cost
        } else {
            let high = self.cost / whole;
            high * part + (self.cost % whole) * part / whole
        };
        let proceeds = -i128::from(closing.raw()) * i128::from(price.raw());
        let realised = narrow(proceeds - released)?;
        self.cost -= released;
        self.quantity = self.quantity.plus(closing)?;
        self.realised_gross = self.realised_gross.plus(realised)?;
        Ok(realised)
    }
}

/// From units of 1e-16 to an amount, to the nearest.
fn narrow(wide: i128) -> Result<Amount, MoneyError> {
    let scale = i128::from(SCALE);
    let nearest = (wide + scale / 2).div_euclid(scale);
    i64::try_from(nearest)
        .map(Amount::from_raw)
        .map_err(|_| MoneyError::Overflow {
            operation: "profit of a position",
        })
}

#[cfg(test)]
mod tests;

//! What the account owns and what it was worth: cash and holdings from executions, marked equity,
//! its falls, its value at the end of each day, and the round trips from flat to flat.

use crate::drawdown::Falls;
use ploy_domain::{
    Amount, Execution, Instrument, MoneyError, Nanos, Price, Quantity, Rounding, SCALE, Side,
    Timestamp,
};

/// Equity at the end of a day of the instrument's session.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DayEnd {
    /// Days since 1970-01-01, in local time.
    pub(crate) day: i64,
    pub(crate) equity: Amount,
}

/// Round trips that are over.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct RoundTrips {
    pub(crate) count: u64,
    pub(crate) wins: u64,
    pub(crate) won: i128,
    pub(crate) lost: i128,
}

/// What the account owns.
#[derive(Debug)]
pub(crate) struct Wallet {
    instrument: Instrument,
    cash: Amount,
    held: Quantity,
    fees: Amount,
    turnover: i128,
    fills: u64,
    falls: Option<Falls>,
    days: Vec<DayEnd>,
    day: i64,
    marked: i128,
    /// Equity when the open round trip began.
    entered_with: Option<i128>,
    trips: RoundTrips,
    marks: u64,
    marks_held: u64,
}

impl Wallet {
    pub(crate) fn new(instrument: Instrument, cash: Amount) -> Self {
        Self {
            instrument,
            cash,
            held: Quantity::ZERO,
            fees: Amount::ZERO,
            turnover: 0,
            fills: 0,
            falls: None,
            days: Vec::new(),
            day: 0,
            marked: 0,
            entered_with: None,
            trips: RoundTrips::default(),
            marks: 0,
            marks_held: 0,
        }
    }

    pub(crate) const fn cash(&self) -> Amount {
        self.cash
    }

    pub(crate) const fn held(&self) -> Quantity {
        self.held
    }

    pub(crate) const fn fees(&self) -> Amount {
        self.fees
    }

    pub(crate) const fn fills(&self) -> u64 {
        self.fills
    }

    pub(crate) const fn trips(&self) -> RoundTrips {
        self.trips
    }

    pub(crate) const fn falls(&self) -> Option<&Falls> {
        self.falls.as_ref()
    }

    /// Value traded.
    pub(crate) fn turnover(&self) -> Result<Amount, MoneyError> {
        narrow(self.turnover)
    }

    /// The part of the marks at which something was held.
    pub(crate) fn exposure(&self) -> f64 {
        if self.marks == 0 {
            0.0
        } else {
            self.marks_held as f64 / self.marks as f64
        }
    }

    /// Equity in units of 1e-16, so that nothing is rounded or divided on the way.
    fn equity_wide(&self, price: Price) -> i128 {
        i128::from(self.cash.raw()) * i128::from(SCALE)
            + i128::from(self.held.raw()) * i128::from(price.raw())
    }

    pub(crate) fn equity(&self, price: Price) -> Result<Amount, MoneyError> {
        narrow(self.equity_wide(price))
    }

    /// Books an execution. The value is rounded as the matching core rounds it.
    pub(crate) fn fill(&mut self, execution: &Execution) -> Result<(), MoneyError> {
        let price = execution.price;
        let value = price.times(execution.quantity, Rounding::Floor)?;
        let before = self.equity_wide(price);
        let (cash, held) = match execution.side {
            Side::Buy => (value.negated()?, execution.quantity),
            Side::Sell => (value, execution.quantity.negated()?),
        };
        self.cash = self.cash.plus(cash)?;
        self.held = self.held.plus(held)?;
        let fee = if execution.fee_asset == self.instrument.base {
            let units = Quantity::from_raw(execution.fee.raw());
            self.held = self.held.minus(units)?;
            price.times(units, Rounding::HalfEven)?
        } else {
            self.cash = self.cash.minus(execution.fee)?;
            execution.fee
        };
        self.fees = self.fees.plus(fee)?;
        self.turnover += i128::from(price.raw()) * i128::from(execution.quantity.raw());
        self.fills += 1;
        self.follow_trip(before, price);
        Ok(())
    }

    /// A round trip begins when something tradable is held and ends when less than a lot is left.
    fn follow_trip(&mut self, before: i128, price: Price) {
        let in_trip = self.held.abs() >= self.instrument.lot;
        match self.entered_with {
            None if in_trip => self.entered_with = Some(before),
            Some(entered) if !in_trip => {
                let net = self.equity_wide(price) - entered;
                self.trips.count += 1;
                if net > 0 {
                    self.trips.wins += 1;
                    self.trips.won += net;
                } else {
                    self.trips.lost -= net;
                }
                self.entered_with = None;
            }
            None | Some(_) => {}
        }
    }

    /// The price at an instant. A day ends when the first price of the next one comes; its last
    /// instant belongs to it, because a bar ends when the next one begins.
    #[inline]
    pub(crate) fn mark(&mut self, price: Price, at: Timestamp) -> Result<(), MoneyError> {
        let day = self.instrument.session.day(at.minus(Nanos::new(1)));
        if day != self.day {
            self.end_day()?;
            self.day = day;
        }
        let equity = self.equity_wide(price);
        match &mut self.falls {
            Some(falls) => falls.mark(equity, at),
            None => {
                // Equity begins with the capital, before the first price.
                let capital = i128::from(self.cash.raw()) * i128::from(SCALE);
                self.falls.insert(Falls::new(capital, at)).mark(equity, at);
            }
        }
        self.marked = equity;
        self.marks += 1;
        self.marks_held += u64::from(!self.held.is_zero());
        Ok(())
    }

    fn end_day(&mut self) -> Result<(), MoneyError> {
        if self.marks > 0 {
            self.days.push(DayEnd {
                day: self.day,
                equity: narrow(self.marked)?,
            });
        }
        Ok(())
    }

    /// Equity at the end of every day, the last one included.
    pub(crate) fn into_days(mut self) -> Result<Vec<DayEnd>, MoneyError> {
        self.end_day()?;
        Ok(self.days)
    }
}

/// From units of 1e-16 to an amount, rounded down.
pub(crate) fn narrow(wide: i128) -> Result<Amount, MoneyError> {
    i64::try_from(wide.div_euclid(i128::from(SCALE)))
        .map(Amount::from_raw)
        .map_err(|_| MoneyError::Overflow {
            operation: "equity",
        })
}

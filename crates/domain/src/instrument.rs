//! What can be traded and in which steps.

use crate::{
    ids::{Asset, InstrumentId},
    money::{Amount, MoneyError, Price, Quantity, Rounding},
    session::Session,
};

/// Whether an instrument takes orders at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InstrumentStatus {
    /// Orders are taken while the session is open.
    Trading,
    /// Only cancels.
    CancelOnly,
    /// Nothing.
    Halted,
}

/// The trading rules of one instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instrument {
    /// Its identifier.
    pub id: InstrumentId,
    /// The asset that is bought and sold.
    pub base: Asset,
    /// The asset it is paid in.
    pub quote: Asset,
    /// Prices are multiples of this.
    pub tick: Price,
    /// Quantities are multiples of this.
    pub lot: Quantity,
    /// Smallest order.
    pub quantity_min: Quantity,
    /// Largest order (the freeze quantity).
    pub quantity_max: Quantity,
    /// Lowest price the venue takes.
    pub price_min: Price,
    /// Highest price the venue takes.
    pub price_max: Price,
    /// Smallest order value, in the quote asset.
    pub notional_min: Amount,
    /// Largest order value, in the quote asset.
    pub notional_max: Amount,
    /// When it trades.
    pub session: Session,
    /// Whether it trades.
    pub status: InstrumentStatus,
}

/// A rule of the instrument that an order breaks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InstrumentViolation {
    /// Quantity is not above zero.
    #[error("quantity must be above 0, was {was}")]
    QuantityNotPositive {
        /// The order's quantity.
        was: Quantity,
    },
    /// Quantity is no multiple of the lot.
    #[error("quantity must be a multiple of {lot}, was {was}")]
    OffLot {
        /// The lot.
        lot: Quantity,
        /// The order's quantity.
        was: Quantity,
    },
    /// Quantity is outside its bounds.
    #[error("quantity must be {min} to {max}, was {was}")]
    QuantityOutOfRange {
        /// Smallest quantity.
        min: Quantity,
        /// Largest quantity.
        max: Quantity,
        /// The order's quantity.
        was: Quantity,
    },
    /// Price is no multiple of the tick.
    #[error("{field} must be a multiple of {tick}, was {was}")]
    OffTick {
        /// `price` or `stop_price`.
        field: &'static str,
        /// The tick.
        tick: Price,
        /// The order's price.
        was: Price,
    },
    /// Price is outside its bounds.
    #[error("{field} must be {min} to {max}, was {was}")]
    PriceOutOfRange {
        /// `price` or `stop_price`.
        field: &'static str,
        /// Lowest price.
        min: Price,
        /// Highest price.
        max: Price,
        /// The order's price.
        was: Price,
    },
    /// Value is outside its bounds.
    #[error("order value must be {min} to {max}, was {was}")]
    NotionalOutOfRange {
        /// Smallest value.
        min: Amount,
        /// Largest value.
        max: Amount,
        /// The order's value.
        was: Amount,
    },
    /// The value does not fit.
    #[error("order value cannot be computed")]
    NotionalOverflow(#[source] MoneyError),
}

impl Instrument {
    /// Checks a quantity against lot and bounds.
    ///
    /// # Errors
    /// The first [`InstrumentViolation`].
    pub fn check_quantity(&self, was: Quantity) -> Result<(), InstrumentViolation> {
        if !was.is_positive() {
            return Err(InstrumentViolation::QuantityNotPositive { was });
        }
        if !was.is_multiple_of(self.lot) {
            return Err(InstrumentViolation::OffLot { lot: self.lot, was });
        }
        let (min, max) = (self.quantity_min, self.quantity_max);
        if was < min || was > max {
            return Err(InstrumentViolation::QuantityOutOfRange { min, max, was });
        }
        Ok(())
    }

    /// Checks a price, named `field` in the error, against tick and bounds.
    ///
    /// # Errors
    /// The first [`InstrumentViolation`].
    pub fn check_price(&self, field: &'static str, was: Price) -> Result<(), InstrumentViolation> {
        if !was.is_multiple_of(self.tick) {
            return Err(InstrumentViolation::OffTick {
                field,
                tick: self.tick,
                was,
            });
        }
        let (min, max) = (self.price_min, self.price_max);
        if was < min || was > max {
            return Err(InstrumentViolation::PriceOutOfRange {
                field,
                min,
                max,
                was,
            });
        }
        Ok(())
    }

    /// Checks the value of `quantity` at `price` and returns it.
    ///
    /// # Errors
    /// [`InstrumentViolation::NotionalOutOfRange`] or an overflow.
    pub fn check_notional(
        &self,
        price: Price,
        quantity: Quantity,
    ) -> Result<Amount, InstrumentViolation> {
        let was = price
            .times(quantity, Rounding::HalfEven)
            .map_err(InstrumentViolation::NotionalOverflow)?;
        let (min, max) = (self.notional_min, self.notional_max);
        if was < min || was > max {
            return Err(InstrumentViolation::NotionalOutOfRange { min, max, was });
        }
        Ok(was)
    }
}

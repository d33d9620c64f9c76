//! The venue numbers orders and trades per symbol. Ploy's ids are unique within an account, so
//! they carry the symbol: `BTCUSDT-28`. The same fill gets the same id on every path.

use ploy_domain::{ExecutionId, Symbol, TextError, VenueOrderId};

/// Ploy's form of the venue's order number.
pub(crate) fn venue_order_id(symbol: &Symbol, number: u64) -> Result<VenueOrderId, TextError> {
    VenueOrderId::parse(&format!("{symbol}-{number}"))
}

/// Ploy's form of the venue's trade number.
pub(crate) fn execution_id(symbol: &Symbol, number: u64) -> Result<ExecutionId, TextError> {
    ExecutionId::parse(&format!("{symbol}-{number}"))
}

/// The venue's number behind an id of either kind; `None` for an id of another symbol.
pub(crate) fn number(symbol: &Symbol, id: &str) -> Option<u64> {
    let (prefix, number) = id.rsplit_once('-')?;
    (prefix == symbol.as_str()).then(|| number.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_carry_the_symbol_and_give_the_number_back() {
        let symbol = Symbol::parse("BTCUSDT").unwrap();
        let order = venue_order_id(&symbol, u64::MAX).unwrap();
        assert_eq!(order.as_str(), "BTCUSDT-18446744073709551615");
        assert_eq!(number(&symbol, order.as_str()), Some(u64::MAX));
        let fill = execution_id(&symbol, 56).unwrap();
        assert_eq!(number(&symbol, fill.as_str()), Some(56));
        assert_eq!(
            number(&Symbol::parse("ETHUSDT").unwrap(), fill.as_str()),
            None
        );
        assert_eq!(number(&symbol, "56"), None);
    }
}

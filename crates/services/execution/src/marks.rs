//! The last price of each instrument, for valuing positions in answers. Never used to decide.

use ploy_bus::{Bus, BusError, Pattern};
use ploy_domain::{InstrumentId, MarketEvent, Price};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};
use tokio_util::sync::CancellationToken;

/// How many prices may wait; older ones are worth nothing.
const WAITING_MAX: usize = 1_024;

/// The newest price of each instrument, shared by readers; locked only for a look.
#[derive(Debug, Clone, Default)]
pub(crate) struct Marks(Arc<RwLock<BTreeMap<InstrumentId, Price>>>);

impl Marks {
    pub(crate) fn price(&self, instrument: &InstrumentId) -> Option<Price> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(instrument)
            .copied()
    }

    fn set(&self, instrument: InstrumentId, price: Price) {
        self.0
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(instrument, price);
    }

    /// Follows the trades of every venue until `stop`.
    ///
    /// # Errors
    /// [`BusError`] when the subscription cannot be made.
    pub(crate) async fn follow(
        self,
        bus: Arc<dyn Bus>,
        pattern: Pattern,
        stop: CancellationToken,
    ) -> Result<(), BusError> {
        let mut trades = bus.subscribe(pattern, WAITING_MAX).await?;
        loop {
            let message = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                message = trades.next() => message,
            };
            let Some(message) = message else {
                return Ok(());
            };
            if let Ok(MarketEvent::Trade(trade)) = ploy_wire::facts::decode_market(&message.payload)
            {
                self.set(trade.instrument, trade.price);
            }
        }
    }
}

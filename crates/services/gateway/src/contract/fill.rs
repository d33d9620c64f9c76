//! A fill as the API shows it.

use ploy_domain::Liquidity;
use ploy_wire::api::FillView;
use serde::{Deserialize, Serialize};

/// A fill and its place in the account's log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FillJson {
    /// Its place in the account's log.
    pub sequence: u64,
    /// Whose fill.
    pub account: String,
    /// Which order.
    pub order_id: String,
    /// Whose decision the order was.
    pub strategy: String,
    /// What was traded.
    pub instrument: String,
    /// `buy` or `sell`.
    pub side: String,
    /// At which price.
    pub price: String,
    /// How much.
    pub quantity: String,
    /// What the venue charged.
    pub fee: String,
    /// The asset of the fee.
    pub fee_asset: String,
    /// `maker` or `taker`.
    pub liquidity: String,
    /// The venue's id of the order.
    pub venue_order_id: String,
    /// The venue's id of the fill.
    pub execution_id: String,
    /// The venue's time.
    pub executed_at: String,
}

impl From<FillView> for FillJson {
    fn from(view: FillView) -> Self {
        let fill = view.execution;
        Self {
            sequence: view.seq,
            account: fill.account.to_string(),
            order_id: fill.order_id.to_string(),
            strategy: fill.strategy.to_string(),
            instrument: fill.instrument.to_string(),
            side: fill.side.word().to_owned(),
            price: fill.price.to_string(),
            quantity: fill.quantity.to_string(),
            fee: fill.fee.to_string(),
            fee_asset: fill.fee_asset.to_string(),
            liquidity: match fill.liquidity {
                Liquidity::Maker => "maker".to_owned(),
                Liquidity::Taker => "taker".to_owned(),
            },
            venue_order_id: fill.venue_order_id.to_string(),
            execution_id: fill.execution_id.to_string(),
            executed_at: fill.ts_event.to_string(),
        }
    }
}

//! Identifiers.

use ploy_domain::{
    AccountId, Asset, ClientOrderId, DecisionId, EventId, ExecutionId, IdempotencyKey,
    InstrumentId, StrategyId, Symbol, VenueId, VenueOrderId,
};
use proptest::prelude::*;

macro_rules! identifiers {
    ($($name:ident: $type:ty = $pattern:literal),+ $(,)?) => {
        $(
            pub(crate) fn $name() -> impl Strategy<Value = $type> {
                $pattern.prop_map(|text| text.parse().unwrap())
            }
        )+
    };
}

identifiers!(
    account: AccountId = "[A-Za-z0-9_.:-]{1,32}",
    strategy: StrategyId = "[A-Za-z0-9_.:-]{1,32}",
    venue: VenueId = "[A-Za-z0-9_.:-]{1,12}",
    symbol: Symbol = "[A-Za-z0-9_.:-]{1,24}",
    asset: Asset = "[A-Za-z0-9_.:-]{1,12}",
    venue_order: VenueOrderId = "[A-Za-z0-9_.:-]{1,40}",
    execution: ExecutionId = "[A-Za-z0-9_.:-]{1,40}",
    key: IdempotencyKey = "[A-Za-z0-9_.:-]{1,64}",
    decision: DecisionId = "[A-Za-z0-9_.:-]{1,40}",
    order: ClientOrderId = "[a-z0-9]{19}",
);

pub(crate) fn instrument() -> impl Strategy<Value = InstrumentId> {
    (symbol(), venue()).prop_map(|(symbol, venue)| InstrumentId::new(symbol, venue))
}

pub(crate) fn event() -> impl Strategy<Value = EventId> {
    any::<u128>().prop_map(EventId::from_u128)
}

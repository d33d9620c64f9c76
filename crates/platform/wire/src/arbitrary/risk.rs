//! What risk is asked and says.

use super::{few, ids, named, nanos, orders, price, prose, quantity, timestamp, word};
use crate::{
    api::{
        CheckRequest, ExposureView, KillRequest, LimitsView, RiskState, ScopeState, StateChange,
    },
    arbitrary::events::trace,
    facts::RiskStateChanged,
};
use ploy_domain::{RiskDecision, Scope};
use proptest::{option, prelude::*};

pub(crate) fn scope() -> impl Strategy<Value = Scope> {
    prop_oneof![
        Just(Scope::Platform),
        ids::venue().prop_map(Scope::Venue),
        ids::account().prop_map(Scope::Account),
        ids::strategy().prop_map(Scope::Strategy),
        ids::instrument().prop_map(Scope::Instrument),
    ]
}

prop_compose! {
    pub(crate) fn decision()(
        verdict in prop_oneof![
            orders::approval().prop_map(Ok),
            few(orders::reason()).prop_map(Err),
        ],
        (reference_price, reference_age) in (option::of(price()), option::of(nanos())),
        took in nanos(),
    ) -> RiskDecision {
        RiskDecision { verdict, reference_price, reference_age, took }
    }
}

prop_compose! {
    pub(crate) fn check()(
        intent in orders::intent(),
        (head_seq, epoch, account_ready) in any::<(u64, u64, bool)>(),
    ) -> CheckRequest {
        CheckRequest { intent, head_seq, epoch, account_ready }
    }
}

prop_compose! {
    pub(crate) fn change()(
        (scope, state, reason) in (scope(), word(), prose()),
    ) -> StateChange {
        StateChange { scope, state, reason }
    }
}

prop_compose! {
    pub(crate) fn kill()(
        (scope, reason, trip_id) in (scope(), prose(), ids::key()),
    ) -> KillRequest {
        KillRequest { scope, reason, trip_id }
    }
}

prop_compose! {
    pub(crate) fn scope_state()(
        (scope, state, reason, since) in (scope(), word(), prose(), timestamp()),
    ) -> ScopeState {
        ScopeState { scope, state, reason, since }
    }
}

prop_compose! {
    fn exposure()(
        (instrument, strategy) in (ids::instrument(), ids::strategy()),
        (position, open_buy, open_sell) in (quantity(), quantity(), quantity()),
        (reserved_buy, reserved_sell) in (quantity(), quantity()),
    ) -> ExposureView {
        ExposureView {
            instrument, strategy, position, open_buy, open_sell, reserved_buy, reserved_sell,
        }
    }
}

prop_compose! {
    pub(crate) fn state()(
        (epoch, version, values) in (any::<u64>(), any::<u64>(), named()),
        (states, exposures) in (few(scope_state()), few(exposure())),
    ) -> RiskState {
        RiskState { epoch, states, limits: LimitsView { version, values }, exposures }
    }
}

prop_compose! {
    pub(crate) fn changed()(
        event_id in ids::event(),
        (epoch, producer_epoch, limits_version) in any::<(u64, u64, u64)>(),
        (ts_event, trace) in (timestamp(), trace()),
        states in few(scope_state()),
    ) -> RiskStateChanged {
        RiskStateChanged { event_id, epoch, producer_epoch, ts_event, trace, states, limits_version }
    }
}

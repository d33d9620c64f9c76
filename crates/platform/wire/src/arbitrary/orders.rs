//! Intents, executions and reasons.

use super::{amount, ids, price, prose, quantity, timestamp, word};
use ploy_domain::{Approval, Execution, Intent, OrderKind, Reason, ReasonCode};
use proptest::{option, prelude::*};

pub(crate) fn kind() -> impl Strategy<Value = OrderKind> {
    prop_oneof![
        Just(OrderKind::Market),
        (price(), any::<bool>())
            .prop_map(|(price, post_only)| OrderKind::Limit { price, post_only }),
        price().prop_map(|stop| OrderKind::Stop { stop }),
        (price(), price()).prop_map(|(stop, price)| OrderKind::StopLimit { stop, price }),
    ]
}

prop_compose! {
    pub(crate) fn intent()(
        (order_id, account) in (ids::order(), ids::account()),
        (strategy, instrument) in (ids::strategy(), ids::instrument()),
        (side, kind, quantity, time_in_force) in (word(), kind(), quantity(), word()),
        (reduce_only, decision_price) in (any::<bool>(), option::of(price())),
        (created_at, valid_until) in (timestamp(), timestamp()),
    ) -> Intent {
        Intent {
            order_id, account, strategy, instrument, side, kind, quantity, time_in_force,
            reduce_only, decision_price, created_at, valid_until,
        }
    }
}

prop_compose! {
    pub(crate) fn execution()(
        (account, order_id) in (ids::account(), ids::order()),
        (strategy, instrument) in (ids::strategy(), ids::instrument()),
        (side, price, quantity, liquidity) in (word(), price(), quantity(), word()),
        (fee, fee_asset) in (amount(), ids::asset()),
        (venue_order_id, execution_id) in (ids::venue_order(), ids::execution()),
        ts_event in timestamp(),
    ) -> Execution {
        Execution {
            account, order_id, strategy, instrument, side, price, quantity, fee, fee_asset,
            liquidity, venue_order_id, execution_id, ts_event,
        }
    }
}

pub(crate) fn reason() -> impl Strategy<Value = Reason> {
    let code = prop::sample::select(ReasonCode::ALL);
    (code, prose()).prop_map(|(code, context)| Reason { code, context })
}

prop_compose! {
    pub(crate) fn approval()(
        (decision_id, content_hash) in (ids::decision(), any::<u128>()),
        (limits_version, state_epoch, risk_epoch) in any::<(u64, u64, u64)>(),
        expires_at in timestamp(),
    ) -> Approval {
        Approval { decision_id, content_hash, limits_version, state_epoch, risk_epoch, expires_at }
    }
}

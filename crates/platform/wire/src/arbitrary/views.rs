//! Commands, questions and what owners show.

use super::{
    amount, few, ids, market::level, named, nanos, orders, price, prose, quantity, risk, timestamp,
    word,
};
use crate::api::{
    AccountView, CancelAll, CancelAllAnswer, CancelOrder, FillQuery, FillView, Head, MarketView,
    OrderQuery, OrderView, Page, PositionView, StrategyView, SubmitOrder,
};
use ploy_domain::{Instrument, Session};
use proptest::{option, prelude::*};

pub(crate) fn page<S: Strategy>(item: S) -> impl Strategy<Value = Page<S::Value>> {
    (few(item), option::of(prose())).prop_map(|(items, next)| Page { items, next })
}

prop_compose! {
    pub(crate) fn submit()(
        (intent, idempotency_key) in (orders::intent(), ids::key()),
    ) -> SubmitOrder {
        SubmitOrder { intent, idempotency_key }
    }
}

prop_compose! {
    pub(crate) fn cancel()(
        (account, order_id, reason) in (ids::account(), ids::order(), prose()),
    ) -> CancelOrder {
        CancelOrder { account, order_id, reason }
    }
}

prop_compose! {
    pub(crate) fn cancel_all()((scope, reason) in (risk::scope(), prose())) -> CancelAll {
        CancelAll { scope, reason }
    }
}

pub(crate) fn cancel_all_answer() -> impl Strategy<Value = CancelAllAnswer> {
    any::<u32>().prop_map(|requested| CancelAllAnswer { requested })
}

prop_compose! {
    pub(crate) fn order_query()(
        (account, strategy) in (option::of(ids::account()), option::of(ids::strategy())),
        instrument in option::of(ids::instrument()),
        (open_only, after, limit) in (any::<bool>(), option::of(prose()), any::<u32>()),
    ) -> OrderQuery {
        OrderQuery { account, open_only, strategy, instrument, after, limit }
    }
}

prop_compose! {
    pub(crate) fn fill_query()(
        account in option::of(ids::account()),
        (after, limit) in (option::of(prose()), any::<u32>()),
    ) -> FillQuery {
        FillQuery { account, after, limit }
    }
}

prop_compose! {
    pub(crate) fn order()(
        (account, order_id) in (ids::account(), ids::order()),
        (strategy, instrument) in (ids::strategy(), ids::instrument()),
        (side, kind, quantity, time_in_force) in (word(), orders::kind(), quantity(), word()),
        (reduce_only, late_fill, version) in any::<(bool, bool, u64)>(),
        (state, filled, average_price) in (word(), quantity(), option::of(price())),
        (venue_order_id, reasons) in (option::of(ids::venue_order()), few(orders::reason())),
        (created_at, updated_at) in (timestamp(), timestamp()),
    ) -> OrderView {
        OrderView {
            account, order_id, strategy, instrument, side, kind, quantity, time_in_force,
            reduce_only, state, filled, average_price, venue_order_id, reasons, late_fill, version,
            created_at, updated_at,
        }
    }
}

pub(crate) fn fill() -> impl Strategy<Value = FillView> {
    (any::<u64>(), orders::execution()).prop_map(|(seq, execution)| FillView { seq, execution })
}

prop_compose! {
    pub(crate) fn position()(
        (account, strategy) in (ids::account(), ids::strategy()),
        (instrument, quantity) in (ids::instrument(), quantity()),
        (average_price, mark) in (option::of(price()), option::of(price())),
        (realised_gross, charges, realised_net) in (amount(), amount(), amount()),
        (unrealised, opened_at) in (option::of(amount()), option::of(timestamp())),
    ) -> PositionView {
        PositionView {
            account, instrument, strategy, quantity, average_price, realised_gross, charges,
            realised_net, unrealised, mark, opened_at,
        }
    }
}

prop_compose! {
    pub(crate) fn account()(
        (account, venue) in (ids::account(), ids::venue()),
        (ready, reason) in (any::<bool>(), option::of(prose())),
        (epoch, head_seq) in any::<(u64, u64)>(),
        balances in few((ids::asset(), amount())),
        (unknown_orders, open_orders) in any::<(u32, u32)>(),
    ) -> AccountView {
        AccountView {
            account, venue, ready, reason, epoch, head_seq, balances, unknown_orders, open_orders,
        }
    }
}

prop_compose! {
    pub(crate) fn head()(
        (account, seq, epoch) in (ids::account(), any::<u64>(), any::<u64>()),
    ) -> Head {
        Head { account, seq, epoch }
    }
}

prop_compose! {
    pub(crate) fn strategy()(
        (id, kind, account) in (ids::strategy(), prose(), ids::account()),
        (instrument, params) in (ids::instrument(), named()),
        (state, detail, decisions) in (word(), prose(), any::<u64>()),
        last_decision_at in option::of(timestamp()),
    ) -> StrategyView {
        StrategyView {
            id, kind, instrument, account, params, state, detail, decisions, last_decision_at,
        }
    }
}

fn session() -> impl Strategy<Value = Session> {
    let hours = (nanos(), nanos(), nanos());
    prop_oneof![
        Just(Session::Always),
        hours.prop_map(|(utc_offset, open, close)| Session::Weekdays {
            utc_offset,
            open,
            close,
        }),
    ]
}

prop_compose! {
    fn instrument()(
        (id, base, quote) in (ids::instrument(), ids::asset(), ids::asset()),
        (tick, price_min, price_max) in (price(), price(), price()),
        (lot, quantity_min, quantity_max) in (quantity(), quantity(), quantity()),
        (notional_min, notional_max) in (amount(), amount()),
        (session, status) in (session(), word()),
    ) -> Instrument {
        Instrument {
            id, base, quote, tick, lot, quantity_min, quantity_max, price_min, price_max,
            notional_min, notional_max, session, status,
        }
    }
}

prop_compose! {
    pub(crate) fn market()(
        (instrument, feed) in (instrument(), word()),
        (bid, ask) in (option::of(level()), option::of(level())),
        (last_price, updated_at) in (option::of(price()), option::of(timestamp())),
    ) -> MarketView {
        MarketView { instrument, feed, last_price, bid, ask, updated_at }
    }
}

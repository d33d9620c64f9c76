//! Answers about orders and accounts, from the books in memory.

use crate::marks::Marks;
use ploy_domain::{
    InstrumentId, LedgerAccount, MoneyError, Order, OrderState, Position, StrategyId, VenueId,
};
use ploy_orders_core::OrderCore;
use ploy_wire::api::{AccountView, OrderView, PositionView};

pub(crate) fn order(order: &Order) -> OrderView {
    let intent = &order.intent;
    OrderView {
        account: intent.account,
        order_id: intent.order_id,
        strategy: intent.strategy,
        instrument: intent.instrument,
        side: intent.side,
        kind: intent.kind,
        quantity: intent.quantity,
        time_in_force: intent.time_in_force,
        reduce_only: intent.reduce_only,
        state: order.state(),
        filled: order.filled(),
        average_price: order.average_price(),
        venue_order_id: order.venue_order_id(),
        reasons: order.reasons().to_vec(),
        late_fill: order.has_late_fill(),
        version: order.version(),
        created_at: intent.created_at,
        updated_at: order.updated_at(),
    }
}

pub(crate) fn positions(core: &OrderCore, marks: &Marks) -> Result<Vec<PositionView>, MoneyError> {
    let account = *core.book().account();
    let view = |((instrument, strategy), position): (&(InstrumentId, StrategyId), &Position)| {
        let mark = marks.price(instrument);
        Ok(PositionView {
            account,
            instrument: *instrument,
            strategy: *strategy,
            quantity: position.quantity(),
            average_price: position.average_price(),
            realised_gross: position.realised_gross(),
            charges: position.charges(),
            realised_net: position.realised_net()?,
            unrealised: mark.map(|mark| position.unrealised(mark)).transpose()?,
            mark,
            opened_at: position.opened_at(),
        })
    };
    core.book().positions().map(view).collect()
}

pub(crate) fn account(core: &OrderCore, venue: VenueId) -> AccountView {
    let account = *core.book().account();
    let readiness = core.readiness();
    let holdings = LedgerAccount::Holdings(account);
    let balances = core
        .book()
        .ledger()
        .balances()
        .filter(|(of, _, _)| *of == holdings)
        .map(|(_, asset, amount)| (asset, amount))
        .collect();
    let count = |wanted: fn(OrderState) -> bool| {
        let orders = core
            .book()
            .working_orders()
            .filter(|order| wanted(order.state()));
        u32::try_from(orders.count()).unwrap_or(u32::MAX)
    };
    AccountView {
        account,
        venue,
        ready: readiness.is_ok(),
        reason: readiness.err().map(|reason| reason.to_string()),
        epoch: core.epoch(),
        head_seq: core.book().head_seq(),
        balances,
        unknown_orders: count(|state| state == OrderState::Unknown),
        open_orders: count(OrderState::is_open),
    }
}

//! Each invariant is broken once in a story that is sound otherwise, and found.

use super::{
    Evidence, VenueBooks, VenueEnd,
    story::{CANCELLED, FILLED, evidence, records},
    told,
};
use ploy_domain::{Amount, OrderEventPayload, OrderState, Price, Quantity, Timestamp};
use ploy_exchange_server::ledger::Entry;

/// Spoils the story and answers what the oracle says then.
fn spoilt(spoil: impl FnOnce(&mut Evidence)) -> String {
    let mut evidence = evidence();
    spoil(&mut evidence);
    told(&evidence.at_rest())
}

/// The oracle finds the invariant broken and says by what.
fn finds(invariant: &str, what: &str, spoil: impl FnOnce(&mut Evidence)) {
    let said = spoilt(spoil);
    let line = said.lines().find(|line| line.starts_with(invariant));
    let line = line.unwrap_or_else(|| panic!("{invariant} is not in:\n{said}"));
    assert!(line.contains(what), "'{what}' is not in: {line}");
}

fn set_state(evidence: &mut Evidence, order: &str, state: OrderState) {
    let row = evidence.ploy.orders.get_mut(order).unwrap();
    row.state = state;
    row.is_open = !state.is_terminal();
}

#[test]
fn a_day_on_which_all_went_well_has_no_violations() {
    let evidence = evidence();
    assert_eq!(told(&evidence.at_rest()), "");
    let witness = evidence.witness();
    assert_eq!((witness.orders_sent, witness.fills), (2, 2));
    assert_eq!((witness.events, witness.epochs), (16, 1));
}

#[test]
fn an_order_sent_twice_is_found() {
    let mut records = records();
    let second = records
        .iter()
        .find(|record| matches!(record.entry, Entry::Received(_)));
    records.push(second.unwrap().clone());
    finds("INV-01", FILLED, |evidence| {
        evidence.venue = VenueBooks::of(&records, "main").unwrap();
    });
}

#[test]
fn an_order_sent_without_a_record_is_found() {
    finds("INV-02", FILLED, |evidence| {
        evidence.ploy.log.retain(|row| {
            !matches!(row.event.payload, OrderEventPayload::Journaled { order_id }
                if order_id.as_str() == FILLED)
        });
    });
}

#[test]
fn an_order_recorded_after_it_was_sent_is_found() {
    finds("INV-02", "after its arrival", |evidence| {
        let arrivals = evidence.venue.requests.get_mut(CANCELLED).unwrap();
        arrivals[0] = Timestamp::EPOCH;
    });
}

#[test]
fn a_lost_fill_is_found() {
    finds("INV-05", FILLED, |evidence| {
        evidence.ploy.fills.pop();
    });
}

#[test]
fn an_invented_fill_is_found() {
    finds("INV-06", "never happened", |evidence| {
        evidence.ploy.fills[0].key.2 = "999".to_owned();
    });
}

#[test]
fn a_fill_booked_twice_is_found() {
    finds("INV-06", "2 times", |evidence| {
        let again = evidence.ploy.fills[0].clone();
        evidence.ploy.fills.push(again);
    });
}

#[test]
fn a_fill_booked_at_another_price_is_found() {
    finds("INV-06", "50001", |evidence| {
        evidence.ploy.fills[0].facts.price = Price::from_int(50_001).unwrap();
    });
}

#[test]
fn a_fill_booked_with_another_fee_is_found() {
    finds("INV-06", FILLED, |evidence| {
        evidence.ploy.fills[0].facts.fee = Amount::ZERO;
    });
}

#[test]
fn an_order_that_ended_otherwise_is_found() {
    finds("INV-07", CANCELLED, |evidence| {
        set_state(evidence, CANCELLED, OrderState::Expired);
    });
}

#[test]
fn an_order_with_another_filled_quantity_is_found() {
    finds("INV-07", FILLED, |evidence| {
        let row = evidence.ploy.orders.get_mut(FILLED).unwrap();
        row.filled = Quantity::ZERO;
    });
}

#[test]
fn an_order_the_exchange_never_saw_is_found() {
    finds("INV-07", "never took it in", |evidence| {
        evidence.venue.orders.remove(&("BTCUSDT".to_owned(), 1));
    });
}

#[test]
fn a_position_that_is_not_its_fills_is_found() {
    finds("INV-08", "its fills make", |evidence| {
        evidence.ploy.positions[0].quantity = Quantity::from_int(1).unwrap();
    });
}

#[test]
fn a_position_that_is_missing_is_found() {
    finds("INV-08", "no position", |evidence| {
        evidence.ploy.positions.clear();
    });
}

#[test]
fn a_posting_that_does_not_balance_is_found() {
    finds("INV-09", FILLED, |evidence| {
        let last = evidence.ploy.ledger.last_mut().unwrap();
        last.amount = Amount::ZERO;
    });
}

#[test]
fn holdings_that_are_not_the_exchanges_are_found() {
    finds("INV-09", "USDT held", |evidence| {
        *evidence.venue.balances.get_mut("USDT").unwrap() += 1;
    });
}

#[test]
fn an_orphan_at_the_exchange_is_found() {
    finds("INV-10", "works at the exchange", |evidence| {
        let place = ("BTCUSDT".to_owned(), 2);
        evidence.venue.orders.get_mut(&place).unwrap().end = VenueEnd::Open;
    });
}

#[test]
fn an_order_unknown_here_is_found() {
    finds("INV-10", "unknown here", |evidence| {
        evidence.ploy.orders.remove(CANCELLED);
    });
}

#[test]
fn an_orphan_here_is_found() {
    finds("INV-10", CANCELLED, |evidence| {
        set_state(evidence, CANCELLED, OrderState::Unknown);
    });
}

#[test]
fn a_gap_in_the_log_is_found() {
    finds("INV-17", "follows event 3", |evidence| {
        evidence.ploy.log.remove(3);
    });
}

#[test]
fn a_log_that_is_shorter_than_its_head_is_found() {
    finds("INV-17", "the head of the log is 16", |evidence| {
        evidence.ploy.log.pop();
    });
}

#[test]
fn an_epoch_that_goes_back_is_found() {
    finds("INV-17", "has epoch 1 after 2", |evidence| {
        evidence.ploy.log[5].epoch = 2;
    });
}

#[test]
fn a_step_that_is_not_legal_is_found() {
    finds("INV-17", "is not legal", |evidence| {
        let order_id = FILLED.parse().unwrap();
        evidence.ploy.log[5].event.payload = OrderEventPayload::Journaled { order_id };
    });
}

#[test]
fn a_row_that_the_log_does_not_make_is_found() {
    finds("INV-17", "the log makes it cancelled", |evidence| {
        set_state(evidence, CANCELLED, OrderState::Expired);
    });
}

#[test]
fn a_broken_promise_is_found() {
    let evidence = evidence();
    let promised = [FILLED.to_owned(), "pd00000000000000003".to_owned()];
    let broken = evidence.broken_promises(&promised);
    assert_eq!(broken.len(), 1);
    assert!(told(&broken).contains("pd00000000000000003"));
}

#[test]
fn what_is_under_way_breaks_nothing_that_always_holds() {
    let mut evidence = evidence();
    evidence.ploy.fills.pop();
    set_state(&mut evidence, CANCELLED, OrderState::Cancelled);
    assert_eq!(told(&evidence.always()), "");
}

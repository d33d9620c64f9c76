//! What a recorded price lets an order do (trading-semantics §6).

use crate::script::{buy, config, limit, play, play_and_cancel, sell, still};
use ploy_domain::{Bps, Nanos, OrderKind, Side, TimeInForce};
use ploy_sim::FillProfile;
use ploy_strategy_core::OrderRequest;

#[test]
fn a_market_order_trades_at_the_open_of_the_next_bar() {
    let bars = [still(100), [120, 130, 110, 125, 1_000], still(125)];
    let mut config = config();
    let outcome = play(&config, &[(0, buy("1"))], &bars);
    // One tick away from the price: nobody sells at the price itself.
    assert_eq!(outcome.fills(), ["buy 1@120.01"]);
    config.fills.slippage = Bps::new(10);
    let outcome = play(&config, &[(0, buy("1"))], &bars);
    assert_eq!(outcome.fills(), ["buy 1@120.12"]);
    config.fills = FillProfile::Optimistic.model();
    let outcome = play(&config, &[(0, buy("1"))], &bars);
    assert_eq!(outcome.fills(), ["buy 1@120"]);
}

#[test]
fn an_order_goes_the_way_of_a_live_one() {
    let outcome = play(&config(), &[(0, buy("1"))], &[still(100), still(100)]);
    assert_eq!(
        outcome.story(),
        [
            "OrderCreated",
            "OrderChecked",
            "OrderJournaled",
            "OrderSubmitted",
            "OrderFilled"
        ]
    );
    let gap_free = outcome
        .events
        .iter()
        .zip(1..)
        .all(|(event, seq)| event.seq == seq);
    assert!(gap_free);
}

#[test]
fn an_order_on_its_way_misses_the_prices_before_it_arrives() {
    let mut config = config();
    config.fills.latency = Nanos::from_secs(20);
    // Bar 1 is walked 120, 110, 130, 125 at 0, 15, 30 and 45 seconds.
    let bars = [still(100), [120, 130, 111, 125, 1_000], still(125)];
    let outcome = play(&config, &[(0, buy("1"))], &bars);
    assert_eq!(outcome.fills(), ["buy 1@130.01"]);
}

#[test]
fn no_more_is_filled_than_was_there() {
    let mut config = config();
    // Bars trade 8: two at each of their prices, a quarter of that to be had.
    let bars = [still(100), [100, 100, 100, 100, 8], still(100)];
    let outcome = play(&config, &[(0, buy("1"))], &bars);
    assert_eq!(outcome.fills(), ["buy 0.5@100.01"]);
    assert_eq!(outcome.story().last(), Some(&"OrderExpired"));
    config.fills.participation = None;
    assert_eq!(
        play(&config, &[(0, buy("1"))], &bars).fills(),
        ["buy 1@100.01"]
    );
}

#[test]
fn nothing_is_filled_where_nothing_was_traded() {
    let bars = [still(100), [100, 100, 100, 100, 0], still(100)];
    let outcome = play(&config(), &[(0, buy("1"))], &bars);
    assert_eq!(outcome.fills(), Vec::<String>::new());
}

#[test]
fn a_limit_order_is_filled_at_its_price_once_that_is_penetrated() {
    let touched = [still(100), [100, 100, 95, 100, 1_000], still(100)];
    let steps = [(0, limit(Side::Buy, "1", "95"))];
    assert_eq!(
        play(&config(), &steps, &touched).fills(),
        Vec::<String>::new()
    );
    let penetrated = [still(100), [100, 100, 94, 100, 1_000], still(100)];
    let outcome = play(&config(), &steps, &penetrated);
    assert_eq!(outcome.fills(), ["buy 1@95"]);
    let mut kind = config();
    kind.fills = FillProfile::Optimistic.model();
    assert_eq!(play(&kind, &steps, &touched).fills(), ["buy 1@95"]);
}

#[test]
fn a_limit_order_that_crosses_takes_the_better_price() {
    let outcome = play(
        &config(),
        &[(0, limit(Side::Buy, "1", "105"))],
        &[still(100), still(100)],
    );
    assert_eq!(outcome.fills(), ["buy 1@100.01"]);
}

#[test]
fn a_resting_order_can_be_cancelled() {
    let bars = [
        still(100),
        still(100),
        still(100),
        [100, 100, 90, 100, 1_000],
    ];
    let steps = [(0, limit(Side::Buy, "1", "95"))];
    let outcome = play_and_cancel(&config(), (&steps, Some(1)), &bars);
    assert_eq!(outcome.fills(), Vec::<String>::new());
    let story = outcome.story();
    assert_eq!(
        story[story.len() - 3..],
        ["OrderAccepted", "CancelJournaled", "OrderCancelled"]
    );
}

#[test]
fn a_stop_order_sells_once_its_price_is_reached() {
    let stop = OrderRequest {
        side: Side::Sell,
        kind: OrderKind::Stop {
            stop: "95".parse().unwrap(),
        },
        quantity: "1".parse().unwrap(),
        time_in_force: TimeInForce::Gtc,
        reduce_only: false,
        decision_price: Some("95".parse().unwrap()),
    };
    let bars = [still(100), still(100), still(96), [96, 97, 94, 97, 1_000]];
    let outcome = play(&config(), &[(0, buy("1")), (1, stop)], &bars);
    assert_eq!(outcome.fills(), ["buy 1@100.01", "sell 1@93.99"]);
}

#[test]
fn fees_are_taken_from_what_is_received() {
    let mut config = config();
    config.fee = Bps::new(100);
    let bars = [still(100), still(100), still(100)];
    let outcome = play(&config, &[(0, buy("10")), (1, sell("9.9"))], &bars);
    let fees: Vec<_> = outcome
        .executions()
        .map(|e| format!("{} {}", e.fee, e.fee_asset))
        .collect();
    // 1 % of 10 units, then 1 % of 9.9 × 99.99.
    assert_eq!(fees, ["0.1 BASE", "9.89901 QUOTE"]);
    let trading = outcome.report.trading;
    // 0.1 unit at 100.01 and the fee in money.
    assert_eq!(trading.fees, "19.90001");
    assert_eq!((trading.round_trips, trading.wins), (1, 0));
    // 10000 − 10 × 100.01 + 9.9 × 99.99 − 9.89901.
    assert_eq!(outcome.report.results.final_equity, "9979.90199");
}

#[test]
fn risk_judges_simulated_orders_too() {
    let mut config = config();
    config.limits.order_notional_max = "500".parse().unwrap();
    let outcome = play(&config, &[(0, buy("10")), (1, buy("4"))], &[still(100); 4]);
    assert_eq!(outcome.fills(), ["buy 4@100.01"]);
    let trading = outcome.report.trading;
    assert_eq!((trading.orders, trading.denied), (2, 1));
    assert_eq!(trading.denials["NOTIONAL_EXCEEDS_MAX_PER_ORDER"], 1);
}

#[test]
fn the_venue_refuses_what_cannot_be_paid() {
    let mut config = config();
    config.fills.participation = None;
    let outcome = play(
        &config,
        &[(0, buy("101")), (1, sell("1"))],
        &[still(100); 4],
    );
    assert_eq!(outcome.fills(), Vec::<String>::new());
    assert_eq!(outcome.report.trading.rejected, 2);
    assert_eq!(outcome.report.results.final_equity, "10000");
}

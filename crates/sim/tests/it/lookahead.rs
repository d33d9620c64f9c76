//! No decision may depend on what had not happened yet. The check changes the future of a market
//! and compares what was done before; a strategy that was shown the future is caught by it.

use crate::script::{Outcome, TestFile, config, market, run};
use ploy_domain::{Bar, BarInterval, OrderEventPayload, Quantity, Side, Timestamp};
use ploy_strategy_core::{Actions, Context, OrderRequest, Strategy};
use proptest::prelude::*;

const MINUTE: i64 = 60_000_000_000;
const START: i64 = 1_704_067_200_000_000_000;

/// Buys when it expects a rise and sells when it expects a fall, by the last bar or, if it was
/// given the closes of the market beforehand, by the next one.
#[derive(Debug)]
struct Momentum {
    crystal_ball: Option<Vec<i64>>,
    bar: usize,
}

impl Strategy for Momentum {
    fn interval(&self) -> Option<BarInterval> {
        Some(BarInterval::MINUTE)
    }
    fn warm_up_bars(&self) -> usize {
        0
    }
    fn warm_up(&mut self, _bar: &Bar) {}
    fn on_bar(&mut self, bar: &Bar, context: &Context<'_>, actions: &mut Actions) {
        let now = bar.close.raw();
        let rises = match &self.crystal_ball {
            None => now > bar.open.raw(),
            Some(closes) => closes
                .get(self.bar + 1)
                .is_some_and(|next| next * 100_000_000 > now),
        };
        self.bar += 1;
        if context.blocked.is_some() {
            return;
        }
        let held = context.sellable();
        let one = Quantity::from_int(1).unwrap();
        if rises && held.is_zero() {
            actions.submit(OrderRequest::market(Side::Buy, one).decided_at(bar.close));
        } else if !rises && held.is_positive() {
            actions.submit(OrderRequest::market(Side::Sell, held).decided_at(bar.close));
        }
    }
}

fn bars(closes: &[i64]) -> Vec<[i64; 5]> {
    let mut open = closes[0];
    let bar = |close: &i64| {
        let bar = [open, open.max(*close), open.min(*close), *close, 1_000];
        open = *close;
        bar
    };
    closes.iter().map(bar).collect()
}

fn momentum(closes: &[i64], sees_future: bool) -> Outcome {
    let strategy = Momentum {
        crystal_ball: sees_future.then(|| closes.to_vec()),
        bar: 0,
    };
    let file: TestFile = market(&bars(closes));
    run(&config(), Box::new(strategy), &file).unwrap()
}

/// Whether changing the closes from bar `from` on changes anything that was known or decided when
/// that bar began: every event before, and every decision up to that instant.
fn future_matters(closes: &[i64], from: usize, sees_future: bool) -> bool {
    let mut changed = closes.to_vec();
    changed[from..]
        .iter_mut()
        .for_each(|close| *close = 500 - *close);
    let began = Timestamp::from_nanos(START + i64::try_from(from).unwrap() * MINUTE);
    let past = |closes: &[i64]| {
        let events = momentum(closes, sees_future).events;
        let known = events.into_iter().filter(|event| {
            let decided = matches!(event.payload, OrderEventPayload::Created(_));
            event.ts_event < began || (decided && event.ts_event == began)
        });
        known
            .map(|event| (event.ts_event, event.payload))
            .collect::<Vec<_>>()
    };
    past(closes) != past(&changed)
}

#[test]
fn a_planted_look_ahead_is_caught() {
    // Falls until bar 5; whoever knows that bar 5 would rise buys at the close of bar 4.
    let closes = [200, 190, 180, 170, 160, 300, 200, 210];
    let caught = (1..closes.len()).any(|from| future_matters(&closes, from, true));
    assert!(caught);
    assert!((1..closes.len()).all(|from| !future_matters(&closes, from, false)));
}

#[test]
fn a_fill_is_never_at_a_price_of_the_bar_it_was_decided_on() {
    let outcome = momentum(&[100, 110, 300, 290, 50], false);
    // Decided at the close of 110; bar 2 opens there and bar 3 opens at 300.
    let prices: Vec<_> = outcome
        .executions()
        .map(|e| (e.ts_event.as_nanos() - START) / MINUTE)
        .collect();
    assert_eq!(prices, [2, 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// The past of a run does not depend on its future, for any market.
    #[test]
    fn the_future_does_not_matter(
        closes in proptest::collection::vec(50i64..450, 6..30),
        cut in 1usize..5,
    ) {
        prop_assert!(!future_matters(&closes, cut, false));
    }

    /// Money is conserved: the report adds up, whatever the market does.
    #[test]
    fn every_run_balances(closes in proptest::collection::vec(50i64..450, 6..40)) {
        let outcome = momentum(&closes, false);
        let results = &outcome.report.results;
        let parse = |text: &str| text.parse::<ploy_domain::Amount>().unwrap();
        let mut cash = parse("10000").raw();
        let mut held = 0;
        for execution in outcome.executions() {
            let value = execution.price.raw() / 100 * (execution.quantity.raw() / 1_000) / 1_000;
            let sign = if execution.side == Side::Buy { 1 } else { -1 };
            cash -= sign * value;
            held += sign * execution.quantity.raw();
        }
        let last = closes.last().unwrap();
        prop_assert_eq!(parse(&results.final_equity).raw(), cash + held * last);
    }
}

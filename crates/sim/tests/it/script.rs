//! Markets written bar by bar, a strategy that does what it is told, and running one on the other.

use ploy_domain::{Bar, BarInterval, Execution, OrderEvent, OrderEventPayload, Quantity, Side};
use ploy_recordings::{Options, Recording};
use ploy_sim::{Backtest, BacktestConfig, BacktestError, Report, default_instrument};
use ploy_strategy_core::{Actions, Context, OrderRequest, Strategy};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A file that is removed when the test ends.
#[derive(Debug)]
pub(crate) struct TestFile(pub(crate) PathBuf);

impl TestFile {
    pub(crate) fn new(text: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ploy-sim-{}-{number}.csv", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).unwrap();
        Self(path)
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Bars of a minute, each `open high low close volume`.
pub(crate) fn market(bars: &[[i64; 5]]) -> TestFile {
    let mut text = String::from("time,open,high,low,close,volume\n");
    for (minute, [open, high, low, close, volume]) in (0i64..).zip(bars) {
        let time = 1_704_067_200 + minute * 60;
        text += &format!("{time},{open},{high},{low},{close},{volume}\n");
    }
    TestFile::new(&text)
}

/// Bars that stand still, with plenty traded.
pub(crate) fn still(price: i64) -> [i64; 5] {
    [price, price, price, price, 1_000]
}

/// An action at the close of bar `n`.
pub(crate) type Step = (usize, OrderRequest);

/// Does what it is told.
#[derive(Debug)]
pub(crate) struct Script {
    steps: Vec<Step>,
    /// Cancels everything open at the close of this bar.
    cancel_at: Option<usize>,
    open: Vec<ploy_domain::ClientOrderId>,
    bar: usize,
}

impl Strategy for Script {
    fn interval(&self) -> Option<BarInterval> {
        Some(BarInterval::MINUTE)
    }
    fn warm_up_bars(&self) -> usize {
        0
    }
    fn warm_up(&mut self, _bar: &Bar) {}
    fn on_bar(&mut self, _bar: &Bar, _context: &Context<'_>, actions: &mut Actions) {
        let due = self.steps.iter().filter(|(bar, _)| *bar == self.bar);
        due.for_each(|(_, request)| actions.submit(*request));
        if self.cancel_at == Some(self.bar) {
            self.open
                .iter()
                .for_each(|order_id| actions.cancel(*order_id));
        }
        self.bar += 1;
    }
    fn on_order(&mut self, event: &OrderEvent, _: &Context<'_>, _: &mut Actions) {
        if let OrderEventPayload::Accepted { order_id, .. } = &event.payload {
            self.open.push(*order_id);
        }
    }
}

pub(crate) fn config() -> BacktestConfig {
    let mut instrument = default_instrument("BTCUSDT.SIM".parse().unwrap()).unwrap();
    instrument.tick = "0.01".parse().unwrap();
    instrument.lot = "0.001".parse().unwrap();
    instrument.quantity_min = instrument.lot;
    let mut config = BacktestConfig::new("script", instrument, "10000".parse().unwrap());
    // A refused order is told from a free market by the test that wants it.
    config.fee = ploy_domain::Bps::ZERO;
    config.fills.slippage = ploy_domain::Bps::ZERO;
    config
}

/// What a run led to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) report: Report,
    pub(crate) events: Vec<OrderEvent>,
}

impl Outcome {
    /// `side quantity@price` of every execution.
    pub(crate) fn fills(&self) -> Vec<String> {
        self.executions()
            .map(|e| format!("{} {}@{}", e.side, e.quantity, e.price))
            .collect()
    }

    pub(crate) fn executions(&self) -> impl Iterator<Item = &Execution> {
        self.events.iter().filter_map(|event| match &event.payload {
            OrderEventPayload::Filled(execution) => Some(&**execution),
            _ => None,
        })
    }

    /// The names of the events of orders, in order.
    pub(crate) fn story(&self) -> Vec<&'static str> {
        let of_orders = self
            .events
            .iter()
            .filter(|e| e.payload.order_id().is_some());
        of_orders.map(|event| event.payload.kind()).collect()
    }
}

pub(crate) fn run(
    config: &BacktestConfig,
    strategy: Box<dyn Strategy>,
    file: &TestFile,
) -> Result<Outcome, BacktestError> {
    let options = Options::new("BTCUSDT.SIM".parse().unwrap());
    let recording = Recording::open_unchecked(&file.0, &options)?;
    let mut events = Vec::new();
    let report = Backtest::run_strategy(config, strategy, &recording, &mut |event| {
        events.push(event.clone());
    })?;
    Ok(Outcome { report, events })
}

/// Runs a script over bars.
pub(crate) fn play(config: &BacktestConfig, steps: &[Step], bars: &[[i64; 5]]) -> Outcome {
    play_and_cancel(config, (steps, None), bars)
}

/// Runs a script that cancels what is open at a bar.
pub(crate) fn play_and_cancel(
    config: &BacktestConfig,
    (steps, cancel_at): (&[Step], Option<usize>),
    bars: &[[i64; 5]],
) -> Outcome {
    let script = Script {
        steps: steps.to_vec(),
        cancel_at,
        open: Vec::new(),
        bar: 0,
    };
    run(config, Box::new(script), &market(bars)).unwrap()
}

pub(crate) fn buy(quantity: &str) -> OrderRequest {
    order(Side::Buy, quantity)
}

pub(crate) fn sell(quantity: &str) -> OrderRequest {
    order(Side::Sell, quantity)
}

fn order(side: Side, quantity: &str) -> OrderRequest {
    let quantity: Quantity = quantity.parse().unwrap();
    OrderRequest::market(side, quantity).decided_at("100".parse().unwrap())
}

pub(crate) fn limit(side: Side, quantity: &str, price: &str) -> OrderRequest {
    OrderRequest::limit(side, quantity.parse().unwrap(), price.parse().unwrap())
}

//! How long a tick takes to become an order at the exchange's door, over real NATS, PostgreSQL and
//! gRPC between separate processes: `make bench-distributed`.
//!
//! The bench takes the place of ingestion: it publishes a thousand trades a second, of which every
//! twentieth closes a bar and makes `ma-cross` decide. Both ends are stamped by the same clock: the
//! publication here, the arrival in the exchange's own ledger.

use anyhow::{Context, Result, ensure};
use ploy_acceptance::distributed::{Distributed, Service, Victim};
use ploy_bus::{Bus, BusOptions, Message, Subject};
use ploy_domain::{
    BookLevel, FeedState, FeedStatus, InstrumentId, MarketEvent, Nanos, OrderEventPayload, Price,
    Quantity, Quote, Side, Timestamp, Trade,
};
use ploy_wire::{facts, subjects};
use std::{
    fmt::Write as _,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const INSTRUMENT: &str = "SOLUSDT.SIM";
const TICKS_PER_SECOND: u32 = 1_000;
const TICKS_PER_BAR: usize = 20;
/// The first bars warm everything up and do not count.
const WARM_UP_BARS: usize = 250;
const BARS: usize = WARM_UP_BARS + 1_500;
/// A price tells bars apart that are less than this many bars from each other.
const BARS_TOLD_APART: usize = 64;
/// By how many steps every second bar is dearer, so that the averages cross at every bar.
const SWING: i64 = 100;
const STEP: Price = Price::from_raw(1_000_000);
const LOT: Quantity = Quantity::from_raw(1_000_000);
/// What is under way after the last tick has this long.
const LAST_ORDERS: Duration = Duration::from_secs(2);

/// One instance that decides at every bar, and limits that never bind.
const CONFIGURATION: &str = r#"
[[strategy.instances]]
id = "bench"
kind = "ma-cross"
instrument = "SOLUSDT.SIM"
account = "main"
params = { fast = "1", slow = "2", interval = "1s", quantity = "0.05" }
[risk.limits]
order_rate_max = 10000
quote_age_max = "600s"
daily_loss_max = "1000000000"
drawdown_max = "1000000000"
[execution.guard]
orders_per_second_max = 10000
identical_window = "0s"
"#;

/// The market that the bench makes.
struct Market {
    bus: Arc<dyn Bus>,
    instrument: InstrumentId,
    base: Price,
    begins: Timestamp,
    /// When the tick that closes a bar was published, by bar.
    closed: Vec<Timestamp>,
}

impl Market {
    fn publish(&self, event: &MarketEvent) -> Result<()> {
        let subject = Subject::new(&subjects::Subject::of(event).to_string())?;
        Ok(self
            .bus
            .publish(Message::new(subject, facts::encode_market(event)))?)
    }

    fn price_of(&self, bar: usize) -> Price {
        let told = i64::try_from(bar % BARS_TOLD_APART).unwrap_or_default();
        let swing = if bar.is_multiple_of(2) { 0 } else { SWING };
        Price::from_raw(self.base.raw() + (told + swing) * STEP.raw())
    }

    fn opens(&self) -> Result<()> {
        self.publish(&MarketEvent::Status(FeedStatus {
            venue: *self.instrument.venue(),
            instrument: Some(self.instrument),
            state: FeedState::Good,
            feed_epoch: 2,
            ts_event: now(),
        }))
    }

    fn quote(&self) -> Result<()> {
        let level = |steps: i64| BookLevel {
            price: Price::from_raw(self.base.raw() + steps * STEP.raw()),
            quantity: LOT,
        };
        let now = now();
        self.publish(&MarketEvent::Quote(Quote {
            instrument: self.instrument,
            bid: Some(level(-1)),
            ask: Some(level(1)),
            update_id: 0,
            ts_event: now,
            ts_receive: now,
        }))
    }

    fn trade(&mut self, tick: usize) -> Result<()> {
        let (bar, place) = (tick / TICKS_PER_BAR, tick % TICKS_PER_BAR);
        let number = i64::try_from(tick)?;
        let per_bar = i64::try_from(TICKS_PER_BAR)?;
        let apart = Nanos::new(Nanos::from_secs(1).get() / per_bar);
        let published = now();
        if place == 0 && bar > 0 {
            self.closed.push(published);
        }
        self.publish(&MarketEvent::Trade(Trade {
            instrument: self.instrument,
            price: self.price_of(bar),
            quantity: LOT,
            aggressor: Side::Buy,
            venue_trade_id: 1_000_000_000 + u64::try_from(tick)?,
            ts_event: self.begins.plus(Nanos::new(number * apart.get())),
            ts_receive: published,
        }))
    }

    /// When the bar that an order was decided on was closed.
    fn decided_at(&self, decision: Price, created: Timestamp) -> Option<(usize, Timestamp)> {
        let candidates = self.closed.iter().enumerate().rev();
        let mut candidates = candidates.filter(|(_, at)| **at <= created);
        candidates
            .find(|(bar, _)| self.price_of(*bar) == decision)
            .map(|(bar, at)| (bar, *at))
    }
}

fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let ns = since.unwrap_or_default().as_nanos();
    Timestamp::from_nanos(i64::try_from(ns).unwrap_or(i64::MAX))
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<()> {
    // Asked by `cargo test --benches`: nothing is measured then.
    if !std::env::args().any(|argument| argument == "--bench") {
        return Ok(());
    }
    let (mut platform, api) = Distributed::start(CONFIGURATION).await?;
    let shown = api.market(INSTRUMENT).await?;
    let last = shown["last_price"].as_str().context("no price")?.parse()?;
    platform.kill(Victim::Service(Service::Ingestion))?;
    let bus = ploy_bus::open(&platform.bus_url(), BusOptions::new("bench")).await?;
    let mut market = Market {
        bus,
        instrument: INSTRUMENT.parse()?,
        base: last,
        // Beyond the wall clock, so that only trades close bars, and on the second, as bars are.
        begins: now()
            .floor_to(Nanos::from_secs(1), Timestamp::EPOCH)
            .plus(Nanos::from_secs(3_600)),
        closed: Vec::with_capacity(BARS),
    };
    drive(&mut market).await?;
    let evidence = platform.oracle()?.look().await?;
    let mut spans = Vec::new();
    let mut decided = Vec::new();
    for row in &evidence.ploy.log {
        let OrderEventPayload::Created(intent) = &row.event.payload else {
            continue;
        };
        let arrivals = evidence.venue.requests.get(intent.order_id.as_str());
        let arrival = arrivals.and_then(|arrivals| arrivals.first());
        if let (Some(decision), Some(arrival)) = (intent.decision_price, arrival)
            && intent.instrument == market.instrument
            && let Some((bar, at)) = market.decided_at(decision, intent.created_at)
            && bar >= WARM_UP_BARS
        {
            spans.push(*arrival - at);
            decided.push(intent.created_at - at);
        }
    }
    platform.stop().await?;
    ensure!(
        spans.len() > BARS / 2,
        "only {} orders of {BARS} bars; outcomes {:?}",
        spans.len(),
        evidence.outcomes()
    );
    show(&mut spans, &mut decided)
}

/// A thousand ticks a second, a quote a second.
async fn drive(market: &mut Market) -> Result<()> {
    market.opens()?;
    let mut pace = tokio::time::interval(Duration::from_secs(1) / TICKS_PER_SECOND);
    pace.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    for tick in 0..BARS * TICKS_PER_BAR {
        pace.tick().await;
        if tick.is_multiple_of(TICKS_PER_SECOND as usize) {
            market.quote()?;
        }
        market.trade(tick)?;
    }
    tokio::time::sleep(LAST_ORDERS).await;
    Ok(())
}

fn show(spans: &mut [Nanos], decided: &mut [Nanos]) -> Result<()> {
    let mut text = String::new();
    writeln!(
        text,
        "distributed, {TICKS_PER_SECOND} ticks/s, {} orders",
        spans.len()
    )?;
    for (what, values) in [
        ("tick to decision", decided),
        ("tick to order at the exchange", spans),
    ] {
        values.sort_unstable();
        let at = |per_mille: usize| -> Result<i64> {
            let rank = (values.len() * per_mille).div_ceil(1_000).max(1);
            let value = values.get(rank - 1).context("nothing was measured")?;
            Ok(value.get() / 1_000)
        };
        writeln!(
            text,
            "  {what:<30} p50 {} us   p90 {} us   p99 {} us   max {} us",
            at(500)?,
            at(900)?,
            at(990)?,
            at(1_000)?
        )?;
    }
    std::io::Write::write_all(&mut std::io::stdout(), text.as_bytes())?;
    Ok(())
}

//! `ploy bench latency`: from the publication of a tick on the bus to the order at the venue's door,
//! through the real bus, strategy, risk and execution in one process.
//!
//! Ticks come at their own pace, whatever becomes of the ones before. A tick whose predecessor's
//! order is still under way leads to no order, as in trading, and is not counted as one.

use super::{
    desk::Desk,
    market::{self, Market, TICKS_MAX},
    report::{Asked, Report},
    stopwatch::Stopwatch,
};
use anyhow::{Context as _, bail};
use ploy_chassis::Clock;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    time::Duration,
};
use tokio::time::{Interval, MissedTickBehavior};

/// Orders before anything counts: risk settles after a start, and caches warm up.
const WARM_UP_ORDERS: u64 = 300;
/// How long that may take.
const WARM_UP_MAX: Duration = Duration::from_secs(60);
/// One fact of so many is a quote, the others are trades.
const FACTS_PER_QUOTE: usize = 10;
/// What is still under way after the last tick has this long.
const LAST_ORDERS: Duration = Duration::from_millis(500);

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Write decisions and orders to a SQLite file before they leave, as in trading
    #[arg(long)]
    durable: bool,
    /// How many ticks count [default: 20000, with --durable 2000]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(100..=200_000))]
    ticks: Option<u32>,
    /// Ticks per second, as far as the timer goes [default: 1000, with --durable 50]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    rate: Option<u32>,
    /// Where the database is kept while it runs: the disk that is measured
    #[arg(long, value_name = "DIR", default_value = ".ploy")]
    data_dir: PathBuf,
    /// The result as JSON
    #[arg(long)]
    json: bool,
}

pub(crate) async fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let dir = args.data_dir.join(format!("bench-{}", std::process::id()));
    std::fs::create_dir_all(&dir).with_context(|| format!("'{}' cannot be made", dir.display()))?;
    let measured = measure(args, &dir).await;
    std::fs::remove_dir_all(&dir)
        .with_context(|| format!("'{}' cannot be removed", dir.display()))?;
    measured?.show(args.json)?;
    Ok(ExitCode::SUCCESS)
}

async fn measure(args: &Args, dir: &Path) -> anyhow::Result<Report> {
    let asked = Asked {
        durable: args.durable,
        ticks: args
            .ticks
            .unwrap_or(if args.durable { 2_000 } else { 20_000 })
            .try_into()?,
        ticks_per_second: args.rate.unwrap_or(if args.durable { 50 } else { 1_000 }),
    };
    let instrument = market::instrument()?;
    let stopwatch = Arc::new(Stopwatch::new(TICKS_MAX));
    let desk = Desk::open(dir, args.durable, &instrument, Arc::clone(&stopwatch)).await?;
    let market = Market::new(Arc::clone(&desk.bus), Clock::system(), instrument);
    let mut pacer = Pacer::new(market, Arc::clone(&stopwatch), asked.ticks_per_second);
    let pacing = tokio::spawn(async move {
        let first = pacer.warm_up().await?;
        pacer.ticks(asked.ticks).await?;
        tokio::time::sleep(LAST_ORDERS).await;
        anyhow::Ok(first)
    });
    let first = pacing.await.context("the ticks ended")?;
    let first = first?;
    let steps = desk.steps(&stopwatch, first).await;
    desk.close().await?;
    Ok(Report::new(asked, stopwatch.spans(first), steps?))
}

/// Publishes facts at an even pace, every tenth of them a quote.
struct Pacer {
    market: Market,
    stopwatch: Arc<Stopwatch>,
    pace: Interval,
    facts: usize,
    next: usize,
}

impl Pacer {
    fn new(market: Market, stopwatch: Arc<Stopwatch>, ticks_per_second: u32) -> Self {
        let mut pace = tokio::time::interval(Duration::from_secs(1) / ticks_per_second);
        pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self {
            market,
            stopwatch,
            pace,
            facts: 0,
            next: 0,
        }
    }

    /// Ticks until orders get through; answers the first tick that counts.
    async fn warm_up(&mut self) -> anyhow::Result<usize> {
        self.market.opens()?;
        let began = tokio::time::Instant::now();
        while self.stopwatch.orders() < WARM_UP_ORDERS {
            if began.elapsed() > WARM_UP_MAX || self.next > TICKS_MAX / 2 {
                bail!("no order gets through; see the log of risk and execution");
            }
            self.ticks(FACTS_PER_QUOTE).await?;
        }
        Ok(self.next)
    }

    async fn ticks(&mut self, count: usize) -> anyhow::Result<()> {
        let end = self.next + count;
        while self.next < end {
            self.pace.tick().await;
            if self.facts.is_multiple_of(FACTS_PER_QUOTE) {
                self.market.quote()?;
            } else {
                self.market.trade(self.next, &self.stopwatch)?;
                self.next += 1;
            }
            self.facts += 1;
        }
        Ok(())
    }
}

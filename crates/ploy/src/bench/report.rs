//! What was measured, as a table for people or as JSON.

use crate::cli::say;
use ploy_domain::Nanos;
use serde::Serialize;
use std::fmt::Write as _;

/// How long ticks took to become orders.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    durable: bool,
    ticks: usize,
    ticks_per_second: u32,
    orders: usize,
    #[serde(flatten)]
    whole: Spread,
    /// Parts of the way, one after the other.
    steps: Vec<Step>,
}

/// How a span is spread, in microseconds.
#[derive(Debug, Serialize)]
struct Spread {
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    max_us: f64,
}

/// A part of the way.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    #[serde(flatten)]
    spread: Spread,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) durable: bool,
    pub(crate) ticks: usize,
    pub(crate) ticks_per_second: u32,
}

impl Spread {
    fn of(mut spans: Vec<Nanos>) -> Self {
        spans.sort_unstable();
        // For people: nothing is decided by it.
        let at = |per_mille| percentile(&spans, per_mille).get() as f64 / 1e3;
        Self {
            p50_us: at(500),
            p90_us: at(900),
            p99_us: at(990),
            max_us: at(1_000),
        }
    }
}

impl Report {
    pub(crate) fn new(
        asked: Asked,
        spans: Vec<Nanos>,
        steps: Vec<(&'static str, Vec<Nanos>)>,
    ) -> Self {
        let step = |(name, spans)| Step {
            name,
            spread: Spread::of(spans),
        };
        Self {
            durable: asked.durable,
            ticks: asked.ticks,
            ticks_per_second: asked.ticks_per_second,
            orders: spans.len(),
            whole: Spread::of(spans),
            steps: steps.into_iter().map(step).collect(),
        }
    }

    pub(crate) fn show(&self, json: bool) -> anyhow::Result<()> {
        if json {
            say(&serde_json::to_string_pretty(self)?);
            say("\n");
            return Ok(());
        }
        let how = if self.durable { "with" } else { "without" };
        let mut text = format!(
            "tick to order sent, one process, {how} the durable write\n  \
             {} orders of {} ticks at {} ticks/s\n\n  {:<24} {:>9} {:>9} {:>9} {:>9}\n",
            self.orders, self.ticks, self.ticks_per_second, "us", "p50", "p90", "p99", "max",
        );
        let whole = [("tick to order sent", &self.whole)];
        let steps = self.steps.iter().map(|step| (step.name, &step.spread));
        for (name, spread) in whole.into_iter().chain(steps) {
            writeln!(
                text,
                "  {name:<24} {:>9.1} {:>9.1} {:>9.1} {:>9.1}",
                spread.p50_us, spread.p90_us, spread.p99_us, spread.max_us,
            )?;
        }
        say(&text);
        Ok(())
    }
}

/// The smallest span that so many thousandths of all `sorted` spans do not exceed.
fn percentile(sorted: &[Nanos], per_mille: usize) -> Nanos {
    let rank = (sorted.len() * per_mille).div_ceil(1_000).max(1);
    sorted.get(rank - 1).copied().unwrap_or(Nanos::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_spans_that_occurred() {
        let sorted: Vec<_> = (1..=200).map(Nanos::from_micros).collect();
        let at = |per_mille| percentile(&sorted, per_mille);
        let us = Nanos::from_micros;
        assert_eq!((at(500), at(990), at(1_000)), (us(100), us(198), us(200)));
        assert_eq!(percentile(&[], 500), Nanos::ZERO);
    }
}

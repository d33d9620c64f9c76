//! What was measured, as a table for people or as JSON.

use crate::cli::say;
use serde::Serialize;
use std::time::Duration;

/// How long ticks took to become orders, in microseconds.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) durable: bool,
    pub(crate) ticks: usize,
    pub(crate) ticks_per_second: u32,
    pub(crate) orders: usize,
    p50_us: f64,
    p90_us: f64,
    p99_us: f64,
    max_us: f64,
}

/// What was asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) durable: bool,
    pub(crate) ticks: usize,
    pub(crate) ticks_per_second: u32,
}

impl Report {
    pub(crate) fn new(asked: Asked, mut spans: Vec<Duration>) -> Self {
        spans.sort_unstable();
        let at = |per_mille| percentile(&spans, per_mille).as_secs_f64() * 1e6;
        Self {
            durable: asked.durable,
            ticks: asked.ticks,
            ticks_per_second: asked.ticks_per_second,
            orders: spans.len(),
            p50_us: at(500),
            p90_us: at(900),
            p99_us: at(990),
            max_us: at(1_000),
        }
    }

    pub(crate) fn show(&self, json: bool) -> anyhow::Result<()> {
        if json {
            say(&serde_json::to_string_pretty(self)?);
            say("\n");
            return Ok(());
        }
        let how = if self.durable { "with" } else { "without" };
        say(&format!(
            "tick to order sent, one process, {how} the durable write\n  \
             {} orders of {} ticks at {} ticks/s\n  \
             p50 {:.1} us   p90 {:.1} us   p99 {:.1} us   max {:.1} us\n",
            self.orders,
            self.ticks,
            self.ticks_per_second,
            self.p50_us,
            self.p90_us,
            self.p99_us,
            self.max_us,
        ));
        Ok(())
    }
}

/// The smallest span that so many thousandths of all `sorted` spans do not exceed.
fn percentile(sorted: &[Duration], per_mille: usize) -> Duration {
    let rank = (sorted.len() * per_mille).div_ceil(1_000).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_spans_that_occurred() {
        let sorted: Vec<_> = (1..=200).map(Duration::from_micros).collect();
        let at = |per_mille| percentile(&sorted, per_mille).as_micros();
        assert_eq!((at(500), at(990), at(1_000)), (100, 198, 200));
        assert_eq!(percentile(&[], 500), Duration::ZERO);
    }
}

//! The price that the generated market believes in: a random walk with clustering volatility,
//! trend phases and occasional jumps. Pure: the same seed and the same time steps give the same
//! path. The book and the trades around it are the generator's.
//!
//! Log-volatility is an Ornstein-Uhlenbeck process (Scott, "Option pricing when the variance
//! changes randomly", 1987); jumps arrive as in Merton's jump diffusion (1976).

use crate::rng::Rng;

/// Volatility of the log price per square root of a second, on average.
const VOLATILITY: f64 = 1.3e-4;
/// Mean reversion of log-volatility per second, and its stationary deviation.
const VOLATILITY_REVERSION: f64 = 1.0 / 60.0;
const VOLATILITY_DEVIATION: f64 = 0.6;
/// Mean length of a trend phase, in seconds.
const PHASE_SECS: f64 = 25.0;
/// Drift of a trend per second, in volatilities.
const TREND: f64 = 0.7;
/// Mean time between jumps, in seconds, and their size in volatilities.
const JUMP_EVERY_SECS: f64 = 300.0;
const JUMP_SIZE: f64 = 20.0;
/// Pull towards the opening price per second: keeps a week's walk in sight of where it began.
const ANCHOR_REVERSION: f64 = 1.0 / 14_400.0;

/// The walk of one instrument's price.
#[derive(Debug)]
pub(super) struct Model {
    rng: Rng,
    anchor: f64,
    log_price: f64,
    /// Log of the volatility's ratio to its average.
    log_ratio: f64,
    drift: f64,
    phase_left: f64,
}

impl Model {
    /// A walk from `opening`.
    pub(super) fn new(opening: f64, rng: Rng) -> Self {
        Self {
            rng,
            anchor: opening.ln(),
            log_price: opening.ln(),
            log_ratio: 0.0,
            drift: 0.0,
            phase_left: 0.0,
        }
    }

    /// The volatility now, per square root of a second.
    pub(super) fn volatility(&self) -> f64 {
        VOLATILITY * self.log_ratio.exp()
    }

    /// The volatility now as a multiple of its average.
    pub(super) fn agitation(&self) -> f64 {
        self.log_ratio.exp()
    }

    /// Walks on for `secs` seconds and answers the price.
    pub(super) fn step(&mut self, secs: f64) -> f64 {
        let noise = VOLATILITY_DEVIATION * (2.0 * VOLATILITY_REVERSION * secs).sqrt();
        self.log_ratio += noise * self.rng.normal() - VOLATILITY_REVERSION * secs * self.log_ratio;
        self.phase_left -= secs;
        if self.phase_left <= 0.0 {
            self.next_phase();
        }
        let volatility = self.volatility();
        self.log_price += self.drift * volatility * secs
            + volatility * secs.sqrt() * self.rng.normal()
            + ANCHOR_REVERSION * secs * (self.anchor - self.log_price);
        if self.rng.chance(secs / JUMP_EVERY_SECS) {
            self.log_price += volatility * JUMP_SIZE * self.rng.normal();
        }
        self.price()
    }

    pub(super) fn price(&self) -> f64 {
        self.log_price.exp()
    }

    /// Up, down or sideways for a while.
    fn next_phase(&mut self) {
        self.phase_left = self.rng.exponential(PHASE_SECS);
        self.drift = match self.rng.next() % 3 {
            0 => -TREND,
            1 => TREND,
            _ => 0.0,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn returns(seed: u64, steps: usize, secs: f64) -> Vec<f64> {
        let mut model = Model::new(100.0, Rng::new(seed, 1));
        let mut last = 100.0_f64;
        let mut step = || {
            let price = model.step(secs);
            let change = (price / last).ln();
            last = price;
            change
        };
        (0..steps).map(|_| step()).collect()
    }

    fn autocorrelation(series: &[f64], lag: usize) -> f64 {
        let mean = series.iter().sum::<f64>() / series.len() as f64;
        let at = |n: usize| series[n] - mean;
        let products = (lag..series.len()).map(|n| at(n) * at(n - lag));
        let variance = (0..series.len()).map(|n| at(n) * at(n));
        products.sum::<f64>() / variance.sum::<f64>()
    }

    #[test]
    fn the_same_seed_walks_the_same_path() {
        assert_eq!(returns(7, 1_000, 0.05), returns(7, 1_000, 0.05));
        assert_ne!(returns(7, 1_000, 0.05), returns(8, 1_000, 0.05));
    }

    #[test]
    fn volatility_clusters() {
        for seed in 1..=5 {
            let sizes: Vec<f64> = returns(seed, 40_000, 1.0)
                .into_iter()
                .map(|change| change.abs().min(1e-3))
                .collect();
            let near = autocorrelation(&sizes, 5);
            let far = autocorrelation(&sizes, 2_000);
            assert!(
                near > 0.1,
                "seed {seed}: sizes of moves are alike, was {near}"
            );
            assert!(
                far < near / 2.0,
                "seed {seed}: and forget after a while, was {far}"
            );
        }
    }

    #[test]
    fn jumps_happen_and_the_price_stays_in_sight() {
        let moves = returns(3, 86_400, 1.0);
        let typical = moves.iter().map(|change| change.abs()).sum::<f64>() / moves.len() as f64;
        let jumps = moves
            .iter()
            .filter(|change| change.abs() > 12.0 * typical)
            .count();
        assert!((10..500).contains(&jumps), "{jumps} jumps in a day");
        let total: f64 = moves.iter().sum();
        assert!(total.abs() < 0.5, "a day ends within half, moved {total}");
    }
}

//! What moves the market: the seeded generator, or a script that somebody recorded. Both trade
//! through the matching engine with the accounts of the house, so accounts really trade with them.

mod generator;
mod house;
mod model;
mod script;

pub use script::{MarketScript, ScriptItem, Speed};

use crate::{
    config::Config,
    engine::{Engine, venue::Venue},
};
use generator::Generator;
use house::House;
use script::Player;
use std::time::Duration;
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

/// How often the generator acts.
const STEP: Duration = Duration::from_millis(50);

/// The driver of the market, before it runs.
#[derive(Debug)]
pub(crate) enum Driver {
    /// Nothing moves but the accounts.
    Idle,
    Generated(Vec<Generator>),
    Scripted(Box<Player>),
}

impl Driver {
    /// The generator of every instrument, starting where the ledger left off.
    pub(crate) fn generated(config: &Config, venue: &Venue) -> Self {
        if !config.market.generate {
            return Self::Idle;
        }
        let listed = venue.listed.iter().zip(&config.instruments).enumerate();
        let generators = listed.map(|(symbol, (listed, instrument))| {
            let opening = listed.last_price.unwrap_or(instrument.opening_price);
            let house = House::new(symbol, listed.rules.clone());
            let rate = config.market.actions_per_sec.min(RATE_MAX);
            Generator::new(house, opening, (config.seed, f64::from(rate)))
        });
        Self::Generated(generators.collect())
    }

    pub(crate) fn scripted(config: &Config, script: MarketScript, speed: Speed) -> Self {
        match Player::new(config, script, speed) {
            Some(player) => Self::Scripted(Box::new(player)),
            None => Self::Idle,
        }
    }
}

/// The largest number of actions per second and instrument.
const RATE_MAX: u32 = 1_000;

/// Moves the market until `stop`, or until the script ends.
pub(crate) async fn run(driver: Driver, engine: Engine, stop: CancellationToken) {
    match driver {
        Driver::Idle => {}
        Driver::Generated(generators) => generate(generators, engine, stop).await,
        Driver::Scripted(player) => script::play(player, engine, stop).await,
    }
}

async fn generate(mut generators: Vec<Generator>, engine: Engine, stop: CancellationToken) {
    let mut steps = interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = steps.tick() => {}
        }
        let step = engine.run(move |venue, now| {
            for generator in &mut generators {
                generator.step(venue, now);
            }
            generators
        });
        match step.await {
            Ok(back) => generators = back,
            Err(_) if stop.is_cancelled() => return,
            Err(error) => {
                tracing::error!(%error, "the generated market ends: the engine does not answer");
                return;
            }
        }
    }
}

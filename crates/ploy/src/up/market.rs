//! What moves the built-in exchange: the seeded generator, or a recorded market.

use crate::source::SourceArgs;
use anyhow::{Context as _, bail};
use ploy_domain::{Amount, Asset, BarInterval, Price, Quantity, Symbol};
use ploy_exchange_server::{InstrumentConfig, MarketScript, ScriptItem, Speed};
use ploy_recordings::{Content, Record, Recording};
use std::{path::PathBuf, str::FromStr};

/// Where prices come from.
#[derive(Debug, clap::Args)]
pub(crate) struct MarketArgs {
    /// Drive the exchange with a recorded market instead of the generator
    #[arg(long, value_name = "FILE")]
    replay: Option<PathBuf>,
    /// How fast to replay: 60x, 1x or max
    #[arg(long, value_name = "SPEED", default_value = "60x", requires = "replay")]
    speed: ReplaySpeed,
    /// The seed of the generated market
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub(crate) seed: u64,
    #[command(flatten)]
    source: SourceArgs,
}

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ReplaySpeed(Speed);

impl FromStr for ReplaySpeed {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "max" {
            return Ok(Self(Speed::Max));
        }
        let factor = text.trim_end_matches('x').parse::<f64>().ok();
        match factor.filter(|factor| (0.01..=100_000.0).contains(factor)) {
            Some(factor) => Ok(Self(Speed::Factor(factor))),
            None => Err("expected max or a factor from 0.01x to 100000x, such as 60x".to_owned()),
        }
    }
}

/// A recording ready to be played.
pub(crate) struct Replay {
    pub(crate) instrument: InstrumentConfig,
    pub(crate) script: MarketScript,
    pub(crate) speed: Speed,
    /// How long a bar of the recording lasts while it is played.
    pub(crate) bar: BarInterval,
    pub(crate) described: String,
}

impl MarketArgs {
    /// The recording, checked from beginning to end, if one was named.
    pub(crate) fn replay(&self) -> anyhow::Result<Option<Replay>> {
        let Some(file) = &self.replay else {
            return Ok(None);
        };
        let recording = self.source.open(file)?;
        let symbol = *recording.instrument().symbol();
        let first = recording
            .records()?
            .next()
            .context("the recording is empty")??;
        let opening = match first {
            Record::Bar(bar) => bar.open,
            Record::Trade(trade) => trade.price,
        };
        Ok(Some(Replay {
            instrument: listing(symbol, opening)?,
            bar: played_bar(recording.content(), self.speed.0),
            described: format!("{} at {}", file.display(), described(self.speed.0)),
            script: script(&recording)?,
            speed: self.speed.0,
        }))
    }
}

fn described(speed: Speed) -> String {
    match speed {
        Speed::Max => "full speed".to_owned(),
        Speed::Factor(factor) => format!("{factor}x"),
    }
}

/// The file was read to its end without a mistake before; one that changes meanwhile ends the play.
fn script(recording: &Recording) -> anyhow::Result<MarketScript> {
    let items = recording.records()?.map_while(|record| match record {
        Ok(Record::Bar(bar)) => Some(ScriptItem::Bar(bar)),
        Ok(Record::Trade(trade)) => Some(ScriptItem::Trade(trade)),
        Err(error) => {
            tracing::error!(%error, "the recording ends here");
            None
        }
    });
    Ok(Box::new(items))
}

/// How the exchange lists what was recorded: the finest steps, so that every recorded price and
/// quantity can be printed, and orders of any sensible size.
fn listing(symbol: Symbol, opening_price: Price) -> anyhow::Result<InstrumentConfig> {
    if !opening_price.is_positive() {
        bail!("the recording opens at {opening_price}; prices must be above 0");
    }
    Ok(InstrumentConfig {
        symbol: symbol.to_string(),
        base: Asset::parse(&symbol.as_str().chars().take(8).collect::<String>())?.to_string(),
        quote: "USDT".to_owned(),
        tick: Price::EPSILON,
        lot: Quantity::EPSILON,
        quantity_max: Quantity::from_int(100_000)?,
        price_max: Price::from_int(10_000_000)?,
        notional_min: Amount::from_int(1)?,
        notional_max: Amount::from_int(1_000_000_000)?,
        opening_price,
    })
}

/// Strategies see the exchange's clock, so a minute played at 60x is a bar of one second.
fn played_bar(content: Content, speed: Speed) -> BarInterval {
    let recorded = match content {
        Content::Bars { interval, .. } => interval,
        Content::Trades => BarInterval::MINUTE,
    };
    let secs = recorded.length().get() / 1_000_000_000;
    let played = match speed {
        Speed::Max => 1,
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "seconds of a bar"
        )]
        Speed::Factor(factor) => (secs as f64 / factor).round() as i64,
    };
    BarInterval::from_secs(played.clamp(1, 86_400)).unwrap_or(BarInterval::MINUTE)
}

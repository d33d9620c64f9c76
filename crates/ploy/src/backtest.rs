//! `ploy backtest`: a strategy over a recorded market through the real cores, and its report.

use crate::{cli::say, source::SourceArgs};
use anyhow::{Context as _, bail};
use ploy_domain::{Amount, Bps, Price, Quantity, Session};
use ploy_sim::{Backtest, BacktestConfig, FillProfile, default_instrument};
use std::{collections::BTreeMap, path::PathBuf, process::ExitCode, str::FromStr};

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Which strategy
    #[arg(long, value_name = "NAME")]
    strategy: String,
    /// The recorded market: Binance klines, trades or aggTrades, or OHLCV with a header; .gz too
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// A parameter of the strategy; may be given often
    #[arg(long = "param", value_name = "NAME=VALUE")]
    params: Vec<Param>,
    /// What the venue charges of what is received, in hundredths of a percent
    #[arg(long, value_name = "BPS", default_value_t = 10)]
    fee_bps: u16,
    /// What the account owns at first, in the quote asset
    #[arg(long, value_name = "AMOUNT", default_value = "100000")]
    cash: Amount,
    /// How kind the simulated market is: optimistic, base or conservative
    #[arg(long, value_name = "PROFILE", default_value = "conservative")]
    fills: FillProfile,
    /// The smallest step of prices [default: 0.00000001]
    #[arg(long, value_name = "PRICE")]
    tick: Option<Price>,
    /// The smallest step of quantities [default: 0.00000001]
    #[arg(long, value_name = "QUANTITY")]
    lot: Option<Quantity>,
    /// Trade in the hours of the National Stock Exchange of India instead of around the clock
    #[arg(long)]
    nse: bool,
    #[command(flatten)]
    source: SourceArgs,
    /// The report as JSON
    #[arg(long)]
    json: bool,
}

/// One `NAME=VALUE`.
#[derive(Debug, Clone)]
struct Param(String, String);

impl FromStr for Param {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((name, value)) if !name.is_empty() && !value.is_empty() => {
                Ok(Self(name.to_owned(), value.to_owned()))
            }
            _ => Err("expected NAME=VALUE, for example fast=20".to_owned()),
        }
    }
}

pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut instrument = default_instrument(args.source.instrument(&args.data)?)?;
    instrument.tick = args.tick.unwrap_or(instrument.tick);
    instrument.lot = args.lot.unwrap_or(instrument.lot);
    if args.nse {
        instrument.session = Session::nse();
    }
    let mut params = BTreeMap::new();
    for Param(name, value) in &args.params {
        if params.insert(name.clone(), value.clone()).is_some() {
            bail!("--param {name} is given twice");
        }
    }
    let mut config = BacktestConfig::new(&args.strategy, instrument, args.cash);
    config.params = params;
    config.fee = Bps::new(i32::from(args.fee_bps));
    config.fills = args.fills.model();
    let recording = args.source.open_unchecked(&args.data)?;
    let report = Backtest::run(&config, &recording).context("the backtest did not finish")?;
    let text = if args.json {
        report.to_json()?
    } else {
        report.to_string()
    };
    say(text.trim_end());
    say("\n");
    Ok(ExitCode::SUCCESS)
}

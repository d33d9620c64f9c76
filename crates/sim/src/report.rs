//! What a backtest reports: exact amounts as text, ratios as numbers, each with its definition.

use crate::{
    config::BacktestConfig,
    desk::Desk,
    drawdown::Falls,
    error::BacktestError,
    statistics::{self, DEFINITIONS, sane},
    wallet::narrow,
};
use ploy_domain::{Amount, Bps, Timestamp, time::civil_from_days};
use ploy_recordings::Recording;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// The records that were run over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) records: u64,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
}

/// The recording that was run over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Data {
    /// The name of the file.
    pub file: String,
    /// Its format.
    pub format: String,
    /// How many records.
    pub records: u64,
    /// When the first began.
    pub first: String,
    /// When the last ended.
    pub last: String,
}

/// What trading cost by assumption.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Costs {
    /// Charged by the venue, in hundredths of a percent.
    pub fee_bps: i32,
    /// The fill profile.
    pub fills: String,
    /// Distance of the quotes from the recorded price, in hundredths of a percent.
    pub slippage_bps: i32,
    /// The part of the traded quantity that could be taken, in hundredths of a percent.
    pub participation_bps: Option<i32>,
    /// How long orders took to reach the market, in milliseconds.
    pub latency_ms: i64,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Trading {
    /// Orders decided on.
    pub orders: u64,
    /// Orders that risk refused.
    pub denied: u64,
    /// Why, by reason code.
    pub denials: BTreeMap<&'static str, u64>,
    /// Orders that the venue refused.
    pub rejected: u64,
    /// Orders withheld while another was on its way.
    pub withheld: u64,
    /// Executions.
    pub fills: u64,
    /// Round trips from flat to flat.
    pub round_trips: u64,
    /// Those that made money, net.
    pub wins: u64,
    /// Their part of all.
    pub win_rate: Option<f64>,
    /// Value traded, in the quote asset.
    pub turnover: String,
    /// Charges, in the quote asset.
    pub fees: String,
}

/// The deepest fall of equity.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drawdown {
    /// The part of the peak that was lost.
    pub fraction: f64,
    /// What was lost, in the quote asset.
    pub amount: String,
    /// When equity stood highest before.
    pub peak_at: String,
    /// When it stood lowest.
    pub bottom_at: String,
    /// When it was back; `null` if it never was.
    pub recovered_at: Option<String>,
    /// From the peak to the recovery, or to the end of the data, in days.
    pub length_days: f64,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Results {
    /// Equity at the beginning.
    pub initial_equity: String,
    /// Equity at the end, holdings at the last price.
    pub final_equity: String,
    /// What was gained, net of all charges.
    pub net_profit: String,
    /// As a part of the initial equity.
    #[serde(rename = "return")]
    pub total_return: f64,
    /// Holdings at the end, in the base asset.
    pub held: String,
    /// The deepest fall; `null` if equity never fell.
    pub max_drawdown: Option<Drawdown>,
    /// Daily returns that the ratios are made of.
    pub observations: usize,
    /// See the definitions.
    pub sharpe: Option<f64>,
    /// See the definitions.
    pub sortino: Option<f64>,
    /// See the definitions.
    pub cagr: Option<f64>,
    /// See the definitions.
    pub calmar: Option<f64>,
    /// See the definitions.
    pub profit_factor: Option<f64>,
    /// See the definitions.
    pub expectancy: Option<String>,
    /// See the definitions.
    pub exposure: f64,
}

/// Equity at the end of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DayEquity {
    /// The day, in the time of the instrument's session.
    pub day: String,
    /// What the account was worth.
    pub equity: String,
}

/// The report of a backtest. The same run gives the same bytes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// Which strategy.
    pub strategy: String,
    /// The parameters that were given.
    pub params: BTreeMap<String, String>,
    /// What was traded.
    pub instrument: String,
    /// The recording.
    pub data: Data,
    /// Assumed costs.
    pub costs: Costs,
    /// Whether the data were long enough for a decision.
    pub warmed_up: bool,
    /// What was done.
    pub trading: Trading,
    /// What came of it.
    pub results: Results,
    /// What the numbers mean.
    pub definitions: BTreeMap<&'static str, &'static str>,
    /// Equity day by day.
    pub daily_equity: Vec<DayEquity>,
    /// Events of the account's log.
    pub events: u64,
    /// A hash over all of them: equal runs have equal events.
    pub events_digest: String,
}

impl Report {
    pub(crate) fn of(
        config: &BacktestConfig,
        desk: Desk,
        (recording, seen): (&Recording, Seen),
    ) -> Result<Self, BacktestError> {
        desk.check_balances()?;
        let (events, events_digest) = (desk.counts.events, format!("{:032x}", desk.digest()));
        let warmed_up = desk.is_warm();
        let trading = trading(&desk)?;
        let (results, daily_equity) = results(config, desk, seen)?;
        let file = recording.path().file_name().unwrap_or_default();
        Ok(Self {
            strategy: config.strategy.clone(),
            params: config.params.clone(),
            instrument: config.instrument.id.to_string(),
            data: Data {
                file: file.to_string_lossy().into_owned(),
                format: recording.format().to_string(),
                records: seen.records,
                first: seen.first.to_string(),
                last: seen.last.to_string(),
            },
            costs: Costs {
                fee_bps: config.fee.get(),
                fills: config.fills.profile.to_string(),
                slippage_bps: config.fills.slippage.get(),
                participation_bps: config.fills.participation.map(Bps::get),
                latency_ms: config.fills.latency.as_millis(),
            },
            warmed_up,
            trading,
            results,
            definitions: DEFINITIONS.into_iter().collect(),
            daily_equity,
            events,
            events_digest,
        })
    }

    /// The report as JSON, with a line per value and a line end at the end.
    ///
    /// # Errors
    /// [`serde_json::Error`] never, in practice: every key is text.
    pub fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}

fn trading(desk: &Desk) -> Result<Trading, BacktestError> {
    let (counts, wallet) = (&desk.counts, &desk.wallet);
    let trips = wallet.trips();
    Ok(Trading {
        orders: counts.orders,
        denied: counts.denied,
        denials: counts.denials.clone(),
        rejected: counts.rejected,
        withheld: counts.withheld,
        fills: wallet.fills(),
        round_trips: trips.count,
        wins: trips.wins,
        win_rate: sane(trips.wins as f64 / trips.count as f64),
        turnover: wallet.turnover()?.to_string(),
        fees: wallet.fees().to_string(),
    })
}

fn results(
    config: &BacktestConfig,
    desk: Desk,
    seen: Seen,
) -> Result<(Results, Vec<DayEquity>), BacktestError> {
    let last_price = desk.last_price().unwrap_or_default();
    let wallet = desk.wallet;
    let (initial, last) = (config.cash, wallet.equity(last_price)?);
    let max_drawdown = wallet.falls().map(|falls| drawdown(falls, seen.last));
    let max_drawdown = max_drawdown.transpose()?.flatten();
    let (trips, exposure, held) = (wallet.trips(), wallet.exposure(), wallet.held());
    let days = wallet.into_days()?;
    let ratios = statistics::ratios(initial, &days, config.instrument.session.days_per_year());
    let cagr = statistics::cagr(initial, last, seen.last - seen.first);
    let deepest = max_drawdown.as_ref().map(|fall| fall.fraction);
    let expectancy = match i128::from(trips.count) {
        0 => None,
        count => Some(narrow((trips.won - trips.lost) / count)?.to_string()),
    };
    let results = Results {
        initial_equity: initial.to_string(),
        final_equity: last.to_string(),
        net_profit: last.minus(initial)?.to_string(),
        total_return: last.to_f64() / initial.to_f64() - 1.0,
        held: held.to_string(),
        observations: ratios.observations,
        sharpe: ratios.sharpe,
        sortino: ratios.sortino,
        cagr,
        calmar: cagr
            .zip(deepest)
            .and_then(|(growth, fall)| sane(growth / fall)),
        profit_factor: sane(trips.won as f64 / trips.lost as f64),
        expectancy,
        exposure,
        max_drawdown,
    };
    let days = days.into_iter().map(|end| DayEquity {
        day: date(end.day),
        equity: end.equity.to_string(),
    });
    Ok((results, days.collect()))
}

fn drawdown(falls: &Falls, end: Timestamp) -> Result<Option<Drawdown>, BacktestError> {
    let Some(fall) = falls.worst() else {
        return Ok(None);
    };
    let over = fall.recovered_at.unwrap_or(end) - fall.peak_at;
    let amount: Amount = narrow(fall.peak - fall.bottom)?;
    Ok(Some(Drawdown {
        fraction: fall.fraction(),
        amount: amount.to_string(),
        peak_at: fall.peak_at.to_string(),
        bottom_at: fall.bottom_at.to_string(),
        recovered_at: fall.recovered_at.map(|at| at.to_string()),
        length_days: over.get() as f64 / 86_400e9,
    }))
}

fn date(days: i64) -> String {
    let (year, month, day) = civil_from_days(days);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Two places, or a dash.
fn shown(number: Option<f64>) -> String {
    number.map_or_else(|| "-".to_owned(), |number| format!("{number:.2}"))
}

/// Two places of a percentage, or a dash.
fn percent(number: Option<f64>) -> String {
    shown(number.map(|number| number * 100.0)) + " %"
}

impl Report {
    /// What was run, and at which cost.
    fn premises(&self) -> [(&'static str, String); 4] {
        let costs = format!(
            "{} bp fee, {} fills, {} bp slippage",
            self.costs.fee_bps, self.costs.fills, self.costs.slippage_bps
        );
        let minute = |at: &str| at.get(..16).unwrap_or(at).to_owned();
        let (first, last) = (minute(&self.data.first), minute(&self.data.last));
        let span = format!("{} records, {first} to {last}", self.data.records);
        let strategy = format!("{} on {}", self.strategy, self.instrument);
        [
            ("strategy", strategy),
            ("data", self.data.file.clone()),
            ("", span),
            ("costs", costs),
        ]
    }

    /// What was done.
    fn deeds(&self) -> [(&'static str, String); 6] {
        let trading = &self.trading;
        let refused = format!(
            "{} by risk, {} by the venue",
            trading.denied, trading.rejected
        );
        let trips = format!("{}, {} won", trading.round_trips, trading.wins);
        [
            ("orders", trading.orders.to_string()),
            ("refused", refused),
            ("trades", trading.fills.to_string()),
            ("round trips", trips),
            ("turnover", trading.turnover.clone()),
            ("fees", trading.fees.clone()),
        ]
    }

    /// What came of it.
    fn outcome(&self) -> [(&'static str, String); 11] {
        let results = &self.results;
        let fall = results.max_drawdown.as_ref();
        let length = shown(fall.map(|fall| fall.length_days)) + " days";
        [
            ("initial equity", results.initial_equity.clone()),
            ("final equity", results.final_equity.clone()),
            ("return", percent(Some(results.total_return))),
            ("max drawdown", percent(fall.map(|fall| fall.fraction))),
            ("  length", length),
            ("sharpe", shown(results.sharpe)),
            ("sortino", shown(results.sortino)),
            ("cagr", percent(results.cagr)),
            ("calmar", shown(results.calmar)),
            ("profit factor", shown(results.profit_factor)),
            ("exposure", percent(Some(results.exposure))),
        ]
    }
}

impl fmt::Display for Report {
    /// A table for people, and what its numbers mean.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.premises().into_iter().chain(self.deeds());
        for (name, value) in rows.chain(self.outcome()) {
            writeln!(f, "{name:<16}{value}")?;
        }
        if !self.warmed_up {
            writeln!(
                f,
                "\nThe data ended before the strategy had seen enough to decide."
            )?;
        }
        writeln!(f)?;
        for (name, meaning) in &self.definitions {
            writeln!(f, "{name}: {meaning}")?;
        }
        Ok(())
    }
}

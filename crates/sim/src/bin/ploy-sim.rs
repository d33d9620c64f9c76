//! `ploy-sim`: the platform in simulated time under every fault of the failure model, seed after
//! seed. Ends with 1 when an invariant broke.

use clap::Parser;
use ploy_sim::world::{Failure, Plan, run, shrink};
use serde::Serialize;
use std::{
    io::{IsTerminal, Write},
    process::ExitCode,
    time::Instant,
};

/// How many broken runs are made smaller and shown; more say the same.
const SHOWN_MAX: usize = 5;

/// Runs the platform in simulated time while everything goes wrong, and looks for broken invariants
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds to try
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u64).range(1..), default_value_t = 1_000,
        conflicts_with = "seed"
    )]
    seeds: u64,
    /// The first of them
    #[arg(
        long,
        value_name = "SEED",
        default_value_t = 0,
        conflicts_with = "seed"
    )]
    from: u64,
    /// This seed alone, with what happened
    #[arg(long, value_name = "SEED")]
    seed: Option<u64>,
    /// Stop at the first broken run and leave its plan as it is
    #[arg(long)]
    until_broken: bool,
    /// The result as JSON
    #[arg(long)]
    json: bool,
}

/// What many runs came to.
#[derive(Debug, Default, Serialize)]
struct Summary {
    seeds: u64,
    orders: u64,
    fills: usize,
    events: u64,
    leaders: usize,
    faults_acted: u64,
    failures: Vec<Failure>,
}

fn main() -> std::io::Result<ExitCode> {
    let args = Args::parse();
    let (from, seeds) = match args.seed {
        Some(seed) => (seed, 1),
        None => (args.from, args.seeds),
    };
    let mut out = std::io::stdout().lock();
    if let (Some(seed), false) = (args.seed, args.json) {
        writeln!(out, "{}", Plan::of(seed))?;
    }
    let began = Instant::now();
    let summary = try_all(from, seeds, args.until_broken)?;
    if args.json {
        serde_json::to_writer_pretty(&mut out, &summary)?;
        writeln!(out)?;
    } else {
        show(&mut out, &summary, began.elapsed().as_secs_f64())?;
    }
    Ok(if summary.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn try_all(from: u64, seeds: u64, until_broken: bool) -> std::io::Result<Summary> {
    let mut summary = Summary::default();
    let mut screen = std::io::stderr().lock();
    let is_shown = screen.is_terminal();
    for seed in from..from.saturating_add(seeds) {
        summary.seeds += 1;
        match run(&Plan::of(seed)) {
            Ok(story) => {
                summary.orders += story.orders;
                summary.fills += story.fills;
                summary.events += story.events;
                summary.leaders += story.leaders;
                summary.faults_acted += story.faults_acted;
            }
            Err(failure) => {
                if until_broken {
                    summary.failures.push(*failure);
                    break;
                }
                summary.failures.push(shrink(*failure));
                if summary.failures.len() == SHOWN_MAX {
                    break;
                }
            }
        }
        if is_shown && summary.seeds.is_multiple_of(50) {
            write!(screen, "\r{} of {seeds} seeds ", summary.seeds)?;
        }
    }
    if is_shown {
        write!(screen, "\r")?;
    }
    Ok(summary)
}

fn show(out: &mut impl Write, summary: &Summary, seconds: f64) -> std::io::Result<()> {
    let Summary {
        seeds,
        orders,
        fills,
        events,
        leaders,
        faults_acted,
        failures,
    } = summary;
    for failure in failures {
        writeln!(out, "{failure}\n")?;
    }
    writeln!(
        out,
        "{seeds} seeds in {seconds:.1} s: {orders} orders, {fills} fills, {events} events, \
         {leaders} leaders, {faults_acted} faults acted, {} broken",
        failures.len()
    )?;
    if let Some(failure) = failures.first() {
        let seed = failure.plan.seed;
        writeln!(out, "again: make sim SEED={seed}")?;
    }
    Ok(())
}

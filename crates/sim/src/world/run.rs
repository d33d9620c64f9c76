//! One run from its plan to its verdict, and a failed run made smaller.

use super::{invariants::Broken, plan::Plan, platform::Platform};
use crate::digest::Digest;
use ploy_domain::Nanos;
use serde::Serialize;
use std::{collections::BTreeMap, fmt};

/// How long nothing new happens before everything must agree: the quarantine of doubtful orders and
/// a minute (INV-11).
const REST: Nanos = Nanos::from_secs(100);
/// When, after the load, somebody trades once more (INV-32).
const LAST_ORDER_AFTER: Nanos = Nanos::from_secs(60);
/// Steps of one run; more of them are a loop.
const STEPS_MAX: u64 = 2_000_000;
/// Runs spent on making a failed plan smaller.
const SHRINKS_MAX: usize = 400;

/// What happened in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Story {
    /// New-order requests that reached the venue.
    pub orders: u64,
    /// Executions.
    pub fills: usize,
    /// Events in the log.
    pub events: u64,
    /// Leaders of the account, one after the other.
    pub leaders: usize,
    /// How often a fault acted.
    pub faults_acted: u64,
    /// What people were told, by kind.
    pub alerts: BTreeMap<&'static str, u64>,
    /// The hash of the log.
    pub digest: String,
}

/// A run in which an invariant broke.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// What went wrong on purpose.
    pub plan: Plan,
    /// When it was seen, in milliseconds since the beginning.
    pub at_ms: i64,
    /// What broke.
    pub broken: Broken,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            plan,
            at_ms,
            broken,
        } = self;
        write!(f, "{broken}\nseen {at_ms} ms into {plan}")
    }
}

/// Runs a plan.
///
/// # Errors
/// The first invariant that broke.
pub fn run(plan: &Plan) -> Result<Story, Box<Failure>> {
    let failed = |at_ms, broken| {
        Box::new(Failure {
            plan: plan.clone(),
            at_ms,
            broken,
        })
    };
    let Some(mut platform) = Platform::new(plan.clone()) else {
        let broken = Broken {
            invariant: "terms",
            detail: "the terms of the simulation are not valid".to_owned(),
        };
        return Err(failed(0, broken));
    };
    let begins = platform.now;
    let load_ends = platform.load_ends();
    let phases = [load_ends.plus(LAST_ORDER_AFTER), load_ends.plus(REST)];
    let mut steps = 0;
    for (phase, end) in phases.into_iter().enumerate() {
        while platform.step(end) {
            steps += 1;
            if steps > STEPS_MAX {
                platform
                    .auditor
                    .broken("INV-33", "the run does not come to rest");
            }
            if let Some(broken) = platform.auditor.found() {
                return Err(failed((platform.now - begins).as_millis(), broken));
            }
        }
        if phase == 0 {
            platform.place_last_order();
        }
    }
    platform.look_at_rest();
    match platform.auditor.found() {
        Some(broken) => Err(failed((platform.now - begins).as_millis(), broken)),
        None => Ok(story(&platform)),
    }
}

fn story(platform: &Platform) -> Story {
    let mut digest = Digest::default();
    platform
        .disk
        .log()
        .iter()
        .for_each(|event| digest.event(event));
    Story {
        orders: platform.auditor.sent(),
        fills: platform.venue.fills.len(),
        events: platform.disk.head_seq(),
        leaders: platform.auditor.leaders(),
        faults_acted: platform.weather.acted,
        alerts: platform.auditor.alerts.clone(),
        digest: format!("{:032x}", digest.finish()),
    }
}

/// Makes the plan of a failure as small as it gets while the same invariant breaks.
#[must_use]
pub fn shrink(failure: Failure) -> Failure {
    let mut smallest = failure;
    let mut runs = 0;
    'smaller: loop {
        for plan in smallest.plan.smaller() {
            runs += 1;
            if runs > SHRINKS_MAX {
                return smallest;
            }
            if let Err(again) = run(&plan)
                && again.broken.invariant == smallest.broken.invariant
            {
                smallest = *again;
                continue 'smaller;
            }
        }
        return smallest;
    }
}

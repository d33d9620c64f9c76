//! What is to go wrong in a run, and when: drawn from the seed, and made smaller once a run failed.

use super::dice::Dice;
use ploy_domain::Nanos;
use serde::Serialize;
use std::fmt;

/// A part of the platform that can crash or freeze.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// One of the two execution processes; one leads, the other is warm.
    Execution(u8),
    /// The risk service.
    Risk,
    /// A strategy instance.
    Strategy(u8),
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Execution(n) => write!(f, "execution {n}"),
            Self::Risk => f.write_str("risk"),
            Self::Strategy(n) => write!(f, "strategy {n}"),
        }
    }
}

/// A place in the way of an order where execution can be hit (failure-model §4.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum CrashPoint {
    /// CP0: risk approved, nothing is journaled.
    Approved,
    /// CP1: the commit was executed, its confirmation is lost.
    CommitExecuted,
    /// CP2: journaled, no byte written.
    Journaled,
    /// CP3: bytes written, no answer.
    Written,
    /// CP4: the answer was read and is not committed.
    AnswerRead,
    /// CP6: committed, not relayed.
    Committed,
    /// CP7: relayed, not marked.
    Relayed,
    /// CP9: a cancel is sent and not answered.
    CancelSent,
}

impl CrashPoint {
    const ALL: [Self; 8] = [
        Self::Approved,
        Self::CommitExecuted,
        Self::Journaled,
        Self::Written,
        Self::AnswerRead,
        Self::Committed,
        Self::Relayed,
        Self::CancelSent,
    ];
}

/// Something that goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// A process is killed and started again later.
    Kill(Part),
    /// A process stands still for the time and goes on as if nothing had been.
    Freeze(Part),
    /// Whichever execution leads is killed at its next passage of this point.
    KillAt(CrashPoint),
    /// Whichever execution leads stands still between its last look and the first byte (CH-07).
    FreezeBeforeWrite,
    /// The database answers nothing.
    StoreAway,
    /// The database commits, and so many of a thousand confirmations are lost.
    StoreMute(u16),
    /// So many of a thousand facts are lost on the bus.
    BusLoses(u16),
    /// So many of a thousand facts come twice.
    BusDoubles(u16),
    /// Facts come up to this many milliseconds late, in any order.
    BusDelays(u16),
    /// Nothing goes to the venue and nothing comes from it, its private stream included.
    VenueAway,
    /// So many of a thousand requests never reach the venue.
    VenueLosesRequests(u16),
    /// So many of a thousand requests are carried out and never answered.
    VenueLosesAnswers(u16),
    /// Requests and answers take up to this many milliseconds.
    VenueDelays(u16),
    /// The venue does not find what it accepted less than its visibility lag ago.
    VenueHides,
    /// The private stream breaks; what it would have said is lost.
    StreamCut,
    /// The private stream says things twice, and late.
    StreamRepeats,
    /// So many of a thousand calls between services are lost.
    CallsLost(u16),
    /// A person allows only reducing orders; another lifts it when the fault ends.
    Reducing,
    /// A person trips the kill switch; it is reset when the fault ends.
    Killed,
}

/// A fault with its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Timed {
    /// When it begins, in milliseconds since the beginning.
    pub at_ms: i64,
    /// How long it lasts; for a killed process, how long it stays away.
    pub for_ms: i64,
    /// What it is.
    pub fault: Fault,
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// All chance of the run comes from it.
    pub seed: u64,
    /// How long there is load, in milliseconds.
    pub load_ms: i64,
    /// What goes wrong meanwhile.
    pub faults: Vec<Timed>,
}

impl Plan {
    /// The plan of a seed.
    #[must_use]
    pub fn of(seed: u64) -> Self {
        let mut dice = Dice::new(seed, "plan");
        let load_ms = 5_000 + i64::try_from(dice.below(40_000)).unwrap_or_default();
        let count = dice.below(7);
        let mut faults: Vec<_> = (0..count).map(|_| timed(&mut dice, load_ms)).collect();
        faults.sort_by_key(|timed| timed.at_ms);
        Self {
            seed,
            load_ms,
            faults,
        }
    }

    /// How long the load lasts.
    #[must_use]
    pub const fn load(&self) -> Nanos {
        Nanos::from_millis(self.load_ms)
    }

    /// Plans that are one step smaller than this one, the greatest steps first.
    pub(crate) fn smaller(&self) -> Vec<Self> {
        let mut plans = Vec::new();
        let half = self.load_ms / 2;
        if half >= 1_000 {
            plans.push(Self {
                load_ms: half,
                faults: self.before(half),
                ..self.clone()
            });
        }
        for index in 0..self.faults.len() {
            let mut without = self.clone();
            without.faults.remove(index);
            plans.push(without);
        }
        let shorter = self.load_ms * 4 / 5;
        if shorter >= 1_000 {
            plans.push(Self {
                load_ms: shorter,
                faults: self.before(shorter),
                ..self.clone()
            });
        }
        plans
    }

    fn before(&self, end_ms: i64) -> Vec<Timed> {
        let kept = self.faults.iter().filter(|timed| timed.at_ms < end_ms);
        kept.copied().collect()
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "seed {}, {} ms of load", self.seed, self.load_ms)?;
        for Timed {
            at_ms,
            for_ms,
            fault,
        } in &self.faults
        {
            write!(f, "\n  at {at_ms} ms for {for_ms} ms: {fault:?}")?;
        }
        Ok(())
    }
}

fn timed(dice: &mut Dice, load_ms: i64) -> Timed {
    let part = match dice.below(6) {
        0 => Part::Execution(0),
        1 => Part::Execution(1),
        2 | 3 => Part::Risk,
        other => Part::Strategy(u8::from(other == 5)),
    };
    let mut rate = |most: u64| u16::try_from(50 + dice.below(most)).unwrap_or(50);
    let (some, many, late) = (rate(250), rate(900), rate(2_000));
    let point = usize::try_from(dice.below(CrashPoint::ALL.len() as u64)).unwrap_or_default();
    let point = CrashPoint::ALL.get(point).copied();
    let fault = match dice.below(26) {
        0 | 1 => Fault::Kill(part),
        2 => Fault::Kill(Part::Risk),
        3 => Fault::Freeze(part),
        4..=6 => Fault::KillAt(point.unwrap_or(CrashPoint::Written)),
        7 => Fault::FreezeBeforeWrite,
        8 => Fault::StoreAway,
        9 => Fault::StoreMute(some),
        10 => Fault::BusLoses(many),
        11 => Fault::BusDoubles(many),
        12 => Fault::BusDelays(late),
        13 | 25 => Fault::VenueAway,
        14 => Fault::VenueLosesRequests(some),
        15 | 16 => Fault::VenueLosesAnswers(some),
        17 => Fault::VenueDelays(late),
        18 => Fault::VenueHides,
        19 => Fault::StreamCut,
        20 => Fault::StreamRepeats,
        21 => Fault::CallsLost(some),
        22 => Fault::Reducing,
        _ => Fault::Killed,
    };
    let at = dice.below(u64::try_from(load_ms).unwrap_or_default());
    // What people or a venue do lasts longer than what a machine does.
    let most = match fault {
        Fault::VenueAway => 40_000,
        Fault::VenueHides | Fault::Reducing | Fault::Killed => 24_000,
        _ => 8_000,
    };
    let long = dice.below(most);
    Timed {
        at_ms: i64::try_from(at).unwrap_or_default(),
        for_ms: 200 + i64::try_from(long).unwrap_or_default(),
        fault,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_a_plan_and_smaller_ones_are_smaller() {
        let plan = Plan::of(42);
        assert_eq!(plan, Plan::of(42));
        for smaller in plan.smaller() {
            let fewer = smaller.faults.len() < plan.faults.len();
            assert!(fewer || smaller.load_ms < plan.load_ms);
        }
    }

    #[test]
    fn every_fault_occurs() {
        let all: Vec<_> = (0..400).flat_map(|seed| Plan::of(seed).faults).collect();
        let kinds: std::collections::BTreeSet<_> = all
            .iter()
            .map(|timed| format!("{:?}", std::mem::discriminant(&timed.fault)))
            .collect();
        assert_eq!(kinds.len(), 19);
    }
}

//! Injected faults: what goes wrong between the engine and a client, with seeded probability.

use crate::rng::Rng;
use serde::{Deserialize, Serialize};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// Which faults are injected into REST requests; probabilities from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
pub struct FaultPlan {
    /// The connection ends before the request is read by the engine: nothing is executed.
    pub lose_request: f64,
    /// The request is executed and the connection ends without an answer.
    pub drop_answer: f64,
    /// The request is executed and answered with 504 and −1007.
    pub fail_answer: f64,
    /// The request is executed and answered after `delay_ms`.
    pub delay_answer: f64,
    /// The delay of delayed answers, at most a minute.
    pub delay_ms: u64,
    /// Whether queries are hit too, not only placing and cancelling.
    pub queries: bool,
}

/// What is to go wrong with one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    LoseRequest,
    DropAnswer,
    FailAnswer,
    Delay(Duration),
}

const DELAY_MAX_MS: u64 = 60_000;

/// The plan in force and the dice.
#[derive(Debug)]
pub(crate) struct Faults {
    seed: u64,
    state: Mutex<(FaultPlan, Rng)>,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            state: Mutex::new((FaultPlan::default(), Rng::new(seed, 0))),
        }
    }

    pub(crate) fn plan(&self) -> FaultPlan {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0
    }

    /// Puts a plan in force and starts the dice afresh from the seed.
    pub(crate) fn set(&self, plan: FaultPlan) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        *state = (plan, Rng::new(self.seed, 0));
    }

    /// Throws the dice for a request.
    pub(crate) fn throw(&self, trades: bool) -> Option<Fault> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (plan, rng) = &mut *state;
        if !trades && !plan.queries {
            return None;
        }
        let delay = Duration::from_millis(plan.delay_ms.min(DELAY_MAX_MS));
        let candidates = [
            (plan.lose_request, Fault::LoseRequest),
            (plan.drop_answer, Fault::DropAnswer),
            (plan.fail_answer, Fault::FailAnswer),
            (plan.delay_answer, Fault::Delay(delay)),
        ];
        let hit = candidates
            .into_iter()
            .find(|(probability, _)| *probability > 0.0 && rng.chance(*probability));
        hit.map(|(_, fault)| fault)
    }
}

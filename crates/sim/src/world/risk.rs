//! The shell of risk: follows the order log by its sequence, judges, and remembers trading states.

use super::{
    disk::Address,
    letters::{Check, Letter, Message, ToExecution, ToRisk},
    plan::Part,
    platform::Platform,
    terms::{self, APPROVAL_TTL},
};
use ploy_domain::{
    Nanos, OrderEvent, Reason, ReasonCode, RiskDecision, Scope, Timestamp, TradingState,
};
use ploy_risk_core::{CheckRequest, Effect, Input, ResetAnswer, RiskCore, Settings};
use std::collections::BTreeSet;

/// Approvals of a risk service before this one are used or dead by then (RSK-4).
const SETTLING: Nanos = Nanos::from_secs(2);
const CANCEL_AGAIN: Nanos = Nanos::from_secs(1);
const LOOK_EVERY: Nanos = Nanos::from_secs(1);

/// The risk process.
#[derive(Debug, Default)]
pub(crate) struct Risk {
    pub(crate) core: Option<RiskCore>,
    since: Timestamp,
    asking: bool,
    /// Cancel-alls that execution did not take yet.
    cancels: BTreeSet<Scope>,
}

impl Platform {
    fn remind_risk(&mut self, wait: Nanos, letter: ToRisk) {
        let to = self.address(Part::Risk);
        self.post(wait, to, Letter::Risk(letter));
    }

    pub(crate) fn start_risk(&mut self) {
        self.risk = Risk::default();
        self.remind_risk(Nanos::ZERO, ToRisk::Look);
        let unheard = std::mem::take(&mut self.people.unheard);
        for letter in unheard {
            self.remind_risk(Nanos::from_millis(500), letter);
        }
    }

    /// Reads states and epoch; without them nothing is judged.
    fn wake_risk(&mut self) {
        if self.weather.is_store_away(self.now) {
            return;
        }
        self.disk.risk_epoch += 1;
        let settings = Settings {
            armed: true,
            risk_epoch: self.disk.risk_epoch,
            approval_ttl: APPROVAL_TTL,
            resets: terms::resets(),
        };
        let mut core = RiskCore::new(settings, terms::limits(), self.disk.states.clone());
        let mut effects = Vec::new();
        for instrument in &self.terms.instruments {
            let known = Input::Instrument(instrument.clone());
            core.handle(known, self.now, &mut effects);
        }
        let killed = core.states().entries().filter(|(_, entry)| entry.killed);
        self.risk.cancels = killed.map(|(scope, _)| *scope).collect();
        self.risk.core = Some(core);
        self.risk.since = self.now;
        self.ask_replay(1);
        self.remind_risk(Nanos::ZERO, ToRisk::CancelAgain);
    }

    fn ask_replay(&mut self, from_seq: u64) {
        if self.risk.asking {
            return;
        }
        self.risk.asking = true;
        let events = self.replay(from_seq);
        let wait = self.chances.calls.millis(1, 8);
        self.remind_risk(wait, ToRisk::Replayed(events));
    }

    /// The log from a sequence on; nothing while the database does not answer.
    pub(crate) fn replay(&self, from_seq: u64) -> Vec<OrderEvent> {
        if self.weather.is_store_away(self.now) {
            return Vec::new();
        }
        self.disk.log_from(from_seq).to_vec()
    }

    fn risk_seq(&self) -> u64 {
        let core = self.risk.core.as_ref();
        core.map_or(0, |core| core.last_seq(&self.terms.account))
    }

    pub(crate) fn risk_hears(&mut self, letter: ToRisk) {
        if let ToRisk::Look = letter {
            if self.risk.core.is_none() {
                self.wake_risk();
            }
            return self.remind_risk(LOOK_EVERY, ToRisk::Look);
        }
        if self.risk.core.is_none() {
            // Not started: people say it again, everything else is healed by the log.
            if let ToRisk::Tighten { .. } | ToRisk::Reset(_) = letter {
                self.remind_risk(LOOK_EVERY, letter);
            }
            return;
        }
        match letter {
            ToRisk::Check(check) => self.check(check),
            ToRisk::CaughtUp(events, check) => {
                self.log(events);
                self.decide(*check);
            }
            ToRisk::Fact(event) => self.log(vec![*event]),
            ToRisk::Head(head) => {
                let seen = self.risk_seq();
                if head > seen {
                    self.ask_replay(seen + 1);
                }
            }
            ToRisk::Replayed(events) => {
                self.risk.asking = false;
                self.log(events);
            }
            ToRisk::Market(event) => {
                let (now, mut effects) = (self.now, Vec::new());
                if let Some(core) = &mut self.risk.core {
                    core.handle(Input::Market(&event), now, &mut effects);
                }
            }
            ToRisk::Tighten { scope, state, kill } => self.tighten(scope, state, kill),
            ToRisk::Reset(scope) => self.reset(scope),
            ToRisk::CancelAgain => self.cancel_again(),
            ToRisk::CancelsTaken(scope) => {
                self.risk.cancels.remove(&scope);
            }
            ToRisk::Look => {}
        }
    }

    fn check(&mut self, check: Check) {
        let seen = self.risk_seq();
        if seen >= check.request.head_seq {
            return self.decide(check);
        }
        let events = self.replay(seen + 1);
        let wait = self.chances.calls.millis(1, 8);
        self.remind_risk(wait, ToRisk::CaughtUp(events, Box::new(check)));
    }

    fn decide(&mut self, check: Check) {
        let Check {
            request,
            reply,
            nonce,
        } = check;
        let order_id = request.intent.order_id;
        let decision = self.judge(&request);
        if let Ok(approval) = &decision.verdict {
            self.auditor.approved(order_id, approval);
        }
        if self.weather.loses_call(self.now, &mut self.chances.calls) {
            return;
        }
        let wait = self.chances.calls.millis(0, 2);
        let judged = ToExecution::Judged {
            nonce,
            order_id,
            decision,
        };
        self.post(wait, reply, Letter::Execution(judged));
    }

    fn judge(&mut self, request: &CheckRequest) -> RiskDecision {
        let denied = |reason| RiskDecision {
            verdict: Err(vec![reason]),
            reference_price: None,
            reference_age: None,
            took: Nanos::ZERO,
        };
        let unavailable = denied(Reason::bare(ReasonCode::RiskUnavailable));
        if self.now - self.risk.since < SETTLING {
            return unavailable;
        }
        let Some(core) = &mut self.risk.core else {
            return unavailable;
        };
        let mut effects = Vec::new();
        core.handle(Input::Check(request), self.now, &mut effects);
        let decided = effects.into_iter().find_map(|effect| match effect {
            Effect::Decided(decision) => Some(decision),
            _ => None,
        });
        decided.unwrap_or(unavailable)
    }

    fn log(&mut self, events: Vec<OrderEvent>) {
        let (now, mut effects) = (self.now, Vec::new());
        let Some(core) = &mut self.risk.core else {
            return;
        };
        for event in &events {
            core.handle(Input::Log(event), now, &mut effects);
        }
        for effect in effects {
            match effect {
                Effect::Replay { from_seq, .. } => return self.ask_replay(from_seq),
                Effect::LogBroken { error, .. } => {
                    let detail = format!("risk cannot apply the log: {error}");
                    self.auditor.broken("INV-19", detail);
                }
                _ => {}
            }
        }
    }

    fn tighten(&mut self, scope: Scope, state: TradingState, kill: bool) {
        if self.people.is_lifted(scope) {
            // Whoever wanted it has taken it back before it was heard.
            return;
        }
        let (now, mut effects) = (self.now, Vec::new());
        let input = Input::Tighten {
            scope,
            state,
            kill,
            reason: "a person says so",
        };
        if let Some(core) = &mut self.risk.core {
            core.handle(input, now, &mut effects);
        }
        self.people.in_force(scope, state, now);
        if effects.contains(&Effect::CancelAll(scope)) {
            self.risk.cancels.insert(scope);
            self.remind_risk(Nanos::ZERO, ToRisk::CancelAgain);
        }
        self.record_states();
        if self.weather.is_store_away(now) {
            // In force and not recorded: whoever asked is told to repeat it.
            self.people
                .unheard
                .push(ToRisk::Tighten { scope, state, kill });
        }
    }

    fn reset(&mut self, scope: Scope) {
        if self.weather.is_store_away(self.now) {
            return self.remind_risk(LOOK_EVERY, ToRisk::Reset(scope));
        }
        if self.people.is_lifted(scope) {
            let (now, mut effects) = (self.now, Vec::new());
            if let Some(core) = &mut self.risk.core {
                // One person asks, another confirms; while something is in doubt, both ask again.
                for actor in ["anna", "bela"] {
                    core.handle(Input::Reset { scope, actor }, now, &mut effects);
                }
            }
            let is_done = |effect: &Effect| {
                matches!(
                    effect,
                    Effect::Reset(ResetAnswer::Confirmed { .. } | ResetAnswer::NothingToLift)
                )
            };
            if !effects.iter().any(is_done) {
                return self.remind_risk(LOOK_EVERY, ToRisk::Reset(scope));
            }
            if let Some(core) = &mut self.risk.core {
                core.handle(Input::Lift(scope), now, &mut effects);
            }
            self.risk.cancels.remove(&scope);
            self.record_states();
            self.people.loosened(scope);
        }
    }

    fn record_states(&mut self) {
        if !self.weather.is_store_away(self.now)
            && let Some(core) = &self.risk.core
        {
            self.disk.states = core.states().clone();
        }
    }

    /// A kill is repeated until execution has taken it.
    fn cancel_again(&mut self) {
        let scopes: Vec<_> = self.risk.cancels.iter().copied().collect();
        if scopes.is_empty() {
            return;
        }
        if let Some(leader) = self.disk.leader(self.now) {
            for scope in scopes {
                self.tell_leader(leader, Message::CancelAll(scope));
            }
        }
        self.remind_risk(CANCEL_AGAIN, ToRisk::CancelAgain);
    }

    /// A call to the leader, which may get lost.
    pub(crate) fn tell_leader(&mut self, leader: Address, message: Message) {
        if !self.weather.loses_call(self.now, &mut self.chances.calls) {
            let wait = self.chances.calls.millis(0, 2);
            let letter = Letter::Execution(ToExecution::Inbox(message));
            self.post(wait, leader, letter);
        }
    }
}

//! What execution does after a commit, and what comes of it: questions to risk, the last look before
//! the first byte, wakes, and the relay of the log to the bus.

use super::{
    letters::{Check, Letter, ToExecution, ToRisk, ToStrategy},
    plan::{CrashPoint, Part},
    platform::Platform,
};
use ploy_domain::{ClientOrderId, Intent, Nanos, Reason, ReasonCode, RiskDecision, Timestamp};
use ploy_orders_core::{Effect, Input, Output, SendOutcome};
use ploy_risk_core::CheckRequest;

/// No sends with less of the lease left than this (ORD-24).
const LEASE_MARGIN: Nanos = Nanos::from_secs(2);
/// How old a journal transaction may be when its order is written (ORD-6).
const PERMIT_AGE_MAX: Nanos = Nanos::from_millis(500);
/// How long risk may take (RSK-1).
const RISK_DEADLINE: Nanos = Nanos::from_millis(50);
pub(crate) const RELAY_EVERY: Nanos = Nanos::from_millis(250);

impl Platform {
    pub(crate) fn carry_out(&mut self, n: u8, output: Output, began: Timestamp) {
        for effect in output.effects {
            if self.lead(n).is_none() {
                return;
            }
            self.act(n, effect, began);
        }
        self.schedule_wake(n);
    }

    fn act(&mut self, n: u8, effect: Effect, began: Timestamp) {
        match effect {
            Effect::AskRisk {
                intent, head_seq, ..
            } => self.ask_risk(n, *intent, head_seq),
            Effect::Send { intent, .. } => self.send(n, intent, began),
            Effect::SendCancel {
                order_id,
                instrument,
                ..
            } => {
                self.request_cancel(n, order_id, instrument);
                self.crashes(n, CrashPoint::CancelSent);
            }
            Effect::Query { order_id, .. } => self.request_query(n, order_id),
            Effect::Answer(order_id) | Effect::Mismatch(order_id) => {
                let replies = self.lead(n).and_then(|lead| lead.waiting.remove(&order_id));
                for to in replies.unwrap_or_default() {
                    let letter = Letter::Strategy(ToStrategy::Taken(order_id));
                    self.post(Nanos::from_millis(1), to, letter);
                }
            }
            Effect::Reconcile => self.reconcile_soon(n),
            Effect::Alert(alert) => self.auditor.alerted(&alert),
            Effect::CancelsRequested(_) => {}
        }
    }

    fn ask_risk(&mut self, n: u8, intent: Intent, head_seq: u64) {
        self.serial += 1;
        let (nonce, order_id) = (self.serial, intent.order_id);
        let reply = self.address(Part::Execution(n));
        let Some(lead) = self.lead(n) else {
            return;
        };
        lead.checks.insert(order_id, nonce);
        let epoch = lead.core.epoch();
        let request = Box::new(CheckRequest {
            intent,
            head_seq,
            epoch,
        });
        let check = Check {
            request,
            reply,
            nonce,
        };
        let risk = self.address(Part::Risk);
        if !self.weather.loses_call(self.now, &mut self.chances.calls) {
            let wait = self.chances.calls.millis(0, 2);
            self.post(wait, risk, Letter::Risk(ToRisk::Check(check)));
        }
        self.remind(n, RISK_DEADLINE, ToExecution::NotJudged { nonce, order_id });
    }

    pub(crate) fn judged(
        &mut self,
        n: u8,
        (order_id, nonce): (ClientOrderId, u64),
        decision: RiskDecision,
    ) {
        let Some(lead) = self.lead(n) else {
            return;
        };
        if lead.checks.get(&order_id) != Some(&nonce) {
            return;
        }
        lead.checks.remove(&order_id);
        if decision.verdict.is_ok() && self.crashes(n, CrashPoint::Approved) {
            return;
        }
        self.inbox(n, Input::RiskAnswered { order_id, decision });
    }

    /// The last look before the first byte (ORD-6).
    fn send(&mut self, n: u8, intent: Box<Intent>, began: Timestamp) {
        if self.crashes(n, CrashPoint::Journaled) {
            return;
        }
        let (now, order_id) = (self.now, intent.order_id);
        let lease = self.execution(n).lease;
        let may_send = lease.is_some_and(|held| held.good_until - now >= LEASE_MARGIN);
        let is_late = now - began > PERMIT_AGE_MAX || now > intent.valid_until;
        if !may_send || is_late {
            let reason = Reason::bare(ReasonCode::NotSent);
            let outcome = SendOutcome::NotSent(reason);
            return self.inbox(n, Input::Sent { order_id, outcome });
        }
        self.maybe_freeze_before_write(n);
        let write = ToExecution::Write {
            intent,
            signed_at: now,
        };
        self.remind(n, Nanos::from_micros(20), write);
    }

    pub(crate) fn write(&mut self, n: u8, intent: Box<Intent>, signed_at: Timestamp) {
        let epoch = self.execution(n).lease.map_or(0, |held| held.epoch);
        self.auditor.sends(epoch, signed_at, self.now);
        self.request_place(n, intent, signed_at);
        self.crashes(n, CrashPoint::Written);
    }

    pub(crate) fn wake(&mut self, n: u8) {
        let now = self.now;
        let Some(lead) = self.lead(n) else {
            return;
        };
        if lead.wake_at.is_some_and(|at| at <= now) {
            lead.wake_at = None;
        }
        if lead.core.next_wake().is_some_and(|at| at <= now) {
            self.inbox(n, Input::Woken);
        } else {
            self.schedule_wake(n);
        }
    }

    fn schedule_wake(&mut self, n: u8) {
        let now = self.now;
        let Some(lead) = self.lead(n) else {
            return;
        };
        let Some(next) = lead.core.next_wake() else {
            return;
        };
        if lead.wake_at.is_none_or(|at| next < at) {
            lead.wake_at = Some(next);
            let wait = Nanos::new((next - now).get().max(0));
            self.remind(n, wait, ToExecution::Wake);
        }
    }

    /// Publishes what the bus was not seen to have, and says the head (MSG-7, MSG-9).
    pub(crate) fn relay_look(&mut self, n: u8) {
        if self.lead(n).is_some() && !self.weather.is_store_away(self.now) {
            self.relay(n);
            self.publish_head();
        }
        if self.is_alive(Part::Execution(n)) {
            self.remind(n, RELAY_EVERY, ToExecution::RelayLook);
        }
    }

    pub(crate) fn relay(&mut self, n: u8) {
        if self.weather.is_store_away(self.now) {
            return;
        }
        let rows: Vec<_> = self
            .disk
            .log()
            .iter()
            .skip(self.disk.relayed)
            .cloned()
            .collect();
        if rows.is_empty() {
            return;
        }
        rows.iter().for_each(|event| self.publish(event));
        if !self.crashes(n, CrashPoint::Relayed) {
            self.disk.relayed += rows.len();
        }
    }
}

//! From a request to the one send permit: request → risk → journal → send.

use crate::{
    book::BookError,
    core::{Effect, OrderCore, Turn},
    venue::SendOutcome,
};
use ploy_domain::{
    Approval, ClientOrderId, Intent, OrderEventPayload as P, OrderState, Reason, ReasonCode,
    RiskDecision, Timestamp, TraceContext,
};

impl OrderCore {
    /// The same id with the same content is the same order and gets the same answer; with other
    /// content it is refused (ORD-2).
    pub(crate) fn submit(
        &mut self,
        intent: Intent,
        trace: TraceContext,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let order_id = intent.order_id;
        let hash = intent.content_hash();
        if let Some(order) = self.book.order(&order_id) {
            let same = order.intent.content_hash() == hash;
            turn.out.effects.push(if same {
                Effect::Answer(order_id)
            } else {
                Effect::Mismatch(order_id)
            });
            return Ok(());
        }
        if let Some((running, _)) = self.awaiting_risk.get(&order_id) {
            if running.content_hash() != hash {
                turn.out.effects.push(Effect::Mismatch(order_id));
            }
            return Ok(());
        }
        if let Some(reason) = self.refuse_before_risk(&intent, turn.now) {
            return self.deny(intent, trace, vec![reason], turn);
        }
        let head_seq = self.book.head_seq();
        self.awaiting_risk.insert(order_id, (intent.clone(), trace));
        turn.out.effects.push(Effect::AskRisk {
            intent: Box::new(intent),
            head_seq,
            trace,
        });
        Ok(())
    }

    /// What execution refuses by itself, whatever risk would say.
    fn refuse_before_risk(&self, intent: &Intent, now: Timestamp) -> Option<Reason> {
        if let Err(reason) = self.readiness() {
            return Some(reason);
        }
        if now > intent.valid_until {
            let (until, now) = (intent.valid_until, now);
            let context = format_args!("valid_until={until} now={now}");
            return Some(Reason::new(ReasonCode::Expired, context));
        }
        // ORD-11: an order nobody knows about blocks new risk in its instrument.
        let blocking = self.book.working_orders().find(|order| {
            order.state() == OrderState::Unknown && order.intent.instrument == intent.instrument
        });
        blocking.map(|order| {
            let context = format_args!("order_id={}", order.id());
            Reason::new(ReasonCode::UnknownOrderPending, context)
        })
    }

    pub(crate) fn risk_answered(
        &mut self,
        order_id: ClientOrderId,
        decision: RiskDecision,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let Some((intent, trace)) = self.awaiting_risk.remove(&order_id) else {
            return Ok(());
        };
        let approval = match decision.verdict {
            Ok(approval) => approval,
            Err(reasons) => return self.deny(intent, trace, reasons, turn),
        };
        if let Some(reason) = self.refuse_after_risk(&intent, &approval, turn.now) {
            return self.deny(intent, trace, vec![reason], turn);
        }
        self.highest_risk_epoch = approval.risk_epoch;
        self.egress.record(&self.settings.guard, &intent, turn.now);
        let created = P::Created(Box::new(intent.clone()));
        self.write_traced(created, trace, turn)?;
        self.write(P::Checked { order_id, approval }, turn)?;
        self.write(P::Journaled { order_id }, turn)?;
        turn.out.effects.push(Effect::Send {
            intent: Box::new(intent),
            journaled_at: turn.now,
            trace,
        });
        turn.out.effects.push(Effect::Answer(order_id));
        Ok(())
    }

    /// An approval is usable once, for exactly its content, until it expires, and never from a
    /// risk service that was replaced (RSK-2).
    fn refuse_after_risk(
        &mut self,
        intent: &Intent,
        approval: &Approval,
        now: Timestamp,
    ) -> Option<Reason> {
        if let Some(reason) = self.cancel_wanted.remove(&intent.order_id) {
            return Some(reason);
        }
        if let Err(reason) = self.readiness() {
            return Some(reason);
        }
        let invalid = |context: String| Some(Reason::new(ReasonCode::ApprovalInvalid, context));
        if approval.content_hash != intent.content_hash() {
            return invalid("content differs".to_owned());
        }
        if now > approval.expires_at {
            return invalid(format!("expired_at={} now={now}", approval.expires_at));
        }
        if approval.risk_epoch < self.highest_risk_epoch {
            let (was, newest) = (approval.risk_epoch, self.highest_risk_epoch);
            return invalid(format!("risk_epoch={was} newest={newest}"));
        }
        if now > intent.valid_until {
            return Some(Reason::new(ReasonCode::Expired, format_args!("now={now}")));
        }
        let open = self.book.working_orders().count() + 1;
        self.egress.refuse(&self.settings.guard, intent, open, now)
    }

    fn deny(
        &mut self,
        intent: Intent,
        trace: TraceContext,
        reasons: Vec<Reason>,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let order_id = intent.order_id;
        self.cancel_wanted.remove(&order_id);
        self.write_traced(P::Created(Box::new(intent)), trace, turn)?;
        self.write(P::Denied { order_id, reasons }, turn)?;
        turn.out.effects.push(Effect::Answer(order_id));
        Ok(())
    }

    pub(crate) fn sent(
        &mut self,
        order_id: ClientOrderId,
        outcome: SendOutcome,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let Some(state) = self.book.order(&order_id).map(ploy_domain::Order::state) else {
            return Ok(());
        };
        match outcome {
            SendOutcome::Acknowledged { order, fills } => {
                self.evidence(order_id, &order, &fills, turn)
            }
            SendOutcome::NotSent(reason) if state == OrderState::Journaled => {
                let denied = P::Denied {
                    order_id,
                    reasons: vec![reason],
                };
                self.write(denied, turn)
            }
            SendOutcome::Refused(reason)
                if matches!(state, OrderState::Journaled | OrderState::Submitted) =>
            {
                self.ensure_submitted(order_id, turn)?;
                self.write(P::Rejected { order_id, reason }, turn)
            }
            SendOutcome::Unknown(reason)
                if matches!(state, OrderState::Journaled | OrderState::Submitted) =>
            {
                let doubt = P::BecameUnknown { order_id, reason };
                self.write(doubt, turn)?;
                self.doubts.begin(order_id, turn.now);
                Ok(())
            }
            // The private stream was faster and has told the truth already.
            SendOutcome::NotSent(_) | SendOutcome::Refused(_) | SendOutcome::Unknown(_) => Ok(()),
        }
    }

    /// The venue spoke of the order, so it was submitted, whoever says so first.
    pub(crate) fn ensure_submitted(
        &mut self,
        order_id: ClientOrderId,
        turn: &mut Turn<'_>,
    ) -> Result<(), BookError> {
        let state = self.book.order(&order_id).map(ploy_domain::Order::state);
        if state == Some(OrderState::Journaled) {
            self.write(P::Submitted { order_id }, turn)?;
        }
        Ok(())
    }
}

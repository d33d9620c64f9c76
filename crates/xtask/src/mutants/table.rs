//! The mutants: a rule as it stands in the sources, and the same place without it.

/// One rule, broken.
#[derive(Debug)]
pub(crate) struct Mutant {
    /// What is wrong.
    pub(crate) name: &'static str,
    /// Where.
    pub(crate) file: &'static str,
    /// The rule; it stands there once.
    pub(crate) rule: &'static str,
    /// What stands there instead.
    pub(crate) broken: &'static str,
}

const SUBMIT: &str = "crates/cores/orders/src/submit.rs";
const EVIDENCE: &str = "crates/cores/orders/src/evidence.rs";
const DOUBT: &str = "crates/cores/orders/src/doubt.rs";
const TAKE_OVER: &str = "crates/cores/orders/src/core.rs";
const RISK: &str = "crates/cores/risk/src/core.rs";
const CHECKS: &str = "crates/cores/risk/src/checks/holdings.rs";
const EXPOSURE: &str = "crates/cores/risk/src/exposure.rs";
const SHELL: &str = "crates/sim/src/world/execution.rs";
const EFFECTS: &str = "crates/sim/src/world/effects.rs";
const DISK: &str = "crates/sim/src/world/disk.rs";
const RISK_SHELL: &str = "crates/sim/src/world/risk.rs";

/// Every mutant.
pub(crate) const MUTANTS: &[Mutant] = &[
    Mutant {
        name: "resend after a time-out",
        file: SUBMIT,
        rule: "self.doubts.begin(order_id, turn.now);\n                Ok(())",
        broken: "if let Some(order) = self.book.order(&order_id) {
                    let intent = Box::new(order.intent.clone());
                    let trace = TraceContext::NONE;
                    let journaled_at = turn.now;
                    turn.out.effects.push(Effect::Send { intent, journaled_at, trace });
                }
                Ok(())",
    },
    Mutant {
        name: "act before the commit",
        file: SHELL,
        rule: "let events = output.events.clone();",
        broken: "let mut output = output;
        let effects = std::mem::take(&mut output.effects);
        self.carry_out(n, Output { events: Vec::new(), effects }, now);
        let events = output.events.clone();",
    },
    Mutant {
        name: "trust the order of the bus",
        file: RISK,
        rule: "} else if event.seq > next {",
        broken: "} else if false {",
    },
    Mutant {
        name: "forget a reservation",
        file: RISK,
        rule: "account.reserve(intent, content_hash, expires_at);",
        broken: "",
    },
    Mutant {
        name: "reducing opens from flat",
        file: CHECKS,
        rule: "Side::Buy => position < 0 && after <= 0 && after > position,",
        broken: "Side::Buy => position <= 0,",
    },
    Mutant {
        name: "a new leader sends again",
        file: TAKE_OVER,
        rule: "core.doubts.begin(order_id, now);\n                }",
        broken: "core.doubts.begin(order_id, now);
                    if let Some(order) = core.book.order(&order_id) {
                        let intent = Box::new(order.intent.clone());
                        let trace = TraceContext::NONE;
                        turn.out.effects.push(Effect::Send { intent, journaled_at: now, trace });
                    }
                }",
    },
    Mutant {
        name: "one not-found is absence",
        file: DOUBT,
        rule: "watch.readings >= READINGS_MIN && now >= not_before",
        broken: "true",
    },
    Mutant {
        name: "no answer is an empty answer",
        file: DOUBT,
        rule: "self.doubts.unanswered(&order_id, turn.now);
                Ok(())",
        broken: "self.absent(order_id, turn)",
    },
    Mutant {
        name: "a fill is booked each time",
        file: EVIDENCE,
        rule: "if let Some(known) = entry.executions.get(&execution.key()) {",
        broken: "if let Some(known) = entry.executions.get(&execution.key()).filter(|_| false) {",
    },
    Mutant {
        name: "journaled orders are forgotten",
        file: TAKE_OVER,
        rule: "core.write(doubt, &mut turn)?;",
        broken: "let _ = doubt;",
    },
    Mutant {
        name: "unknown orders weigh nothing",
        file: EXPOSURE,
        rule: "orders.for_each(|order| line.add_open(order.signed_working_leaves()));",
        broken: "orders
            .filter(|order| order.state() != ploy_domain::OrderState::Unknown)
            .for_each(|order| line.add_open(order.signed_working_leaves()));",
    },
    Mutant {
        name: "a deposed leader still writes",
        file: DISK,
        rule: "if epoch != self.lease.epoch {
            return Err(Refused::Fenced);
        }
        let free = self.head_seq() + 1..;
        if !events.iter().zip(free).all(|(event, seq)| event.seq == seq) {
            return Err(Refused::Sequence);
        }",
        broken: "let _ = epoch;",
    },
    Mutant {
        name: "no last look before the send",
        file: EFFECTS,
        rule: "if !may_send || is_late {",
        broken: "if false {",
    },
    Mutant {
        name: "risk forgets states at a restart",
        file: RISK_SHELL,
        rule: "terms::limits(), self.disk.states.clone()",
        broken: "terms::limits(), ploy_risk_core::TradingStates::default()",
    },
];

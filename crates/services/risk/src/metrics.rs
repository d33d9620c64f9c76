//! The metrics of risk. Labels are bounded: verdicts, reason codes and states.

use metrics::{counter, gauge, histogram};
use ploy_chassis::metrics::name;
use ploy_domain::{RiskDecision, TradingState};
use std::time::Duration;

pub(crate) fn decided(decision: &RiskDecision, took: Duration) {
    histogram!(name::RISK_CHECK_SECONDS).record(took.as_secs_f64());
    match &decision.verdict {
        Ok(_) => counter!(name::RISK_DECISIONS, "verdict" => "approved").increment(1),
        Err(reasons) => {
            counter!(name::RISK_DECISIONS, "verdict" => "denied").increment(1);
            for reason in reasons {
                let code = reason.code.word();
                counter!(name::RISK_DENIALS, "reason" => code).increment(1);
            }
        }
    }
}

pub(crate) fn tightest(state: TradingState) {
    let level = match state {
        TradingState::Active => 0.0,
        TradingState::Reducing => 1.0,
        TradingState::CancelOnly => 2.0,
        TradingState::Halted => 3.0,
    };
    gauge!(name::TRADING_STATE, "scope" => "tightest").set(level);
}

pub(crate) fn duplicate() {
    counter!(name::DUPLICATES, "kind" => "order_event").increment(1);
}

pub(crate) fn gap() {
    counter!(name::CONSUMER_GAPS, "consumer" => "risk", "cause" => "sequence").increment(1);
}

pub(crate) fn log_broken() {
    counter!(name::ALERTS, "kind" => "log_broken").increment(1);
}

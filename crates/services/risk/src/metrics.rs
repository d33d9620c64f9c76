//! The metrics of risk. Labels are bounded: verdicts, reason codes and states.

use metrics::{counter, gauge, histogram};
use ploy_domain::{RiskDecision, TradingState};
use std::time::Duration;

pub(crate) fn decided(decision: &RiskDecision, took: Duration) {
    histogram!("ploy_risk_decision_us").record(took.as_secs_f64() * 1e6);
    match &decision.verdict {
        Ok(_) => counter!("ploy_risk_decisions_total", "verdict" => "approved").increment(1),
        Err(reasons) => {
            counter!("ploy_risk_decisions_total", "verdict" => "denied").increment(1);
            for reason in reasons {
                let code = reason.code.word();
                counter!("ploy_risk_denials_total", "reason" => code).increment(1);
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
    gauge!("ploy_trading_state", "scope" => "tightest").set(level);
}

pub(crate) fn duplicate() {
    counter!("ploy_duplicates_total", "kind" => "order_event").increment(1);
}

pub(crate) fn gap() {
    counter!("ploy_log_gaps_total").increment(1);
}

pub(crate) fn log_broken() {
    counter!("ploy_alerts_total", "kind" => "log_broken").increment(1);
}

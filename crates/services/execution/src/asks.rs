//! The questions to risk that an account waits for. They live in the owner's own task, so that an
//! answer wakes it directly; they have no effect elsewhere, and end with its leadership.

use crate::{account::Desk, metrics};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use ploy_chassis::{scope, trace};
use ploy_domain::{Intent, Nanos, Reason, ReasonCode, RiskDecision, TraceContext};
use ploy_orders_core::Input;
use ploy_wire::api::{Actor, Call, CheckRequest, RiskApi};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::Instrument as _;

/// How long risk may take (RSK-1).
const RISK_DEADLINE: Duration = Duration::from_millis(50);

/// Questions under way.
#[derive(Debug)]
pub(crate) struct Asks {
    risk: Arc<dyn RiskApi>,
    epoch: u64,
    waiting: FuturesUnordered<BoxFuture<'static, Input>>,
}

impl Asks {
    pub(crate) fn new(desk: &Desk, epoch: u64) -> Self {
        Self {
            risk: Arc::clone(&desk.risk),
            epoch,
            waiting: FuturesUnordered::new(),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The next answer; `None` when nothing was asked.
    pub(crate) async fn next(&mut self) -> Option<Input> {
        self.waiting.next().await
    }

    /// An answer that is there already.
    pub(crate) fn ready(&mut self) -> Option<Input> {
        self.waiting.next().now_or_never().flatten()
    }

    pub(crate) fn ask(&self, intent: Intent, head_seq: u64, trace: TraceContext) {
        let risk = Arc::clone(&self.risk);
        let order_id = intent.order_id;
        let span = tracing::info_span!("risk.check", service.component = "execution", %order_id);
        trace::link_parent(&span, &trace);
        let call = Call::new(Actor::EXECUTION, RISK_DEADLINE).traced(trace::of(&span));
        let request = CheckRequest {
            intent,
            head_seq,
            epoch: self.epoch,
            account_ready: true,
        };
        let work = async move {
            let began = Instant::now();
            let answer = tokio::time::timeout(RISK_DEADLINE, risk.check(request, call)).await;
            metrics::risk_asked(began.elapsed());
            let decision = match answer {
                Ok(Ok(decision)) => decision,
                Ok(Err(error)) => unavailable(error.to_string()),
                Err(_) => unavailable(format!("no answer in {} ms", RISK_DEADLINE.as_millis())),
            };
            Input::RiskAnswered { order_id, decision }
        };
        let work = scope::within(crate::SERVICE, work.instrument(span));
        self.waiting.push(Box::pin(work));
    }
}

fn unavailable(detail: String) -> RiskDecision {
    RiskDecision {
        verdict: Err(vec![Reason::new(ReasonCode::RiskUnavailable, detail)]),
        reference_price: None,
        reference_age: None,
        took: Nanos::ZERO,
    }
}

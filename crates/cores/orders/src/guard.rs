//! The egress guard: execution's own last look before the journal, separately configured and coded,
//! trusting nobody, the risk service included (RSK-5).

use ploy_domain::{
    Amount, ClientOrderId, InstrumentId, Intent, Nanos, OrderKind, Quantity, Reason, ReasonCode,
    Rounding, Side, StrategyId, Timestamp,
};
use std::collections::VecDeque;

/// The bounds of the guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EgressGuard {
    /// Largest value of one order by its own price or decision price.
    pub notional_max: Amount,
    /// Most orders per second.
    pub orders_per_second_max: u32,
    /// Most orders working at once.
    pub open_orders_max: u32,
    /// The same content is not sent twice within this time.
    pub identical_window: Nanos,
}

/// What left recently.
#[derive(Debug, Clone, Default)]
pub(crate) struct EgressHistory {
    recent: VecDeque<Sent>,
}

#[derive(Debug, Clone)]
struct Sent {
    at: Timestamp,
    order_id: ClientOrderId,
    content: Content,
}

type Content = (StrategyId, InstrumentId, Side, OrderKind, Quantity);

fn content(intent: &Intent) -> Content {
    (
        intent.strategy,
        intent.instrument,
        intent.side,
        intent.kind,
        intent.quantity,
    )
}

impl EgressHistory {
    /// Why the order must not leave, if it must not.
    pub(crate) fn refuse(
        &self,
        guard: &EgressGuard,
        intent: &Intent,
        open_orders: usize,
        now: Timestamp,
    ) -> Option<Reason> {
        let refused = |context: String| Some(Reason::new(ReasonCode::EgressGuard, context));
        if open_orders > guard.open_orders_max as usize {
            let max = guard.open_orders_max;
            return refused(format!("rule=open_orders max={max} was={open_orders}"));
        }
        let price = intent.kind.limit_price().or(intent.decision_price);
        let Some(price) = price else {
            return refused("rule=notional price=none".to_owned());
        };
        match price.times(intent.quantity, Rounding::Ceil) {
            Ok(was) if was > guard.notional_max => {
                let max = guard.notional_max;
                return refused(format!("rule=notional max={max} was={was}"));
            }
            Ok(_) => {}
            Err(error) => return refused(format!("rule=notional {error}")),
        }
        let second = now.minus(Nanos::from_secs(1));
        let sent = self.recent.iter().filter(|sent| sent.at > second).count() + 1;
        if sent > guard.orders_per_second_max as usize {
            let max = guard.orders_per_second_max;
            return refused(format!("rule=order_rate max={max}/s was={sent}/s"));
        }
        let since = now.minus(guard.identical_window);
        let twin = self
            .recent
            .iter()
            .find(|sent| sent.at > since && sent.content == content(intent));
        twin.and_then(|sent| refused(format!("rule=identical order_id={}", sent.order_id)))
    }

    pub(crate) fn record(&mut self, guard: &EgressGuard, intent: &Intent, now: Timestamp) {
        let keep = guard.identical_window.max(Nanos::from_secs(1));
        while self
            .recent
            .front()
            .is_some_and(|sent| sent.at <= now.minus(keep))
        {
            self.recent.pop_front();
        }
        self.recent.push_back(Sent {
            at: now,
            order_id: intent.order_id,
            content: content(intent),
        });
    }
}

//! Where the time of an order goes, read from the order log after the run.

use super::{market::tick_of, stopwatch::Stopwatch};
use ploy_domain::{AccountId, ClientOrderId, Nanos, OrderEventPayload, Timestamp};
use ploy_wire::api::{Actor, Call, ExecutionApi};
use std::{collections::HashMap, time::Duration};

const PAGE: u32 = 500;
const PAGE_MAX: Duration = Duration::from_secs(5);

/// When an order was decided and when execution wrote down that it may be sent.
#[derive(Debug, Clone, Copy)]
struct Marks {
    tick: usize,
    decided: Timestamp,
    journaled: Option<Timestamp>,
}

/// The parts of the way from tick to order, of every order from tick `first` on.
pub(crate) async fn read(
    execution: &dyn ExecutionApi,
    account: AccountId,
    (stopwatch, first): (&Stopwatch, usize),
) -> anyhow::Result<Vec<(&'static str, Vec<Nanos>)>> {
    let mut orders: HashMap<ClientOrderId, Marks> = HashMap::new();
    let mut next = 1;
    loop {
        let call = Call::new(Actor::STRATEGY, PAGE_MAX);
        let events = execution.replay(account, next, PAGE, call).await?;
        let Some(last) = events.last() else { break };
        next = last.seq + 1;
        for event in &events {
            match &event.payload {
                OrderEventPayload::Created(intent) => {
                    let tick = intent.decision_price.and_then(tick_of);
                    if let Some(tick) = tick.filter(|tick| *tick >= first) {
                        let marks = Marks {
                            tick,
                            decided: intent.created_at,
                            journaled: None,
                        };
                        orders.insert(intent.order_id, marks);
                    }
                }
                OrderEventPayload::Journaled { order_id } => {
                    if let Some(marks) = orders.get_mut(order_id) {
                        marks.journaled = Some(event.ts_write);
                    }
                }
                _ => {}
            }
        }
    }
    let (mut decision, mut judgement, mut sending) = (Vec::new(), Vec::new(), Vec::new());
    for marks in orders.values() {
        if let (Some((published, sent)), Some(journaled)) =
            (stopwatch.times(marks.tick), marks.journaled)
        {
            decision.push(marks.decided - published);
            judgement.push(journaled - marks.decided);
            sending.push(sent - journaled);
        }
    }
    Ok(vec![
        ("tick to decision", decision),
        ("decision to permit", judgement),
        ("permit to order sent", sending),
    ])
}

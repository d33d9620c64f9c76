//! Events of the order log.

use super::{amount, few, ids, orders, timestamp, word};
use ploy_domain::{Cause, OrderEvent, OrderEventPayload as Payload, TraceContext};
use proptest::{option, prelude::*};

pub(crate) fn trace() -> impl Strategy<Value = TraceContext> {
    let some = (1_u128.., 1_u64.., any::<bool>());
    let some = some.prop_map(|(trace_id, span_id, sampled)| TraceContext {
        trace_id,
        span_id,
        sampled,
    });
    prop_oneof![Just(TraceContext::NONE), some]
}

pub(crate) fn payload() -> impl Strategy<Value = Payload> {
    let of_an_order = (ids::order(), orders::reason(), ids::venue_order());
    let plain =
        (0_u8..10, of_an_order).prop_map(
            |(which, (order_id, reason, venue_order_id))| match which {
                0 => Payload::Journaled { order_id },
                1 => Payload::Submitted { order_id },
                2 => Payload::Triggered { order_id },
                3 => Payload::BecameUnknown { order_id, reason },
                4 => Payload::Rejected { order_id, reason },
                5 => Payload::CancelRequested { order_id, reason },
                6 => Payload::CancelRefused { order_id, reason },
                7 => Payload::Cancelled { order_id, reason },
                8 => Payload::Expired { order_id, reason },
                _ => Payload::Accepted {
                    order_id,
                    venue_order_id,
                },
            },
        );
    let adopted = (orders::intent(), ids::venue_order());
    prop_oneof![
        10 => plain,
        1 => orders::intent().prop_map(|intent| Payload::Created(Box::new(intent))),
        1 => adopted.prop_map(|(intent, venue_order_id)| Payload::Adopted {
            intent: Box::new(intent),
            venue_order_id,
        }),
        1 => (ids::order(), orders::approval())
            .prop_map(|(order_id, approval)| Payload::Checked { order_id, approval }),
        1 => (ids::order(), few(orders::reason()))
            .prop_map(|(order_id, reasons)| Payload::Denied { order_id, reasons }),
        1 => orders::execution().prop_map(|fill| Payload::Filled(Box::new(fill))),
        1 => (ids::asset(), amount())
            .prop_map(|(asset, amount)| Payload::Deposited { asset, amount }),
        1 => Just(Payload::AccountReady),
        1 => orders::reason().prop_map(|reason| Payload::AccountNotReady { reason }),
    ]
}

prop_compose! {
    pub(crate) fn event()(
        (account, seq, epoch) in (ids::account(), any::<u64>(), any::<u64>()),
        event_id in ids::event(),
        (ts_event, ts_write) in (timestamp(), timestamp()),
        (source, event) in (word(), option::of(ids::event())),
        (trace, payload) in (trace(), payload()),
    ) -> OrderEvent {
        OrderEvent {
            account, seq, event_id, epoch, ts_event, ts_write, cause: Cause { source, event },
            trace, payload,
        }
    }
}

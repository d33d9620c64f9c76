//! Random stories: losses, repeats, reordering and crashes, and what must hold after each step.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// One thing that goes right or wrong on the way of the newest orders.
#[derive(Debug, Clone)]
enum Happening {
    Order(bool, i64),
    Answer { working: bool },
    LoseAnswer,
    Fill(u8, i64),
    RepeatFills,
    Cancel,
    CancelDone,
    Query,
    Crash,
    Wait(i64),
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        (any::<bool>(), 1i64..5).prop_map(|(buy, quantity)| Happening::Order(buy, quantity)),
        any::<bool>().prop_map(|working| Happening::Answer { working }),
        Just(Happening::LoseAnswer),
        (any::<u8>(), 1i64..3).prop_map(|(id, quantity)| Happening::Fill(id, quantity)),
        Just(Happening::RepeatFills),
        Just(Happening::Cancel),
        Just(Happening::CancelDone),
        Just(Happening::Query),
        Just(Happening::Crash),
        (1i64..20).prop_map(Happening::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is lost, doubled, reordered or crashed: nothing is sent twice, every fill is booked
    /// once, positions are the sum of fills, the ledger is zero, and the log rebuilds the books.
    #[test]
    fn no_order_is_sent_twice_and_every_fill_is_booked_once(
        story in proptest::collection::vec(happening(), 1..80)
    ) {
        let mut desk = Desk::new();
        let mut intents: Vec<Intent> = Vec::new();
        let mut fills: Vec<VenueFill> = Vec::new();
        for step in story {
            tell_story(&mut desk, &mut intents, &mut fills, step);
            prop_assert!(desk.sends.values().all(|count| *count == 1));
            prop_assert_eq!(desk.core.book().ledger().imbalance(), None);
        }
        for intent in &intents {
            if desk.sends.contains_key(&intent.order_id) {
                ask_about(&mut desk, intent, &fills);
            }
        }
        let booked: i64 = fills.iter().map(|f| f.side.sign() * f.quantity.raw()).sum();
        let position = desk.core.book().net_position(&instrument().id);
        prop_assert_eq!(position, Quantity::from_raw(booked));
        let holdings = LedgerAccount::Holdings("main".parse().unwrap());
        let held = desk.core.book().ledger().balance(holdings, "BTC".parse().unwrap());
        prop_assert_eq!(held.raw(), booked);
        let journaled: BTreeSet<_> = desk.log.iter().filter_map(|event| match event.payload {
            OrderEventPayload::Journaled { order_id } => Some(order_id),
            _ => None,
        }).collect();
        prop_assert!(desk.sends.keys().all(|order_id| journaled.contains(order_id)));
        for (index, event) in desk.log.iter().enumerate() {
            prop_assert_eq!(event.seq, index as u64 + 1);
        }
        let mut rebuilt = book();
        for event in &desk.log {
            rebuilt.apply(event).unwrap();
        }
        prop_assert_eq!(format!("{rebuilt:?}"), format!("{:?}", desk.core.book()));
    }
}

/// The venue answers, completely, what became of an order.
fn ask_about(desk: &mut Desk, intent: &Intent, fills: &[VenueFill]) {
    let venue_id = venue_order(intent, "0", VenueStatus::Working).venue_order_id;
    let fills: Vec<_> = fills
        .iter()
        .filter(|fill| fill.venue_order_id == venue_id)
        .cloned()
        .collect();
    let filled = fills.iter().map(|fill| fill.quantity.raw()).sum();
    let filled = Quantity::from_raw(filled);
    let status = if filled >= intent.quantity {
        VenueStatus::Filled
    } else {
        VenueStatus::Working
    };
    let order = venue_order(intent, &filled.to_string(), status);
    desk.queried(intent, QueryOutcome::Found { order, fills });
}

#[expect(clippy::too_many_lines, reason = "one arm for each happening")]
fn tell_story(
    desk: &mut Desk,
    intents: &mut Vec<Intent>,
    fills: &mut Vec<VenueFill>,
    step: Happening,
) {
    let newest = intents.last().cloned();
    let is_sent = |desk: &Desk, intent: &Intent| desk.sends.contains_key(&intent.order_id);
    match (step, newest) {
        (Happening::Order(buy, quantity), _) => {
            let side = if buy { Side::Buy } else { Side::Sell };
            let intent = desk.intent(side, &quantity.to_string());
            desk.submit(&intent);
            let (order_id, decision) = (intent.order_id, desk.approval(&intent));
            desk.tell(Input::RiskAnswered { order_id, decision });
            intents.push(intent);
        }
        (Happening::Wait(secs), _) => drop(desk.wait(Nanos::from_secs(secs))),
        (Happening::Crash, _) => {
            desk.restart();
            // A trade book names the venue's orders only.
            let nameless = fills.iter().map(|fill| VenueFill {
                client_id: None,
                ..fill.clone()
            });
            let snapshot = VenueSnapshot {
                fills: nameless.collect(),
                ..VenueSnapshot::default()
            };
            desk.tell(Input::Reconciled(snapshot));
            // The venue's balances are what its fills say; here only readiness matters.
            desk.core.set_ready(Ok(()));
        }
        (Happening::RepeatFills, _) => {
            for fill in fills.iter().rev() {
                desk.tell(Input::Reported(Report::Fill(fill.clone())));
            }
        }
        (Happening::Answer { working }, Some(intent)) if is_sent(desk, &intent) => {
            let reason = Reason::bare(ReasonCode::VenueRefused);
            let order = venue_order(&intent, "0", VenueStatus::Working);
            desk.sent(
                &intent,
                if working {
                    SendOutcome::Acknowledged {
                        order,
                        fills: vec![],
                    }
                } else {
                    SendOutcome::Refused(reason)
                },
            );
        }
        (Happening::LoseAnswer, Some(intent)) if is_sent(desk, &intent) => {
            let reason = Reason::bare(ReasonCode::OutcomeUnknown);
            desk.sent(&intent, SendOutcome::Unknown(reason));
        }
        (Happening::Fill(id, quantity), Some(intent)) if is_sent(desk, &intent) => {
            let id = format!("{}-{id}", intents.len());
            let fill = venue_fill(&intent, &id, &quantity.to_string());
            let known = fills.iter().any(|f| f.execution_id == fill.execution_id);
            if !known {
                fills.push(fill.clone());
                desk.tell(Input::Reported(Report::Fill(fill)));
            }
        }
        (Happening::Cancel, Some(intent)) => {
            let reason = Reason::bare(ReasonCode::CancelRequested);
            desk.tell(Input::Cancel {
                order_id: intent.order_id,
                reason,
            });
        }
        (Happening::CancelDone, Some(intent)) if is_sent(desk, &intent) => {
            let filled = desk
                .core
                .book()
                .order(&intent.order_id)
                .map_or(Quantity::ZERO, Order::filled);
            let order = venue_order(&intent, &filled.to_string(), cancelled());
            desk.tell(Input::Reported(Report::Order(order)));
        }
        (Happening::Query, Some(intent)) if is_sent(desk, &intent) => {
            desk.queried(&intent, QueryOutcome::Absent);
        }
        _ => {}
    }
}

//! The people at the platform: they trade by hand, repeat themselves, cancel, and pull the brakes.

use super::{
    gambler::any_order,
    letters::{Event, Message, ToRisk},
    platform::Platform,
    terms::PREFIX,
};
use ploy_domain::{
    ClientOrderId, InstrumentId, Intent, Nanos, OrderIdParts, Price, Scope, Timestamp, TradingState,
};
use std::collections::BTreeMap;

/// How long an order of a person may take to reach the venue (MSG-2).
const PATIENCE: Nanos = Nanos::from_secs(30);

/// What a person said about a scope, and since when risk obeys.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Brake {
    pub(crate) state: TradingState,
    pub(crate) in_force_since: Option<Timestamp>,
    wanted: bool,
}

/// The people.
#[derive(Debug, Default)]
pub(crate) struct People {
    /// What risk was not there to hear.
    pub(crate) unheard: Vec<ToRisk>,
    brakes: BTreeMap<Scope, Brake>,
    orders: Vec<Intent>,
    count: u64,
    /// The order that shows at the end that the platform trades again.
    pub(crate) last: Option<ClientOrderId>,
}

impl People {
    /// Somebody wants a scope tightened.
    pub(crate) fn trip(&mut self, scope: Scope, state: TradingState) {
        let brake = self.brakes.entry(scope).or_insert(Brake {
            state,
            in_force_since: None,
            wanted: true,
        });
        brake.wanted = true;
        if state > brake.state {
            (brake.state, brake.in_force_since) = (state, None);
        }
    }

    /// Risk obeys from now on.
    pub(crate) fn in_force(&mut self, scope: Scope, state: TradingState, now: Timestamp) {
        if let Some(brake) = self.brakes.get_mut(&scope)
            && brake.state == state
        {
            brake.in_force_since.get_or_insert(now);
        }
    }

    /// Nobody wants it any more.
    pub(crate) fn lift(&mut self, scope: Scope) {
        if let Some(brake) = self.brakes.get_mut(&scope) {
            brake.wanted = false;
        }
        let same =
            |letter: &ToRisk| matches!(letter, ToRisk::Tighten { scope: of, .. } if *of == scope);
        self.unheard.retain(|letter| !same(letter));
    }

    /// Nobody wants anything any more.
    pub(crate) fn lift_all(&mut self) -> Vec<Scope> {
        let scopes: Vec<_> = self.brakes.keys().copied().collect();
        scopes.iter().for_each(|scope| self.lift(*scope));
        scopes
    }

    pub(crate) fn is_lifted(&self, scope: Scope) -> bool {
        self.brakes.get(&scope).is_none_or(|brake| !brake.wanted)
    }

    /// Risk has loosened the scope.
    pub(crate) fn loosened(&mut self, scope: Scope) {
        self.brakes.remove(&scope);
    }

    /// The brake that is in force everywhere.
    pub(crate) fn brake(&self) -> Option<Brake> {
        self.brakes.get(&Scope::Platform).copied()
    }
}

impl Platform {
    /// Somebody places, repeats or cancels an order.
    pub(crate) fn people_act(&mut self) {
        if self.now >= self.load_ends() {
            return;
        }
        let pause = self.chances.people.millis(100, 900);
        self.after(pause, Event::People);
        let Some(leader) = self.disk.leader(self.now) else {
            return;
        };
        let known = self.people.orders.len() as u64;
        let at = usize::try_from(self.chances.people.below(known)).unwrap_or_default();
        let earlier = self.people.orders.get(at).cloned();
        let message = match (self.chances.people.below(10), earlier) {
            (0 | 1, Some(intent)) => Message::Cancel(intent.order_id),
            (2, Some(intent)) => submit(intent),
            (3, Some(mut intent)) => {
                // The same key with other content: refused, whatever became of the first.
                intent.quantity = ploy_domain::Quantity::from_raw(intent.quantity.raw() * 2);
                submit(intent)
            }
            (4, Some(intent)) if self.chances.people.below(6) == 0 => {
                Message::CancelAll(Scope::Instrument(intent.instrument))
            }
            _ => match self.manual_order() {
                Some(intent) => submit(intent),
                None => return,
            },
        };
        self.tell_leader(leader, message);
    }

    fn manual_order(&mut self) -> Option<Intent> {
        let which = usize::from(self.chances.people.below(2) == 0);
        let instrument = self.terms.instruments.get(which)?.clone();
        let price = self.last_price(&instrument.id)?;
        let dice = &mut self.chances.people;
        let request = any_order(dice, price, instrument.lot, instrument.tick);
        let intent = self.intent_of_people(instrument.id, &request);
        self.people.orders.push(intent.clone());
        Some(intent)
    }

    fn intent_of_people(
        &mut self,
        instrument: InstrumentId,
        request: &ploy_strategy_core::OrderRequest,
    ) -> Intent {
        self.people.count += 1;
        let decision = format!("key-{}", self.people.count);
        Intent {
            order_id: ClientOrderId::derive(&OrderIdParts {
                prefix: PREFIX,
                account: &self.terms.account,
                origin: "people",
                decision: &decision,
                leg: 0,
            }),
            account: self.terms.account,
            strategy: self.terms.manual,
            instrument,
            side: request.side,
            kind: request.kind,
            quantity: request.quantity,
            time_in_force: request.time_in_force,
            reduce_only: request.reduce_only,
            decision_price: request.decision_price,
            created_at: self.now,
            valid_until: self.now.plus(PATIENCE),
        }
    }

    fn last_price(&self, instrument: &InstrumentId) -> Option<Price> {
        self.venue.last_price(instrument)
    }

    /// Someone trades once more when everything is well again (INV-32).
    pub(crate) fn place_last_order(&mut self) {
        let Some(instrument) = self.terms.instruments.first().cloned() else {
            return;
        };
        let (Some(price), Some(leader)) =
            (self.last_price(&instrument.id), self.disk.leader(self.now))
        else {
            return;
        };
        let below = Price::from_raw(price.raw() - 100 * instrument.tick.raw());
        let side = if self.venue.net(&instrument) > 0 {
            ploy_domain::Side::Sell
        } else {
            ploy_domain::Side::Buy
        };
        let at = if side == ploy_domain::Side::Buy {
            below
        } else {
            Price::from_raw(price.raw() + 100 * instrument.tick.raw())
        };
        let mut request = ploy_strategy_core::OrderRequest::limit(side, instrument.lot, at);
        request.time_in_force = ploy_domain::TimeInForce::Ioc;
        request.decision_price = Some(price);
        let intent = self.intent_of_people(instrument.id, &request);
        self.people.last = Some(intent.order_id);
        self.tell_leader(leader, submit(intent));
    }
}

fn submit(intent: Intent) -> Message {
    Message::Submit {
        intent: Box::new(intent),
        reply: None,
    }
}

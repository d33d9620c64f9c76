//! The shell of a strategy: its decision is durable before it is handed over, the same key is tried
//! again when nobody answers, and the log says what became of it.

use super::{
    dice::Dice,
    gambler::Gambler,
    letters::{Letter, Message, ToStrategy},
    plan::Part,
    platform::Platform,
    terms::{ORDER_VALIDITY, PREFIX},
};
use ploy_domain::{ClientOrderId, Intent, MarketEvent, Nanos, OrderEvent};
use ploy_strategy_core::{Effect, Input, Instance, InstanceConfig, Snapshot};
use std::collections::BTreeMap;

const SUBMIT_DEADLINE: Nanos = Nanos::from_secs(1);
const ATTEMPTS_MAX: u32 = 3;
/// The pause before an instance that failed is rebuilt.
const RESTART_PAUSE: Nanos = Nanos::from_secs(1);

/// A strategy process.
#[derive(Debug, Default)]
pub(crate) struct StrategyProcess {
    pub(crate) instance: Option<Instance>,
    handing_over: BTreeMap<ClientOrderId, (Intent, u32)>,
    asking: bool,
    lives: u64,
}

impl Platform {
    fn strategy(&mut self, n: u8) -> Option<&mut StrategyProcess> {
        self.strategies.get_mut(usize::from(n))
    }

    fn tell_strategy(&mut self, n: u8, wait: Nanos, letter: ToStrategy) {
        let to = self.address(Part::Strategy(n));
        self.post(wait, to, Letter::Strategy(letter));
    }

    pub(crate) fn forget_strategy(&mut self, n: u8) {
        if let Some(process) = self.strategy(n) {
            let lives = process.lives + 1;
            *process = StrategyProcess {
                lives,
                ..StrategyProcess::default()
            };
        }
    }

    pub(crate) fn start_strategy(&mut self, n: u8) {
        self.tell_strategy(n, Nanos::ZERO, ToStrategy::Head(0));
    }

    /// Rebuilds the instance: the sequence of its decisions from the database, the rest from the
    /// log.
    fn wake_strategy(&mut self, n: u8) {
        if self.weather.is_store_away(self.now) {
            return self.tell_strategy(n, RESTART_PAUSE, ToStrategy::Head(0));
        }
        let (seed, until) = (self.plan.seed, self.load_ends());
        let (account, name) = (
            self.terms.account,
            self.terms.strategies.get(usize::from(n)).copied(),
        );
        let instrument = self.terms.instrument_of(n).cloned();
        let (Some(id), Some(instrument)) = (name, instrument) else {
            return;
        };
        let decision_sequence = self.disk.decisions.get(&n).copied().unwrap_or_default();
        let Some(process) = self.strategy(n) else {
            return;
        };
        let dice = Dice::new(seed, &format!("{id} in life {}", process.lives));
        let config = InstanceConfig {
            id,
            account,
            instrument,
            order_id_prefix: PREFIX,
            order_validity: ORDER_VALIDITY,
        };
        let snapshot = Snapshot {
            decision_sequence,
            ..Snapshot::default()
        };
        let gambler = Box::new(Gambler::new(dice, until));
        process.instance = Some(Instance::restore(config, gambler, snapshot));
        process.handing_over.clear();
        process.asking = false;
        self.ask_strategy_replay(n);
    }

    fn ask_strategy_replay(&mut self, n: u8) {
        let Some(process) = self.strategy(n) else {
            return;
        };
        if std::mem::replace(&mut process.asking, true) {
            return;
        }
        let seen = process.instance.as_ref().map_or(0, Instance::account_seq);
        let events = self.replay(seen + 1);
        let wait = self.chances.calls.millis(1, 8);
        self.tell_strategy(n, wait, ToStrategy::Replayed(events));
    }

    pub(crate) fn strategy_hears(&mut self, n: u8, letter: ToStrategy) {
        if self
            .strategy(n)
            .is_none_or(|process| process.instance.is_none())
        {
            if matches!(letter, ToStrategy::Head(0)) {
                self.wake_strategy(n);
            }
            return;
        }
        match letter {
            ToStrategy::Fact(event) => self.order_event(n, &event),
            ToStrategy::Head(head) => {
                let seen = self.strategy_seq(n);
                if head > seen {
                    self.ask_strategy_replay(n);
                }
            }
            ToStrategy::Replayed(events) => {
                if let Some(process) = self.strategy(n) {
                    process.asking = false;
                }
                events.iter().for_each(|event| self.order_event(n, event));
            }
            ToStrategy::Market(event) => {
                if let MarketEvent::Trade(trade) = &*event
                    && self
                        .terms
                        .instrument_of(n)
                        .is_some_and(|of| of.id == trade.instrument)
                {
                    self.instance_hears(n, Input::Trade(trade));
                }
            }
            ToStrategy::Taken(order_id) => {
                if let Some(process) = self.strategy(n) {
                    process.handing_over.remove(&order_id);
                }
            }
            ToStrategy::Unavailable(order_id) => self.hand_over_again(n, order_id, None),
            ToStrategy::TimedOut { order_id, attempt } => {
                self.hand_over_again(n, order_id, Some(attempt));
            }
            ToStrategy::Known { order_id, known } => {
                let process = self.strategy(n);
                let waited = process
                    .and_then(|p| p.handing_over.remove(&order_id))
                    .is_some();
                if waited && !known {
                    self.instance_hears(n, Input::NotSubmitted(order_id));
                }
            }
        }
    }

    fn strategy_seq(&mut self, n: u8) -> u64 {
        let process = self.strategy(n);
        process
            .and_then(|process| process.instance.as_ref())
            .map_or(0, Instance::account_seq)
    }

    /// MSG-12: repetitions are dropped, a gap is healed by the owner of the log.
    fn order_event(&mut self, n: u8, event: &OrderEvent) {
        let seen = self.strategy_seq(n);
        if event.seq == seen + 1 {
            self.instance_hears(n, Input::Order(event));
        } else if event.seq > seen {
            self.ask_strategy_replay(n);
        }
    }

    fn instance_hears(&mut self, n: u8, input: Input<'_>) {
        let now = self.now;
        let instance = self
            .strategy(n)
            .and_then(|process| process.instance.as_mut());
        let Some(instance) = instance else {
            return;
        };
        let mut effects = Vec::new();
        if let Err(error) = instance.handle(input, now, &mut effects) {
            return self
                .auditor
                .broken("INV-19", format!("strategy {n}: {error}"));
        }
        for effect in effects {
            match effect {
                Effect::PersistSequence(sequence) => {
                    if self.weather.is_store_away(now) {
                        // Not durable, so not sent: the instance starts over.
                        return self.start_over(n);
                    }
                    self.disk.decisions.insert(n, sequence);
                }
                Effect::Submit(intent) => {
                    if let Some(process) = self.strategy(n) {
                        let order_id = intent.order_id;
                        process.handing_over.insert(order_id, (*intent, 0));
                        self.hand_over(n, order_id);
                    }
                }
                Effect::Cancel(order_id) => {
                    if let Some(leader) = self.disk.leader(now) {
                        self.tell_leader(leader, Message::Cancel(order_id));
                    }
                }
                Effect::Withheld { .. } | Effect::TooManyActions { .. } => {}
            }
        }
    }

    fn start_over(&mut self, n: u8) {
        self.forget_strategy(n);
        self.tell_strategy(n, RESTART_PAUSE, ToStrategy::Head(0));
    }

    fn hand_over(&mut self, n: u8, order_id: ClientOrderId) {
        let reply = self.address(Part::Strategy(n));
        let waiting = self.strategy(n).and_then(|p| p.handing_over.get(&order_id));
        let Some((intent, attempt)) = waiting.cloned() else {
            return;
        };
        if let Some(leader) = self.disk.leader(self.now) {
            let submit = Message::Submit {
                intent: Box::new(intent),
                reply: Some(reply),
            };
            self.tell_leader(leader, submit);
        }
        self.tell_strategy(
            n,
            SUBMIT_DEADLINE,
            ToStrategy::TimedOut { order_id, attempt },
        );
    }

    /// Nobody answered, or nobody could take it: the same key again, at most three times and never
    /// late; then the order is asked about.
    fn hand_over_again(&mut self, n: u8, order_id: ClientOrderId, attempt: Option<u32>) {
        let (now, reply) = (self.now, self.address(Part::Strategy(n)));
        let Some((intent, tried)) = self
            .strategy(n)
            .and_then(|process| process.handing_over.get_mut(&order_id))
        else {
            return;
        };
        if attempt.is_some_and(|attempt| attempt != *tried) {
            return;
        }
        *tried += 1;
        if *tried < ATTEMPTS_MAX && now <= intent.valid_until {
            return self.hand_over(n, order_id);
        }
        if *tried > ATTEMPTS_MAX * 2 {
            // Nobody says: the log will, or nothing ever happens.
            if let Some(process) = self.strategy(n) {
                process.handing_over.remove(&order_id);
            }
            return;
        }
        let attempt = *tried;
        if let Some(leader) = self.disk.leader(now) {
            self.tell_leader(leader, Message::Ask { order_id, reply });
        }
        self.tell_strategy(
            n,
            SUBMIT_DEADLINE,
            ToStrategy::TimedOut { order_id, attempt },
        );
    }
}

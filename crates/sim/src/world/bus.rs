//! Facts on their way: from the venue to everybody, from the order log to its followers — lost,
//! doubled, late and out of order, as the weather has it.

use super::{
    disk::Address,
    letters::{Letter, ToRisk, ToStrategy},
    plan::Part,
    platform::Platform,
    terms::STRATEGIES,
    venue::Happening,
};
use ploy_domain::{MarketEvent, Nanos, OrderEvent};

impl Platform {
    /// What happened at the venue goes out on the private stream and to everybody.
    pub(crate) fn spread(&mut self, happening: Happening) {
        self.stream(happening.reports);
        for event in happening.market {
            let risk = self.address(Part::Risk);
            self.fact(risk, |_| market_letter(risk, &event));
            for n in 0..STRATEGIES {
                if matches!(event, MarketEvent::Trade(_)) {
                    let to = self.address(Part::Strategy(n));
                    self.fact(to, |_| market_letter(to, &event));
                }
            }
        }
    }

    /// A fact on the bus: lost, doubled or late, as the weather has it.
    pub(crate) fn fact(&mut self, to: Address, letter: impl Fn(u32) -> Letter) {
        let (now, dice) = (self.now, &mut self.chances.bus);
        let times = if self.weather.loses_fact(now, dice) {
            0
        } else {
            1 + u32::from(self.weather.doubles_fact(now, dice))
        };
        for copy in 0..times {
            let late = self.weather.fact_delay(now, &mut self.chances.bus);
            let wait = Nanos::from_micros(300);
            self.post(Nanos::new(wait.get() + late.get()), to, letter(copy));
        }
    }

    /// An event of the order log goes to everybody who follows it.
    pub(crate) fn publish(&mut self, event: &OrderEvent) {
        for to in self.followers() {
            self.fact(to, |_| {
                let event = Box::new(event.clone());
                match to.part {
                    Part::Strategy(_) => Letter::Strategy(ToStrategy::Fact(event)),
                    Part::Execution(_) | Part::Risk => Letter::Risk(ToRisk::Fact(event)),
                }
            });
        }
    }

    /// The head of the log, so that a lost last event is noticed too (MSG-9).
    pub(crate) fn publish_head(&mut self) {
        let head = self.disk.head_seq();
        for to in self.followers() {
            self.fact(to, |_| match to.part {
                Part::Strategy(_) => Letter::Strategy(ToStrategy::Head(head)),
                Part::Execution(_) | Part::Risk => Letter::Risk(ToRisk::Head(head)),
            });
        }
    }

    fn followers(&self) -> Vec<Address> {
        let parts = (0..STRATEGIES).map(Part::Strategy).chain([Part::Risk]);
        parts.map(|part| self.address(part)).collect()
    }
}

fn market_letter(to: Address, event: &MarketEvent) -> Letter {
    let event = Box::new(event.clone());
    match to.part {
        Part::Strategy(_) => Letter::Strategy(ToStrategy::Market(event)),
        Part::Execution(_) | Part::Risk => Letter::Risk(ToRisk::Market(event)),
    }
}

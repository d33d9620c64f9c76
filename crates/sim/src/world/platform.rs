//! All processes, what is on its way between them, and the clock they share.

use super::{
    dice::Dice,
    disk::{Address, Disk},
    execution::Execution,
    invariants::Auditor,
    letters::{Commit, Event, Letter, ToExecution, ToRisk},
    people::People,
    plan::{CrashPoint, Fault, Part, Plan},
    risk::Risk,
    strategies::StrategyProcess,
    terms::{STRATEGIES, Terms},
    venue::Venue,
    weather::Weather,
};
use ploy_domain::{Nanos, Scope, Timestamp, TradingState};
use std::collections::{BTreeMap, VecDeque};

/// When the run begins.
pub(crate) const BEGINS: Timestamp = Timestamp::from_nanos(1_700_000_000_000_000_000);
/// How often other people trade while there is load.
const MARKET_EVERY: Nanos = Nanos::from_millis(100);
/// … and afterwards: enough to keep prices fresh.
const MARKET_SELDOM: Nanos = Nanos::from_millis(1_000);

/// How long other people trade after the load: shorter than the rest, so that nothing is under way
/// when everything must agree.
const MARKET_LASTS: Nanos = Nanos::from_secs(90);

/// Whether a process runs, and in which of its lives.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Vital {
    pub(crate) life: u32,
    pub(crate) alive: bool,
    frozen_until: Timestamp,
}

/// Chance, one sequence a subject.
#[derive(Debug)]
pub(crate) struct Chances {
    pub(crate) bus: Dice,
    pub(crate) calls: Dice,
    pub(crate) venue: Dice,
    pub(crate) store: Dice,
    pub(crate) market: Dice,
    pub(crate) people: Dice,
    pub(crate) stream: Dice,
}

/// Everything.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(crate) now: Timestamp,
    pub(crate) plan: Plan,
    pub(crate) terms: Terms,
    pub(crate) weather: Weather,
    pub(crate) chances: Chances,
    pub(crate) disk: Disk,
    pub(crate) venue: Venue,
    pub(crate) executions: [Execution; 2],
    pub(crate) risk: Risk,
    pub(crate) strategies: Vec<StrategyProcess>,
    pub(crate) people: People,
    pub(crate) auditor: Auditor,
    /// Private streams, by connection.
    pub(crate) streams: BTreeMap<u32, (Address, Timestamp)>,
    pub(crate) stream_cut_until: Timestamp,
    pub(crate) serial: u64,
    vitals: BTreeMap<Part, Vital>,
    /// What reached a process that stands still.
    stuck: BTreeMap<Part, VecDeque<(Address, Letter)>>,
    agenda: BTreeMap<(Timestamp, u64), Event>,
}

impl Platform {
    /// A platform that was never started, on an empty database. `None` when its terms are no terms.
    pub(crate) fn new(plan: Plan) -> Option<Self> {
        let terms = Terms::new()?;
        let venue = Venue::open(terms.account, &terms.instruments)?;
        let dice = |purpose| Dice::new(plan.seed, purpose);
        let mut platform = Self {
            now: BEGINS,
            weather: Weather::default(),
            chances: Chances {
                bus: dice("bus"),
                calls: dice("calls"),
                venue: dice("venue"),
                store: dice("store"),
                market: dice("market"),
                people: dice("people"),
                stream: dice("stream"),
            },
            disk: Disk::new(),
            venue,
            executions: [Execution::default(), Execution::default()],
            risk: Risk::default(),
            strategies: (0..STRATEGIES)
                .map(|_| StrategyProcess::default())
                .collect(),
            people: People::default(),
            auditor: Auditor::new(&terms),
            streams: BTreeMap::new(),
            stream_cut_until: BEGINS,
            serial: 0,
            vitals: BTreeMap::new(),
            stuck: BTreeMap::new(),
            agenda: BTreeMap::new(),
            terms,
            plan,
        };
        platform.schedule();
        Some(platform)
    }

    fn schedule(&mut self) {
        let parts = [Part::Execution(0), Part::Execution(1), Part::Risk];
        let parts = parts.into_iter().chain((0..STRATEGIES).map(Part::Strategy));
        for (place, part) in (0i64..).zip(parts) {
            self.after(Nanos::from_millis(place), Event::Starts(part));
        }
        self.after(Nanos::from_millis(10), Event::Market);
        self.after(Nanos::from_secs(3), Event::People);
        for index in 0..self.plan.faults.len() {
            let at = self.plan.faults.get(index).map_or(0, |fault| fault.at_ms);
            self.after(Nanos::from_millis(at), Event::FaultBegins(index));
        }
        self.after(self.plan.load(), Event::Heals);
    }

    /// Until when there is load.
    pub(crate) const fn load_ends(&self) -> Timestamp {
        BEGINS.plus(self.plan.load())
    }

    /// Something happens after a while.
    pub(crate) fn after(&mut self, wait: Nanos, event: Event) {
        self.at(self.now.plus(wait), event);
    }

    pub(crate) fn at(&mut self, when: Timestamp, event: Event) {
        self.serial += 1;
        self.agenda.insert((when, self.serial), event);
    }

    /// A letter to a process in its present life.
    pub(crate) fn post(&mut self, wait: Nanos, to: Address, letter: Letter) {
        self.after(wait, Event::Arrives(to, letter));
    }

    pub(crate) fn address(&self, part: Part) -> Address {
        let life = self.vitals.get(&part).map_or(0, |vital| vital.life);
        Address { part, life }
    }

    pub(crate) fn is_alive(&self, part: Part) -> bool {
        self.vitals.get(&part).is_some_and(|vital| vital.alive)
    }

    /// Lets the next thing happen; answers whether there was one before `end`.
    pub(crate) fn step(&mut self, end: Timestamp) -> bool {
        let Some(entry) = self.agenda.first_entry() else {
            return false;
        };
        if entry.key().0 > end {
            return false;
        }
        let ((when, _), event) = entry.remove_entry();
        self.now = when;
        match event {
            Event::FaultBegins(index) => self.fault_begins(index),
            Event::FaultEnds => self.fault_ends(),
            Event::Starts(part) => self.start(part),
            Event::Market => self.market(),
            Event::People => self.people_act(),
            Event::Heals => self.heal(),
            Event::Arrives(to, letter) => self.deliver(to, letter),
            Event::Thaws(part) => self.thaw(part),
            Event::AtVenue(request) => self.at_venue(request),
            Event::AtStore(commit) => self.at_store(commit),
        }
        true
    }

    /// A letter reaches the life it was written to, once that process moves again.
    fn deliver(&mut self, to: Address, letter: Letter) {
        let vital = self.vitals.get(&to.part).copied().unwrap_or_default();
        if !vital.alive || vital.life != to.life {
            return;
        }
        let stuck = self.stuck.entry(to.part).or_default();
        if self.now < vital.frozen_until || !stuck.is_empty() {
            stuck.push_back((to, letter));
            return;
        }
        self.hand_in(to, letter);
    }

    /// A process moves again: what reached it meanwhile is dealt with in its order.
    fn thaw(&mut self, part: Part) {
        let vital = self.vitals.get(&part).copied().unwrap_or_default();
        if self.now < vital.frozen_until {
            return;
        }
        let stuck = self.stuck.remove(&part).unwrap_or_default();
        for (to, letter) in stuck {
            self.deliver(to, letter);
        }
    }

    fn hand_in(&mut self, to: Address, letter: Letter) {
        match (to.part, letter) {
            (Part::Execution(n), Letter::Execution(letter)) => self.execution_hears(n, letter),
            (Part::Risk, Letter::Risk(letter)) => self.risk_hears(letter),
            (Part::Strategy(n), Letter::Strategy(letter)) => self.strategy_hears(n, letter),
            (Part::Execution(_) | Part::Risk | Part::Strategy(_), _) => {}
        }
    }

    fn fault_begins(&mut self, index: usize) {
        let Some(timed) = self.plan.faults.get(index).copied() else {
            return;
        };
        let long = Nanos::from_millis(timed.for_ms);
        self.weather.begin(timed.fault, self.now, long);
        match timed.fault {
            Fault::Kill(part) => self.kill(part, long),
            Fault::Freeze(part) => self.freeze(part, long),
            Fault::StreamCut | Fault::VenueAway => self.cut_streams(long),
            Fault::Reducing => self.trip(TradingState::Reducing, false, long),
            Fault::Killed => self.trip(TradingState::Halted, true, long),
            _ => {}
        }
    }

    fn trip(&mut self, state: TradingState, kill: bool, long: Nanos) {
        let scope = Scope::Platform;
        self.people.trip(scope, state);
        self.tell_risk(ToRisk::Tighten { scope, state, kill });
        self.after(long, Event::FaultEnds);
    }

    fn fault_ends(&mut self) {
        self.people.lift(Scope::Platform);
        self.tell_risk(ToRisk::Reset(Scope::Platform));
    }

    /// People tell risk again and again until it has heard them.
    pub(crate) fn tell_risk(&mut self, what: ToRisk) {
        let to = self.address(Part::Risk);
        if self.is_alive(Part::Risk) {
            self.post(Nanos::from_millis(1), to, Letter::Risk(what));
        } else {
            self.people.unheard.push(what);
        }
    }

    /// A process is killed and comes back after `away`.
    pub(crate) fn kill(&mut self, part: Part, away: Nanos) {
        let vital = self.vitals.entry(part).or_default();
        if !vital.alive {
            return;
        }
        (vital.alive, vital.frozen_until) = (false, BEGINS);
        vital.life += 1;
        self.weather.acted += 1;
        self.stuck.remove(&part);
        self.streams.retain(|_, (to, _)| to.part != part);
        match part {
            Part::Execution(n) => self.forget_execution(n),
            Part::Risk => self.risk = Risk::default(),
            Part::Strategy(n) => self.forget_strategy(n),
        }
        self.after(away, Event::Starts(part));
    }

    fn freeze(&mut self, part: Part, long: Nanos) {
        let until = self.now.plus(long);
        let vital = self.vitals.entry(part).or_default();
        vital.frozen_until = vital.frozen_until.max(until);
        self.weather.acted += 1;
        self.at(until, Event::Thaws(part));
    }

    /// Whether the process was just killed at an armed crash point.
    pub(crate) fn crashes(&mut self, n: u8, point: CrashPoint) -> bool {
        let strikes = self.weather.strikes(point);
        if strikes {
            let away = self.chances.calls.millis(300, 3_000);
            self.kill(Part::Execution(n), away);
        }
        strikes
    }

    /// The leader stands still between its last look and the first byte, if that is planned.
    pub(crate) fn maybe_freeze_before_write(&mut self, n: u8) {
        if let Some(long) = self.weather.freezes_before_write() {
            self.freeze(Part::Execution(n), long);
        }
    }

    fn start(&mut self, part: Part) {
        let vital = self.vitals.entry(part).or_default();
        if vital.alive {
            return;
        }
        vital.alive = true;
        match part {
            Part::Execution(n) => self.start_execution(n),
            Part::Risk => self.start_risk(),
            Part::Strategy(n) => self.start_strategy(n),
        }
    }

    /// The load has ended: everything that is wrong is put right.
    fn heal(&mut self) {
        self.weather.clear();
        self.stream_cut_until = self.now;
        for vital in self.vitals.values_mut() {
            vital.frozen_until = BEGINS;
        }
        let frozen: Vec<_> = self.stuck.keys().copied().collect();
        frozen.into_iter().for_each(|part| self.thaw(part));
        let dead: Vec<_> = self
            .vitals
            .iter()
            .filter(|(_, vital)| !vital.alive)
            .map(|(part, _)| *part)
            .collect();
        dead.into_iter().for_each(|part| self.start(part));
        for scope in self.people.lift_all() {
            self.tell_risk(ToRisk::Reset(scope));
        }
    }

    fn market(&mut self) {
        if self.now > self.load_ends().plus(MARKET_LASTS) {
            return;
        }
        for instrument in self.terms.instruments.clone() {
            let dice = &mut self.chances.market;
            let happening = self.venue.others_trade(&instrument, dice, self.now);
            self.spread(happening);
        }
        let pause = if self.now < self.load_ends() {
            MARKET_EVERY
        } else {
            MARKET_SELDOM
        };
        self.after(pause, Event::Market);
    }

    /// A commit arrives at the database.
    fn at_store(&mut self, commit: Commit) {
        let (to, serial) = (commit.from, commit.serial);
        let answer = |confirmed| Letter::Execution(ToExecution::Committed { serial, confirmed });
        let guard = Nanos::from_secs(3);
        if self.weather.is_store_away(self.now) {
            self.weather.acted += 1;
            self.post(guard, to, answer(false));
            return;
        }
        let events = commit.events.clone();
        let committed = self.disk.commit(commit.epoch, commit.events).is_ok();
        if committed {
            self.auditor.committed(&events, self.disk.epoch());
            if let Part::Execution(n) = to.part
                && self.crashes(n, CrashPoint::CommitExecuted)
            {
                return;
            }
        }
        if self
            .weather
            .loses_confirmation(self.now, &mut self.chances.store)
        {
            self.post(guard, to, answer(false));
        } else {
            let wait = self.chances.store.millis(0, 2);
            self.post(wait, to, answer(committed));
        }
    }
}

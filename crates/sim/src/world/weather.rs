//! The faults that are in force: asked at every message, request and commit.

use super::{
    dice::Dice,
    plan::{CrashPoint, Fault},
};
use ploy_domain::{Nanos, Timestamp};

/// A rate until a time.
#[derive(Debug, Clone, Copy, Default)]
struct Spell {
    until: Timestamp,
    strength: u16,
}

impl Spell {
    fn now(&self, now: Timestamp) -> u64 {
        if now < self.until {
            u64::from(self.strength)
        } else {
            0
        }
    }
}

/// What is wrong at present.
#[derive(Debug, Default)]
pub(crate) struct Weather {
    store_away: Spell,
    store_mute: Spell,
    bus_loses: Spell,
    bus_doubles: Spell,
    bus_delays: Spell,
    venue_away: Spell,
    requests_lost: Spell,
    answers_lost: Spell,
    venue_delays: Spell,
    venue_hides: Spell,
    stream_repeats: Spell,
    calls_lost: Spell,
    armed: Vec<CrashPoint>,
    freeze_before_write: Option<Nanos>,
    /// How often a fault acted: a run in which none did proves nothing.
    pub(crate) acted: u64,
}

impl Weather {
    /// A fault begins; those of processes and people are carried out by the world.
    pub(crate) fn begin(&mut self, fault: Fault, now: Timestamp, long: Nanos) {
        let until = now.plus(long);
        let spell = |strength| Spell { until, strength };
        match fault {
            Fault::StoreAway => self.store_away = spell(1_000),
            Fault::StoreMute(rate) => self.store_mute = spell(rate),
            Fault::BusLoses(rate) => self.bus_loses = spell(rate),
            Fault::BusDoubles(rate) => self.bus_doubles = spell(rate),
            Fault::BusDelays(most) => self.bus_delays = spell(most),
            Fault::VenueAway => {
                self.venue_away = spell(1_000);
                self.requests_lost = spell(1_000);
            }
            Fault::VenueLosesRequests(rate) => self.requests_lost = spell(rate),
            Fault::VenueLosesAnswers(rate) => self.answers_lost = spell(rate),
            Fault::VenueDelays(most) => self.venue_delays = spell(most),
            Fault::VenueHides => self.venue_hides = spell(1_000),
            Fault::StreamRepeats => self.stream_repeats = spell(1_000),
            Fault::CallsLost(rate) => self.calls_lost = spell(rate),
            Fault::KillAt(point) => self.armed.push(point),
            Fault::FreezeBeforeWrite => self.freeze_before_write = Some(long),
            Fault::Kill(_)
            | Fault::Freeze(_)
            | Fault::StreamCut
            | Fault::Reducing
            | Fault::Killed => {}
        }
    }

    /// Everything heals.
    pub(crate) fn clear(&mut self) {
        *self = Self {
            acted: self.acted,
            ..Self::default()
        };
    }

    /// Whether the armed crash of this point happens now.
    pub(crate) fn strikes(&mut self, point: CrashPoint) -> bool {
        let armed = self.armed.iter().position(|armed| *armed == point);
        armed.map(|at| self.armed.remove(at)).is_some()
    }

    /// How long the leader freezes between its last look and the first byte.
    pub(crate) const fn freezes_before_write(&mut self) -> Option<Nanos> {
        self.freeze_before_write.take()
    }

    pub(crate) fn is_store_away(&self, now: Timestamp) -> bool {
        self.store_away.now(now) > 0
    }

    pub(crate) fn is_venue_away(&self, now: Timestamp) -> bool {
        self.venue_away.now(now) > 0
    }

    pub(crate) fn hides(&self, now: Timestamp) -> bool {
        self.venue_hides.now(now) > 0
    }

    fn happens(&mut self, rate: u64, dice: &mut Dice) -> bool {
        let happens = rate > 0 && dice.happens(rate);
        self.acted += u64::from(happens);
        happens
    }

    pub(crate) fn loses_confirmation(&mut self, now: Timestamp, dice: &mut Dice) -> bool {
        self.happens(self.store_mute.now(now), dice)
    }

    pub(crate) fn loses_fact(&mut self, now: Timestamp, dice: &mut Dice) -> bool {
        self.happens(self.bus_loses.now(now), dice)
    }

    pub(crate) fn doubles_fact(&mut self, now: Timestamp, dice: &mut Dice) -> bool {
        self.happens(self.bus_doubles.now(now), dice)
    }

    pub(crate) fn loses_request(&mut self, now: Timestamp, dice: &mut Dice) -> bool {
        self.happens(self.requests_lost.now(now), dice)
    }

    pub(crate) fn loses_answer(&mut self, now: Timestamp, dice: &mut Dice) -> bool {
        self.happens(self.answers_lost.now(now), dice)
    }

    pub(crate) fn loses_call(&mut self, now: Timestamp, dice: &mut Dice) -> bool {
        self.happens(self.calls_lost.now(now), dice)
    }

    pub(crate) fn repeats_stream(&mut self, now: Timestamp, dice: &mut Dice) -> bool {
        let rate = self.stream_repeats.now(now) / 2;
        self.happens(rate, dice)
    }

    /// How much later than usual a fact arrives.
    pub(crate) fn fact_delay(&self, now: Timestamp, dice: &mut Dice) -> Nanos {
        let most = self.bus_delays.now(now);
        dice.millis(0, i64::try_from(most).unwrap_or_default())
    }

    /// How long a request or an answer is on its way to or from the venue.
    pub(crate) fn venue_delay(&self, now: Timestamp, dice: &mut Dice) -> Nanos {
        let most = i64::try_from(self.venue_delays.now(now)).unwrap_or_default();
        dice.millis(1, 60 + most)
    }
}

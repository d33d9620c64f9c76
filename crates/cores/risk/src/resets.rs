//! How a scope is loosened again (KIL-3): somebody asks, some time passes, and then — by somebody
//! else where that is configured — it is confirmed. Never by itself, and never while something is in
//! doubt.

use ploy_domain::{Nanos, Reason, Scope, Timestamp};
use std::collections::BTreeMap;

/// A request that nobody confirms is forgotten after this.
const REQUEST_EXPIRY: Nanos = Nanos::from_secs(600);

/// What loosening takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResetRules {
    /// How long a scope stays as it is after somebody asked.
    pub hold: Nanos,
    /// Whether somebody else has to confirm.
    pub second_person: bool,
}

/// What became of asking for a reset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResetAnswer {
    /// It was active already.
    NothingToLift,
    /// Not while this is so.
    Refused(Vec<Reason>),
    /// It is noted; ask again, then, to confirm.
    Held {
        /// From when on it can be confirmed.
        until: Timestamp,
        /// Whether somebody else has to.
        by_another: bool,
    },
    /// It is confirmed: make it durable, then say [`crate::Input::Lift`].
    Confirmed {
        /// Who asked first.
        requested_by: String,
    },
}

#[derive(Debug, Clone)]
struct Request {
    by: String,
    at: Timestamp,
}

/// Requests that wait for their confirmation.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resets {
    waiting: BTreeMap<Scope, Request>,
}

impl Resets {
    /// A scope was tripped, again or anew: whoever asked before did not know that.
    pub(crate) fn tripped(&mut self, scope: &Scope) {
        self.waiting.remove(scope);
    }

    /// Somebody asks, or confirms.
    pub(crate) fn ask(
        &mut self,
        scope: Scope,
        actor: &str,
        rules: &ResetRules,
        now: Timestamp,
    ) -> ResetAnswer {
        let expired = |request: &Request| now > request.at.plus(rules.hold).plus(REQUEST_EXPIRY);
        let waiting = self.waiting.get(&scope).filter(|request| !expired(request));
        let Some(request) = waiting.cloned() else {
            let by = actor.to_owned();
            self.waiting.insert(scope, Request { by, at: now });
            let until = now.plus(rules.hold);
            let by_another = rules.second_person;
            return ResetAnswer::Held { until, by_another };
        };
        let until = request.at.plus(rules.hold);
        let by_another = rules.second_person && request.by == actor;
        if now < until || by_another {
            return ResetAnswer::Held { until, by_another };
        }
        // Kept until it is done: whoever could not make it durable confirms again.
        ResetAnswer::Confirmed {
            requested_by: request.by,
        }
    }

    /// The scope is active again.
    pub(crate) fn lifted(&mut self, scope: &Scope) {
        self.waiting.remove(scope);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: ResetRules = ResetRules {
        hold: Nanos::from_secs(60),
        second_person: true,
    };
    const SCOPE: Scope = Scope::Platform;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_nanos(seconds * 1_000_000_000)
    }

    fn held(until: i64, by_another: bool) -> ResetAnswer {
        let until = at(until);
        ResetAnswer::Held { until, by_another }
    }

    #[test]
    fn two_persons_and_a_minute_are_needed() {
        let mut resets = Resets::default();
        let mut ask = |who, when| resets.ask(SCOPE, who, &RULES, at(when));
        assert_eq!(ask("anna", 0), held(60, true));
        assert_eq!(ask("anna", 70), held(60, true));
        assert_eq!(ask("bela", 59), held(60, false));
        let requested_by = "anna".to_owned();
        let confirmed = ResetAnswer::Confirmed { requested_by };
        assert_eq!(ask("bela", 60), confirmed);
        assert_eq!(ask("bela", 61), confirmed);
        // Once it is done, it is used up.
        resets.lifted(&SCOPE);
        let again = resets.ask(SCOPE, "bela", &RULES, at(62));
        assert_eq!(again, held(122, true));
    }

    #[test]
    fn one_person_confirms_alone_where_that_is_allowed() {
        let rules = ResetRules {
            second_person: false,
            ..RULES
        };
        let mut resets = Resets::default();
        assert_eq!(resets.ask(SCOPE, "anna", &rules, at(0)), held(60, false));
        let lifted = resets.ask(SCOPE, "anna", &rules, at(60));
        assert!(matches!(lifted, ResetAnswer::Confirmed { .. }));
    }

    #[test]
    fn a_newer_trip_and_a_long_silence_void_a_request() {
        let mut resets = Resets::default();
        resets.ask(SCOPE, "anna", &RULES, at(0));
        resets.tripped(&SCOPE);
        assert_eq!(resets.ask(SCOPE, "bela", &RULES, at(60)), held(120, true));
        assert_eq!(resets.ask(SCOPE, "anna", &RULES, at(721)), held(781, true));
    }
}

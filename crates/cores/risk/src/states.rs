//! Trading states per scope. The most restrictive of an order's scopes applies; a request here can
//! only tighten, and loosening is a reset of its own.

use ploy_domain::{Intent, Scope, Timestamp, TradingState};
use std::collections::BTreeMap;

/// The state of one scope and why it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateEntry {
    /// The state.
    pub state: TradingState,
    /// Whether a kill switch set it.
    pub killed: bool,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Timestamp,
}

/// All trading states and the epoch that counts their changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TradingStates {
    epoch: u64,
    entries: BTreeMap<Scope, StateEntry>,
}

impl TradingStates {
    /// The states as they were stored.
    #[must_use]
    pub fn restored(epoch: u64, entries: impl IntoIterator<Item = (Scope, StateEntry)>) -> Self {
        Self {
            epoch,
            entries: entries.into_iter().collect(),
        }
    }

    /// How many changes there were.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Every scope that is not plainly active.
    pub fn entries(&self) -> impl Iterator<Item = (&Scope, &StateEntry)> {
        self.entries.iter()
    }

    /// The state of a scope that is not plainly active.
    #[must_use]
    pub fn entry(&self, scope: &Scope) -> Option<&StateEntry> {
        self.entries.get(scope)
    }

    /// Tightens a scope; answers whether anything changed. A state that is as tight already, or
    /// tighter, stays as it is (KIL-2: trips only tighten, the maximum wins).
    pub fn tighten(&mut self, scope: Scope, entry: StateEntry) -> bool {
        let is_news = self
            .entries
            .get(&scope)
            .is_none_or(|now| entry.state > now.state || (entry.killed && !now.killed));
        if is_news && entry.state > TradingState::Active {
            self.epoch += 1;
            self.entries.insert(scope, entry);
            return true;
        }
        false
    }

    /// Returns a scope to active; answers whether anything changed.
    pub fn reset(&mut self, scope: &Scope) -> bool {
        let changed = self.entries.remove(scope).is_some();
        self.epoch += u64::from(changed);
        changed
    }

    /// The scope that restricts this order most, with its entry.
    #[must_use]
    pub fn tightest(&self, intent: &Intent) -> Option<(Scope, &StateEntry)> {
        if self.entries.is_empty() {
            return None;
        }
        let scopes = [
            Scope::Platform,
            Scope::Venue(*intent.instrument.venue()),
            Scope::Account(intent.account),
            Scope::Strategy(intent.strategy),
            Scope::Instrument(intent.instrument),
        ];
        scopes
            .into_iter()
            .filter_map(|scope| self.entries.get(&scope).map(|entry| (scope, entry)))
            .max_by_key(|(_, entry)| entry.state)
    }
}

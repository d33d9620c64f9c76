//! Strategy instances as the API shows them.

use super::text;
use ploy_wire::api::StrategyView;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A strategy instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StrategyJson {
    /// The instance.
    pub id: String,
    /// Which strategy: `ma-cross`.
    pub kind: String,
    /// What it trades.
    pub instrument: String,
    /// With which account.
    pub account: String,
    /// Its parameters.
    pub params: BTreeMap<String, String>,
    /// `warming_up`, `running`, `suspended` or `stopped`.
    pub state: String,
    /// Why, or what it waits for.
    pub detail: String,
    /// How many decisions it made.
    pub decisions: u64,
    /// When it made the last one.
    pub last_decision_at: Option<String>,
}

impl From<StrategyView> for StrategyJson {
    fn from(view: StrategyView) -> Self {
        Self {
            id: view.id.to_string(),
            kind: view.kind,
            instrument: view.instrument.to_string(),
            account: view.account.to_string(),
            params: view.params.into_iter().collect(),
            state: view.state.word().to_owned(),
            detail: view.detail,
            decisions: view.decisions,
            last_decision_at: text(view.last_decision_at),
        }
    }
}

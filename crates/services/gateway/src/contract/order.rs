//! An order as the API shows it.

use super::text;
use ploy_domain::Reason;
use ploy_wire::api::OrderView;
use serde::{Deserialize, Serialize};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderJson {
    /// Ploy's identifier, also the venue's client order id.
    pub order_id: String,
    /// Whose order.
    pub account: String,
    /// Whose decision; `api` for orders of people.
    pub strategy: String,
    /// What is traded, `SYMBOL.VENUE`.
    pub instrument: String,
    /// `buy` or `sell`.
    pub side: String,
    /// `market`, `limit`, `post_only`, `stop` or `stop_limit`.
    #[serde(rename = "type")]
    pub kind: String,
    /// How much.
    pub quantity: String,
    /// The limit price, if the type has one.
    pub price: Option<String>,
    /// The trigger, if the type has one.
    pub stop_price: Option<String>,
    /// `gtc`, `ioc`, `fok` or `day`.
    pub time_in_force: String,
    /// May only shrink the position.
    pub reduce_only: bool,
    /// Where it stands.
    pub state: String,
    /// How much was filled.
    pub filled: String,
    /// At which average price.
    pub average_price: Option<String>,
    /// The venue's id of it.
    pub venue_order_id: Option<String>,
    /// Why it was refused or ended; the first is *the* reason.
    pub reasons: Vec<ReasonJson>,
    /// Whether a fill came after its end.
    pub late_fill: bool,
    /// Rises with each change.
    pub version: u64,
    /// When it was decided.
    pub created_at: String,
    /// When it last changed.
    pub updated_at: String,
}

impl From<OrderView> for OrderJson {
    fn from(view: OrderView) -> Self {
        Self {
            order_id: view.order_id.to_string(),
            account: view.account.to_string(),
            strategy: view.strategy.to_string(),
            instrument: view.instrument.to_string(),
            side: view.side.word().to_owned(),
            kind: view.kind.word().to_owned(),
            quantity: view.quantity.to_string(),
            price: text(view.kind.limit_price()),
            stop_price: text(view.kind.stop_price()),
            time_in_force: view.time_in_force.word().to_owned(),
            reduce_only: view.reduce_only,
            state: view.state.word().to_owned(),
            filled: view.filled.to_string(),
            average_price: text(view.average_price),
            venue_order_id: text(view.venue_order_id),
            reasons: view.reasons.into_iter().map(ReasonJson::from).collect(),
            late_fill: view.late_fill,
            version: view.version,
            created_at: view.created_at.to_string(),
            updated_at: view.updated_at.to_string(),
        }
    }
}

/// A stable code and the numbers behind it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonJson {
    /// The code; never renamed.
    pub code: String,
    /// `key=value` pairs, separated by blanks.
    pub context: String,
}

impl From<Reason> for ReasonJson {
    fn from(reason: Reason) -> Self {
        Self {
            code: reason.code.word().to_owned(),
            context: reason.context,
        }
    }
}

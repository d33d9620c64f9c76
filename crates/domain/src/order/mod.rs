//! Orders: what is wanted ([`Intent`]), where it stands ([`OrderState`]) and what became of it
//! ([`Order`]).

mod aggregate;
mod intent;
mod state;

pub use aggregate::{ApplyError, Order};
pub use intent::{Intent, OrderKind, ParseWordError, Side, TimeInForce};
pub use state::{IllegalTransition, OrderState, Step};

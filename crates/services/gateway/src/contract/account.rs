//! Accounts and what they hold, as the API shows them.

use super::text;
use ploy_wire::api::{AccountView, PositionView};
use serde::{Deserialize, Serialize};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountJson {
    /// Which account.
    pub account: String,
    /// Where it trades.
    pub venue: String,
    /// Whether it may take new risk.
    pub ready: bool,
    /// Why not.
    pub reason: Option<String>,
    /// The fencing epoch of its owner.
    pub epoch: u64,
    /// The last sequence of its log.
    pub head_sequence: u64,
    /// What it holds.
    pub balances: Vec<BalanceJson>,
    /// Orders whose outcome is not known.
    pub unknown_orders: u32,
    /// Orders that something can still happen to.
    pub open_orders: u32,
}

/// How much of an asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BalanceJson {
    /// Which asset.
    pub asset: String,
    /// How much.
    pub amount: String,
}

impl From<AccountView> for AccountJson {
    fn from(view: AccountView) -> Self {
        let balances = view
            .balances
            .into_iter()
            .map(|(asset, amount)| BalanceJson {
                asset: asset.to_string(),
                amount: amount.to_string(),
            });
        Self {
            account: view.account.to_string(),
            venue: view.venue.to_string(),
            ready: view.ready,
            reason: view.reason,
            epoch: view.epoch,
            head_sequence: view.head_seq,
            balances: balances.collect(),
            unknown_orders: view.unknown_orders,
            open_orders: view.open_orders,
        }
    }
}

/// What an account holds of an instrument through a strategy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionJson {
    /// Whose.
    pub account: String,
    /// Of what.
    pub instrument: String,
    /// Through which strategy.
    pub strategy: String,
    /// Signed quantity.
    pub quantity: String,
    /// Average entry price; `null` when flat.
    pub average_price: Option<String>,
    /// Profit realised before charges.
    pub realised_gross: String,
    /// Charges, in the quote asset.
    pub charges: String,
    /// Profit realised after charges.
    pub realised_net: String,
    /// Profit that closing at the mark would bring; `null` without a mark.
    pub unrealised: Option<String>,
    /// The price it is valued at.
    pub mark: Option<String>,
    /// Since when it is not flat.
    pub opened_at: Option<String>,
}

impl From<PositionView> for PositionJson {
    fn from(view: PositionView) -> Self {
        Self {
            account: view.account.to_string(),
            instrument: view.instrument.to_string(),
            strategy: view.strategy.to_string(),
            quantity: view.quantity.to_string(),
            average_price: text(view.average_price),
            realised_gross: view.realised_gross.to_string(),
            charges: view.charges.to_string(),
            realised_net: view.realised_net.to_string(),
            unrealised: text(view.unrealised),
            mark: text(view.mark),
            opened_at: text(view.opened_at),
        }
    }
}

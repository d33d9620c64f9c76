//! The exchange: commands in, events out. This module finds the market and the account that a
//! command speaks of; the rest of the folder decides what comes of it.
//!
//! Closed orders are forgotten at once: their last event carries all that is to be remembered, so
//! memory and cost depend on what is open, not on what has been.

mod amend;
mod finish;
mod place;
mod queries;
mod sweep;

pub use queries::{Depth, LastTrade, Touch};

use crate::{
    accounts::{AccountKey, Accounts},
    clients::ClientIds,
    command::{AmendOrder, Command, OrderRef, PlaceOrder},
    config::{AccountTerms, ConfigError, Listing},
    event::{Event, Rejection},
    market::Market,
    reject::RejectReason,
};
use ploy_domain::{AccountId, InstrumentId, InstrumentStatus, Timestamp};
use std::collections::BTreeMap;

/// Several instruments, several accounts, one sequence of commands.
#[derive(Debug, Clone)]
pub struct Exchange {
    accounts: Accounts,
    clients: ClientIds,
    markets: Vec<Market>,
    names: BTreeMap<InstrumentId, u32>,
}

/// One command at work in one market.
struct Turn<'a> {
    key: u32,
    market: &'a mut Market,
    accounts: &'a mut Accounts,
    clients: &'a mut ClientIds,
    now: Timestamp,
    out: &'a mut Vec<Event>,
}

impl Exchange {
    /// Opens an exchange.
    ///
    /// # Errors
    /// The first [`ConfigError`].
    pub fn new(listings: Vec<Listing>, accounts: Vec<AccountTerms>) -> Result<Self, ConfigError> {
        let mut accounts = Accounts::new(accounts)?;
        let (mut markets, mut names) = (Vec::new(), BTreeMap::new());
        for (key, listing) in listings.into_iter().enumerate() {
            let id = listing.instrument.id;
            if names.insert(id, key as u32).is_some() {
                return Err(ConfigError::DuplicateInstrument(id));
            }
            markets.push(Market::new(listing, &mut accounts)?);
        }
        Ok(Self {
            accounts,
            clients: ClientIds::new(),
            markets,
            names,
        })
    }

    /// Does what `command` says as of `now` and appends what happened to `out`, which the caller
    /// clears and uses again. A refused command appends one [`Event::Rejected`] and changes
    /// nothing.
    pub fn handle(&mut self, command: &Command, now: Timestamp, out: &mut Vec<Event>) {
        if let Err(reason) = self.dispatch(command, now, out) {
            out.push(Event::Rejected(rejection(command, reason)));
        }
        self.accounts.report(out);
    }

    fn dispatch(
        &mut self,
        command: &Command,
        now: Timestamp,
        out: &mut Vec<Event>,
    ) -> Result<(), RejectReason> {
        match command {
            Command::Place(order) => {
                let owner = self.account(&order.account)?;
                self.turn(&order.instrument, now, out)?.place(owner, order)
            }
            Command::Cancel {
                account,
                instrument,
                order,
            } => {
                let owner = self.account(account)?;
                self.turn(instrument, now, out)?.cancel(owner, order)
            }
            Command::Amend(amend) => {
                let owner = self.account(&amend.account)?;
                self.turn(&amend.instrument, now, out)?.amend(owner, amend)
            }
            Command::CancelAll {
                account,
                instrument,
            } => {
                let owner = self.account(account)?;
                self.turn(instrument, now, out)?.cancel_all(owner)
            }
            Command::Deposit {
                account,
                asset,
                amount,
            } => {
                let owner = self.account(account)?;
                self.accounts.deposit(owner, *asset, *amount)
            }
            Command::SetStatus { instrument, status } => {
                self.turn(instrument, now, out)?.set_status(*status);
                Ok(())
            }
        }
    }

    fn account(&self, account: &AccountId) -> Result<AccountKey, RejectReason> {
        self.accounts
            .key(account)
            .ok_or(RejectReason::UnknownAccount)
    }

    fn turn<'a>(
        &'a mut self,
        instrument: &InstrumentId,
        now: Timestamp,
        out: &'a mut Vec<Event>,
    ) -> Result<Turn<'a>, RejectReason> {
        let key = *self
            .names
            .get(instrument)
            .ok_or(RejectReason::UnknownInstrument)?;
        Ok(Turn {
            key,
            market: &mut self.markets[key as usize],
            accounts: &mut self.accounts,
            clients: &mut self.clients,
            now,
            out,
        })
    }
}

impl Turn<'_> {
    fn set_status(&mut self, status: InstrumentStatus) {
        self.market.instrument.status = status;
        self.out.push(Event::StatusChanged {
            instrument: self.market.instrument.id,
            status,
        });
    }

    /// The place of an open order of `owner` in this market.
    fn find(&self, owner: AccountKey, order: &OrderRef) -> Result<u32, RejectReason> {
        let id = match order {
            OrderRef::Id(id) => Some(*id),
            OrderRef::Client(name) => self
                .clients
                .find(owner, name)
                .filter(|(market, _)| *market == self.key)
                .map(|(_, id)| id),
        };
        id.and_then(|id| self.market.orders.place(id))
            .filter(|place| self.market.orders.get(*place).owner == owner)
            .ok_or(RejectReason::UnknownOrder)
    }
}

fn rejection(command: &Command, reason: RejectReason) -> Rejection {
    let (account, instrument, order) = match command {
        Command::Place(PlaceOrder {
            account,
            instrument,
            client_id,
            ..
        }) => (
            Some(*account),
            Some(*instrument),
            Some(OrderRef::Client(*client_id)),
        ),
        Command::Cancel {
            account,
            instrument,
            order,
        }
        | Command::Amend(AmendOrder {
            account,
            instrument,
            order,
            ..
        }) => (Some(*account), Some(*instrument), Some(*order)),
        Command::CancelAll {
            account,
            instrument,
        } => (Some(*account), Some(*instrument), None),
        Command::Deposit { account, .. } => (Some(*account), None, None),
        Command::SetStatus { instrument, .. } => (None, Some(*instrument), None),
    };
    Rejection {
        account,
        instrument,
        order,
        reason,
    }
}

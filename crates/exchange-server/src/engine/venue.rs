//! The venue: the matching engine with everything around it that clients see. Here commands are
//! given to the matching engine and the beat of the streams is kept; what a request may do is
//! decided in [`super::requests`], what follows from an event in [`super::observe`].
//!
//! One task owns it. Every command ends with its records appended and its messages in the outbox;
//! the task writes the records before it sends anything.

use super::{
    accounts::Account,
    listed::Listed,
    order::{OrderName, OwnTrade, Terms},
    publish::Outbox,
};
use crate::{
    config::LimitsConfig,
    ledger::{Entry, Ledger, LedgerError},
};
use ploy_domain::{AccountId, InstrumentId, Timestamp};
use ploy_exchange_core::{
    BalanceChange, ClientId, Command, Event, Exchange, OrderId, PlaceOrder, RejectReason,
};
use std::collections::HashMap;

/// The venue's state.
#[derive(Debug)]
pub(crate) struct Venue {
    pub(crate) core: Exchange,
    pub(crate) listed: Vec<Listed>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) limits: LimitsConfig,
    pub(super) symbols: HashMap<InstrumentId, usize>,
    pub(super) owners: HashMap<AccountId, usize>,
    /// Open orders of accounts by the matching engine's number.
    pub(super) by_core: HashMap<(usize, OrderId), (usize, OrderName)>,
    pub(super) ledger: Ledger,
    pub(super) outbox: Outbox,
    pub(super) requests: u64,
    pub(super) events: Vec<Event>,
}

/// One command at work: what it was asked by and what came of it.
#[derive(Debug, Default)]
pub(super) struct Turn {
    pub(super) now: Timestamp,
    pub(super) request: u64,
    pub(super) terms: Option<Terms>,
    pub(super) cancel_id: Option<ClientId>,
    pub(super) placed: Option<OrderName>,
    pub(super) fills: Vec<OwnTrade>,
    pub(super) cancelled: Vec<OrderName>,
    pub(super) refused: Option<RejectReason>,
    pub(super) balances: Vec<(usize, BalanceChange)>,
}

impl Venue {
    pub(super) fn core_order(&self, account: usize, terms: &Terms) -> Command {
        Command::Place(PlaceOrder {
            account: self.accounts[account].id,
            instrument: self.listed[terms.symbol].rules.id,
            client_id: terms.client_id,
            side: terms.side,
            kind: terms.kind(),
            size: terms.size,
            time_in_force: terms.time_in_force,
            stp: terms.stp,
        })
    }

    /// Does something for the house, whose orders no ledger records. Answers why not, if not.
    pub(crate) fn house(&mut self, command: &Command, now: Timestamp) -> Option<RejectReason> {
        let turn = Turn {
            now,
            ..Turn::default()
        };
        self.command(command, turn).refused
    }

    /// Gives a command to the matching engine and tells everybody what came of it.
    pub(super) fn command(&mut self, command: &Command, turn: Turn) -> Turn {
        let mut turn = turn;
        let mut events = std::mem::take(&mut self.events);
        self.core.handle(command, turn.now, &mut events);
        for event in events.drain(..) {
            self.observe(&event, &mut turn);
        }
        self.events = events;
        self.tell_balances(&turn);
        for listed in &mut self.listed {
            listed.end_command(&self.core, &mut self.outbox);
        }
        self.reserve_numbers(turn.now);
        turn
    }

    /// What is due every 100 ms; `beat` counts the calls.
    pub(crate) fn beat(&mut self, beat: u64, now: Timestamp) {
        for listed in &mut self.listed {
            listed.beat_fast(&self.core, now, &mut self.outbox);
            if beat.is_multiple_of(10) {
                listed.beat_second(&self.core, now, &mut self.outbox);
            }
            if beat.is_multiple_of(20) {
                listed.beat_klines(now, &mut self.outbox);
            }
        }
        if beat.is_multiple_of(10) {
            self.tell_all_tickers(now);
        }
        if beat.is_multiple_of(50) {
            self.mark(now);
        }
    }

    fn tell_all_tickers(&mut self, now: Timestamp) {
        let listed = &self.listed;
        self.outbox.market("!miniTicker@arr".to_owned(), || {
            let day = |listed: &Listed| listed.day(now).mini_event(&listed.symbol, now);
            listed.iter().map(day).collect()
        });
    }

    /// Records last prices that moved.
    pub(crate) fn mark(&mut self, now: Timestamp) {
        for listed in &mut self.listed {
            if let Some(price) = listed.take_mark() {
                let entry = Entry::Marked {
                    symbol: listed.symbol.clone(),
                    price: price.to_string(),
                };
                self.ledger.append(now, entry);
            }
        }
    }

    fn reserve_numbers(&mut self, now: Timestamp) {
        for listed in &mut self.listed {
            if let Some((trade_id, update_id)) = listed.take_reservation() {
                let entry = Entry::Reserved {
                    symbol: listed.symbol.clone(),
                    trade_id,
                    update_id,
                };
                self.ledger.append(now, entry);
            }
        }
    }

    /// Writes the records of the batch; only then may its outbox be sent.
    pub(crate) fn write(&mut self) -> Result<(), LedgerError> {
        self.ledger.flush()
    }

    /// A handle to make the ledger durable, if anything new was written.
    pub(crate) fn sync_handle(&mut self) -> Option<std::fs::File> {
        self.ledger.sync_handle()
    }

    /// Where the ledger is.
    pub(crate) fn ledger_path(&self) -> &std::path::Path {
        self.ledger.path()
    }

    /// The messages of the batch.
    pub(crate) const fn outbox(&mut self) -> &mut Outbox {
        &mut self.outbox
    }
}

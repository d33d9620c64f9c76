//! The venue: the matching engine with everything around it that clients see. It decides what a
//! request may do and what an answer says; the matching engine decides who trades.
//!
//! One task owns it. Every command ends with its records appended and its messages in the outbox;
//! the task writes the records before it sends anything.

use super::{
    accounts::Account,
    listed::Listed,
    order::{OrderName, OrderRecord, OwnTrade, ResponseType, Status, Terms},
    publish::Outbox,
};
use crate::{
    api::error::{ApiError, text},
    api::security::Window,
    config::LimitsConfig,
    ledger::{Entry, Ledger, LedgerError, Received},
};
use ploy_domain::{AccountId, InstrumentId, Timestamp, ids::Hash128};
use ploy_exchange_core::{
    ClientId, Command, Event, Exchange, OrderId, OrderRef, PlaceOrder, RejectReason,
};
use std::collections::HashMap;

/// An authenticated request to place or cancel.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    /// Index of the account whose key signed it.
    pub(crate) account: usize,
    pub(crate) method: &'static str,
    pub(crate) api_key: String,
    pub(crate) client_order_id: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) window: Window,
}

/// A new order, checked as far as it can be without the venue's state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewOrder {
    pub(crate) terms: Terms,
    pub(crate) response: ResponseType,
}

/// Which state an order must be in to be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Restriction {
    OnlyNew,
    OnlyPartiallyFilled,
}

/// A cancel, checked as far as it can be without the venue's state.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CancelOrder {
    pub(crate) which: WhichOrder,
    /// The id of the cancel itself.
    pub(crate) cancel_id: ClientId,
    pub(crate) restriction: Option<Restriction>,
}

/// An order as a request names it: by number, by client id, or by both.
#[derive(Debug, Clone, Copy)]
pub(crate) struct WhichOrder {
    pub(crate) symbol: usize,
    pub(crate) order_id: Option<u64>,
    pub(crate) client_id: Option<ClientId>,
}

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
    pub(super) balances: Vec<(usize, ploy_exchange_core::BalanceChange)>,
}

impl Venue {
    /// Places an order, or records why not.
    pub(crate) fn place(
        &mut self,
        request: &Request,
        order: Result<NewOrder, ApiError>,
        now: Timestamp,
    ) -> Result<serde_json::Value, ApiError> {
        let number = self.receive(request, now);
        let outcome = order.and_then(|order| {
            request.window.recheck(now)?;
            self.try_place((number, request.account), order, now)
        });
        self.record_refusal(number, request, outcome, now)
    }

    fn try_place(
        &mut self,
        (request, account): (u64, usize),
        order: NewOrder,
        now: Timestamp,
    ) -> Result<serde_json::Value, ApiError> {
        self.test(account, &order, now)?;
        let turn = self.command(
            &self.core_order(account, &order.terms),
            Turn {
                now,
                request,
                terms: Some(order.terms),
                ..Turn::default()
            },
        );
        if let Some(reason) = turn.refused {
            return Err(refusal(reason));
        }
        self.accounts[account].unfilled.accepted(now);
        let name = turn.placed.ok_or_else(ApiError::internal)?;
        let record = self.accounts[account].order(name);
        let record = record.ok_or_else(ApiError::internal)?;
        let symbol = &self.listed[name.0].symbol;
        Ok(record.placed(symbol, order.response, &turn.fills))
    }

    /// All checks of a placement and nothing else.
    pub(crate) fn test(
        &mut self,
        account: usize,
        order: &NewOrder,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        self.check_order_rate(account, now)?;
        self.check_price_band(&order.terms)?;
        self.check_market_value(&order.terms)?;
        self.check_open_orders(account, order.terms.symbol)
    }

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

    /// Cancels an order, or records why not.
    pub(crate) fn cancel(
        &mut self,
        request: &Request,
        cancel: Result<CancelOrder, ApiError>,
        now: Timestamp,
    ) -> Result<serde_json::Value, ApiError> {
        let number = self.receive(request, now);
        let outcome = cancel.and_then(|cancel| {
            request.window.recheck(now)?;
            self.try_cancel((number, request.account), &cancel, now)
        });
        self.record_refusal(number, request, outcome, now)
    }

    fn try_cancel(
        &mut self,
        (request, account): (u64, usize),
        cancel: &CancelOrder,
        now: Timestamp,
    ) -> Result<serde_json::Value, ApiError> {
        let unknown = || ApiError::cancel_refused(text::UNKNOWN_ORDER);
        let order = match self.find(account, &cancel.which) {
            Ok(order) => order,
            Err(Mismatch::Unknown) => return Err(unknown()),
            Err(Mismatch::OtherClientId) => {
                return Err(ApiError::cancel_refused(text::IDS_DISAGREE));
            }
        };
        let (name, core_id) = (order.name(), order.core_id.ok_or_else(unknown)?);
        let restricted = match cancel.restriction {
            None => false,
            Some(Restriction::OnlyNew) => order.status != Status::New,
            Some(Restriction::OnlyPartiallyFilled) => order.status != Status::PartiallyFilled,
        };
        if restricted {
            return Err(ApiError::cancel_refused(text::RESTRICTED));
        }
        let command = Command::Cancel {
            account: self.accounts[account].id,
            instrument: self.listed[name.0].rules.id,
            order: OrderRef::Id(core_id),
        };
        let turn = self.command(
            &command,
            Turn {
                now,
                request,
                cancel_id: Some(cancel.cancel_id),
                ..Turn::default()
            },
        );
        if let Some(reason) = turn.refused {
            return Err(refusal(reason));
        }
        let record = self.accounts[account].order(name);
        let record = record.ok_or_else(ApiError::internal)?;
        Ok(record.cancelled(&self.listed[name.0].symbol))
    }

    /// Cancels all open orders of a symbol.
    pub(crate) fn cancel_all(
        &mut self,
        request: &Request,
        symbol: Result<usize, ApiError>,
        now: Timestamp,
    ) -> Result<serde_json::Value, ApiError> {
        let number = self.receive(request, now);
        let outcome = symbol.and_then(|symbol| {
            request.window.recheck(now)?;
            self.try_cancel_all((number, request.account), symbol, now)
        });
        self.record_refusal(number, request, outcome, now)
    }

    fn try_cancel_all(
        &mut self,
        (request, account): (u64, usize),
        symbol: usize,
        now: Timestamp,
    ) -> Result<serde_json::Value, ApiError> {
        let command = Command::CancelAll {
            account: self.accounts[account].id,
            instrument: self.listed[symbol].rules.id,
        };
        let turn = self.command(
            &command,
            Turn {
                now,
                request,
                ..Turn::default()
            },
        );
        if let Some(reason) = turn.refused {
            return Err(refusal(reason));
        }
        let orders = turn
            .cancelled
            .iter()
            .filter_map(|name| self.accounts[account].order(*name));
        Ok(orders
            .map(|order| order.cancelled(&self.listed[symbol].symbol))
            .collect())
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

    /// Finds an order that a request names.
    pub(crate) fn find(
        &self,
        account: usize,
        which: &WhichOrder,
    ) -> Result<&OrderRecord, Mismatch> {
        let account = &self.accounts[account];
        let order = match (which.order_id, &which.client_id) {
            (Some(id), _) => account.order((which.symbol, id)),
            (None, Some(client_id)) => account.by_client(which.symbol, client_id),
            (None, None) => None,
        };
        let order = order.ok_or(Mismatch::Unknown)?;
        let agrees = which
            .client_id
            .is_none_or(|id| order.terms.client_id == id || order.cancel_id == Some(id));
        if agrees {
            Ok(order)
        } else {
            Err(Mismatch::OtherClientId)
        }
    }

    fn receive(&mut self, request: &Request, now: Timestamp) -> u64 {
        self.requests += 1;
        let received = Received {
            request: self.requests,
            method: request.method.to_owned(),
            account: self.accounts[request.account].id.as_str().to_owned(),
            api_key: request.api_key.clone(),
            client_order_id: request.client_order_id.clone(),
            parameters: request.parameters.clone(),
        };
        self.ledger.append(now, Entry::Received(received));
        self.requests
    }

    fn record_refusal(
        &mut self,
        number: u64,
        request: &Request,
        outcome: Result<serde_json::Value, ApiError>,
        now: Timestamp,
    ) -> Result<serde_json::Value, ApiError> {
        if let Err(refusal) = &outcome {
            let entry = Entry::Rejected {
                request: number,
                account: self.accounts[request.account].id.as_str().to_owned(),
                client_order_id: request.client_order_id.clone(),
                code: refusal.code,
                message: refusal.message.clone(),
            };
            self.ledger.append(now, entry);
        }
        outcome
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

/// A client id for an order or a cancel that was sent without one: 22 characters drawn from
/// whatever makes the request unlike any other.
pub(crate) fn generated_id(unlike: &[&[u8]]) -> Result<ClientId, ApiError> {
    const DIGITS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let mut hash = Hash128::new();
    for part in unlike {
        hash.write(part);
    }
    let mut rest = hash.finish();
    let mut id = String::with_capacity(22);
    for _ in 0..22 {
        id.push(char::from(DIGITS[(rest % 36) as usize]));
        rest /= 36;
    }
    ClientId::parse(&id).map_err(|_| ApiError::internal())
}

/// Why a named order was not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// There is none.
    Unknown,
    /// Its number and client id belong to two orders.
    OtherClientId,
}

/// The refusal that clients see for a reason of the matching engine.
pub(super) fn refusal(reason: RejectReason) -> ApiError {
    let text = reason.to_string();
    match reason {
        RejectReason::PriceFilter => ApiError::filter("PRICE_FILTER"),
        RejectReason::LotSize => ApiError::filter("LOT_SIZE"),
        RejectReason::Notional => ApiError::filter("NOTIONAL"),
        RejectReason::UnsupportedCombination => ApiError::combination_unsupported(),
        RejectReason::UnknownInstrument => ApiError::symbol(),
        RejectReason::UnknownOrder => ApiError::cancel_refused(&text),
        RejectReason::InsufficientBalance
        | RejectReason::DuplicateClientId
        | RejectReason::MaxNumOrders
        | RejectReason::WouldMatch
        | RejectReason::WouldTrigger
        | RejectReason::MarketClosed
        | RejectReason::UnknownAccount
        | RejectReason::LiquidityBelowLot
        | RejectReason::NoChange
        | RejectReason::AmendBelowExecuted
        | RejectReason::InvalidAmount => ApiError::order_refused(&text),
    }
}

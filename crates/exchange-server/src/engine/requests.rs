//! Requests of accounts: what they may do, what they are answered, and that each is recorded as it
//! came. Who trades is decided by the matching engine.

use super::{
    order::{OrderRecord, ResponseType, Status, Terms},
    venue::{Turn, Venue},
};
use crate::{
    api::{
        error::{ApiError, text},
        security::Window,
    },
    ledger::{Entry, Received},
};
use ploy_domain::{Timestamp, ids::Hash128};
use ploy_exchange_core::{ClientId, Command, OrderRef, RejectReason};
use serde_json::Value;

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

impl Venue {
    /// Places an order, or records why not.
    pub(crate) fn place(
        &mut self,
        request: &Request,
        order: Result<NewOrder, ApiError>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
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
    ) -> Result<Value, ApiError> {
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

    /// Cancels an order, or records why not.
    pub(crate) fn cancel(
        &mut self,
        request: &Request,
        cancel: Result<CancelOrder, ApiError>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
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
    ) -> Result<Value, ApiError> {
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
    ) -> Result<Value, ApiError> {
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
    ) -> Result<Value, ApiError> {
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
        outcome: Result<Value, ApiError>,
        now: Timestamp,
    ) -> Result<Value, ApiError> {
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

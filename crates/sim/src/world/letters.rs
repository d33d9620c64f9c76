//! What can be on its way: to a process, to the venue, to the database.

use super::disk::Address;
use ploy_domain::{
    ClientOrderId, InstrumentId, Intent, MarketEvent, Nanos, OrderEvent, RiskDecision, Scope,
    Timestamp, TradingState,
};
use ploy_orders_core::{Input, Report, VenueSnapshot};
use ploy_risk_core::CheckRequest;

/// What happens next.
#[derive(Debug)]
pub(crate) enum Event {
    /// A fault of the plan begins.
    FaultBegins(usize),
    /// A person lifts what a fault of the plan brought about.
    FaultEnds,
    /// A process starts.
    Starts(super::plan::Part),
    /// A process that stood still goes on.
    Thaws(super::plan::Part),
    /// Other people trade.
    Market,
    /// Somebody uses the platform.
    People,
    /// The load ends and everything heals.
    Heals,
    /// A message arrives at a process.
    Arrives(Address, Letter),
    /// A request arrives at the venue.
    AtVenue(Request),
    /// A commit arrives at the database.
    AtStore(Commit),
}

/// A message to a process.
#[derive(Debug)]
pub(crate) enum Letter {
    /// To execution.
    Execution(ToExecution),
    /// To risk.
    Risk(ToRisk),
    /// To a strategy.
    Strategy(ToStrategy),
}

/// A message to execution. Most wait in the inbox of the account's owner.
#[derive(Debug)]
pub(crate) enum ToExecution {
    /// Time to renew or to try for the lease.
    LeaseLook,
    /// The database answered.
    Leased {
        asked_at: Timestamp,
        epoch: Option<u64>,
    },
    /// Time to rebuild the books.
    TakeOver,
    /// A commit was confirmed, or was not.
    Committed { serial: u64, confirmed: bool },
    /// Time to look for rows to publish and to say the head.
    RelayLook,
    /// The time of the core's next wake.
    Wake,
    /// Risk answered.
    Judged {
        nonce: u64,
        order_id: ClientOrderId,
        decision: RiskDecision,
    },
    /// Risk had its time.
    NotJudged { nonce: u64, order_id: ClientOrderId },
    /// The moment after the last look: the first byte leaves.
    Write {
        intent: Box<Intent>,
        signed_at: Timestamp,
    },
    /// The private stream is to be connected.
    Connect { lead: u64 },
    /// A part of the venue's books was read, or was not.
    Read { lead: u64, part: Option<ReadPart> },
    /// The venue's books are to be read.
    ReadBooks { lead: u64 },
    /// For the inbox.
    Inbox(Message),
}

/// What waits in the inbox of an account's owner.
#[derive(Debug)]
pub(crate) enum Message {
    /// Somebody wants to trade.
    Submit {
        intent: Box<Intent>,
        reply: Option<Address>,
    },
    /// Somebody wants a cancel.
    Cancel(ClientOrderId),
    /// Risk wants everything of a scope cancelled.
    CancelAll(Scope),
    /// A strategy asks whether an order was taken.
    Ask {
        order_id: ClientOrderId,
        reply: Address,
    },
    /// Something happened that the core wants to know.
    Happened(Box<Input>),
    /// The private stream stands.
    StreamUp(u32),
    /// The private stream is gone.
    StreamDown(u32),
    /// The private stream spoke.
    Streamed(u32, Report),
    /// The venue's books were read.
    Read {
        lead: u64,
        books: Box<VenueSnapshot>,
    },
}

/// A part of the venue's books; they are read one after the other, while trading goes on.
#[derive(Debug)]
pub(crate) enum ReadPart {
    /// Open orders.
    Orders(Vec<ploy_orders_core::VenueOrder>),
    /// Fills.
    Fills(Vec<ploy_orders_core::VenueFill>),
    /// Balances.
    Balances(Vec<(ploy_domain::Asset, ploy_domain::Amount)>),
}

/// A message to risk.
#[derive(Debug)]
pub(crate) enum ToRisk {
    /// An order asks for approval.
    Check(Check),
    /// Missing events and the check that waits for them.
    CaughtUp(Vec<OrderEvent>, Box<Check>),
    /// A fact of the order log, from the bus.
    Fact(Box<OrderEvent>),
    /// The head of the order log, from the bus.
    Head(u64),
    /// Events that were missing.
    Replayed(Vec<OrderEvent>),
    /// A market fact.
    Market(Box<MarketEvent>),
    /// A person tightens a scope.
    Tighten {
        scope: Scope,
        state: TradingState,
        kill: bool,
    },
    /// People loosen a scope.
    Reset(Scope),
    /// Time to repeat cancels that nobody took.
    CancelAgain,
    /// Execution took a cancel-all.
    CancelsTaken(Scope),
    /// Time to say that nothing is missing.
    Look,
}

/// A question to risk.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) request: Box<CheckRequest>,
    pub(crate) reply: Address,
    pub(crate) nonce: u64,
}

/// A message to a strategy.
#[derive(Debug)]
pub(crate) enum ToStrategy {
    /// A fact of the order log, from the bus.
    Fact(Box<OrderEvent>),
    /// The head of the order log, from the bus.
    Head(u64),
    /// Events that were missing.
    Replayed(Vec<OrderEvent>),
    /// A market fact.
    Market(Box<MarketEvent>),
    /// Execution has the order.
    Taken(ClientOrderId),
    /// Execution cannot take it now.
    Unavailable(ClientOrderId),
    /// Execution had its time.
    TimedOut {
        order_id: ClientOrderId,
        attempt: u32,
    },
    /// Whether execution knows the order.
    Known {
        order_id: ClientOrderId,
        known: bool,
    },
}

/// A request to the venue.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) from: Address,
    pub(crate) sent_at: Timestamp,
    pub(crate) back: Nanos,
    pub(crate) answered: bool,
    pub(crate) call: Call,
}

/// What is asked of the venue.
#[derive(Debug)]
pub(crate) enum Call {
    Place {
        intent: Box<Intent>,
        signed_at: Timestamp,
    },
    Cancel {
        order_id: ClientOrderId,
        instrument: InstrumentId,
    },
    Query {
        order_id: ClientOrderId,
    },
    Orders {
        lead: u64,
    },
    Fills {
        lead: u64,
        since: Timestamp,
    },
    Balances {
        lead: u64,
    },
    Connect {
        lead: u64,
        conn: u32,
    },
}

/// A commit on its way to the database.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) from: Address,
    pub(crate) serial: u64,
    pub(crate) epoch: u64,
    pub(crate) events: Vec<OrderEvent>,
}

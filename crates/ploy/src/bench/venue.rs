//! A venue that fills every order at once, and notes when it came. Nothing is sent anywhere.

use super::{
    market::{fill_price, tick_of},
    stopwatch::Stopwatch,
};
use async_trait::async_trait;
use ploy_chassis::Clock;
use ploy_domain::{
    Amount, ClientOrderId, ExecutionId, Instrument, InstrumentId, Intent, Liquidity, Reason,
    ReasonCode, Rounding, Side, Timestamp, VenueOrderId,
};
use ploy_venue_port::{
    Acknowledgement, Balance, Broker, CancelOutcome, DecodeStats, ExecutionCursor,
    ExecutionIdScope, Fee, IdUniqueness, QueryAnswer, ReportBody, StreamState, SubmitOutcome,
    VenueDeclaration, VenueError, VenueExecution, VenueOrder, VenueOrderState, VenueReport,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// What the account owns at first, in the quote asset: a million.
const CASH: Amount = Amount::from_raw(100_000_000_000_000);

/// The account at the venue.
#[derive(Debug)]
struct Books {
    cash: Amount,
    held: Amount,
    executions: Vec<VenueExecution>,
}

/// A venue without a network.
#[derive(Debug)]
pub(crate) struct StubVenue {
    instrument: Instrument,
    clock: Clock,
    stopwatch: Arc<Stopwatch>,
    books: Mutex<Books>,
}

impl StubVenue {
    pub(crate) fn new(instrument: Instrument, clock: Clock, stopwatch: Arc<Stopwatch>) -> Self {
        let books = Books {
            cash: CASH,
            held: Amount::ZERO,
            executions: Vec::new(),
        };
        Self {
            instrument,
            clock,
            stopwatch,
            books: Mutex::new(books),
        }
    }

    fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn fill(&self, intent: &Intent) -> Option<Acknowledgement> {
        let value = fill_price()
            .times(intent.quantity, Rounding::HalfEven)
            .ok()?;
        let units = Amount::from_raw(intent.quantity.raw());
        let mut books = self.books();
        let (cash, held) = match intent.side {
            Side::Buy => (books.cash.minus(value), books.held.plus(units)),
            Side::Sell => (books.cash.plus(value), books.held.minus(units)),
        };
        (books.cash, books.held) = (cash.ok()?, held.ok()?);
        let number = (books.executions.len() + 1).to_string();
        let venue_order_id: VenueOrderId = number.parse().ok()?;
        let now = self.clock.now();
        let execution = VenueExecution {
            instrument: intent.instrument,
            execution_id: number.parse::<ExecutionId>().ok()?,
            venue_order_id,
            client_order_id: Some(intent.order_id.to_string()),
            side: intent.side,
            price: fill_price(),
            quantity: intent.quantity,
            fee: Some(Fee {
                amount: Amount::ZERO,
                asset: self.instrument.quote,
            }),
            liquidity: Some(Liquidity::Taker),
            ts_event: now,
        };
        books.executions.push(execution.clone());
        Some(Acknowledgement {
            instrument: intent.instrument,
            venue_order_id,
            client_order_id: intent.order_id.to_string(),
            state: VenueOrderState::Filled,
            reason: None,
            filled: intent.quantity,
            executions: vec![execution],
            ts_event: now,
        })
    }
}

#[async_trait]
impl Broker for StubVenue {
    fn declaration(&self) -> VenueDeclaration {
        VenueDeclaration {
            venue: *self.instrument.id.venue(),
            id_uniqueness: IdUniqueness::Ever,
            query_by_client_id: true,
            visibility_lag: Duration::ZERO,
            history_depth: Duration::from_secs(86_400),
            receive_window: None,
            cancel_on_disconnect: false,
            dead_man_timer: None,
            execution_id_scope: ExecutionIdScope::Venue,
            rate_limits: Vec::new(),
        }
    }

    async fn submit(&self, intent: &Intent) -> SubmitOutcome {
        if let Some(tick) = intent.decision_price.and_then(tick_of) {
            self.stopwatch.sent(tick);
        }
        match self.fill(intent) {
            Some(filled) => SubmitOutcome::Acknowledged(Box::new(filled)),
            None => SubmitOutcome::Refused(Reason::bare(ReasonCode::VenueRefused)),
        }
    }

    async fn cancel(
        &self,
        _instrument: InstrumentId,
        _order_id: ClientOrderId,
        _venue_order_id: Option<VenueOrderId>,
    ) -> CancelOutcome {
        CancelOutcome::NotOpen(Reason::bare(ReasonCode::VenueRefused))
    }

    async fn query_order(
        &self,
        _instrument: InstrumentId,
        _order_id: ClientOrderId,
        _venue_order_id: Option<VenueOrderId>,
    ) -> Result<QueryAnswer, VenueError> {
        Ok(QueryAnswer::NotFound)
    }

    async fn open_orders(&self) -> Result<Vec<VenueOrder>, VenueError> {
        Ok(Vec::new())
    }

    async fn executions_since(
        &self,
        _instrument: InstrumentId,
        _cursor: ExecutionCursor,
    ) -> Result<Vec<VenueExecution>, VenueError> {
        Ok(self.books().executions.clone())
    }

    async fn order_executions(
        &self,
        _instrument: InstrumentId,
        venue_order_id: VenueOrderId,
    ) -> Result<Vec<VenueExecution>, VenueError> {
        let books = self.books();
        let executions = books.executions.iter();
        Ok(executions
            .filter(|execution| execution.venue_order_id == venue_order_id)
            .cloned()
            .collect())
    }

    async fn balances(&self) -> Result<Vec<Balance>, VenueError> {
        let books = self.books();
        let owned = [
            (self.instrument.quote, books.cash),
            (self.instrument.base, books.held),
        ];
        let balance = |(asset, free)| Balance {
            asset,
            free,
            locked: Amount::ZERO,
        };
        Ok(owned.map(balance).to_vec())
    }

    async fn server_time(&self) -> Result<Timestamp, VenueError> {
        Ok(self.clock.now())
    }

    async fn reports(
        &self,
        sink: mpsc::Sender<VenueReport>,
        token: CancellationToken,
    ) -> Result<(), VenueError> {
        let connected = VenueReport {
            ts_receive: self.clock.now(),
            raw: "".into(),
            body: ReportBody::Stream(StreamState::Connected),
        };
        // Nobody listens any more: then there is nobody to tell.
        drop(sink.send(connected).await);
        token.cancelled().await;
        Ok(())
    }

    fn decode_stats(&self) -> DecodeStats {
        DecodeStats::default()
    }
}

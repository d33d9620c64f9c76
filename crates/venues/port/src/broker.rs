//! Orders out, account facts in: the port that execution trades through.

use crate::{
    declaration::VenueDeclaration,
    error::VenueError,
    feed::DecodeStats,
    order::{Balance, ExecutionCursor, VenueExecution, VenueOrder},
    outcome::{CancelOutcome, QueryAnswer, SubmitOutcome},
    report::VenueReport,
};
use async_trait::async_trait;
use ploy_domain::{ClientOrderId, InstrumentId, Intent, Timestamp, VenueOrderId};
use std::fmt::Debug;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// One account at one venue.
///
/// Every call has its own deadline inside. No call repeats a submit; reads may be repeated by the
/// caller as [`VenueError::retry`] says. Every list is complete or an error.
#[async_trait]
pub trait Broker: Debug + Send + Sync {
    /// What the venue promises; the resolver of unknown outcomes reads it (ORD-15).
    fn declaration(&self) -> VenueDeclaration;

    /// Sends an order once. The caller holds its one permit (`OrderJournaled`).
    async fn submit(&self, intent: &Intent) -> SubmitOutcome;

    /// Cancels an order; the one write that may be repeated (ORD-18).
    async fn cancel(
        &self,
        instrument: InstrumentId,
        order_id: ClientOrderId,
        venue_order_id: Option<VenueOrderId>,
    ) -> CancelOutcome;

    /// Asks for one order, open or closed.
    ///
    /// # Errors
    /// [`VenueError`]: nothing is known. [`QueryAnswer::NotFound`] is an answer, yet one miss is
    /// no proof of absence (ORD-13).
    async fn query_order(
        &self,
        instrument: InstrumentId,
        order_id: ClientOrderId,
        venue_order_id: Option<VenueOrderId>,
    ) -> Result<QueryAnswer, VenueError>;

    /// All open orders of the account on every instrument, ours and foreign.
    ///
    /// # Errors
    /// [`VenueError`]; never a part of the list.
    async fn open_orders(&self) -> Result<Vec<VenueOrder>, VenueError>;

    /// All executions on an instrument since `cursor`, oldest first.
    ///
    /// # Errors
    /// [`VenueError`] when any page of the list failed.
    async fn executions_since(
        &self,
        instrument: InstrumentId,
        cursor: ExecutionCursor,
    ) -> Result<Vec<VenueExecution>, VenueError>;

    /// All executions of one order, oldest first.
    ///
    /// # Errors
    /// [`VenueError`].
    async fn order_executions(
        &self,
        instrument: InstrumentId,
        venue_order_id: VenueOrderId,
    ) -> Result<Vec<VenueExecution>, VenueError>;

    /// What the account owns, assets with nothing left out.
    ///
    /// # Errors
    /// [`VenueError`].
    async fn balances(&self) -> Result<Vec<Balance>, VenueError>;

    /// The venue's clock.
    ///
    /// # Errors
    /// [`VenueError`].
    async fn server_time(&self) -> Result<Timestamp, VenueError>;

    /// Delivers the account's private stream into `sink` until `token` is cancelled or the
    /// receiver is gone. Reconnects by itself and says so with
    /// [`crate::StreamState::Reconnected`]: nothing is replayed by the venue, so the receiver
    /// must reconcile then.
    ///
    /// # Errors
    /// [`VenueError::Auth`] when the venue refuses the credentials: nothing else ends it.
    async fn reports(
        &self,
        sink: mpsc::Sender<VenueReport>,
        token: CancellationToken,
    ) -> Result<(), VenueError>;

    /// What could not be decoded so far.
    fn decode_stats(&self) -> DecodeStats;
}

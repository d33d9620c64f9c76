//! The hands of an account: effects of the core carried out against risk and the venue, each in a
//! task of its own whose result comes back as an input. Nothing here decides.

use crate::{
    SERVICE,
    account::{Desk, Message},
    inputs, metrics, reading,
};
use ploy_chassis::{chain, scope, spawn_begun, trace};
use ploy_domain::{
    ClientOrderId, InstrumentId, Intent, Nanos, Reason, ReasonCode, Timestamp, TraceContext,
    VenueOrderId,
};
use ploy_orders_core::{Effect, Input, QueryOutcome, SendOutcome, VenueSnapshot};
use ploy_store::lease::HeldLease;
use ploy_venue_port::{ReportBody, StreamState};
use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument as _;

/// How old a journal transaction may be when its order is written (ORD-6).
const PERMIT_AGE_MAX: Duration = Duration::from_millis(500);
/// The pause before the venue's books are read again after a failure or a difference.
const READ_AGAIN: Duration = Duration::from_secs(2);
/// How many messages of the private stream may wait.
const REPORTS_MAX: usize = 4_096;

/// Counts leaderships in this process: messages of one are nothing to the next.
static LEADERSHIPS: AtomicU64 = AtomicU64::new(0);

/// The tasks of an account and what they need.
#[derive(Debug)]
pub(crate) struct Hands {
    leadership: u64,
    desk: Desk,
    tasks: TaskTracker,
    stop: CancellationToken,
    streaming: bool,
    reading: bool,
    read_again: bool,
}

impl Hands {
    pub(crate) fn new(desk: Desk) -> Self {
        Self {
            leadership: LEADERSHIPS.fetch_add(1, Ordering::Relaxed),
            desk,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            streaming: false,
            reading: false,
            read_again: false,
        }
    }

    /// Which leadership they are of.
    pub(crate) const fn leadership(&self) -> u64 {
        self.leadership
    }

    /// Whether nothing is under way.
    pub(crate) fn is_idle(&self) -> bool {
        self.tasks.is_empty()
    }

    /// Waits until nothing is under way.
    pub(crate) async fn settled(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Leaves what is under way to itself: answers of the venue still come back as inputs, to
    /// whoever leads then.
    pub(crate) fn let_go(&self) {
        self.stop.cancel();
    }

    pub(crate) fn act(&mut self, effect: Effect, lease: Option<&HeldLease>, began: Instant) {
        match effect {
            Effect::Send { intent, trace, .. } => {
                let permit = Permit {
                    lease: lease.cloned(),
                    began,
                };
                self.send(*intent, trace, permit);
            }
            Effect::SendCancel {
                order_id,
                instrument,
                venue_order_id,
            } => {
                let broker = std::sync::Arc::clone(&self.desk.setup.broker);
                self.spawn("cancel", async move {
                    let answer = broker.cancel(instrument, order_id, venue_order_id).await;
                    metrics::cancel_sent();
                    let client_id = order_id.to_string();
                    let outcome = inputs::cancel_outcome(client_id, instrument, answer);
                    Input::CancelSent { order_id, outcome }
                });
            }
            Effect::Query {
                order_id,
                instrument,
                venue_order_id,
            } => {
                self.query(order_id, instrument, venue_order_id);
            }
            Effect::Reconcile => {
                if self.streaming {
                    self.read_account(READ_AGAIN);
                }
            }
            Effect::Alert(alert) => {
                metrics::alert(alert.kind);
                let order_id = alert.order_id.map(|id| id.to_string());
                let account = self.desk.setup.account;
                tracing::error!(%account, kind = alert.kind, order_id, detail = alert.detail, "alert");
            }
            // Done by the leader itself.
            Effect::AskRisk { .. }
            | Effect::Answer(_)
            | Effect::Mismatch(_)
            | Effect::CancelsRequested(_) => {}
        }
    }

    fn query(
        &self,
        order_id: ClientOrderId,
        instrument: InstrumentId,
        venue_order_id: Option<VenueOrderId>,
    ) {
        // Trades may carry the venue's clock: an hour covers any offset it could have.
        let since = self.desk.clock.now().minus(Nanos::from_secs(3_600));
        let question = reading::Question {
            order_id,
            instrument,
            venue_order_id,
            since,
        };
        let setup = self.desk.setup.clone();
        self.spawn("query", async move {
            let outcome = reading::order(&*setup.broker, question, &setup.instruments).await;
            if let QueryOutcome::Failed(reason) = &outcome {
                tracing::warn!(%order_id, %reason, "the venue cannot be asked about an order");
            }
            Input::Queried { order_id, outcome }
        });
    }

    /// Carries out `work`, its first step at once, and gives its result to the core. Only what must not be lost is tracked
    /// for the drain: a request to the venue that was begun is waited for.
    fn spawn(&self, name: &'static str, work: impl Future<Output = Input> + Send + 'static) {
        let inbox = self.desk.inbox.clone();
        let span = tracing::debug_span!("effect", name);
        let task = async move {
            let input = work.await;
            drop(inbox.send(Message::Happened(Box::new(input))).await);
        };
        let task = scope::within(SERVICE, task.instrument(span));
        spawn_begun(&self.tasks, task);
    }

    fn send(&self, intent: Intent, trace: TraceContext, permit: Permit) {
        let (setup, clock) = (self.desk.setup.clone(), self.desk.clock.clone());
        let is_volatile = self.desk.journal.store().is_none();
        let span = tracing::info_span!(
            "venue.send",
            service.component = "execution",
            order_id = %intent.order_id,
            instrument = %intent.instrument
        );
        trace::link_parent(&span, &trace);
        let work = async move {
            let order_id = intent.order_id;
            if let Err(reason) = permit.check(&intent, clock.now(), is_volatile) {
                return Input::Sent {
                    order_id,
                    outcome: SendOutcome::NotSent(reason),
                };
            }
            metrics::order_sent();
            let began = Instant::now();
            let answer = setup.broker.submit(&intent).await;
            metrics::order_answered(began.elapsed(), clock.now() - intent.created_at);
            let outcome = inputs::send_outcome(&intent, answer, &setup.instruments);
            if let SendOutcome::Unknown(reason) = &outcome {
                tracing::warn!(%order_id, %reason, "the outcome of an order is unknown");
            }
            Input::Sent { order_id, outcome }
        };
        self.spawn("send", work.instrument(span));
    }

    /// The private stream stands: from here on nothing is missed, so the books can be read.
    pub(crate) fn stream_up(&mut self) {
        self.streaming = true;
        self.read_account(Duration::ZERO);
    }

    /// Reads the venue's books after `pause`; a reading that is asked for while one is under way
    /// happens once more after it.
    fn read_account(&mut self, pause: Duration) {
        if self.reading {
            self.read_again = true;
            return;
        }
        self.reading = true;
        let (desk, stop, of) = (self.desk.clone(), self.stop.clone(), self.leadership);
        // Not tracked: a reading has no effect at the venue, so a drain need not wait for it.
        tokio::spawn(scope::within(SERVICE, async move {
            let read = async {
                tokio::time::sleep(pause).await;
                let setup = &desk.setup;
                let (account, store) = (&setup.account, desk.journal.store());
                reading::account(&*setup.broker, account, &setup.instruments, store).await
            };
            let Some(reading) = stop.run_until_cancelled(read).await else {
                return;
            };
            let reading = reading.map_err(|error| chain(&error));
            drop(desk.inbox.send(Message::Read { of, reading }).await);
        }));
    }

    /// A reading came back.
    pub(crate) fn account_read(
        &mut self,
        reading: Result<VenueSnapshot, String>,
    ) -> Option<VenueSnapshot> {
        self.reading = false;
        match reading {
            Ok(snapshot) => {
                if std::mem::take(&mut self.read_again) {
                    self.read_account(READ_AGAIN);
                }
                Some(snapshot)
            }
            Err(error) => {
                let account = self.desk.setup.account;
                tracing::warn!(%account, error, "the venue's books cannot be read");
                metrics::reading_failed();
                self.read_account(READ_AGAIN);
                None
            }
        }
    }

    /// Follows the private stream of the account until the returned token is cancelled.
    pub(crate) fn follow_private_stream(&self) -> CancellationToken {
        let stop = self.stop.child_token();
        let (sink, mut reports) = mpsc::channel(REPORTS_MAX);
        let (setup, token) = (self.desk.setup.clone(), stop.clone());
        let account = setup.account;
        let broker = std::sync::Arc::clone(&setup.broker);
        tokio::spawn(scope::within(SERVICE, async move {
            if let Err(error) = broker.reports(sink, token).await {
                tracing::error!(%account, error = %chain(&error), "private stream ended");
            }
        }));
        let (inbox, token, of) = (self.desk.inbox.clone(), stop.clone(), self.leadership);
        tokio::spawn(async move {
            while let Some(Some(report)) = token.run_until_cancelled(reports.recv()).await {
                let message = match report.body {
                    ReportBody::Stream(StreamState::Connected | StreamState::Reconnected) => {
                        Some(Message::StreamUp { of })
                    }
                    ReportBody::Stream(StreamState::Lost { detail }) => {
                        let reason = Reason::new(ReasonCode::PrivateStreamUnavailable, detail);
                        Some(Message::StreamLost { of, reason })
                    }
                    ReportBody::Order(order) => inputs::report(&order, &setup.instruments)
                        .map(|report| Message::Happened(Box::new(Input::Reported(report)))),
                    // Balances are compared at readings, where fills are read with them.
                    ReportBody::Balances(_) | ReportBody::Unrecognised => None,
                };
                if let Some(message) = message
                    && inbox.send(message).await.is_err()
                {
                    return;
                }
            }
        });
        stop
    }

    /// Sleeps until the core wants to be woken.
    pub(crate) async fn wake_at(&self, at: Option<Timestamp>) {
        let Some(at) = at else {
            return std::future::pending().await;
        };
        let wait = (at - self.desk.clock.now()).get().max(0);
        tokio::time::sleep(Duration::from_nanos(wait.unsigned_abs())).await;
    }
}

/// The last look before the first byte (ORD-6).
struct Permit {
    lease: Option<HeldLease>,
    began: Instant,
}

impl Permit {
    fn check(&self, intent: &Intent, now: Timestamp, is_volatile: bool) -> Result<(), Reason> {
        let not_sent = |why: String| Err(Reason::new(ReasonCode::NotSent, why));
        if now > intent.valid_until {
            return not_sent(format!("valid_until={} now={now}", intent.valid_until));
        }
        if is_volatile {
            return Ok(());
        }
        match &self.lease {
            Some(lease) if lease.may_send() => {}
            Some(lease) => {
                return not_sent(format!(
                    "lease_remaining_ms={}",
                    lease.remaining().as_millis()
                ));
            }
            None => return not_sent("lease=none".to_owned()),
        }
        let age = self.began.elapsed();
        if age > PERMIT_AGE_MAX {
            return not_sent(format!("permit_age_ms={}", age.as_millis()));
        }
        Ok(())
    }
}

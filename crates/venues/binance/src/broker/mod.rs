//! The broker half: orders and queries by REST, the account's events by the WebSocket API.

mod placement;
mod queries;
mod stream;

use crate::{
    config::{BinanceConfig, ConfigError},
    ids,
    rest::{Call, NoAnswer, RECEIVE_WINDOW_MS, Rest},
    sign::Params,
    wire::orders::WireCancel,
};
use async_trait::async_trait;
use ploy_domain::{
    ClientOrderId, InstrumentId, Intent, Reason, ReasonCode, Timestamp, VenueOrderId,
};
use ploy_venue_port::{
    Balance, Broker, CancelOutcome, DecodeCounts, DecodeStats, ExecutionCursor, ExecutionIdScope,
    IdUniqueness, Priority, QueryAnswer, SubmitOutcome, Supervisor, VenueDeclaration, VenueError,
    VenueExecution, VenueOrder, VenueReport, now,
};
use reqwest::Method;
use std::{sync::Arc, time::Duration};
use stream::{PrivateParts, PrivateSession};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// The code of "unknown order" on a cancel: unknown, filled, or cancelled before.
const NOT_OPEN: i64 = -2011;
/// The venue answers for orders that closed without fills for this long.
const HISTORY_DEPTH: Duration = Duration::from_secs(90 * 86_400);

/// One account of a venue that speaks Binance Spot.
#[derive(Debug)]
pub struct BinanceBroker {
    config: BinanceConfig,
    rest: Arc<Rest>,
    counts: Arc<DecodeCounts>,
}

impl BinanceBroker {
    /// A broker; connects to nothing yet.
    ///
    /// # Errors
    /// [`ConfigError`] for addresses that cannot work and for a missing key.
    pub fn new(config: BinanceConfig) -> Result<Self, ConfigError> {
        if config.credentials.is_none() {
            let venue = config.venue;
            return Err(ConfigError::NoCredentials { venue });
        }
        let rest = Arc::new(Rest::new(&config)?);
        Ok(Self {
            config,
            rest,
            counts: Arc::default(),
        })
    }

    /// The parameters that name one order: the venue's number where it is known, else our id.
    fn order_params(
        instrument: InstrumentId,
        order_id: ClientOrderId,
        venue_order_id: Option<VenueOrderId>,
    ) -> Params {
        let symbol = instrument.symbol();
        let params = Params::new().with("symbol", symbol);
        match venue_order_id.and_then(|id| ids::number(symbol, id.as_str())) {
            Some(number) => params.with("orderId", number),
            None => params.with("origClientOrderId", order_id),
        }
    }
}

#[async_trait]
impl Broker for BinanceBroker {
    fn declaration(&self) -> VenueDeclaration {
        VenueDeclaration {
            venue: self.config.venue,
            id_uniqueness: IdUniqueness::OpenOnly,
            query_by_client_id: true,
            visibility_lag: self.config.visibility_lag,
            history_depth: HISTORY_DEPTH,
            receive_window: Some(Duration::from_millis(RECEIVE_WINDOW_MS)),
            cancel_on_disconnect: false,
            dead_man_timer: None,
            execution_id_scope: ExecutionIdScope::Instrument,
            rate_limits: self.config.rate_limits.clone(),
        }
    }

    async fn submit(&self, intent: &Intent) -> SubmitOutcome {
        let params = match placement::params(intent, self.config.venue) {
            Ok(params) => params,
            Err(reason) => return SubmitOutcome::NotSent(reason),
        };
        if now() > intent.valid_until {
            let context = format!("valid_until={}", intent.valid_until);
            return SubmitOutcome::NotSent(Reason::new(ReasonCode::Expired, context));
        }
        let budget = self.rest.order_budget().try_spend(1, Priority::Normal);
        if let Err(exhausted) = budget {
            return SubmitOutcome::NotSent(budget_reason(exhausted.after));
        }
        let call = Call {
            operation: "new order",
            method: Method::POST,
            path: "/api/v3/order",
            params,
            signed: true,
            weight: 1,
            priority: Priority::Normal,
        };
        let outcome = match self.rest.write(&call).await {
            Ok(answer) => placement::outcome(&answer, self.config.venue),
            Err(NoAnswer::Budget(after)) => SubmitOutcome::NotSent(budget_reason(after)),
            Err(NoAnswer::NotSent(detail)) => {
                SubmitOutcome::NotSent(reason(ReasonCode::NotSent, &detail))
            }
            Err(NoAnswer::Unknown(detail)) => {
                SubmitOutcome::Unknown(reason(ReasonCode::OutcomeUnknown, &detail))
            }
        };
        if let SubmitOutcome::Acknowledged(answer) = &outcome
            && !answer.state.is_known()
        {
            self.counts.unknown_value();
        }
        outcome
    }

    async fn cancel(
        &self,
        instrument: InstrumentId,
        order_id: ClientOrderId,
        venue_order_id: Option<VenueOrderId>,
    ) -> CancelOutcome {
        let call = Call {
            operation: "cancel order",
            method: Method::DELETE,
            path: "/api/v3/order",
            params: Self::order_params(instrument, order_id, venue_order_id),
            signed: true,
            weight: 1,
            priority: Priority::Reserved,
        };
        // Unlike a new order, a cancel is worth a wait if it would be refused without.
        self.rest.ensure_clock().await;
        match self.rest.write(&call).await {
            Ok(answer) => cancel_outcome(&answer, instrument),
            Err(NoAnswer::Budget(after)) => CancelOutcome::RateLimited { after },
            Err(NoAnswer::NotSent(detail)) => {
                CancelOutcome::NotSent(reason(ReasonCode::NotSent, &detail))
            }
            Err(NoAnswer::Unknown(detail)) => {
                CancelOutcome::Unknown(reason(ReasonCode::OutcomeUnknown, &detail))
            }
        }
    }

    async fn query_order(
        &self,
        instrument: InstrumentId,
        order_id: ClientOrderId,
        venue_order_id: Option<VenueOrderId>,
    ) -> Result<QueryAnswer, VenueError> {
        let params = Self::order_params(instrument, order_id, venue_order_id);
        queries::order(&self.rest, &self.counts, params).await
    }

    async fn open_orders(&self) -> Result<Vec<VenueOrder>, VenueError> {
        queries::open_orders(&self.rest, &self.counts).await
    }

    async fn executions_since(
        &self,
        instrument: InstrumentId,
        cursor: ExecutionCursor,
    ) -> Result<Vec<VenueExecution>, VenueError> {
        queries::executions_since(&self.rest, instrument, cursor).await
    }

    async fn order_executions(
        &self,
        instrument: InstrumentId,
        venue_order_id: VenueOrderId,
    ) -> Result<Vec<VenueExecution>, VenueError> {
        queries::order_executions(&self.rest, instrument, venue_order_id).await
    }

    async fn balances(&self) -> Result<Vec<Balance>, VenueError> {
        queries::balances(&self.rest).await
    }

    async fn server_time(&self) -> Result<Timestamp, VenueError> {
        self.rest.synchronise().await
    }

    async fn reports(
        &self,
        sink: mpsc::Sender<VenueReport>,
        token: CancellationToken,
    ) -> Result<(), VenueError> {
        let parts = PrivateParts {
            url: self.config.ws_api_url.clone(),
            policy: self.config.connection,
            symbols: self.config.symbols.clone(),
            rest: Arc::clone(&self.rest),
            counts: Arc::clone(&self.counts),
        };
        let mut session = PrivateSession::new(parts, sink);
        let seed = self.config.jitter_seed.wrapping_add(1);
        let mut supervisor = Supervisor::new("private_stream", self.config.connection, seed);
        supervisor.run(&mut session, &token).await;
        session.refusal().map_or(Ok(()), Err)
    }

    fn decode_stats(&self) -> DecodeStats {
        self.counts.stats()
    }
}

/// Our own budget kept the order here: proof that it did not leave.
fn budget_reason(after: Duration) -> Reason {
    let after_ms = after.as_millis();
    Reason::new(
        ReasonCode::NotSent,
        format_args!("cause=rate_budget retry_after_ms={after_ms}"),
    )
}

fn reason(code: ReasonCode, detail: &str) -> Reason {
    Reason::new(code, format_args!("detail={detail:?}"))
}

fn cancel_outcome(answer: &crate::rest::Answer, instrument: InstrumentId) -> CancelOutcome {
    use crate::refusal::{Proof, Refusal};
    if answer.is_success() {
        let cancelled = serde_json::from_slice::<WireCancel>(&answer.body).ok();
        let cancelled = cancelled.filter(|wire| wire.status == "CANCELED");
        let cancelled = cancelled.and_then(|wire| {
            let id = ids::venue_order_id(instrument.symbol(), wire.order_id.0).ok()?;
            Some(CancelOutcome::Cancelled {
                venue_order_id: id,
                filled: wire.executed_qty.0,
                ts_event: wire.transact_time.0,
            })
        });
        return cancelled.unwrap_or_else(|| {
            CancelOutcome::Unknown(reason(ReasonCode::OutcomeUnknown, &answer.excerpt()))
        });
    }
    let error = answer.error();
    match error.proof() {
        Proof::RateLimited => CancelOutcome::RateLimited {
            after: error.retry_after,
        },
        Proof::Refused(refusal) => CancelOutcome::Refused(error.reason(refusal)),
        Proof::Nothing if error.body.code == Some(NOT_OPEN) && error.status == 400 => {
            CancelOutcome::NotOpen(error.reason(Refusal::Other))
        }
        Proof::Nothing => CancelOutcome::Unknown(Reason::new(ReasonCode::OutcomeUnknown, &error)),
    }
}

#[cfg(test)]
mod tests;

//! The private stream: subscribes by signature on the WebSocket API and passes the account's
//! events on, each with its raw text. Nothing is replayed by the venue, so every new subscription
//! after the first says that the receiver has to reconcile.

use crate::{
    refusal::{ErrorAnswer, ErrorBody},
    rest::{RECEIVE_WINDOW_MS, Rest},
    sign::sign_ws,
    socket::{Inbound, Socket},
    wire::user::{ApiFrame, UserEvent, decode_event, is_unrecognised},
};
use async_trait::async_trait;
use ploy_domain::Symbol;
use ploy_venue_port::{
    ConnectionPolicy, DecodeCounts, Liveness, LivenessEvent, Priority, ReceiveClock, ReportBody,
    Session, SessionEnd, StreamState, VenueError, VenueReport, now,
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::mpsc::{self, error::SendTimeoutError},
    time::timeout,
};

/// From the request to subscribe to its answer.
const SUBSCRIBE_DEADLINE: Duration = Duration::from_secs(5);
/// A receiver that takes nothing for this long has to reconcile anyway.
const SEND_DEADLINE: Duration = Duration::from_secs(5);
/// Weight of opening the connection and of subscribing.
const CONNECT_WEIGHT: u32 = 4;
const OPERATION: &str = "private stream";

/// What a session needs from the broker.
#[derive(Debug)]
pub(super) struct PrivateParts {
    pub(super) url: String,
    pub(super) policy: ConnectionPolicy,
    pub(super) symbols: Vec<Symbol>,
    pub(super) rest: Arc<Rest>,
    pub(super) counts: Arc<DecodeCounts>,
}

#[derive(Debug)]
pub(super) struct PrivateSession {
    parts: PrivateParts,
    sink: mpsc::Sender<VenueReport>,
    /// Whether the account was ever subscribed.
    subscribed_before: bool,
    /// Why the venue will never let us in.
    refusal: Option<VenueError>,
    receive_clock: ReceiveClock,
}

fn lost(detail: impl Into<String>) -> SessionEnd {
    SessionEnd::Lost {
        detail: detail.into(),
    }
}

#[async_trait]
impl Session for PrivateSession {
    async fn serve(&mut self, epoch: u64) -> SessionEnd {
        if epoch == 1 {
            self.prepare().await;
        }
        let end = match self.connect_and_read().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        let detail = match &end {
            SessionEnd::Stop => return end,
            SessionEnd::Renew => "planned renewal".to_owned(),
            SessionEnd::Lost { detail } => detail.clone(),
        };
        match self.tell(StreamState::Lost { detail }).await {
            Ok(()) => end,
            Err(stop) => stop,
        }
    }
}

/// The connection is read until an error ends it.
enum Never {}

impl PrivateSession {
    pub(super) fn new(parts: PrivateParts, sink: mpsc::Sender<VenueReport>) -> Self {
        Self {
            parts,
            sink,
            subscribed_before: false,
            refusal: None,
            receive_clock: ReceiveClock::default(),
        }
    }

    /// Why the venue will never let us in, if that ended the session.
    pub(super) fn refusal(self) -> Option<VenueError> {
        self.refusal
    }

    /// Learns the venue's own limits and clock. Without them the configured limits hold and the
    /// first subscription measures the clock.
    async fn prepare(&self) {
        if let Err(error) = self.parts.rest.exchange_info(&self.parts.symbols).await {
            tracing::warn!(%error, "the venue's limits are not known; the configured ones hold");
        }
        self.parts.rest.ensure_clock().await;
    }

    async fn connect_and_read(&mut self) -> Result<Never, SessionEnd> {
        let budget = self.parts.rest.weight_budget();
        let spent = budget.try_spend(CONNECT_WEIGHT, Priority::Reserved);
        spent.map_err(|exhausted| lost(exhausted.to_string()))?;
        let mut socket = Socket::connect(&self.parts.url).await.map_err(lost)?;
        let subscribing = timeout(SUBSCRIBE_DEADLINE, self.subscribe(&mut socket));
        subscribing
            .await
            .map_err(|_| lost("the subscription was not answered"))??;
        let state = if self.subscribed_before {
            StreamState::Reconnected
        } else {
            StreamState::Connected
        };
        self.subscribed_before = true;
        self.tell(state).await?;
        let mut liveness = Liveness::new(self.parts.policy);
        loop {
            tokio::select! {
                frame = socket.next() => {
                    let inbound = frame.map_err(lost)?;
                    liveness.heard();
                    if let Inbound::Text(text) = inbound {
                        self.on_text(&text).await?;
                    }
                }
                event = liveness.next() => match event {
                    LivenessEvent::PingDue => socket.ping().await.map_err(lost)?,
                    LivenessEvent::Stalled => {
                        return Err(lost("nothing was received for too long"));
                    }
                    LivenessEvent::RenewalDue => return Err(SessionEnd::Renew),
                },
            }
        }
    }

    /// Subscribes and waits for the answer, which is the first message of the connection.
    async fn subscribe(&mut self, socket: &mut Socket) -> Result<(), SessionEnd> {
        let Some(credentials) = self.parts.rest.credentials() else {
            return Err(SessionEnd::Stop);
        };
        let mut params = vec![
            ("apiKey", credentials.key.clone()),
            ("recvWindow", RECEIVE_WINDOW_MS.to_string()),
            (
                "timestamp",
                self.parts.rest.venue_now().as_millis().to_string(),
            ),
        ];
        params.push(("signature", sign_ws(&credentials.secret, &params)));
        let number = |text: &str| text.parse::<i64>().unwrap_or_default();
        let request = json!({
            "id": "1",
            "method": "userDataStream.subscribe.signature",
            "params": {
                "apiKey": params[0].1,
                "recvWindow": number(&params[1].1),
                "timestamp": number(&params[2].1),
                "signature": params[3].1,
            },
        });
        socket.send(request.to_string()).await.map_err(lost)?;
        loop {
            let Inbound::Text(text) = socket.next().await.map_err(lost)? else {
                continue;
            };
            let frame: ApiFrame<'_> = serde_json::from_str(&text)
                .map_err(|error| lost(format!("the subscription's answer: {error}")))?;
            if let Some(status) = frame.status {
                return self.on_subscribed(status, &frame).await;
            }
        }
    }

    async fn on_subscribed(&mut self, status: u16, frame: &ApiFrame<'_>) -> Result<(), SessionEnd> {
        if status == 200 {
            return Ok(());
        }
        let body = frame.error.map(|raw| serde_json::from_str(raw.get()));
        let body: ErrorBody = body.and_then(Result::ok).unwrap_or_default();
        let retry_after = SUBSCRIBE_DEADLINE;
        let answer = ErrorAnswer {
            status,
            body,
            retry_after,
        };
        match answer.read_error(OPERATION) {
            error @ VenueError::Auth { .. } => {
                tracing::error!(%error, "private stream refused");
                self.refusal = Some(error);
                let detail = answer.to_string();
                self.tell(StreamState::Lost { detail }).await?;
                Err(SessionEnd::Stop)
            }
            VenueError::Clock { detail, .. } => {
                if let Err(error) = self.parts.rest.synchronise().await {
                    tracing::warn!(%error, "clock offset cannot be measured");
                }
                Err(lost(detail))
            }
            error => Err(lost(error.to_string())),
        }
    }

    async fn on_text(&mut self, text: &str) -> Result<(), SessionEnd> {
        let ts_receive = self.receive_clock.stamp(now());
        let frame: Result<ApiFrame<'_>, _> = serde_json::from_str(text);
        let Ok(frame) = frame else {
            self.parts.counts.malformed();
            return Ok(());
        };
        let Some(event) = frame.event else {
            return Ok(());
        };
        let body = match decode_event(event.get(), self.parts.rest.venue()) {
            Ok(UserEvent::Ending) => return Err(SessionEnd::Renew),
            Ok(UserEvent::Report(body)) => {
                if is_unrecognised(&body) {
                    self.parts.counts.unknown_value();
                }
                body
            }
            // It may have been a fill: the raw text is kept, and reconciliation finds it.
            Err(error) => {
                self.parts.counts.malformed();
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "private event not read"
                );
                ReportBody::Unrecognised
            }
        };
        self.send(VenueReport {
            ts_receive,
            raw: Arc::from(text),
            body,
        })
        .await
    }

    async fn tell(&mut self, state: StreamState) -> Result<(), SessionEnd> {
        let ts_receive = self.receive_clock.stamp(now());
        self.send(VenueReport {
            ts_receive,
            raw: Arc::from(""),
            body: ReportBody::Stream(state),
        })
        .await
    }

    async fn send(&self, report: VenueReport) -> Result<(), SessionEnd> {
        match self.sink.send_timeout(report, SEND_DEADLINE).await {
            Ok(()) => Ok(()),
            Err(SendTimeoutError::Timeout(_)) => Err(lost("the receiver is too slow")),
            Err(SendTimeoutError::Closed(_)) => Err(SessionEnd::Stop),
        }
    }
}

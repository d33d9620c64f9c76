//! A durable pull consumer on the server, recreated when it vanishes.

use super::{connection::Connection, convert, declare};
use crate::{
    BusError, Consumer, ConsumerSpec, Delivery,
    error::within,
    port::{Acker, Settlement},
};
use async_nats::jetstream::consumer::pull::MessagesErrorKind;
use async_nats::jetstream::{
    self, AckKind,
    consumer::{PullConsumer, pull},
};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How long a pull request lives at the server.
const PULL_EXPIRES: Duration = Duration::from_secs(5);
/// How often an idle server shows that it still knows the request.
const PULL_HEARTBEAT: Duration = Duration::from_secs(1);
/// The most messages that one request asks for.
const PULL_BATCH: usize = 64;
/// Missed heartbeats in a row after which the consumer is taken as gone.
const MISSED_MAX: u32 = 3;
/// Pause after a failed pull, so that an unreachable server is not asked in a busy loop.
const FAILED_PAUSE: Duration = Duration::from_millis(100);

pub(super) struct NatsConsumer {
    connection: Arc<Connection>,
    spec: ConsumerSpec,
    messages: Option<pull::Stream>,
    missed: u32,
}

impl std::fmt::Debug for NatsConsumer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsConsumer")
            .field("spec", &self.spec)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

impl NatsConsumer {
    pub(super) async fn open(
        connection: Arc<Connection>,
        spec: ConsumerSpec,
    ) -> Result<Self, BusError> {
        let mut consumer = Self {
            connection,
            spec,
            messages: None,
            missed: 0,
        };
        consumer.messages = Some(consumer.pull().await?);
        Ok(consumer)
    }

    /// Finds or creates the consumer, compares it with its declaration and starts to pull.
    async fn pull(&self) -> Result<pull::Stream, BusError> {
        let refused = |e: Box<dyn std::error::Error + Send + Sync>| BusError::Refused {
            operation: "a consumer",
            source: e,
        };
        let limit = self.connection.options().request_timeout * 3;
        within(limit, "a consumer", async {
            self.connection.stream_info(&self.spec.stream).await?;
            let stream = self
                .connection
                .jetstream()
                .get_stream_no_info(&self.spec.stream)
                .await
                .map_err(|e| refused(e.into()))?;
            let wanted = declare::consumer_config(&self.spec);
            let consumer: PullConsumer = stream
                .get_or_create_consumer(&self.spec.name, wanted)
                .await
                .map_err(|e| refused(e.into()))?;
            declare::check_consumer(&self.spec, &consumer.cached_info().config)?;
            consumer
                .stream()
                .max_messages_per_batch(PULL_BATCH)
                .expires(PULL_EXPIRES)
                .heartbeat(PULL_HEARTBEAT)
                .messages()
                .await
                .map_err(|e| refused(e.into()))
        })
        .await
    }

    fn delivery(&self, message: jetstream::Message) -> Result<Delivery, BusError> {
        let delivered = message
            .info()
            .map_err(|e| BusError::refused("a delivery", e))?
            .delivered;
        let (message, acker) = message.split();
        let limit = self.connection.options().request_timeout;
        Ok(Delivery {
            message: convert::from_nats(message)?,
            delivered_count: u32::try_from(delivered).unwrap_or(u32::MAX),
            acker: Box::new(NatsAcker { acker, limit }),
        })
    }

    /// Decides what a failed pull means: `true` when the consumer has to be opened again.
    fn is_gone(&mut self, kind: MessagesErrorKind) -> bool {
        match kind {
            MessagesErrorKind::ConsumerDeleted | MessagesErrorKind::PushBasedConsumer => true,
            MessagesErrorKind::MissingHeartbeat
            | MessagesErrorKind::NoResponders
            | MessagesErrorKind::Pull
            | MessagesErrorKind::RequestLimitExceeded
            | MessagesErrorKind::Other => {
                self.missed += 1;
                self.missed >= MISSED_MAX
            }
        }
    }

    /// The pull in progress, opened anew after it was given up.
    async fn messages(&mut self) -> Result<&mut pull::Stream, BusError> {
        let opened = match self.messages.take() {
            Some(messages) => messages,
            None => {
                let messages = self.pull().await?;
                self.missed = 0;
                messages
            }
        };
        Ok(self.messages.insert(opened))
    }
}

#[async_trait]
impl Consumer for NatsConsumer {
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, BusError> {
        let deadline = Instant::now() + wait;
        loop {
            let messages = self.messages().await?;
            let Ok(first) = timeout_at(deadline, messages.next()).await else {
                return Ok(Vec::new());
            };
            match first {
                Some(Ok(first)) => {
                    let mut taken = vec![first];
                    while taken.len() < max
                        && let Some(Some(Ok(more))) = messages.next().now_or_never()
                    {
                        taken.push(more);
                    }
                    self.missed = 0;
                    return taken
                        .into_iter()
                        .map(|message| self.delivery(message))
                        .collect();
                }
                Some(Err(error)) => {
                    tracing::debug!(consumer = self.spec.name, %error, "a pull failed");
                    if self.is_gone(error.kind()) {
                        tracing::warn!(consumer = self.spec.name, %error, "consumer is gone");
                        self.messages = None;
                    }
                }
                None => self.messages = None,
            }
            let pause = (Instant::now() + FAILED_PAUSE).min(deadline);
            tokio::time::sleep_until(pause).await;
            if Instant::now() >= deadline {
                return Ok(Vec::new());
            }
        }
    }

    async fn recreate(&mut self) -> Result<(), BusError> {
        self.messages = None;
        let limit = self.connection.options().request_timeout;
        let jetstream = self.connection.jetstream();
        let deletion = async {
            let deleted = jetstream
                .delete_consumer_from_stream(&self.spec.name, &self.spec.stream)
                .await;
            // One that is gone already is as good as deleted; the next pull tells of other trouble.
            if let Err(error) = deleted {
                tracing::debug!(consumer = self.spec.name, %error, "consumer was not deleted");
            }
            Ok(())
        };
        within(limit, "a consumer's deletion", deletion).await?;
        self.spec.start = crate::StartAt::First;
        self.messages().await.map(|_| ())
    }
}

struct NatsAcker {
    acker: jetstream::message::Acker,
    limit: Duration,
}

impl std::fmt::Debug for NatsAcker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NatsAcker").finish_non_exhaustive()
    }
}

#[async_trait]
impl Acker for NatsAcker {
    async fn settle(&self, how: Settlement) -> Result<(), BusError> {
        let kind = match how {
            Settlement::Handled => AckKind::Ack,
            Settlement::Again(delay) => AckKind::Nak(Some(delay)),
            Settlement::Never => AckKind::Term,
            Settlement::InProgress => AckKind::Progress,
        };
        within(self.limit, "an acknowledgement", async {
            self.acker
                .ack_with(kind)
                .await
                .map_err(|error| BusError::Refused {
                    operation: "an acknowledgement",
                    source: error,
                })
        })
        .await
    }
}

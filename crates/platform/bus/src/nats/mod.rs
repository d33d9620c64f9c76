//! The bus over NATS: core messages and JetStream streams, with an outer deadline on every call.
//!
//! The client library's own deadlines do not cover its queues, its publish may be delivered long
//! after an outage, and an unanswered request stays in its memory. Hence a queue of our own in
//! front of it, deadlines around it, and a fresh client when too many requests stayed unanswered.

mod connection;
mod consumer;
mod convert;
mod declare;
mod outbox;

use self::{connection::Connection, consumer::NatsConsumer, outbox::Outbox};
use crate::{
    Appended, Bus, BusError, BusHealth, BusOptions, Consumer, ConsumerSpec, Message, Pattern,
    Probe, StreamSpec, StreamState, Subject, Subscription, error::within, mailbox::Mailbox,
};
use async_nats::jetstream::message::PublishMessage;
use async_trait::async_trait;
use futures_util::StreamExt;
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// The canary's stream.
const CANARY_STREAM: &str = crate::PLOY_CANARY.name;

/// The bus over a NATS server.
#[derive(Debug)]
pub(crate) struct NatsBus {
    connection: Arc<Connection>,
    outbox: Outbox,
    used_streams: Mutex<BTreeSet<String>>,
    canary: Option<Subject>,
    canaries: AtomicU64,
    canary_prefix: u128,
}

impl NatsBus {
    pub(crate) async fn open(url: &str, options: BusOptions) -> Result<Self, BusError> {
        let canary = Subject::new(&format!("ploy.canary.{}", options.name)).ok();
        let capacity = options.publish_capacity;
        let connection = Arc::new(Connection::open(url, options).await?);
        let started = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Ok(Self {
            outbox: Outbox::start(Arc::clone(&connection), capacity),
            connection,
            used_streams: Mutex::default(),
            canary,
            canaries: AtomicU64::new(0),
            canary_prefix: started.as_nanos(),
        })
    }

    fn used(&self, stream: &str) {
        let mut used = self
            .used_streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !used.contains(stream) {
            used.insert(stream.to_owned());
        }
    }

    fn used_streams(&self) -> BTreeSet<String> {
        self.used_streams
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    async fn append_within(
        &self,
        limit: Duration,
        msg_id: &str,
        message: Message,
    ) -> Result<Appended, BusError> {
        let jetstream = self.connection.jetstream();
        let (subject, bytes) = (message.subject.to_string(), message.size());
        let publish = PublishMessage::build()
            .payload(message.payload)
            .headers(convert::to_nats(&message.headers))
            .message_id(msg_id);
        let answer = within(limit, "a publish acknowledgement", async {
            let published = match jetstream.send_publish(subject.clone(), publish).await {
                Ok(acknowledgement) => acknowledgement.await,
                Err(error) => Err(error),
            };
            published.map_err(|error| convert::publish_error(error, subject, bytes, limit))
        })
        .await;
        if let Err(BusError::Timeout { .. }) = answer {
            self.connection.unanswered().await;
        }
        let ack = answer?;
        Ok(Appended {
            stream: ack.stream,
            sequence: ack.sequence,
            duplicate: ack.duplicate,
        })
    }

    async fn state_within(&self, limit: Duration, stream: &str) -> Result<StreamState, BusError> {
        let answer = within(
            limit,
            "the state of a stream",
            self.connection.stream_info(stream),
        )
        .await;
        if let Err(BusError::Timeout { .. }) = answer {
            self.connection.unanswered().await;
        }
        Ok(convert::state(&answer?))
    }
}

#[async_trait]
impl Bus for NatsBus {
    fn publish(&self, message: Message) -> Result<(), BusError> {
        let bytes = message.size();
        if bytes > self.connection.payload_max() {
            return Err(BusError::TooLarge {
                subject: message.subject.to_string(),
                bytes,
            });
        }
        self.outbox.push(message);
        Ok(())
    }

    async fn subscribe(&self, pattern: Pattern, capacity: usize) -> Result<Subscription, BusError> {
        let limit = self.connection.options().request_timeout;
        let client = self.connection.client();
        let mut incoming = within(limit, "a subscription", async {
            let incoming = client
                .subscribe(pattern.to_string())
                .await
                .map_err(|e| BusError::refused("a subscription", e))?;
            connection::round_trip(&client).await?;
            Ok(incoming)
        })
        .await?;
        let mailbox = Mailbox::new(capacity);
        let queue = Arc::clone(&mailbox);
        let reader = tokio::spawn(async move {
            while let Some(message) = incoming.next().await {
                match convert::from_nats(message) {
                    Ok(message) => {
                        queue.push(message);
                    }
                    Err(error) => tracing::warn!(%error, "dropped a message without valid subject"),
                }
            }
            queue.close();
        });
        Ok(Subscription::new(mailbox, move || reader.abort()))
    }

    async fn flush(&self) -> Result<(), BusError> {
        let limit = self.connection.options().request_timeout;
        within(limit, "a flush", async {
            self.outbox.drained().await;
            connection::round_trip(&self.connection.client()).await
        })
        .await
    }

    async fn declare(&self, streams: &[StreamSpec]) -> Result<(), BusError> {
        let limit = self.connection.options().request_timeout;
        for spec in streams {
            within(
                limit * 3,
                "a stream declaration",
                declare::stream(&self.connection, spec),
            )
            .await?;
            self.used(spec.name);
        }
        Ok(())
    }

    async fn append(&self, msg_id: &str, message: Message) -> Result<Appended, BusError> {
        self.append_within(self.connection.options().request_timeout, msg_id, message)
            .await
    }

    async fn consumer(&self, spec: ConsumerSpec) -> Result<Box<dyn Consumer>, BusError> {
        self.used(&spec.stream);
        Ok(Box::new(
            NatsConsumer::open(Arc::clone(&self.connection), spec).await?,
        ))
    }

    async fn stream_state(&self, stream: &str) -> Result<StreamState, BusError> {
        self.state_within(self.connection.options().request_timeout, stream)
            .await
    }

    async fn probe(&self) -> Result<Probe, BusError> {
        let (started, limit) = (Instant::now(), self.connection.options().probe_timeout);
        let used = self.used_streams();
        if let Some(canary) = &self.canary
            && used.contains(CANARY_STREAM)
        {
            let n = self.canaries.fetch_add(1, Ordering::Relaxed);
            let id = format!("{}-{n}", self.canary_prefix);
            self.append_within(limit, &id, Message::new(canary.clone(), id.clone()))
                .await?;
        }
        let mut streams = Vec::with_capacity(used.len());
        for stream in &used {
            streams.push(self.state_within(limit, stream).await?);
        }
        if used.is_empty() {
            let client = self.connection.client();
            within(limit, "a round trip", connection::round_trip(&client)).await?;
        }
        Ok(Probe {
            took: started.elapsed(),
            streams,
        })
    }

    fn health(&self) -> BusHealth {
        BusHealth {
            publish_dropped: self.outbox.dropped(),
            ..self.connection.health()
        }
    }
}

//! The port: what every backend promises, and nothing about how.

use crate::{BusError, Message, Pattern, StreamSpec, Subscription};
use async_trait::async_trait;
use std::{fmt, time::Duration};

/// A message bus. Every operation has a deadline; none panics.
#[async_trait]
pub trait Bus: fmt::Debug + Send + Sync + 'static {
    /// Sends a message to whoever listens now: at most once, in order for one publisher and
    /// subject. Returns at once; what cannot be sent is dropped, oldest first, and counted in
    /// [`BusHealth::publish_dropped`].
    ///
    /// # Errors
    /// [`BusError::TooLarge`] and [`BusError::Closed`].
    fn publish(&self, message: Message) -> Result<(), BusError>;

    /// Listens to core messages. When it returns, the bus knows the subscription. At most
    /// `capacity` messages wait; a slower reader loses the oldest and sees how many.
    ///
    /// # Errors
    /// [`BusError::Timeout`] when the bus does not confirm the subscription.
    async fn subscribe(&self, pattern: Pattern, capacity: usize) -> Result<Subscription, BusError>;

    /// Waits until the messages published so far have left the process.
    ///
    /// # Errors
    /// [`BusError::Timeout`].
    async fn flush(&self) -> Result<(), BusError>;

    /// Creates the streams that are missing, reads all of them back and compares field by field.
    ///
    /// # Errors
    /// [`BusError::Differs`] when an existing stream is configured otherwise: a start-up error.
    async fn declare(&self, streams: &[StreamSpec]) -> Result<(), BusError>;

    /// Stores a message in the stream of its subject and waits for the acknowledgement. The same
    /// `msg_id` within the stream's window is stored once, whatever the content.
    ///
    /// # Errors
    /// [`BusError::Timeout`] leaves the outcome unknown: repeat with the same id.
    async fn append(&self, msg_id: &str, message: Message) -> Result<Appended, BusError>;

    /// Opens a durable consumer, creating it if it is missing. It resumes after what it
    /// acknowledged.
    ///
    /// # Errors
    /// [`BusError::UnknownStream`]; [`BusError::Differs`] when it exists with other settings.
    async fn consumer(&self, spec: ConsumerSpec) -> Result<Box<dyn Consumer>, BusError>;

    /// Reads the state of a stream.
    ///
    /// # Errors
    /// [`BusError::UnknownStream`], [`BusError::Timeout`].
    async fn stream_state(&self, stream: &str) -> Result<StreamState, BusError>;

    /// Shows that the bus still works: appends a canary (when its stream was declared) and asks
    /// for the state of every stream that this handle declared or consumes. Three failures in a
    /// row mean that the bus is down, whatever its connection says.
    ///
    /// # Errors
    /// The first question that failed.
    async fn probe(&self) -> Result<Probe, BusError>;

    /// What is known without asking anybody.
    fn health(&self) -> BusHealth;
}

/// A durable pull consumer.
#[async_trait]
pub trait Consumer: fmt::Debug + Send {
    /// Waits up to `wait` for a message and returns it with those that are there already, `max` at
    /// most; empty when none came. Safe to drop: undelivered messages come again. A consumer that
    /// vanished from the server is recreated.
    ///
    /// # Errors
    /// [`BusError`]; calling again is always allowed.
    async fn next_batch(&mut self, max: usize, wait: Duration) -> Result<Vec<Delivery>, BusError>;

    /// Deletes the consumer and creates it anew from the stream's beginning (after a regression).
    ///
    /// # Errors
    /// [`BusError`]; calling again is always allowed.
    async fn recreate(&mut self) -> Result<(), BusError>;
}

/// Where a new consumer starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StartAt {
    /// At the oldest stored message.
    #[default]
    First,
    /// After the newest stored message.
    Next,
}

/// The declaration of a durable consumer: pull, explicit acknowledgement, one filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumerSpec {
    /// Its durable name.
    pub name: String,
    /// The stream it reads.
    pub stream: String,
    /// The subjects it wants.
    pub filter: Pattern,
    /// How long a delivery may stay unanswered before it comes again.
    pub ack_wait: Duration,
    /// How often a message is delivered at most. Dead-letter before the last attempt.
    pub deliver_max: u32,
    /// How many deliveries may be unanswered.
    pub ack_pending_max: u32,
    /// Where it starts when it is created.
    pub start: StartAt,
}

impl ConsumerSpec {
    /// A consumer with the usual bounds: 15 s, 8 deliveries, 256 unanswered, from the beginning.
    #[must_use]
    pub fn new(name: impl Into<String>, stream: impl Into<String>, filter: Pattern) -> Self {
        Self {
            name: name.into(),
            stream: stream.into(),
            filter,
            ack_wait: Duration::from_secs(15),
            deliver_max: 8,
            ack_pending_max: 256,
            start: StartAt::First,
        }
    }
}

/// A message of a durable consumer, waiting for an answer.
#[derive(Debug)]
pub struct Delivery {
    /// The message.
    pub message: Message,
    /// How often it was delivered, this time included.
    pub delivered_count: u32,
    pub(crate) acker: Box<dyn Acker>,
}

impl Delivery {
    /// It is handled: never again. Call after the local transaction committed.
    ///
    /// # Errors
    /// [`BusError`] means that it may come again.
    pub async fn ack(self) -> Result<(), BusError> {
        self.acker.settle(Settlement::Handled).await
    }

    /// It could not be handled now: again after `delay`.
    ///
    /// # Errors
    /// [`BusError`] means that it comes again after the consumer's ack wait.
    pub async fn nak(self, delay: Duration) -> Result<(), BusError> {
        self.acker.settle(Settlement::Again(delay)).await
    }

    /// It can never be handled: never again.
    ///
    /// # Errors
    /// [`BusError`] means that it may come again.
    pub async fn term(self) -> Result<(), BusError> {
        self.acker.settle(Settlement::Never).await
    }

    /// It takes longer: restarts the ack wait.
    ///
    /// # Errors
    /// [`BusError`] means that it may come again meanwhile.
    pub async fn in_progress(&self) -> Result<(), BusError> {
        self.acker.settle(Settlement::InProgress).await
    }
}

/// The answer to a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settlement {
    Handled,
    Again(Duration),
    Never,
    InProgress,
}

/// How a backend takes the answer.
#[async_trait]
pub(crate) trait Acker: fmt::Debug + Send + Sync {
    async fn settle(&self, how: Settlement) -> Result<(), BusError>;
}

/// A stored message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// The stream that keeps it.
    pub stream: String,
    /// The stream's own sequence: for the regression check only, never a watermark or key.
    pub sequence: u64,
    /// Whether the stream knew the id already. For an id never published before, that is an error.
    pub duplicate: bool,
}

/// The state of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamState {
    /// Its name.
    pub stream: String,
    /// When it was created, in nanoseconds since 1970.
    pub created_ns: i64,
    /// The last sequence it gave.
    pub last_sequence: u64,
    /// How many messages it holds.
    pub messages: u64,
    /// How many bytes it holds.
    pub bytes: u64,
}

/// What a probe found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// How long the whole probe took.
    pub took: Duration,
    /// The streams that this handle uses.
    pub streams: Vec<StreamState>,
}

/// What a bus knows about itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BusHealth {
    /// Whether the connection stands; always true in memory.
    pub connected: bool,
    /// How often the connection was re-established.
    pub reconnects: u64,
    /// Core messages dropped because the connection could not take them.
    pub publish_dropped: u64,
    /// Times that the client itself lost messages of a subscription.
    pub slow_consumer_events: u64,
    /// Requests that were never answered.
    pub unanswered: u64,
    /// The last error that the server sent by itself, for example a refused publish.
    pub server_error: Option<String>,
}

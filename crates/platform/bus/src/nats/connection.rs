//! The connection to the server: how it is made, what it reports, and when it is replaced.

use crate::{BusError, BusHealth, BusOptions, error::redacted, error::within};
use async_nats::{Client, ConnectOptions, Event, jetstream};
use futures_util::StreamExt;
use std::{
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// The longest pause between two attempts to reconnect.
const RECONNECT_PAUSE_MAX: Duration = Duration::from_secs(1);

/// What the client told us by itself.
#[derive(Debug)]
struct Reports {
    connected: watch::Sender<bool>,
    connects: AtomicU64,
    slow: AtomicU64,
    server_error: Mutex<Option<String>>,
}

impl Reports {
    fn take(&self, event: &Event) {
        match event {
            Event::Connected => self.connection_is(true),
            Event::Disconnected | Event::Closed => self.connection_is(false),
            Event::SlowConsumer(_) => {
                self.slow.fetch_add(1, Ordering::Relaxed);
            }
            Event::ServerError(_) | Event::ClientError(_) => self.error(event.to_string()),
            Event::LameDuckMode | Event::Draining => tracing::info!(%event, "the bus is leaving"),
        }
    }

    fn connection_is(&self, up: bool) {
        self.connects.fetch_add(u64::from(up), Ordering::Relaxed);
        self.connected.send_replace(up);
        tracing::info!(up, "the bus connection changed");
    }

    fn error(&self, error: String) {
        tracing::warn!(error, "the bus reported an error");
        *self
            .server_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = Some(error);
    }
}

/// A connection that can be replaced by a fresh one.
#[derive(Debug)]
pub(super) struct Connection {
    url: String,
    options: BusOptions,
    client: RwLock<Client>,
    reports: Arc<Reports>,
    unanswered: AtomicU64,
    unanswered_before: AtomicU64,
}

impl Connection {
    pub(super) async fn open(url: &str, options: BusOptions) -> Result<Self, BusError> {
        let reports = Arc::new(Reports {
            connected: watch::Sender::new(false),
            connects: AtomicU64::new(0),
            slow: AtomicU64::new(0),
            server_error: Mutex::default(),
        });
        let client = connect(url, &options, &reports).await?;
        reports.connected.send_replace(true);
        Ok(Self {
            url: url.to_owned(),
            options,
            client: RwLock::new(client),
            reports,
            unanswered: AtomicU64::new(0),
            unanswered_before: AtomicU64::new(0),
        })
    }

    pub(super) const fn options(&self) -> &BusOptions {
        &self.options
    }

    pub(super) fn client(&self) -> Client {
        self.client
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(super) fn jetstream(&self) -> jetstream::Context {
        jetstream::context::ContextBuilder::new()
            .timeout(self.options.request_timeout)
            .ack_timeout(self.options.request_timeout)
            .build(self.client())
    }

    /// The largest message that the server takes.
    pub(super) fn payload_max(&self) -> usize {
        self.client
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .max_payload()
    }

    /// Follows whether the connection stands.
    pub(super) fn connected(&self) -> watch::Receiver<bool> {
        self.reports.connected.subscribe()
    }

    /// The server's description of a stream.
    pub(super) async fn stream_info(
        &self,
        stream: &str,
    ) -> Result<jetstream::stream::Info, BusError> {
        let found = self.jetstream().get_stream(stream).await;
        found
            .map(|found| found.cached_info().clone())
            .map_err(|error| {
                if super::declare::is_missing(&error) {
                    BusError::UnknownStream {
                        stream: stream.to_owned(),
                    }
                } else {
                    BusError::refused("the state of a stream", error)
                }
            })
    }

    /// Counts a request that was never answered. The client keeps an entry of each for ever, so
    /// after too many it is replaced; subscriptions keep the old one until they end.
    pub(super) async fn unanswered(&self) {
        let count = self.unanswered.fetch_add(1, Ordering::Relaxed) + 1;
        if count < self.options.unanswered_max {
            return;
        }
        match connect(&self.url, &self.options, &self.reports).await {
            Ok(fresh) => {
                *self.client.write().unwrap_or_else(PoisonError::into_inner) = fresh;
                self.unanswered.fetch_sub(count, Ordering::Relaxed);
                self.unanswered_before.fetch_add(count, Ordering::Relaxed);
                tracing::warn!(count, "replaced the bus client after unanswered requests");
            }
            Err(error) => tracing::warn!(%error, "could not replace the bus client"),
        }
    }

    pub(super) fn health(&self) -> BusHealth {
        let reports = &self.reports;
        let last = reports
            .server_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        BusHealth {
            connected: *reports.connected.borrow(),
            reconnects: reports.connects.load(Ordering::Relaxed).saturating_sub(1),
            publish_dropped: 0,
            slow_consumer_events: reports.slow.load(Ordering::Relaxed),
            unanswered: self.unanswered.load(Ordering::Relaxed)
                + self.unanswered_before.load(Ordering::Relaxed),
            server_error: last.clone(),
        }
    }
}

/// The user and the password in an address, if it has them; taken as they are written.
fn user_of(address: &str) -> Option<(String, String)> {
    let (_, rest) = address.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    let (name, password) = user.split_once(':')?;
    Some((name.to_owned(), password.to_owned()))
}

async fn connect(
    url: &str,
    options: &BusOptions,
    reports: &Arc<Reports>,
) -> Result<Client, BusError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| BusError::Connect {
        url: redacted(url),
        source,
    };
    let events = Arc::clone(reports);
    let mut how = ConnectOptions::new()
        .name(&options.name)
        .ping_interval(options.ping_interval)
        .connection_timeout(options.connect_timeout)
        .request_timeout(Some(options.request_timeout))
        .reconnect_delay_callback(reconnect_pause)
        .event_callback(move |event| {
            events.take(&event);
            std::future::ready(())
        });
    if let Some(path) = &options.credentials_file {
        how = how
            .credentials_file(path)
            .await
            .map_err(|e| failed(e.into()))?;
    }
    if let Some(path) = &options.root_certificates {
        how = how.add_root_certificates(path.clone());
    }
    let addresses: Vec<&str> = url.split(',').map(str::trim).collect();
    // The client reads the user of an address and never sends it.
    if let Some((user, password)) = addresses.iter().find_map(|address| user_of(address)) {
        how = how.user_and_password(user, password);
    }
    let connecting = async { how.connect(addresses).await.map_err(|e| failed(e.into())) };
    within(options.connect_timeout * 2, "a connection", connecting).await
}

/// 50 ms doubling to a second, with a jitter that keeps clients of one host apart.
fn reconnect_pause(attempt: usize) -> Duration {
    let doubled = 50u64 << attempt.min(8);
    let jitter = u64::from(std::process::id()) * 31 % 50;
    Duration::from_millis(doubled + jitter).min(RECONNECT_PAUSE_MAX)
}

/// Returns when the server has handled everything that this client sent before. The library's own
/// flush only says that bytes reached the socket.
pub(super) async fn round_trip(client: &Client) -> Result<(), BusError> {
    let refused = |error: Box<dyn std::error::Error + Send + Sync>| BusError::Refused {
        operation: "a round trip",
        source: error,
    };
    let inbox = client.new_inbox();
    let mut echo = client
        .subscribe(inbox.clone())
        .await
        .map_err(|e| refused(e.into()))?;
    client
        .publish(inbox, bytes::Bytes::new())
        .await
        .map_err(|e| refused(e.into()))?;
    client.flush().await.map_err(|e| refused(e.into()))?;
    echo.next().await.map(|_| ()).ok_or(BusError::Closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_name_a_user() {
        let user = |address| user_of(address).map(|(name, password)| format!("{name} {password}"));
        let found = user("nats://ploy:s3cret@bus:4222").unwrap();
        assert_eq!(found, "ploy s3cret");
        assert_eq!(user("nats://bus:4222"), None);
    }
}

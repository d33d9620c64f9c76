//! One connection of the market stream: reads, decodes, publishes, fetches snapshots, and opens
//! its successor before the venue closes it.

use super::{
    instrument::{Action, InstrumentData},
    outlet::Outlet,
    snapshot::{Fetched, fetch},
};
use crate::{
    rest::Rest,
    socket::{Inbound, Socket},
    wire::market::{MarketFrame, decode_frame},
};
use async_trait::async_trait;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use ploy_domain::InstrumentId;
use ploy_venue_port::{
    ConnectionPolicy, DecodeCounts, FeedMessage, Liveness, LivenessEvent, ReceiveClock, Session,
    SessionEnd, Subscription, now,
};
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::mpsc,
    time::{Interval, MissedTickBehavior, interval},
};

/// What a session needs from the feed.
#[derive(Debug)]
pub(super) struct SessionParts {
    pub(super) url: String,
    pub(super) policy: ConnectionPolicy,
    pub(super) snapshot_levels: u32,
    pub(super) rest: Arc<Rest>,
    pub(super) counts: Arc<DecodeCounts>,
    pub(super) epochs: Arc<AtomicU64>,
}

#[derive(Debug)]
pub(super) struct FeedSession {
    parts: SessionParts,
    instruments: BTreeMap<InstrumentId, InstrumentData>,
    outlet: Outlet,
    receive_clock: ReceiveClock,
}

/// What came of opening a connection.
type Connecting = Result<Box<Socket>, String>;

/// The state of one connection, dropped with it.
struct Connection {
    socket: Socket,
    liveness: Liveness,
    fetches: FuturesUnordered<BoxFuture<'static, Fetched>>,
    successor: Option<BoxFuture<'static, Connecting>>,
    second: Interval,
}

enum Wake {
    Frame(Result<Inbound, String>),
    Liveness(LivenessEvent),
    Fetched(Fetched),
    Successor(Connecting),
    Second,
}

impl Connection {
    fn new(socket: Socket, policy: ConnectionPolicy) -> Self {
        let mut second = interval(Duration::from_secs(1));
        second.set_missed_tick_behavior(MissedTickBehavior::Delay);
        second.reset();
        Self {
            socket,
            liveness: Liveness::new(policy),
            fetches: FuturesUnordered::new(),
            successor: None,
            second,
        }
    }

    /// Waits for whatever comes next; every branch is cancel-safe.
    async fn wait(&mut self) -> Wake {
        tokio::select! {
            frame = self.socket.next() => Wake::Frame(frame),
            event = self.liveness.next() => Wake::Liveness(event),
            Some(fetched) = self.fetches.next(), if !self.fetches.is_empty() => Wake::Fetched(fetched),
            socket = arrival(&mut self.successor) => Wake::Successor(socket),
            _ = self.second.tick() => Wake::Second,
        }
    }
}

/// Waits for the successor, for ever when there is none.
async fn arrival(successor: &mut Option<BoxFuture<'static, Connecting>>) -> Connecting {
    match successor {
        Some(connecting) => connecting.await,
        None => std::future::pending().await,
    }
}

#[async_trait]
impl Session for FeedSession {
    async fn serve(&mut self, _: u64) -> SessionEnd {
        let epoch = self.parts.epochs.fetch_add(1, Ordering::Relaxed) + 1;
        self.outlet.begin(epoch);
        let end = match self.connect_and_read().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if end == SessionEnd::Stop {
            return end;
        }
        match self.disconnected().await {
            Ok(()) => end,
            Err(stop) => stop,
        }
    }
}

/// The connection is read until an error ends it.
enum Never {}

impl FeedSession {
    pub(super) fn new(
        parts: SessionParts,
        subscriptions: &[Subscription],
        sink: mpsc::Sender<FeedMessage>,
    ) -> Self {
        let data = |subscription: &Subscription| {
            let data = InstrumentData::new(subscription.clone(), Arc::clone(&parts.counts));
            (subscription.instrument, data)
        };
        let instruments: BTreeMap<_, _> = subscriptions.iter().map(data).collect();
        let outlet = Outlet::new(parts.rest.venue(), instruments.keys().copied(), sink);
        Self {
            parts,
            instruments,
            outlet,
            receive_clock: ReceiveClock::default(),
        }
    }

    async fn connect_and_read(&mut self) -> Result<Never, SessionEnd> {
        let lost = |detail| SessionEnd::Lost { detail };
        let socket = Socket::connect(&self.parts.url).await.map_err(lost)?;
        let mut connection = Connection::new(socket, self.parts.policy);
        self.each(&mut connection, InstrumentData::on_connected)
            .await?;
        loop {
            match connection.wait().await {
                Wake::Frame(frame) => {
                    let inbound = frame.map_err(lost)?;
                    connection.liveness.heard();
                    if let Inbound::Text(text) = inbound {
                        self.on_text(&mut connection, &text).await?;
                    }
                }
                Wake::Liveness(event) => self.on_liveness(&mut connection, event).await?,
                Wake::Fetched(fetched) => self.on_fetched(&mut connection, fetched).await?,
                Wake::Successor(socket) => {
                    connection.successor = None;
                    // Update numbers run on over connections: whatever both delivered is a
                    // duplicate, whatever neither did is a gap, and the books notice either.
                    connection.socket = *socket.map_err(lost)?;
                    connection.liveness = Liveness::new(self.parts.policy);
                }
                Wake::Second => {
                    self.each(&mut connection, InstrumentData::on_quiet).await?;
                    self.outlet.tick().await?;
                }
            }
        }
    }

    async fn on_liveness(
        &mut self,
        connection: &mut Connection,
        event: LivenessEvent,
    ) -> Result<(), SessionEnd> {
        let lost = |detail| SessionEnd::Lost { detail };
        match event {
            LivenessEvent::PingDue => connection.socket.ping().await.map_err(lost),
            LivenessEvent::Stalled => Err(lost("nothing was received for too long".to_owned())),
            LivenessEvent::RenewalDue => {
                self.open_successor(connection);
                Ok(())
            }
        }
    }

    /// Make before break: the next connection is opened while this one is still read.
    fn open_successor(&self, connection: &mut Connection) {
        let url = self.parts.url.clone();
        let connecting = async move { Socket::connect(&url).await.map(Box::new) };
        connection
            .successor
            .get_or_insert_with(|| connecting.boxed());
    }

    async fn on_text(&mut self, connection: &mut Connection, text: &str) -> Result<(), SessionEnd> {
        let ts_receive = self.receive_clock.stamp(now());
        let frame = match decode_frame(text, self.parts.rest.venue(), ts_receive) {
            Ok(frame) => frame,
            Err(error) => {
                self.parts.counts.malformed();
                tracing::debug!(%error, "market frame skipped");
                return Ok(());
            }
        };
        match frame {
            MarketFrame::Trade(trade) => {
                self.one(connection, trade.instrument, |data| data.on_trade(trade))
                    .await
            }
            MarketFrame::Quote(quote) => {
                self.one(connection, quote.instrument, |data| data.on_quote(quote))
                    .await
            }
            MarketFrame::Depth(delta) => {
                self.one(connection, delta.instrument, |data| {
                    data.on_difference(delta)
                })
                .await
            }
            MarketFrame::Bar(bar) => {
                self.one(connection, bar.instrument, |data| data.on_bar(bar))
                    .await
            }
            MarketFrame::Shutdown => {
                self.open_successor(connection);
                Ok(())
            }
            MarketFrame::Unknown => {
                self.parts.counts.unknown_value();
                Ok(())
            }
            MarketFrame::OpenBar | MarketFrame::Control => Ok(()),
        }
    }

    async fn on_fetched(
        &mut self,
        connection: &mut Connection,
        fetched: Fetched,
    ) -> Result<(), SessionEnd> {
        let Fetched {
            instrument,
            request,
            book,
        } = fetched;
        self.one(connection, instrument, |data| {
            data.on_snapshot(request, book)
        })
        .await
    }

    /// Lets the instrument decide, and does what it says. Data of an instrument that nobody asked
    /// for is counted as unknown.
    async fn one(
        &mut self,
        connection: &mut Connection,
        instrument: InstrumentId,
        decide: impl FnOnce(&mut InstrumentData) -> Vec<Action>,
    ) -> Result<(), SessionEnd> {
        let Some(data) = self.instruments.get_mut(&instrument) else {
            self.parts.counts.unknown_value();
            return Ok(());
        };
        let actions = decide(data);
        self.act(Some(connection), instrument, actions).await
    }

    async fn each(
        &mut self,
        connection: &mut Connection,
        decide: fn(&mut InstrumentData) -> Vec<Action>,
    ) -> Result<(), SessionEnd> {
        let decided = self
            .instruments
            .iter_mut()
            .map(|(id, data)| (*id, decide(data)));
        for (instrument, actions) in decided.collect::<Vec<_>>() {
            self.act(Some(connection), instrument, actions).await?;
        }
        Ok(())
    }

    async fn disconnected(&mut self) -> Result<(), SessionEnd> {
        let data = self.instruments.iter_mut();
        let decided: Vec<_> = data
            .map(|(id, data)| (*id, data.on_disconnected()))
            .collect();
        for (instrument, actions) in decided {
            self.act(None, instrument, actions).await?;
        }
        Ok(())
    }

    async fn act(
        &mut self,
        mut connection: Option<&mut Connection>,
        instrument: InstrumentId,
        actions: Vec<Action>,
    ) -> Result<(), SessionEnd> {
        for action in actions {
            match action {
                Action::Publish(event) => self.outlet.publish(event).await?,
                Action::State(state) => {
                    let at = self.receive_clock.stamp(now());
                    self.outlet.state(instrument, state, at).await?;
                }
                Action::FetchSnapshot { request } => {
                    if let Some(connection) = &mut connection {
                        let levels = self.parts.snapshot_levels;
                        let rest = Arc::clone(&self.parts.rest);
                        let fetch = fetch(rest, instrument, levels, request);
                        connection.fetches.push(fetch.boxed());
                    }
                }
            }
        }
        Ok(())
    }
}

//! Accepts connections, within bounds, and serves each until it ends or the gateway does.

use super::observe::Peer;
use axum::{Router, body::Body, http::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use ploy_chassis::scope;
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::Service;

/// How long a caller may take to send the head of a request, and to begin the next one (SEC-22).
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);
/// The largest head of a request, in bytes (SEC-22).
const HEAD_MAX: usize = 16 << 10;
/// Pause after a failed accept, such as too many open files.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The open connections of each address.
#[derive(Debug, Default)]
struct Addresses(Mutex<HashMap<IpAddr, usize>>);

/// Everything a server of connections needs.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) routes: Router,
    pub(crate) connections_max: usize,
    pub(crate) per_address_max: usize,
    pub(crate) tasks: TaskTracker,
}

impl Server {
    /// Accepts until `stop`; connections that are open then end with the answer they are at.
    pub(crate) async fn serve(self, stop: &CancellationToken) {
        let places = Arc::new(Semaphore::new(self.connections_max));
        let addresses = Arc::new(Addresses::default());
        while let Some(Ok(place)) = stop
            .run_until_cancelled(Arc::clone(&places).acquire_owned())
            .await
        {
            let accepted = stop.run_until_cancelled(self.listener.accept()).await;
            match accepted {
                None => return,
                Some(Ok((stream, peer))) => {
                    let held = Held::take(&addresses, peer.ip(), self.per_address_max, place);
                    // One too many is closed without a word: a word would cost what the bound saves.
                    if let Some(held) = held {
                        self.spawn(stream, peer, held, stop);
                    }
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn spawn(&self, stream: TcpStream, peer: SocketAddr, held: Held, stop: &CancellationToken) {
        let (routes, stop) = (self.routes.clone(), stop.clone());
        self.tasks.spawn(scope::within("gateway", async move {
            if let Err(error) = connection(stream, peer, routes, stop).await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(held);
        }));
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    stop: CancellationToken,
) -> Result<(), hyper::Error> {
    // Small answers must not wait for more; failing to say so only costs time.
    drop(stream.set_nodelay(true));
    let service = service_fn(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(Peer(peer));
        // The routes are always ready: places are counted behind them.
        routes.clone().call(request.map(Body::new))
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_header_size(HEAD_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    connection.await
}

/// The place of one connection, given back when it is dropped.
#[derive(Debug)]
struct Held {
    addresses: Arc<Addresses>,
    address: IpAddr,
    _place: OwnedSemaphorePermit,
}

impl Held {
    fn take(
        addresses: &Arc<Addresses>,
        address: IpAddr,
        max: usize,
        place: OwnedSemaphorePermit,
    ) -> Option<Self> {
        let mut open = addresses.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = open.entry(address).or_default();
        if *count >= max {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Self {
            addresses: Arc::clone(addresses),
            address,
            _place: place,
        })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut open = self
            .addresses
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = open.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.address);
            }
        }
    }
}

//! A gRPC listener: any set of services with health, reflection, limits, traces and a bounded end
//! (F-C12, RET-6, RET-7).
//!
//! Decides how connections are kept and cut. What the services answer, and their message limits, are
//! `ploy-wire`'s and their owners' matter.

mod tracing_layer;

use crate::{health::HealthRegistry, scope};
use std::{convert::Infallible, time::Duration};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tonic::{
    body::Body,
    server::NamedService,
    service::RoutesBuilder,
    transport::{Server, server::TcpIncoming},
};
use tonic_health::{ServingStatus, server::HealthReporter};
use tower::Service;
use tracing_layer::TracingLayer;

/// Requests at once on one connection (SEC-24).
const STREAMS_MAX: u32 = 100;
/// How long any request may take.
const REQUEST_MAX: Duration = Duration::from_secs(10);
/// How often a silent connection is tested, and how long the answer may take.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(3));
const TCP_KEEPALIVE: Duration = Duration::from_secs(10);
/// Connections are renewed at this age, so that clients spread over new instances.
const CONNECTION_AGE: (Duration, Duration) = (Duration::from_secs(600), Duration::from_secs(30));
/// How long requests in flight may hold up the end.
const END: Duration = Duration::from_secs(8);

/// Why a listener ended.
#[derive(Debug, thiserror::Error)]
pub enum GrpcError {
    /// The descriptors of the services are damaged.
    #[error("reflection cannot be offered")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The transport failed.
    #[error("the gRPC listener failed")]
    Transport(#[from] tonic::transport::Error),
}

/// A listener in the making.
#[derive(Debug)]
pub struct GrpcServer {
    registry: HealthRegistry,
    routes: RoutesBuilder,
    names: Vec<&'static str>,
    reflection: bool,
}

impl GrpcServer {
    /// A listener without services, which reports the health that `registry` knows.
    #[must_use]
    pub fn new(registry: HealthRegistry) -> Self {
        Self {
            registry,
            routes: RoutesBuilder::default(),
            names: Vec::new(),
            reflection: true,
        }
    }

    /// Adds a service.
    #[must_use]
    pub fn with<S>(mut self, service: S) -> Self
    where
        S: Service<http::Request<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Response: axum::response::IntoResponse,
        S::Future: Send + 'static,
    {
        self.names.push(S::NAME);
        self.routes.add_service(service);
        self
    }

    /// Without reflection, as live mode wants it (SEC-20).
    #[must_use]
    pub const fn without_reflection(mut self) -> Self {
        self.reflection = false;
        self
    }

    /// Serves until `stop` is cancelled and the requests in flight are answered, 8 s at most.
    ///
    /// # Errors
    /// [`GrpcError`].
    pub async fn serve(
        mut self,
        listener: TcpListener,
        stop: CancellationToken,
    ) -> Result<(), GrpcError> {
        let (reporter, health) = tonic_health::server::health_reporter();
        self.routes.add_service(health);
        if self.reflection {
            self.routes.add_service(reflection()?);
        }
        let layer = TracingLayer::new(self.registry.service(), self.names.clone());
        let server = Server::builder()
            .layer(layer)
            .timeout(REQUEST_MAX)
            .max_concurrent_streams(STREAMS_MAX)
            .concurrency_limit_per_connection(STREAMS_MAX as usize)
            .http2_keepalive_interval(Some(KEEPALIVE.0))
            .http2_keepalive_timeout(Some(KEEPALIVE.1))
            .tcp_keepalive(Some(TCP_KEEPALIVE))
            .tcp_nodelay(true)
            .max_connection_age(CONNECTION_AGE.0)
            .max_connection_age_grace(CONNECTION_AGE.1)
            .add_routes(self.routes.routes())
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                stop.clone().cancelled_owned(),
            );
        let end = async {
            stop.cancelled().await;
            tokio::time::sleep(END).await;
        };
        tokio::select! {
            ended = scope::within(self.registry.service(), server) => Ok(ended?),
            () = report(&reporter, &self.names, &self.registry) => Ok(()),
            () = end => {
                tracing::warn!("gRPC requests in flight were cut off");
                Ok(())
            }
        }
    }
}

fn reflection() -> Result<
    impl Service<
        http::Request<Body>,
        Error = Infallible,
        Response = http::Response<Body>,
        Future: Send + 'static,
    > + NamedService
    + Clone
    + Send
    + Sync
    + 'static,
    tonic_reflection::server::Error,
> {
    tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(ploy_wire::proto::FILE_DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
}

/// Reports readiness as the health of each service. Never ends.
async fn report(reporter: &HealthReporter, names: &[&'static str], registry: &HealthRegistry) {
    let mut changes = registry.changes();
    loop {
        let status = if registry.is_ready() {
            ServingStatus::Serving
        } else {
            ServingStatus::NotServing
        };
        for name in names {
            reporter.set_service_status(*name, status).await;
        }
        if changes.next().await.is_none() {
            return std::future::pending().await;
        }
    }
}

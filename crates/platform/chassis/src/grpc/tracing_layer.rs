//! Continues the caller's trace through a request and measures how long the answer takes.

use crate::{metrics::name, scope, trace};
use http::{HeaderName, HeaderValue, Request, Response};
use ploy_domain::TraceContext;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};
use tower::{Layer, Service};
use tracing::Instrument;

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// gRPC's number for "no such method": its path is the caller's invention.
const UNIMPLEMENTED: &[u8] = b"12";

/// Makes [`Traced`] services.
#[derive(Debug, Clone)]
pub(super) struct TracingLayer {
    service: &'static str,
    known: Arc<[&'static str]>,
}

impl TracingLayer {
    /// For the gRPC services `known` of the service `service`.
    pub(super) fn new(service: &'static str, known: Vec<&'static str>) -> Self {
        Self {
            service,
            known: known.into(),
        }
    }
}

impl<S> Layer<S> for TracingLayer {
    type Service = Traced<S>;

    fn layer(&self, inner: S) -> Traced<S> {
        Traced {
            inner,
            layer: self.clone(),
        }
    }
}

/// A service whose requests are spans.
#[derive(Debug, Clone)]
pub(super) struct Traced<S> {
    inner: S,
    layer: TracingLayer,
}

impl<S, B, R> Service<Request<B>> for Traced<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let path = request.uri().path().trim_start_matches('/').to_owned();
        let service = path.split('/').next().unwrap_or_default();
        // Health probes and reflection are no part of any story.
        if !self.layer.known.contains(&service) {
            return Box::pin(self.inner.call(request));
        }
        let span = tracing::info_span!("rpc", "otel.kind" = "server", method = path);
        continue_trace(&mut request, &span);
        let began = Instant::now();
        let answer = self.inner.call(request);
        let work = async move {
            let answer = answer.await;
            if let Ok(response) = &answer {
                measure(path, response, began);
            }
            answer
        };
        Box::pin(scope::within(self.layer.service, work.instrument(span)))
    }
}

/// The span continues the caller's trace, and what the request causes continues the span.
fn continue_trace<B>(request: &mut Request<B>, span: &tracing::Span) {
    let header = request.headers().get(TRACEPARENT);
    let caller = header.and_then(|header| TraceContext::parse(header.to_str().ok()?));
    trace::link_parent(span, &caller.unwrap_or_default());
    let here = trace::of(span);
    if here.is_some()
        && let Ok(value) = HeaderValue::try_from(here.to_string())
    {
        request.headers_mut().insert(TRACEPARENT, value);
    }
}

fn measure<R>(path: String, response: &Response<R>, began: Instant) {
    let status = response.headers().get("grpc-status");
    let invented = status.is_some_and(|status| status.as_bytes() == UNIMPLEMENTED);
    let method = if invented { "unknown".to_owned() } else { path };
    metrics::histogram!(name::RPC_LATENCY_SECONDS, "method" => method)
        .record(began.elapsed().as_secs_f64());
}

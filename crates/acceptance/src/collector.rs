//! A real OTLP/gRPC receiver, and what a trace must look like.

use anyhow::{Context, Result};
use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    sync::{Arc, Mutex, PoisonError},
};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

/// A span as received.
#[derive(Debug, Clone)]
pub struct Span {
    /// What was done.
    pub name: String,
    /// By which service.
    pub service: String,
    /// Which trace.
    pub trace: u128,
    /// Its own id.
    pub id: u64,
    /// The span it continues; 0 at the beginning of a trace.
    pub parent: u64,
}

#[derive(Debug, Clone, Default)]
struct Received(Arc<Mutex<Vec<Span>>>);

/// The receiver; it lives as long as the runtime.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    received: Received,
}

/// All spans of one trace.
#[derive(Debug, Clone)]
pub struct Trace {
    spans: BTreeMap<u64, Span>,
}

impl Collector {
    /// Starts one on a free port.
    ///
    /// # Errors
    /// When it cannot listen.
    pub async fn start() -> Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr().context("no address")?.port();
        let received = Received::default();
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(received.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        Ok(Self { port, received })
    }

    /// The configuration that sends spans here.
    #[must_use]
    pub fn configuration(&self) -> String {
        let port = self.port;
        format!(
            "[telemetry]\notlp_endpoint = \"http://127.0.0.1:{port}\"\nexport_every = \"100ms\"\n"
        )
    }

    /// The traces in which all of `names` occur.
    #[must_use]
    pub fn traces_with(&self, names: &[&str]) -> Vec<Trace> {
        let received = self.received.0.lock();
        let spans = received.unwrap_or_else(PoisonError::into_inner).clone();
        let mut traces: BTreeMap<u128, Trace> = BTreeMap::new();
        for span in spans {
            let trace = traces.entry(span.trace).or_insert_with(|| Trace {
                spans: BTreeMap::new(),
            });
            trace.spans.insert(span.id, span);
        }
        let complete = |trace: &Trace| names.iter().all(|name| trace.find(name).is_some());
        traces.into_values().filter(complete).collect()
    }
}

impl Trace {
    /// The span of a name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Span> {
        self.spans.values().find(|span| span.name == name)
    }

    /// The names and services of the spans that lead to `name`, from the beginning of the trace.
    #[must_use]
    pub fn path_to(&self, name: &str) -> Vec<(&str, &str)> {
        let mut path = Vec::new();
        let (mut next, mut seen) = (self.find(name), BTreeSet::new());
        while let Some(span) = next.filter(|span| seen.insert(span.id)) {
            path.push((span.name.as_str(), span.service.as_str()));
            next = self.spans.get(&span.parent);
        }
        path.reverse();
        path
    }

    /// How many spans have a parent that was never received.
    #[must_use]
    pub fn torn(&self) -> usize {
        let torn = |span: &&Span| span.parent != 0 && !self.spans.contains_key(&span.parent);
        self.spans.values().filter(torn).count()
    }

    /// The tree, one span a line, for the message of a failed test.
    #[must_use]
    pub fn told(&self) -> String {
        let mut text = String::new();
        for span in self.spans.values() {
            let path = self.path_to(&span.name);
            let path: Vec<_> = path
                .iter()
                .map(|(name, of)| format!("{name}[{of}]"))
                .collect();
            // Writing into a text cannot fail.
            let _ = writeln!(text, "{}", path.join(" > "));
        }
        text
    }
}

#[tonic::async_trait]
impl TraceService for Received {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_resource in request.into_inner().resource_spans {
            let attributes = of_resource.resource.unwrap_or_default().attributes;
            let named = attributes
                .into_iter()
                .find(|attribute| attribute.key == "service.name");
            let service = match named.and_then(|attribute| attribute.value?.value) {
                Some(Value::StringValue(text)) => text,
                _ => return Err(Status::invalid_argument("a resource without service.name")),
            };
            let spans = of_resource.scope_spans.into_iter().flat_map(|s| s.spans);
            let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            for span in spans {
                let trace = span.trace_id.try_into().map(u128::from_be_bytes);
                let id = span.span_id.try_into().map(u64::from_be_bytes);
                let (Ok(trace), Ok(id)) = (trace, id) else {
                    return Err(Status::invalid_argument("a span without ids"));
                };
                let parent = span.parent_span_id.try_into().map(u64::from_be_bytes);
                kept.push(Span {
                    name: span.name,
                    service: service.clone(),
                    trace,
                    id,
                    parent: parent.unwrap_or_default(),
                });
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

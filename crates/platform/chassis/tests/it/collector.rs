//! A real OTLP/gRPC receiver that keeps what it gets.

use opentelemetry_proto::tonic::{
    collector::trace::v1::{
        ExportTraceServiceRequest, ExportTraceServiceResponse,
        trace_service_server::{TraceService, TraceServiceServer},
    },
    common::v1::any_value::Value,
};
use std::sync::{Arc, Mutex};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

/// A span as received.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    pub(crate) name: String,
    pub(crate) service: String,
    pub(crate) trace_id: u128,
    pub(crate) id: u64,
    pub(crate) parent: u64,
}

#[derive(Debug, Clone, Default)]
struct Store(Arc<Mutex<Vec<Received>>>);

/// The receiver. It lives as long as the test's runtime.
pub(crate) struct Collector {
    port: u16,
    store: Store,
}

impl Collector {
    pub(crate) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let store = Store::default();
        let server = tonic::transport::Server::builder()
            .add_service(TraceServiceServer::new(store.clone()))
            .serve_with_incoming(TcpIncoming::from(listener));
        tokio::spawn(server);
        Self { port, store }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn spans(&self) -> Vec<Received> {
        self.store.0.lock().unwrap().clone()
    }
}

#[tonic::async_trait]
impl TraceService for Store {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for of_resource in request.into_inner().resource_spans {
            let resource = of_resource.resource.unwrap_or_default();
            let name = resource
                .attributes
                .iter()
                .find(|attribute| attribute.key == "service.name")
                .and_then(|attribute| attribute.value.clone()?.value);
            let service = match name {
                Some(Value::StringValue(text)) => text,
                other => panic!("a resource without a name: {other:?}"),
            };
            let spans = of_resource.scope_spans.into_iter().flat_map(|s| s.spans);
            let mut kept = self.0.lock().unwrap();
            kept.extend(spans.map(|span| Received {
                name: span.name,
                service: service.clone(),
                trace_id: u128::from_be_bytes(span.trace_id.try_into().unwrap()),
                id: u64::from_be_bytes(span.span_id.try_into().unwrap()),
                parent: u64::from_be_bytes(span.parent_span_id.try_into().unwrap_or_default()),
            }));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

//! Spans to the collector over OTLP/gRPC: a bounded queue and one task that empties it.
//!
//! Written here and not left to the SDK's batch processor, because that one neither counts what it
//! drops nor ends within a bound (F-C15). The spans of each service go out as a resource of its own,
//! so that a trace looks the same from one process as from five.

use super::TelemetryError;
use crate::{
    config::{Mode, TelemetrySettings},
    metrics::name,
    scope,
};
use opentelemetry::{Context, KeyValue, trace::Span as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{Span, SpanData, SpanExporter as _, SpanProcessor},
};
use std::{collections::BTreeMap, time::Duration};
use tokio::{
    sync::mpsc::{self, error::TryRecvError},
    task::JoinHandle,
    time::MissedTickBehavior,
};
use tokio_util::sync::CancellationToken;
use tonic::transport::{Channel, Endpoint};

/// The span attribute that names its service.
const COMPONENT: &str = "service.component";
/// Spans in one request.
const BATCH_SPANS_MAX: usize = 512;
/// How long the collector may take for one request.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(3);
/// How long connecting may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// The task that exports and the queue that leads to it.
#[derive(Debug)]
pub(super) struct Exporter {
    queue: SpanQueue,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Exporter {
    /// Starts the export if the settings name a collector. Nobody has to listen there yet.
    pub(super) fn start(
        process: &'static str,
        mode: Mode,
        settings: &TelemetrySettings,
    ) -> Result<Option<Self>, TelemetryError> {
        let Some(endpoint) = &settings.otlp_endpoint else {
            return Ok(None);
        };
        let channel = Endpoint::from_shared(endpoint.clone())
            .map_err(|error| TelemetryError::Exporter {
                endpoint: endpoint.clone(),
                reason: error.to_string(),
            })?
            .connect_timeout(CONNECT_TIMEOUT)
            .connect_lazy();
        let (sender, receiver) = mpsc::channel(settings.queue_spans_max);
        let stop = CancellationToken::new();
        let exporting = Exporting {
            process,
            mode,
            channel,
            spans: receiver,
            exporters: BTreeMap::new(),
            failing: false,
        };
        let task = tokio::spawn(exporting.run(settings.export_every, stop.clone()));
        Ok(Some(Self {
            queue: SpanQueue(sender),
            stop,
            task,
        }))
    }

    pub(super) fn queue(&self) -> SpanQueue {
        self.queue.clone()
    }

    /// Exports what is queued and ends, in at most `limit`.
    pub(super) async fn end(self, limit: Duration) {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        if tokio::time::timeout(limit, self.task).await.is_err() {
            abort.abort();
        }
    }
}

/// Takes ended spans from the SDK.
#[derive(Debug, Clone)]
pub(super) struct SpanQueue(mpsc::Sender<SpanData>);

impl SpanProcessor for SpanQueue {
    fn on_start(&self, span: &mut Span, _context: &Context) {
        span.set_attribute(KeyValue::new(COMPONENT, scope::current()));
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && self.0.try_send(span).is_err() {
            dropped(1);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _timeout: Duration) -> OTelSdkResult {
        Ok(())
    }
}

fn dropped(spans: usize) {
    metrics::counter!(name::TELEMETRY_DROPPED, "kind" => "span").increment(spans as u64);
}

struct Exporting {
    process: &'static str,
    mode: Mode,
    channel: Channel,
    spans: mpsc::Receiver<SpanData>,
    /// By service.
    exporters: BTreeMap<String, SpanExporter>,
    failing: bool,
}

impl Exporting {
    async fn run(mut self, every: Duration, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let stopping = tokio::select! {
                () = stop.cancelled() => true,
                _ = ticks.tick() => false,
            };
            while let Some(batch) = self.next_batch() {
                self.export(batch).await;
            }
            if stopping {
                return;
            }
        }
    }

    /// What waits, by service; `None` when nothing does.
    fn next_batch(&mut self) -> Option<BTreeMap<String, Vec<SpanData>>> {
        let mut by_service: BTreeMap<String, Vec<SpanData>> = BTreeMap::new();
        for _ in 0..BATCH_SPANS_MAX {
            match self.spans.try_recv() {
                Ok(span) => by_service.entry(service_of(&span)).or_default().push(span),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
            }
        }
        (!by_service.is_empty()).then_some(by_service)
    }

    async fn export(&mut self, batch: BTreeMap<String, Vec<SpanData>>) {
        for (service, spans) in batch {
            let count = spans.len();
            let outcome = match self.exporter(&service) {
                Ok(exporter) => exporter.export(spans).await.map_err(|e| e.to_string()),
                Err(reason) => Err(reason),
            };
            self.note(outcome, count);
        }
    }

    /// Says once that the collector went away, and once that it came back.
    fn note(&mut self, outcome: Result<(), String>, count: usize) {
        match outcome {
            Ok(()) if self.failing => {
                self.failing = false;
                tracing::info!("the trace collector answers again");
            }
            Ok(()) => {}
            Err(reason) => {
                dropped(count);
                if !self.failing {
                    self.failing = true;
                    tracing::warn!(
                        reason,
                        "the trace collector does not take spans; dropping them"
                    );
                }
            }
        }
    }

    fn exporter(&mut self, service: &str) -> Result<&SpanExporter, String> {
        if !self.exporters.contains_key(service) {
            let mut exporter = SpanExporter::builder()
                .with_tonic()
                .with_channel(self.channel.clone())
                .with_timeout(EXPORT_TIMEOUT)
                .build()
                .map_err(|error| error.to_string())?;
            exporter.set_resource(&self.resource(service));
            self.exporters.insert(service.to_owned(), exporter);
        }
        self.exporters
            .get(service)
            .ok_or_else(|| format!("no exporter for {service}"))
    }

    fn resource(&self, service: &str) -> Resource {
        Resource::builder_empty()
            .with_attributes([
                KeyValue::new("service.name", service.to_owned()),
                KeyValue::new("service.namespace", "ploy"),
                KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
                KeyValue::new(
                    "service.instance.id",
                    format!("{}-{}", self.process, std::process::id()),
                ),
                KeyValue::new("deployment.environment.name", self.mode.word()),
            ])
            .build()
    }
}

fn service_of(span: &SpanData) -> String {
    let component = span
        .attributes
        .iter()
        .find(|attribute| attribute.key.as_str() == COMPONENT);
    component.map_or_else(|| "ploy".to_owned(), |found| found.value.to_string())
}

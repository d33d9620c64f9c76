//! The trace that the running code belongs to, in the domain's words: carried in gRPC metadata, bus
//! headers and events, so that one trace leads from the tick to the fill.
//!
//! A tick that leads to no decision costs nothing: the span of the tick is made when the decision is,
//! with the tick's receive time ([`past`]).

use opentelemetry::{
    Context, KeyValue, SpanId, TraceFlags, TraceId,
    trace::{Span as _, SpanBuilder, SpanContext, TraceContextExt, TraceState, Tracer},
};
use opentelemetry_sdk::trace::SdkTracer;
use ploy_domain::{Timestamp, TraceContext};
use std::{
    sync::OnceLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tracing::Span;
use tracing_opentelemetry::{OpenTelemetrySpanExt, SetParentError};

static TRACER: OnceLock<SdkTracer> = OnceLock::new();

pub(crate) fn set_tracer(tracer: SdkTracer) {
    TRACER.get_or_init(|| tracer);
}

/// The span that is entered now; [`TraceContext::NONE`] outside of any.
#[must_use]
pub fn current() -> TraceContext {
    Context::map_current(|context| to_domain(context.span().span_context()))
}

/// The trace id of the span that is entered now, if there is one.
pub(crate) fn current_id() -> Option<u128> {
    let context = current();
    context.is_some().then_some(context.trace_id)
}

/// Where `span` stands. Begins the span, so give it its parent before.
#[must_use]
pub fn of(span: &Span) -> TraceContext {
    to_domain(span.context().span().span_context())
}

/// Makes `span` continue `parent`, which came over the wire or from another task. Only before the
/// span is entered for the first time: after that it already has a place (F-C15). Without a parent
/// the span keeps the one it has.
pub fn link_parent(span: &Span, parent: &TraceContext) {
    if !parent.is_some() {
        return;
    }
    match span.set_parent(Context::new().with_remote_span_context(to_otel(parent))) {
        // Nobody collects traces, or the span is filtered out: nothing to link.
        Ok(()) | Err(SetParentError::LayerNotFound | SetParentError::SpanDisabled) => {}
        Err(error) => tracing::warn!(%error, "a span was entered before it got its parent"),
    }
}

/// Records a span that is over already and returns its place, to be the parent of what follows from
/// it: the receipt of the tick that led to a decision, the way of an answer. Without a tracer, that
/// is the parent itself.
#[must_use]
pub fn past(
    name: &'static str,
    (start, end): (Timestamp, Timestamp),
    parent: &TraceContext,
    attributes: &[(&'static str, &str)],
) -> TraceContext {
    let Some(tracer) = TRACER.get() else {
        return *parent;
    };
    let attributes = attributes
        .iter()
        .map(|(key, value)| KeyValue::new(*key, (*value).to_owned()));
    let builder = tracer
        .span_builder(name)
        .with_start_time(system_time(start))
        .with_attributes(attributes);
    record(tracer, builder, parent, end)
}

fn record(
    tracer: &SdkTracer,
    builder: SpanBuilder,
    parent: &TraceContext,
    end: Timestamp,
) -> TraceContext {
    let context = if parent.is_some() {
        Context::new().with_remote_span_context(to_otel(parent))
    } else {
        Context::new()
    };
    let mut span = tracer.build_with_context(builder, &context);
    span.end_with_timestamp(system_time(end));
    to_domain(span.span_context())
}

fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos(u64::try_from(at.as_nanos()).unwrap_or_default())
}

fn to_domain(context: &SpanContext) -> TraceContext {
    if !context.is_valid() {
        return TraceContext::NONE;
    }
    TraceContext {
        trace_id: u128::from_be_bytes(context.trace_id().to_bytes()),
        span_id: u64::from_be_bytes(context.span_id().to_bytes()),
        sampled: context.is_sampled(),
    }
}

fn to_otel(context: &TraceContext) -> SpanContext {
    SpanContext::new(
        TraceId::from_bytes(context.trace_id.to_be_bytes()),
        SpanId::from_bytes(context.span_id.to_be_bytes()),
        TraceFlags::NOT_SAMPLED.with_sampled(context.sampled),
        true,
        TraceState::NONE,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::{
        error::OTelSdkResult,
        trace::{SdkTracerProvider, Span, SpanData, SpanProcessor},
    };
    use std::sync::{Arc, Mutex};

    #[test]
    fn a_context_survives_the_way_through_opentelemetry() {
        let header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let context = TraceContext::parse(header).unwrap();
        assert_eq!(to_domain(&to_otel(&context)), context);
        assert_eq!(to_domain(&SpanContext::NONE), TraceContext::NONE);
    }

    #[test]
    fn a_past_span_keeps_its_times_and_continues_its_parent() {
        #[derive(Debug, Clone, Default)]
        struct Kept(Arc<Mutex<Vec<SpanData>>>);
        impl SpanProcessor for Kept {
            fn on_start(&self, _: &mut Span, _: &Context) {}
            fn on_end(&self, span: SpanData) {
                self.0.lock().unwrap().push(span);
            }
            fn force_flush(&self) -> OTelSdkResult {
                Ok(())
            }
            fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
                Ok(())
            }
        }
        let kept = Kept::default();
        let provider = SdkTracerProvider::builder()
            .with_span_processor(kept.clone())
            .build();
        let tracer = provider.tracer("test");
        let at = |ns: i64| Timestamp::from_nanos(1_700_000_000_000_000_000 + ns);
        let builder = tracer
            .span_builder("tick")
            .with_start_time(system_time(at(0)));
        let root = record(&tracer, builder, &TraceContext::NONE, at(250));
        let builder = tracer.span_builder("decode");
        let child = record(&tracer, builder, &root, at(300));
        assert_eq!((child.trace_id, child.sampled), (root.trace_id, true));
        let spans = kept.0.lock().unwrap();
        let took = spans[0].end_time.duration_since(spans[0].start_time);
        assert_eq!(took.unwrap(), Duration::from_nanos(250));
        assert_eq!(
            spans[1].parent_span_id,
            SpanId::from_bytes(root.span_id.to_be_bytes())
        );
    }

    #[test]
    fn outside_of_any_span_there_is_no_trace() {
        assert_eq!(current(), TraceContext::NONE);
        link_parent(&tracing::Span::none(), &TraceContext::NONE);
    }
}

//! Log lines: what is in one, how it looks, and the queue to the writer.

mod fields;
mod json;
mod pretty;
mod queue;

pub(super) use queue::LogQueue;

use crate::{config::Mode, scope, trace};
use fields::{Correlation, Fields};
use ploy_domain::Timestamp;
use tracing::{Event, Level, Subscriber, span};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

/// How lines look.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Json { mode: Mode },
    Pretty { colours: bool },
}

/// Everything in one line.
#[derive(Debug)]
struct Line {
    timestamp: Timestamp,
    level: Level,
    service: &'static str,
    target: &'static str,
    trace_id: Option<u128>,
    correlation: Correlation,
    fields: Fields,
}

/// Turns events into lines.
#[derive(Debug)]
pub(super) struct LogLayer {
    format: Format,
    lines: LogQueue,
}

impl LogLayer {
    pub(super) const fn new(format: Format, lines: LogQueue) -> Self {
        Self { format, lines }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for LogLayer {
    fn on_new_span(&self, attrs: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        if !Correlation::is_in(attrs.fields()) {
            return;
        }
        if let Some(span) = context.span(id) {
            let mut correlation = Correlation::default();
            attrs.record(&mut correlation);
            span.extensions_mut().insert(correlation);
        }
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(correlation) = span.extensions_mut().get_mut::<Correlation>()
        {
            values.record(correlation);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut correlation = fields.take_correlation();
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(outer) = span.extensions().get::<Correlation>() {
                correlation.complete_from(outer);
            }
        }
        let line = Line {
            timestamp: crate::Clock::system().now(),
            level: *event.metadata().level(),
            service: scope::current(),
            target: event.metadata().target(),
            trace_id: trace::current_id(),
            correlation,
            fields,
        };
        self.lines.push(match self.format {
            Format::Json { mode } => json::render(&line, mode),
            Format::Pretty { colours } => pretty::render(&line, colours),
        });
    }
}

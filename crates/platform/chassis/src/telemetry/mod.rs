//! Logs and traces of a process: assembles the subscriber, installs it once, ends it in order.
//!
//! Decides where they go and that they never hold anybody up: what does not fit into a bounded queue
//! is dropped and counted in `ploy_telemetry_dropped_total`.

mod export;
mod log;

use crate::{
    config::{Common, LogFormat, LogSettings, Mode, TelemetrySettings},
    scope, trace,
};
use export::Exporter;
use log::{LogLayer, LogQueue};
use opentelemetry::trace::TracerProvider;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use std::{
    io::{IsTerminal, Write},
    path::{Path, PathBuf},
    time::Duration,
};
use tracing::{Dispatch, Level, Metadata, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, FilterFn},
    layer::SubscriberExt,
    registry::LookupSpan,
};

/// How long the last spans may take to reach the collector.
const EXPORT_END: Duration = Duration::from_secs(4);
/// How long the last lines may take to reach the disk or terminal.
const LOG_END: Duration = Duration::from_secs(1);

/// Why logs and traces cannot start.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The log file cannot be opened.
    #[error("the log file '{}' cannot be opened", path.display())]
    LogFile {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The log filter does not parse.
    #[error("log.filter '{filter}' is not valid")]
    Filter {
        /// The filter.
        filter: String,
        /// Why.
        #[source]
        source: tracing_subscriber::filter::ParseError,
    },
    /// The collector's address is not usable.
    #[error("traces cannot be exported to '{endpoint}': {reason}")]
    Exporter {
        /// The address.
        endpoint: String,
        /// Why.
        reason: String,
    },
    /// There is a subscriber already.
    #[error("logs and traces are already installed in this process")]
    Installed,
}

/// What to assemble.
pub struct Plan {
    /// The name of the process, and of its service when it has one only.
    pub service: &'static str,
    /// Its mode, in every line.
    pub mode: Mode,
    /// Logs.
    pub log: LogSettings,
    /// Traces.
    pub traces: TelemetrySettings,
    /// Where lines go instead of the standard error or the file of the settings.
    pub output: Option<Box<dyn Write + Send>>,
}

impl std::fmt::Debug for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Plan")
            .field("service", &self.service)
            .field("mode", &self.mode)
            .field("log", &self.log)
            .field("traces", &self.traces)
            .finish_non_exhaustive()
    }
}

impl Plan {
    /// The plan that the settings of a process make.
    #[must_use]
    pub fn of(service: &'static str, common: &Common) -> Self {
        Self {
            service,
            mode: common.mode,
            log: common.log.clone(),
            traces: common.telemetry.clone(),
            output: None,
        }
    }

    /// Installs logs and traces for the whole process, and a panic hook that logs. Within a tokio
    /// runtime.
    ///
    /// # Errors
    /// [`TelemetryError`].
    pub fn install(self) -> Result<Telemetry, TelemetryError> {
        scope::name_process(self.service);
        let (dispatch, telemetry) = self.assemble()?;
        tracing::dispatcher::set_global_default(dispatch).map_err(|_| TelemetryError::Installed)?;
        trace::set_tracer(telemetry.tracer.clone());
        log_panics(telemetry.lines.clone());
        Ok(telemetry)
    }

    /// Assembles logs and traces without installing them, for tests. Within a tokio runtime.
    ///
    /// # Errors
    /// [`TelemetryError`].
    pub fn assemble(self) -> Result<(Dispatch, Telemetry), TelemetryError> {
        let filter = log_filter(&self.log.filter)?;
        let colours =
            self.output.is_none() && self.log.file.is_none() && std::io::stderr().is_terminal();
        let out = match (self.output, &self.log.file) {
            (Some(out), _) => out,
            (None, Some(path)) => open_log(path)?,
            (None, None) => Box::new(std::io::stderr()),
        };
        let lines = LogQueue::start(out);
        let format = match self.log.format {
            LogFormat::Json => log::Format::Json { mode: self.mode },
            LogFormat::Pretty => log::Format::Pretty { colours },
        };
        let exporter = Exporter::start(self.service, self.mode, &self.traces)?;
        let provider = provider(exporter.as_ref());
        let tracer = provider.tracer("ploy");
        let subscriber = tracing_subscriber::registry()
            .with(trace_layer(tracer.clone()))
            .with(LogLayer::new(format, lines.clone()).with_filter(filter));
        let telemetry = Telemetry {
            lines,
            exporter,
            tracer,
            _provider: provider,
        };
        Ok((Dispatch::new(subscriber), telemetry))
    }
}

/// Without a collector, traces still have ids, for logs and events, but nothing is recorded.
fn provider(exporter: Option<&Exporter>) -> SdkTracerProvider {
    let builder = SdkTracerProvider::builder();
    match exporter {
        Some(exporter) => builder
            .with_sampler(Sampler::AlwaysOn)
            .with_span_processor(exporter.queue())
            .build(),
        None => builder.with_sampler(Sampler::AlwaysOff).build(),
    }
}

fn trace_layer<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a>,
{
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_level(false)
        .with_tracked_inactivity(false)
        .with_filter(our_spans())
}

/// The spans that make up a trace: ours, from `info` up.
fn our_spans() -> FilterFn {
    fn is_ours(meta: &Metadata<'_>) -> bool {
        meta.is_span() && *meta.level() <= Level::INFO && meta.target().starts_with("ploy")
    }
    FilterFn::new(is_ours as fn(&Metadata<'_>) -> bool).with_max_level_hint(LevelFilter::INFO)
}

/// The events that the directives let through, and the spans that know ids for them.
fn log_filter<S>(
    directives: &str,
) -> Result<impl tracing_subscriber::layer::Filter<S> + 'static, TelemetryError>
where
    S: tracing::Subscriber + for<'a> LookupSpan<'a> + 'static,
{
    let events = EnvFilter::try_new(directives).map_err(|source| TelemetryError::Filter {
        filter: directives.to_owned(),
        source,
    })?;
    Ok(FilterExt::<S>::or(events, our_spans()))
}

fn open_log(path: &Path) -> Result<Box<dyn Write + Send>, TelemetryError> {
    let open = || {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
    };
    match open() {
        Ok(file) => Ok(Box::new(file)),
        Err(source) => Err(TelemetryError::LogFile {
            path: path.to_path_buf(),
            source,
        }),
    }
}

/// A panic ends the process; its last line has to be written before.
fn log_panics(lines: LogQueue) {
    std::panic::set_hook(Box::new(move |panic| {
        let location = panic.location().map(ToString::to_string);
        tracing::error!(
            location,
            "panic: {}",
            panic.payload_as_str().unwrap_or("no message")
        );
        lines.flush(LOG_END);
    }));
}

/// The logs and traces of this process. Keep it until the end.
#[derive(Debug)]
pub struct Telemetry {
    lines: LogQueue,
    exporter: Option<Exporter>,
    tracer: SdkTracer,
    /// Spans end with it.
    _provider: SdkTracerProvider,
}

impl Telemetry {
    /// Sends what is left, in at most 5 s.
    pub async fn shutdown(self) {
        if let Some(exporter) = self.exporter {
            exporter.end(EXPORT_END).await;
        }
        let lines = self.lines;
        // Waits for the writer's thread, so not on a worker. It cannot fail: it does not panic.
        let _ = tokio::task::spawn_blocking(move || lines.flush(LOG_END)).await;
    }
}

//! The settings that every process has: mode, backends, logs and traces.

use super::Settings;
use std::{path::PathBuf, time::Duration};

/// The defaults of [`Common`]: the first argument of [`Settings::load`] in every service.
pub const COMMON_DEFAULTS: &str = include_str!("common.toml");

/// What the process may do to the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The built-in exchange.
    Dev,
    /// Live market data, simulated orders.
    Paper,
    /// Real money.
    Live,
}

impl Mode {
    /// The word for it, in logs and file names.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Paper => "paper",
            Self::Live => "live",
        }
    }

    /// The two characters that begin every order id of the mode, so that an order at a venue tells
    /// where it is from.
    #[must_use]
    pub const fn order_id_prefix(self) -> [u8; 2] {
        match self {
            Self::Dev => *b"pd",
            Self::Paper => *b"pp",
            Self::Live => *b"pl",
        }
    }
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.word())
    }
}

/// How logs look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Pretty,
}

/// What is logged, how and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// How it looks.
    pub format: LogFormat,
    /// Which events: `info,ploy_risk=debug`.
    pub filter: String,
    /// Into this file instead of the standard error.
    pub file: Option<PathBuf>,
}

/// Where traces go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// The OTLP/gRPC collector; without one, trace ids are made but nothing is exported.
    pub otlp_endpoint: Option<String>,
    /// Spans that may wait for the collector; more are dropped and counted.
    pub queue_spans_max: usize,
    /// How often they are sent at least.
    pub export_every: Duration,
}

/// The settings of every process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Common {
    /// What the process may do.
    pub mode: Mode,
    /// Where local files are kept.
    pub data_dir: PathBuf,
    /// `memory:` or `nats://…`.
    pub bus_url: String,
    /// `sqlite:…` or `postgres://…`.
    pub store_url: String,
    /// `memory:` or `redis://…`.
    pub cache_url: String,
    /// Logs.
    pub log: LogSettings,
    /// Traces.
    pub telemetry: TelemetrySettings,
}

impl Common {
    /// Reads them.
    pub fn read(s: &mut Settings) -> Option<Self> {
        let mode = s.choice(
            "mode",
            &[
                ("dev", Mode::Dev),
                ("paper", Mode::Paper),
                ("live", Mode::Live),
            ],
        );
        let data_dir = s.text("data_dir");
        let bus_url = s.url("bus.url", &["memory", "nats", "tls"]);
        let store_url = s.url("store.url", &["sqlite", "postgres", "postgresql"]);
        let cache_url = s.url("cache.url", &["memory", "redis", "rediss"]);
        let (log, telemetry) = (LogSettings::read(s), TelemetrySettings::read(s));
        Some(Self {
            mode: mode?,
            data_dir: data_dir?.into(),
            bus_url: bus_url?,
            store_url: store_url?,
            cache_url: cache_url?,
            log: log?,
            telemetry: telemetry?,
        })
    }
}

impl LogSettings {
    fn read(s: &mut Settings) -> Option<Self> {
        let formats = [("json", LogFormat::Json), ("pretty", LogFormat::Pretty)];
        let format = s.choice("log.format", &formats);
        let filter = s.parse::<tracing_subscriber::EnvFilter>(
            "log.filter",
            "directives such as info,ploy_risk=debug",
        );
        let filter_text = s.text("log.filter");
        let file = s.optional("log.file", |s, key| s.text(key).map(PathBuf::from));
        filter?;
        Some(Self {
            format: format?,
            filter: filter_text?,
            file: file?,
        })
    }
}

impl TelemetrySettings {
    fn read(s: &mut Settings) -> Option<Self> {
        let otlp_endpoint = s.optional("telemetry.otlp_endpoint", |s, key| {
            s.url(key, &["http", "https"])
        });
        let queue_spans_max = s.number("telemetry.queue_spans_max", 64..=1_048_576);
        let export_every = s.duration(
            "telemetry.export_every",
            Duration::from_millis(50)..=Duration::from_secs(60),
        );
        Some(Self {
            otlp_endpoint: otlp_endpoint?,
            queue_spans_max: queue_spans_max?,
            export_every: export_every?,
        })
    }
}

//! The metrics of a process: one Prometheus recorder, installed once, rendered for `/metrics`.
//!
//! Which metrics exist is in [`name`] and the catalogue; who counts what is for the services. Labels
//! are bounded: service, venue, reason code, state; never an order, a user or free text.

mod catalogue;
pub mod name;

pub use catalogue::{Kind, METRICS, Metric};

use crate::Process;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::{sync::OnceLock, time::Duration};

/// How often old samples are folded together, scraped or not (F-C16).
const UPKEEP_EVERY: Duration = Duration::from_secs(5);
/// Buckets of a histogram that the catalogue does not know, so that none becomes a summary (F-C16).
const BUCKETS_DEFAULT: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0,
];

/// Why metrics cannot start.
#[derive(Debug, thiserror::Error)]
pub enum MetricsError {
    /// A histogram's buckets are not usable.
    #[error("the buckets of '{metric}' are not usable: {reason}")]
    Buckets {
        /// Which metric.
        metric: &'static str,
        /// Why.
        reason: String,
    },
    /// Somebody else has installed a recorder.
    #[error("another metrics recorder is installed in this process")]
    Installed,
}

/// The metrics of this process. Cloning shares them.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

static INSTALLED: OnceLock<Metrics> = OnceLock::new();

/// Installs the recorder with the buckets and descriptions of the catalogue. Installing again
/// answers the same.
///
/// # Errors
/// [`MetricsError`].
pub fn install() -> Result<Metrics, MetricsError> {
    if let Some(installed) = INSTALLED.get() {
        return Ok(installed.clone());
    }
    let recorder = builder()?.build_recorder();
    let handle = recorder.handle();
    if metrics::set_global_recorder(recorder).is_err() {
        // Two callers at once: the other one may just have finished.
        return INSTALLED.get().cloned().ok_or(MetricsError::Installed);
    }
    catalogue::describe_all();
    Ok(INSTALLED.get_or_init(|| Metrics(handle)).clone())
}

fn builder() -> Result<PrometheusBuilder, MetricsError> {
    let unusable = |metric: &'static str| {
        move |error: metrics_exporter_prometheus::BuildError| MetricsError::Buckets {
            metric,
            reason: error.to_string(),
        }
    };
    let builder = PrometheusBuilder::new()
        .set_buckets(&BUCKETS_DEFAULT)
        .map_err(unusable("default"))?;
    METRICS
        .iter()
        .filter_map(|metric| match metric.kind {
            Kind::Histogram(buckets) => Some((metric.name, buckets)),
            Kind::Counter | Kind::Gauge => None,
        })
        .try_fold(builder, |builder, (metric, buckets)| {
            builder
                .set_buckets_for_metric(Matcher::Full(metric.to_owned()), buckets)
                .map_err(unusable(metric))
        })
}

impl Metrics {
    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.0.render()
    }

    /// Keeps memory bounded while nobody scrapes, for as long as the process lives.
    pub fn keep_up(&self, process: &Process) {
        let (metrics, stop) = (self.clone(), process.settling());
        process.spawn_support("metrics upkeep", async move {
            let mut ticks = tokio::time::interval(UPKEEP_EVERY);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                metrics.0.run_upkeep();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_named_metrics_render_with_help_and_buckets() {
        let first = install().unwrap();
        let metrics = install().unwrap();
        metrics::counter!(name::ORDERS_PLACED, "venue" => "SIM").increment(1);
        metrics::counter!(name::ORDERS_FILLED, "venue" => "SIM").increment(1);
        metrics::counter!(name::ORDERS_FAILED, "reason" => "PRICE_BAND").increment(1);
        metrics::counter!(name::API_ERRORS, "code" => "not_found").increment(1);
        metrics::histogram!(name::ORDER_LATENCY_MS).record(0.7);
        let text = metrics.render();
        assert!(
            first.render().contains(name::ORDERS_PLACED),
            "both are the same"
        );
        for line in [
            "# TYPE ploy_orders_placed_total counter",
            "# TYPE ploy_orders_filled_total counter",
            "# TYPE ploy_orders_failed_total counter",
            "# TYPE ploy_api_errors_total counter",
            "# TYPE ploy_order_latency_ms histogram",
            "ploy_order_latency_ms_bucket{le=\"1\"} 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        assert!(text.contains("# HELP ploy_orders_placed_total"));
    }

    #[test]
    fn every_metric_has_a_name_of_its_own_with_the_prefix() {
        let names: std::collections::BTreeSet<_> = METRICS.iter().map(|m| m.name).collect();
        assert_eq!(names.len(), METRICS.len());
        for metric in METRICS {
            assert!(metric.name.starts_with("ploy_"), "{}", metric.name);
            let counts = metric.name.ends_with("_total");
            assert_eq!(
                counts,
                matches!(metric.kind, Kind::Counter),
                "{}",
                metric.name
            );
        }
    }
}

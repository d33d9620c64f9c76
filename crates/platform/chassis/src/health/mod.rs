//! What a service knows about what it depends on, and how it says so.
//!
//! Decides readiness (every required dependency is up or degraded) and liveness (the runtime ticks).
//! How a dependency is probed is told by whoever holds it. Liveness never depends on a dependency.

mod probe;
mod public;
mod router;
mod watchdog;

pub use probe::Probing;
pub use public::{PublicCheck, PublicChecks, PublicHealth, PublicStatus};
pub use router::{router, serve};
pub use watchdog::{Liveness, Watchdog};

use crate::{Clock, metrics::name};
use ploy_domain::Timestamp;
use serde::Serialize;
use std::{borrow::Cow, collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;

/// How a dependency does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It works.
    Up,
    /// It works, with losses.
    Degraded,
    /// Nobody has looked yet.
    Unknown,
    /// It does not work.
    Down,
}

/// Which public check a dependency counts for (R-API-02).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Group {
    /// The store.
    Database,
    /// Venues and the services on the way to them.
    ApiConnection,
    /// Bus and relay.
    OrderQueue,
    /// None: a loss of it is seen in `/health/ready` only.
    Internal,
}

/// A dependency of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependency {
    /// Its name, also a metric's label: `store`, `bus`, `venue SIM`.
    pub name: Cow<'static, str>,
    /// Where it shows in public.
    pub group: Group,
    /// Whether the service cannot do its main duty without it.
    pub required: bool,
}

impl Dependency {
    /// A dependency that the service cannot do without.
    #[must_use]
    pub fn required(name: impl Into<Cow<'static, str>>, group: Group) -> Self {
        Self {
            name: name.into(),
            group,
            required: true,
        }
    }

    /// A dependency that the service can do without.
    #[must_use]
    pub fn optional(name: impl Into<Cow<'static, str>>, group: Group) -> Self {
        Self {
            required: false,
            ..Self::required(name, group)
        }
    }
}

/// What is known about a dependency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Which one.
    pub dependency: Dependency,
    /// How it does.
    pub status: Status,
    /// Since when.
    pub since: Timestamp,
    /// How long the last probe took.
    pub latency_ms: Option<u64>,
    /// Why it is not up.
    pub reason: Option<String>,
}

type Reports = BTreeMap<String, Report>;

/// Everything a service knows about its dependencies. Cloning shares it.
#[derive(Debug, Clone)]
pub struct HealthRegistry {
    service: &'static str,
    clock: Clock,
    reports: Arc<watch::Sender<Reports>>,
}

impl HealthRegistry {
    /// The registry of `service`.
    #[must_use]
    pub fn new(service: &'static str, clock: Clock) -> Self {
        Self {
            service,
            clock,
            reports: Arc::new(watch::Sender::new(Reports::new())),
        }
    }

    /// Whose registry this is.
    #[must_use]
    pub const fn service(&self) -> &'static str {
        self.service
    }

    /// Adds a dependency, of which nothing is known yet, and returns the handle by which its holder
    /// reports.
    #[must_use]
    pub fn register(&self, dependency: Dependency) -> Check {
        let key = dependency.name.clone().into_owned();
        let report = Report {
            dependency,
            status: Status::Unknown,
            since: self.clock.now(),
            latency_ms: None,
            reason: Some("not probed yet".to_owned()),
        };
        self.reports.send_modify(|all| {
            all.insert(key.clone(), report);
        });
        Check {
            registry: self.clone(),
            key,
        }
    }

    /// All reports, by name.
    #[must_use]
    pub fn reports(&self) -> Vec<Report> {
        self.reports.borrow().values().cloned().collect()
    }

    /// Whether the service may do its main duty.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        is_ready(&self.reports.borrow())
    }

    /// Follows whether the service may do its main duty.
    #[must_use]
    pub fn changes(&self) -> HealthChanges {
        HealthChanges(self.reports.subscribe())
    }

    fn set(&self, key: &str, status: Status, latency: Option<Duration>, reason: Option<String>) {
        let now = self.clock.now();
        let latency_ms = latency.map(|l| u64::try_from(l.as_millis()).unwrap_or(u64::MAX));
        let mut before = None;
        self.reports.send_if_modified(|all| {
            let Some(report) = all.get_mut(key) else {
                return false;
            };
            if report.status != status {
                before = Some(report.status);
                report.status = status;
                report.since = now;
            }
            report.latency_ms = latency_ms.or(report.latency_ms);
            report.reason = reason.clone();
            before.is_some()
        });
        self.publish(key, status, latency);
        if let Some(before) = before {
            log_change(key, before, status, reason.as_deref());
        }
    }

    fn publish(&self, key: &str, status: Status, latency: Option<Duration>) {
        let labels = [
            ("service", self.service.to_owned()),
            ("dependency", key.to_owned()),
        ];
        let value = match status {
            Status::Up => 1.0,
            Status::Degraded => 0.5,
            Status::Unknown | Status::Down => 0.0,
        };
        metrics::gauge!(name::DEPENDENCY_UP, &labels).set(value);
        if let Some(latency) = latency {
            metrics::gauge!(name::DEPENDENCY_LATENCY_SECONDS, &labels).set(latency.as_secs_f64());
        }
    }
}

fn is_ready(reports: &Reports) -> bool {
    let fine = |report: &Report| {
        !report.dependency.required || matches!(report.status, Status::Up | Status::Degraded)
    };
    reports.values().all(fine)
}

fn log_change(dependency: &str, before: Status, status: Status, reason: Option<&str>) {
    match status {
        Status::Up if before == Status::Unknown => tracing::debug!(dependency, "up"),
        Status::Up => tracing::info!(dependency, "up again"),
        Status::Degraded => tracing::warn!(dependency, reason, "degraded"),
        Status::Down | Status::Unknown => tracing::warn!(dependency, reason, "down"),
    }
}

/// Follows the readiness of a service.
#[derive(Debug)]
pub struct HealthChanges(watch::Receiver<Reports>);

impl HealthChanges {
    /// Waits for a change and says whether the service is ready; `None` when the service is gone.
    pub async fn next(&mut self) -> Option<bool> {
        self.0.changed().await.ok()?;
        Some(is_ready(&self.0.borrow_and_update()))
    }
}

/// The handle by which the holder of a dependency reports. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Check {
    registry: HealthRegistry,
    key: String,
}

impl Check {
    /// It works; a probe took so long.
    pub fn up(&self, latency: Duration) {
        self.registry
            .set(&self.key, Status::Up, Some(latency), None);
    }

    /// It works with losses.
    pub fn degraded(&self, reason: impl Into<String>) {
        self.registry
            .set(&self.key, Status::Degraded, None, Some(reason.into()));
    }

    /// It does not work.
    pub fn down(&self, reason: impl Into<String>) {
        self.registry
            .set(&self.key, Status::Down, None, Some(reason.into()));
    }
}

#[cfg(test)]
mod tests;

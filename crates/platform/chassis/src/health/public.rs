//! The answer of `GET /health`, exactly as R-API-02 has it.

use super::{Group, Report, Status};
use serde::Serialize;
use std::time::Duration;

/// The overall status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PublicStatus {
    /// Everything is up.
    Healthy,
    /// Everything works, something with losses.
    Degraded,
    /// Something does not work.
    Unhealthy,
}

/// One check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PublicCheck {
    /// `up`, `degraded`, `unknown` or `down`: the worst of what the check stands for.
    pub status: Status,
    /// The slowest probe of what the check stands for.
    pub latency_ms: u64,
}

/// The three checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct PublicChecks {
    /// The store.
    pub database: PublicCheck,
    /// Venues and the services on the way to them.
    pub api_connection: PublicCheck,
    /// Bus and relay.
    pub order_queue: PublicCheck,
}

/// The whole answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublicHealth {
    /// The overall status.
    pub status: PublicStatus,
    /// The version of Ploy.
    pub version: &'static str,
    /// How long the process has lived.
    pub uptime_seconds: u64,
    /// The checks.
    pub checks: PublicChecks,
}

impl PublicHealth {
    /// What `reports` amount to.
    #[must_use]
    pub fn of(reports: &[Report], version: &'static str, uptime: Duration) -> Self {
        let checks = PublicChecks {
            database: check(reports, Group::Database),
            api_connection: check(reports, Group::ApiConnection),
            order_queue: check(reports, Group::OrderQueue),
        };
        let all = [checks.database, checks.api_connection, checks.order_queue];
        let status = match all.iter().map(|check| check.status).max() {
            None | Some(Status::Up) => PublicStatus::Healthy,
            Some(Status::Degraded) => PublicStatus::Degraded,
            Some(Status::Unknown | Status::Down) => PublicStatus::Unhealthy,
        };
        Self {
            status,
            version,
            uptime_seconds: uptime.as_secs(),
            checks,
        }
    }

    /// 503 when unhealthy, 200 otherwise.
    #[must_use]
    pub const fn http_status(&self) -> http::StatusCode {
        match self.status {
            PublicStatus::Healthy | PublicStatus::Degraded => http::StatusCode::OK,
            PublicStatus::Unhealthy => http::StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The worst status and the slowest probe of a group; a group of nothing is up.
fn check(reports: &[Report], group: Group) -> PublicCheck {
    let of_group = || reports.iter().filter(|r| r.dependency.group == group);
    let status = of_group().map(|report| report.status).max();
    let latency_ms = of_group().filter_map(|report| report.latency_ms).max();
    PublicCheck {
        status: status.unwrap_or(Status::Up),
        latency_ms: latency_ms.unwrap_or_default(),
    }
}

//! What each metric is: kind, unit, help and buckets.

use super::name;
use metrics::Unit;

/// What kind of metric, with its buckets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Only rises.
    Counter,
    /// Rises and falls.
    Gauge,
    /// A distribution over these upper bounds.
    Histogram(&'static [f64]),
}

/// One metric.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// What kind.
    pub kind: Kind,
    /// In what unit.
    pub unit: Unit,
    /// What it says.
    pub help: &'static str,
}

/// From 50 µs, an order in one process, to 5 s, the deadline of a venue.
const ORDER_MS: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1_000.0, 2_500.0,
    5_000.0,
];
/// From 1 ms to the longest request.
const SECONDS: &[f64] = &[
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// From 5 µs, a decision in one process, to 1 s.
const FINE_SECONDS: &[f64] = &[
    0.000_005, 0.000_01, 0.000_025, 0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005,
    0.01, 0.025, 0.05, 0.1, 0.25, 1.0,
];

/// All metrics.
pub const METRICS: &[Metric] = &[
    counter(name::ORDERS_PLACED, Unit::Count, "Orders handed to a venue"),
    counter(
        name::ORDERS_FILLED,
        Unit::Count,
        "Orders that were filled completely",
    ),
    counter(
        name::ORDERS_FAILED,
        Unit::Count,
        "Orders that were denied, rejected or never sent, by reason",
    ),
    histogram(
        name::ORDER_LATENCY_MS,
        Unit::Milliseconds,
        "From the decision to the venue's answer",
        ORDER_MS,
    ),
    counter(
        name::API_ERRORS,
        Unit::Count,
        "Requests that failed, by code",
    ),
    histogram(
        name::API_LATENCY_SECONDS,
        Unit::Seconds,
        "Time to answer a request, by route",
        SECONDS,
    ),
    histogram(
        name::RPC_LATENCY_SECONDS,
        Unit::Seconds,
        "Time to answer a gRPC call, by method",
        FINE_SECONDS,
    ),
    histogram(
        name::EXECUTION_LATENCY_SECONDS,
        Unit::Seconds,
        "Time of each step of an order, by step",
        FINE_SECONDS,
    ),
    histogram(
        name::DECISION_LATENCY_SECONDS,
        Unit::Seconds,
        "From the receipt of a tick to the submitted order",
        FINE_SECONDS,
    ),
    histogram(
        name::RISK_CHECK_SECONDS,
        Unit::Seconds,
        "Time to judge an order",
        FINE_SECONDS,
    ),
    gauge(
        name::FILL_RATIO,
        Unit::Count,
        "Filled part of the ordered quantity, 0 to 1",
    ),
    counter(name::RETRIES, Unit::Count, "Repeated calls, by target"),
    gauge(
        name::QUEUE_LENGTH,
        Unit::Count,
        "Items that wait in a queue, by queue",
    ),
    counter(
        name::QUEUE_FULL,
        Unit::Count,
        "Items refused or dropped because a queue was full, by queue",
    ),
    gauge(
        name::BREAKER_STATE,
        Unit::Count,
        "Circuit breaker by target: 0 closed, 1 half-open, 2 open",
    ),
    gauge(
        name::FEED_LAG_SECONDS,
        Unit::Seconds,
        "Age of the newest market data by the venue's time, by venue",
    ),
    counter(
        name::MD_EVENTS,
        Unit::Count,
        "Market data events published, by venue and kind",
    ),
    counter(
        name::MD_GAP,
        Unit::Count,
        "Gaps found in market data, by venue",
    ),
    gauge(
        name::MD_STALENESS_SECONDS,
        Unit::Seconds,
        "Time since the last market data, by venue",
    ),
    gauge(
        name::PROFIT_AND_LOSS,
        Unit::Count,
        "Profit and loss in the quote asset, by strategy and kind",
    ),
    gauge(
        name::EXPOSURE,
        Unit::Count,
        "Worst-case exposure in the quote asset, by scope",
    ),
    gauge(
        name::TRADING_STATE,
        Unit::Count,
        "Trading state by scope: 0 active, 1 reducing, 2 cancel only, 3 halted",
    ),
    counter(
        name::KILLS,
        Unit::Count,
        "Trips of the kill switch, by scope and cause",
    ),
    histogram(
        name::KILL_PROPAGATION_MS,
        Unit::Milliseconds,
        "From a trip to its effect, by service",
        ORDER_MS,
    ),
    gauge(
        name::DEPENDENCY_UP,
        Unit::Count,
        "Dependency by service: 1 up, 0.5 degraded, 0 down",
    ),
    gauge(
        name::DEPENDENCY_LATENCY_SECONDS,
        Unit::Seconds,
        "Time of the last probe of a dependency",
    ),
    counter(
        name::BUS_CANARY_FAILURES,
        Unit::Count,
        "Failed probes of the bus",
    ),
    counter(
        name::BUS_REGRESSIONS,
        Unit::Count,
        "Streams that lost what they had acknowledged",
    ),
    gauge(
        name::RELAY_BACKLOG,
        Unit::Count,
        "Events that wait to be published",
    ),
    gauge(
        name::RELAY_OLDEST_SECONDS,
        Unit::Seconds,
        "Age of the oldest event that waits to be published",
    ),
    counter(
        name::RELAY_PUBLISHED,
        Unit::Count,
        "Events acknowledged by the bus",
    ),
    gauge(
        name::CONSUMER_LAG_SEQ,
        Unit::Count,
        "Events between a consumer and the head of the log, the worst account",
    ),
    counter(
        name::CONSUMER_GAPS,
        Unit::Count,
        "Gaps healed by replay, by consumer and cause",
    ),
    counter(
        name::DUPLICATES,
        Unit::Count,
        "Things received again and ignored, by kind",
    ),
    counter(
        name::DEAD_LETTERS,
        Unit::Count,
        "Events that could not be handled and were parked, by consumer",
    ),
    gauge(
        name::ORDERS_UNKNOWN,
        Unit::Count,
        "Orders whose outcome is not known",
    ),
    gauge(
        name::ORDERS_UNKNOWN_OLDEST_SECONDS,
        Unit::Seconds,
        "Age of the oldest order whose outcome is not known",
    ),
    gauge(
        name::ORDERS_OPEN,
        Unit::Count,
        "Orders that something can still happen to",
    ),
    counter(
        name::ORDERS_SENT,
        Unit::Count,
        "Orders whose first byte left",
    ),
    counter(
        name::ORDERS_APPROVED,
        Unit::Count,
        "Orders approved by risk",
    ),
    counter(
        name::JOURNAL_REFUSED,
        Unit::Count,
        "Orders refused at the journal, by reason",
    ),
    counter(
        name::FILLS_LATE,
        Unit::Count,
        "Fills after the end of their order",
    ),
    counter(
        name::FILLS_ORPHAN,
        Unit::Count,
        "Fills of orders nobody knows",
    ),
    counter(
        name::ILLEGAL_TRANSITIONS,
        Unit::Count,
        "Order transitions that the state machine refused",
    ),
    counter(
        name::RECON_DIFFERENCES,
        Unit::Count,
        "Differences found by reconciliation, by kind",
    ),
    gauge(
        name::RECONCILE_AGE_SECONDS,
        Unit::Seconds,
        "Time since the last complete reconciliation",
    ),
    gauge(
        name::ACCOUNT_READY,
        Unit::Count,
        "Accounts that may take new risk, as a share of all, 0 to 1",
    ),
    gauge(
        name::LEASE_EPOCH,
        Unit::Count,
        "Fencing epoch of the lease that this process holds",
    ),
    counter(
        name::COMMIT_UNKNOWN,
        Unit::Count,
        "Commits without confirmation",
    ),
    gauge(
        name::CLOCK_OFFSET_SECONDS,
        Unit::Seconds,
        "Clock of a venue minus ours",
    ),
    counter(
        name::REACTOR_STALLS,
        Unit::Count,
        "Times that the watchdog found the runtime stuck",
    ),
    counter(
        name::TELEMETRY_DROPPED,
        Unit::Count,
        "Log lines and spans that were dropped, by kind",
    ),
    counter(
        name::RISK_DECISIONS,
        Unit::Count,
        "Orders judged, by verdict",
    ),
    counter(
        name::RISK_DENIALS,
        Unit::Count,
        "Reasons of denials, by code",
    ),
    histogram(
        name::RISK_ASKED_SECONDS,
        Unit::Seconds,
        "Time that execution waits for risk",
        FINE_SECONDS,
    ),
    histogram(
        name::COMMIT_SECONDS,
        Unit::Seconds,
        "Time of a commit of order events",
        FINE_SECONDS,
    ),
    counter(
        name::COMMITS_FAILED,
        Unit::Count,
        "Commits of order events that failed",
    ),
    counter(
        name::CORE_REFUSALS,
        Unit::Count,
        "Inputs that a core refused, by core; its account is rebuilt",
    ),
    counter(
        name::CANCELS_SENT,
        Unit::Count,
        "Cancels written to a venue",
    ),
    counter(
        name::VENUE_READINGS_FAILED,
        Unit::Count,
        "Readings of a venue's books that were not complete",
    ),
    counter(
        name::ORDERS_BECAME_UNKNOWN,
        Unit::Count,
        "Orders whose outcome became unknown",
    ),
    counter(
        name::ALERTS,
        Unit::Count,
        "Things a person should look at, by kind",
    ),
    counter(
        name::STRATEGY_RESTARTS,
        Unit::Count,
        "Instances rebuilt after a failure",
    ),
    counter(
        name::STRATEGY_WITHHELD,
        Unit::Count,
        "Orders that an instance kept back, by reason",
    ),
    counter(
        name::STRATEGY_DECISIONS,
        Unit::Count,
        "Orders that instances decided on",
    ),
    counter(name::MD_STALE, Unit::Count, "Times that a feed fell silent"),
    counter(name::FILLS, Unit::Count, "Executions booked"),
];

const fn counter(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Counter,
        unit,
        help,
    }
}

const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Gauge,
        unit,
        help,
    }
}

const fn histogram(
    name: &'static str,
    unit: Unit,
    help: &'static str,
    buckets: &'static [f64],
) -> Metric {
    Metric {
        name,
        kind: Kind::Histogram(buckets),
        unit,
        help,
    }
}

/// Tells the recorder what each metric is.
pub(super) fn describe_all() {
    for metric in METRICS {
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(metric.name, metric.unit, metric.help),
            Kind::Gauge => metrics::describe_gauge!(metric.name, metric.unit, metric.help),
            Kind::Histogram(_) => {
                metrics::describe_histogram!(metric.name, metric.unit, metric.help);
            }
        }
    }
}

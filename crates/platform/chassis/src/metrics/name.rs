//! The names of all metrics. One vocabulary: services use these and no others.

/// Orders handed to a venue.
pub const ORDERS_PLACED: &str = "ploy_orders_placed_total";
/// Orders that were filled completely.
pub const ORDERS_FILLED: &str = "ploy_orders_filled_total";
/// Orders that were denied, rejected or never sent, by reason.
pub const ORDERS_FAILED: &str = "ploy_orders_failed_total";
/// From the decision to the venue's answer.
pub const ORDER_LATENCY_MS: &str = "ploy_order_latency_ms";
/// Requests that failed, by code.
pub const API_ERRORS: &str = "ploy_api_errors_total";
/// Time to answer a request, by route.
pub const API_LATENCY_SECONDS: &str = "ploy_api_latency_seconds";
/// Time to answer a gRPC call, by method.
pub const RPC_LATENCY_SECONDS: &str = "ploy_rpc_latency_seconds";
/// Time of each step of an order, by step.
pub const EXECUTION_LATENCY_SECONDS: &str = "ploy_execution_latency_seconds";
/// From the receipt of a tick to the submitted order.
pub const DECISION_LATENCY_SECONDS: &str = "ploy_decision_latency_seconds";
/// Time to judge an order.
pub const RISK_CHECK_SECONDS: &str = "ploy_risk_check_seconds";
/// Filled part of the ordered quantity, 0 to 1.
pub const FILL_RATIO: &str = "ploy_fill_ratio";
/// Repeated calls, by target.
pub const RETRIES: &str = "ploy_retries_total";
/// Items that wait in a queue, by queue.
pub const QUEUE_LENGTH: &str = "ploy_queue_length";
/// Items refused or dropped because a queue was full, by queue.
pub const QUEUE_FULL: &str = "ploy_queue_full_total";
/// Circuit breaker by target: 0 closed, 1 half-open, 2 open.
pub const BREAKER_STATE: &str = "ploy_breaker_state";
/// Age of the newest market data by the venue's time, by venue.
pub const FEED_LAG_SECONDS: &str = "ploy_feed_lag_seconds";
/// Market data events published, by venue and kind.
pub const MD_EVENTS: &str = "ploy_md_events_total";
/// Gaps found in market data, by venue.
pub const MD_GAP: &str = "ploy_md_gap_total";
/// Time since the last market data, by venue.
pub const MD_STALENESS_SECONDS: &str = "ploy_md_staleness_seconds";
/// Profit and loss in the quote asset, by strategy and kind.
pub const PROFIT_AND_LOSS: &str = "ploy_profit_and_loss";
/// Worst-case exposure in the quote asset, by scope.
pub const EXPOSURE: &str = "ploy_exposure";
/// Trading state by scope: 0 active, 1 reducing, 2 halted.
pub const TRADING_STATE: &str = "ploy_trading_state";
/// Trips of the kill switch, by scope and cause.
pub const KILLS: &str = "ploy_kills_total";
/// From a trip to its effect, by service.
pub const KILL_PROPAGATION_MS: &str = "ploy_kill_propagation_ms";
/// Dependency by service: 1 up, 0.5 degraded, 0 down.
pub const DEPENDENCY_UP: &str = "ploy_dependency_up";
/// Time of the last probe of a dependency.
pub const DEPENDENCY_LATENCY_SECONDS: &str = "ploy_dependency_latency_seconds";
/// Failed probes of the bus.
pub const BUS_CANARY_FAILURES: &str = "ploy_bus_canary_failures_total";
/// Streams that lost what they had acknowledged.
pub const BUS_REGRESSIONS: &str = "ploy_bus_regressions_total";
/// Events that wait to be published.
pub const RELAY_BACKLOG: &str = "ploy_relay_backlog";
/// Age of the oldest event that waits to be published.
pub const RELAY_OLDEST_SECONDS: &str = "ploy_relay_oldest_seconds";
/// Events acknowledged by the bus.
pub const RELAY_PUBLISHED: &str = "ploy_relay_published_total";
/// Events between a consumer and the head of the log, the worst account.
pub const CONSUMER_LAG_SEQ: &str = "ploy_consumer_lag_seq";
/// Gaps healed by replay, by consumer and cause.
pub const CONSUMER_GAPS: &str = "ploy_consumer_gaps_total";
/// Things received again and ignored, by kind.
pub const DUPLICATES: &str = "ploy_duplicates_total";
/// Events that could not be handled and were parked, by consumer.
pub const DEAD_LETTERS: &str = "ploy_dead_letters_total";
/// Orders whose outcome is not known.
pub const ORDERS_UNKNOWN: &str = "ploy_orders_unknown";
/// Age of the oldest order whose outcome is not known.
pub const ORDERS_UNKNOWN_OLDEST_SECONDS: &str = "ploy_orders_unknown_oldest_seconds";
/// Orders that something can still happen to.
pub const ORDERS_OPEN: &str = "ploy_orders_open";
/// Orders whose first byte left.
pub const ORDERS_SENT: &str = "ploy_orders_sent_total";
/// Orders approved by risk.
pub const ORDERS_APPROVED: &str = "ploy_orders_approved_total";
/// Orders refused at the journal, by reason.
pub const JOURNAL_REFUSED: &str = "ploy_journal_refused_total";
/// Fills after the end of their order.
pub const FILLS_LATE: &str = "ploy_fills_late_total";
/// Fills of orders nobody knows.
pub const FILLS_ORPHAN: &str = "ploy_fills_orphan_total";
/// Order transitions that the state machine refused.
pub const ILLEGAL_TRANSITIONS: &str = "ploy_illegal_transitions_total";
/// Differences found by reconciliation, by kind.
pub const RECON_DIFFERENCES: &str = "ploy_recon_differences_total";
/// Time since the last complete reconciliation.
pub const RECONCILE_AGE_SECONDS: &str = "ploy_reconcile_age_seconds";
/// Accounts that may take new risk, as a share of all, 0 to 1.
pub const ACCOUNT_READY: &str = "ploy_account_ready";
/// Fencing epoch of the lease that this process holds.
pub const LEASE_EPOCH: &str = "ploy_lease_epoch";
/// Commits without confirmation.
pub const COMMIT_UNKNOWN: &str = "ploy_commit_unknown_total";
/// Clock of a venue minus ours.
pub const CLOCK_OFFSET_SECONDS: &str = "ploy_clock_offset_seconds";
/// Times that the watchdog found the runtime stuck.
pub const REACTOR_STALLS: &str = "ploy_reactor_stalls_total";
/// Log lines and spans that were dropped, by kind.
pub const TELEMETRY_DROPPED: &str = "ploy_telemetry_dropped_total";
/// Orders judged, by verdict.
pub const RISK_DECISIONS: &str = "ploy_risk_decisions_total";
/// Reasons of denials, by code.
pub const RISK_DENIALS: &str = "ploy_risk_denials_total";
/// Time that execution waits for risk.
pub const RISK_ASKED_SECONDS: &str = "ploy_risk_asked_seconds";
/// Time of a commit of order events.
pub const COMMIT_SECONDS: &str = "ploy_commit_seconds";
/// Commits of order events that failed.
pub const COMMITS_FAILED: &str = "ploy_commits_failed_total";
/// Inputs that a core refused, by core; its account is rebuilt.
pub const CORE_REFUSALS: &str = "ploy_core_refusals_total";
/// Cancels written to a venue.
pub const CANCELS_SENT: &str = "ploy_cancels_sent_total";
/// Readings of a venue's books that were not complete.
pub const VENUE_READINGS_FAILED: &str = "ploy_venue_readings_failed_total";
/// Orders whose outcome became unknown.
pub const ORDERS_BECAME_UNKNOWN: &str = "ploy_orders_became_unknown_total";
/// Things a person should look at, by kind.
pub const ALERTS: &str = "ploy_alerts_total";
/// Instances rebuilt after a failure.
pub const STRATEGY_RESTARTS: &str = "ploy_strategy_restarts_total";
/// Orders that an instance kept back, by reason.
pub const STRATEGY_WITHHELD: &str = "ploy_strategy_withheld_total";
/// Orders that instances decided on.
pub const STRATEGY_DECISIONS: &str = "ploy_strategy_decisions_total";
/// Times that a feed fell silent.
pub const MD_STALE: &str = "ploy_md_stale_total";
/// Executions booked.
pub const FILLS: &str = "ploy_fills_total";

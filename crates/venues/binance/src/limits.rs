//! The venue's limits: their names, the published figures, and the two budgets every request
//! draws on.

use crate::wire::symbols::WireRateLimit;
use ploy_venue_port::{RateBudget, RateLimit};
use std::time::Duration;

/// The scope that every request spends.
pub(crate) const WEIGHT: &str = "request_weight";
/// The scope that new orders spend.
pub(crate) const ORDERS: &str = "orders";

/// The published figures, the lowest where they differ between environments.
pub(crate) fn published() -> Vec<RateLimit> {
    [
        (WEIGHT, 6_000, 60),
        (ORDERS, 50, 10),
        (ORDERS, 160_000, 86_400),
    ]
    .map(|(scope, limit, secs)| RateLimit {
        scope,
        limit,
        window: Duration::from_secs(secs),
    })
    .to_vec()
}

/// What the venue states in `exchangeInfo`; limits without a budget here are left out.
pub(crate) fn stated(limits: &[WireRateLimit]) -> Vec<RateLimit> {
    let known = limits.iter().filter_map(|limit| {
        let scope = match limit.kind.as_str() {
            "REQUEST_WEIGHT" => WEIGHT,
            "ORDERS" => ORDERS,
            _ => return None,
        };
        let unit = match limit.interval.as_str() {
            "SECOND" => 1,
            "MINUTE" => 60,
            "HOUR" => 3_600,
            "DAY" => 86_400,
            _ => return None,
        };
        Some(RateLimit {
            scope,
            limit: limit.limit,
            window: Duration::from_secs(unit * u64::from(limit.interval_count)),
        })
    });
    known.collect()
}

/// The budgets of one address and account.
#[derive(Debug)]
pub(crate) struct Budgets {
    pub(crate) weight: RateBudget,
    pub(crate) orders: RateBudget,
}

impl Budgets {
    pub(crate) fn new(limits: &[RateLimit]) -> Self {
        Self {
            weight: RateBudget::new(WEIGHT, limits),
            orders: RateBudget::new(ORDERS, limits),
        }
    }

    pub(crate) fn configure(&self, limits: &[RateLimit]) {
        self.weight.configure(limits);
        self.orders.configure(limits);
    }
}

//! The exchange's clock: the only place of this crate that asks the system for the time.

use ploy_domain::Timestamp;
use std::time::{SystemTime, UNIX_EPOCH};

/// The current instant.
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_nanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

/// Milliseconds since the epoch, as all answers carry times.
pub(crate) const fn millis(at: Timestamp) -> i64 {
    at.as_millis()
}

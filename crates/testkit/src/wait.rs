//! Waiting for something to become true, in place of sleeping and hoping.

use anyhow::{Result, bail};
use std::time::{Duration, Instant};

/// How often [`eventually`] looks.
const EVERY: Duration = Duration::from_millis(10);

/// Asks `look` until it answers `Some`, and returns what it found.
///
/// # Errors
/// When `deadline` passes without an answer.
pub async fn eventually<T, F, Fut>(deadline: Duration, mut look: F) -> Result<T>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Option<T>>,
{
    let started = Instant::now();
    loop {
        if let Some(found) = look().await {
            return Ok(found);
        }
        if started.elapsed() >= deadline {
            bail!("it did not happen within {deadline:?}");
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// As [`eventually`], on a blocked thread.
pub(crate) fn blocking_until(deadline: Duration, mut look: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !look() {
        if started.elapsed() >= deadline {
            return false;
        }
        pause();
    }
    true
}

#[expect(
    clippy::disallowed_methods,
    reason = "servers are started on blocked threads"
)]
fn pause() {
    std::thread::sleep(EVERY);
}

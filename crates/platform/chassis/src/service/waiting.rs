//! Waiting for something that is not there yet: asked again with growing pauses, said once and then
//! now and again, seen in readiness all the time.

use crate::{BoxError, Clock, chain, health::Check, resilience::Backoff};
use std::time::Duration;

/// The first pause and the longest.
const PAUSE: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3));
/// How often the wait is worth a line.
const REMIND_EVERY: Duration = Duration::from_secs(30);

/// Why an attempt brought nothing.
#[derive(Debug)]
pub(super) enum Miss {
    /// It may work later.
    Later(BoxError),
    /// It will not.
    Never(BoxError),
}

/// Attempts until one succeeds or none can.
pub(super) async fn until_there<T, F, Fut>(
    what: &str,
    check: &Check,
    mut attempt: F,
) -> Result<T, BoxError>
where
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, Miss>>,
{
    let clock = Clock::system();
    let seed = clock.now().as_nanos().unsigned_abs() ^ u64::from(std::process::id());
    let mut backoff = Backoff::new(PAUSE.0, PAUSE.1, seed);
    let (began, mut reminded) = (clock.instant(), None);
    loop {
        let error = match attempt().await {
            Ok(found) => {
                if backoff.failures() > 0 {
                    let waited_ms = millis(began.elapsed());
                    tracing::info!(dependency = what, waited_ms, "it is there now");
                }
                return Ok(found);
            }
            Err(Miss::Later(error)) => chain(error.as_ref()),
            Err(Miss::Never(error)) => return Err(error),
        };
        check.down(error.clone());
        if reminded.is_none_or(|at: std::time::Instant| at.elapsed() >= REMIND_EVERY) {
            reminded = Some(clock.instant());
            let waited_ms = millis(began.elapsed());
            tracing::warn!(dependency = what, error, waited_ms, "waiting for it");
        }
        tokio::time::sleep(backoff.next_delay()).await;
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

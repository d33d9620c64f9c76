//! Keeps one connection up: decides when to connect again and how long to wait before. What is
//! said on the connection, resubscribing included, is the [`Session`]'s business.

use crate::backoff::Backoff;
use async_trait::async_trait;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// The times of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionPolicy {
    /// First ceiling of the wait before connecting again.
    pub backoff_base: Duration,
    /// Largest ceiling of that wait.
    pub backoff_cap: Duration,
    /// A connection that lived this long ends the back-off.
    pub stable_after: Duration,
    /// Silence after which to ping.
    pub ping_after: Duration,
    /// Silence after which the connection is dead.
    pub stall_after: Duration,
    /// Age after which to replace the connection.
    pub renew_after: Duration,
}

impl Default for ConnectionPolicy {
    fn default() -> Self {
        Self {
            backoff_base: Duration::from_millis(250),
            backoff_cap: Duration::from_secs(30),
            stable_after: Duration::from_secs(60),
            ping_after: Duration::from_secs(5),
            stall_after: Duration::from_secs(15),
            renew_after: Duration::from_secs(23 * 3_600),
        }
    }
}

/// One connection after another, each from nothing: connect, subscribe, serve.
#[async_trait]
pub trait Session: Send {
    /// Serves one connection until it ends. `epoch` is 1 for the first and rises by one each time.
    async fn serve(&mut self, epoch: u64) -> SessionEnd;
}

/// Why a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEnd {
    /// It failed, or could not be made.
    Lost {
        /// What happened.
        detail: String,
    },
    /// It is to be replaced at once: planned renewal, or the venue announced a shutdown.
    Renew,
    /// Nobody listens any more, or going on makes no sense.
    Stop,
}

/// Keeps a [`Session`] connected.
#[derive(Debug)]
pub struct Supervisor {
    name: &'static str,
    policy: ConnectionPolicy,
    backoff: Backoff,
    epoch: u64,
}

impl Supervisor {
    /// A supervisor called `name` in logs, whose jitter is drawn from `seed`.
    #[must_use]
    pub const fn new(name: &'static str, policy: ConnectionPolicy, seed: u64) -> Self {
        Self {
            name,
            policy,
            backoff: Backoff::new(policy.backoff_base, policy.backoff_cap, seed),
            epoch: 0,
        }
    }

    /// Serves connections until `token` is cancelled or the session stops.
    ///
    /// A cancelled token drops the running session; sessions therefore hold nothing that a drop
    /// could lose.
    pub async fn run(&mut self, session: &mut dyn Session, token: &CancellationToken) {
        loop {
            self.epoch += 1;
            let since = Instant::now();
            let end = tokio::select! {
                biased;
                () = token.cancelled() => return,
                end = session.serve(self.epoch) => end,
            };
            let Some(wait) = self.wait_after(end, since.elapsed()) else {
                return;
            };
            tokio::select! {
                biased;
                () = token.cancelled() => return,
                () = sleep(wait) => {}
            }
        }
    }

    /// How long to wait before the next connection; `None` for no next one.
    fn wait_after(&mut self, end: SessionEnd, lived: Duration) -> Option<Duration> {
        let stable = lived >= self.policy.stable_after;
        if stable {
            self.backoff.reset();
        }
        match end {
            SessionEnd::Stop => None,
            SessionEnd::Renew if stable => Some(Duration::ZERO),
            // Renewing young connections at once would be a loop without a brake.
            SessionEnd::Renew => Some(self.backoff.next_delay()),
            SessionEnd::Lost { detail } => {
                let wait = self.backoff.next_delay();
                let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
                tracing::warn!(
                    connection = self.name,
                    epoch = self.epoch,
                    failures = self.backoff.failures(),
                    wait_ms,
                    detail,
                    "connection lost"
                );
                Some(wait)
            }
        }
    }

    /// The number of the current connection.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Serves each connection for a while, then ends it as scripted; stops after the script.
    struct Scripted {
        script: Vec<(Duration, SessionEnd)>,
        started: Vec<(u64, Instant)>,
    }

    #[async_trait]
    impl Session for Scripted {
        async fn serve(&mut self, epoch: u64) -> SessionEnd {
            self.started.push((epoch, Instant::now()));
            if self.script.is_empty() {
                return SessionEnd::Stop;
            }
            let (lifetime, end) = self.script.remove(0);
            sleep(lifetime).await;
            end
        }
    }

    fn lost() -> SessionEnd {
        SessionEnd::Lost {
            detail: "reset by peer".into(),
        }
    }

    async fn waits(script: Vec<(Duration, SessionEnd)>) -> Vec<Duration> {
        let lifetimes: Vec<_> = script.iter().map(|(lifetime, _)| *lifetime).collect();
        let started = Vec::new();
        let mut session = Scripted { script, started };
        let mut supervisor = Supervisor::new("test", ConnectionPolicy::default(), 7);
        supervisor
            .run(&mut session, &CancellationToken::new())
            .await;
        let epochs: Vec<_> = session.started.iter().map(|(epoch, _)| *epoch).collect();
        assert_eq!(epochs, (1..=epochs.len() as u64).collect::<Vec<_>>());
        let starts = session.started.windows(2).map(|two| two[1].1 - two[0].1);
        starts
            .zip(lifetimes)
            .map(|(gap, life)| gap - life)
            .collect()
    }

    #[tokio::test(start_paused = true)]
    async fn failures_wait_longer_and_longer_below_the_cap() {
        let waits = waits(vec![(Duration::ZERO, lost()); 40]).await;
        assert!(waits[0] <= Duration::from_millis(251));
        assert!(
            waits
                .iter()
                .all(|wait| *wait <= Duration::from_millis(30_001))
        );
        let late: Duration = waits[20..].iter().sum();
        assert!(
            late > Duration::from_secs(100),
            "late waits sum to {late:?}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_stable_connection_ends_the_back_off() {
        let mut script = vec![(Duration::ZERO, lost()); 10];
        script.push((Duration::from_secs(61), lost()));
        let waits = waits(script).await;
        assert!(waits[10] <= Duration::from_millis(251), "{:?}", waits[10]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_is_immediate_but_a_loop_of_them_is_slowed_down() {
        let day = Duration::from_secs(23 * 3_600);
        assert_eq!(
            waits(vec![(day, SessionEnd::Renew); 3]).await,
            [Duration::ZERO; 3]
        );
        let hasty = waits(vec![(Duration::ZERO, SessionEnd::Renew); 20]).await;
        assert!(hasty.iter().sum::<Duration>() > Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_token_ends_a_running_connection() {
        let token = CancellationToken::new();
        let mut session = Scripted {
            script: vec![(Duration::from_secs(1_000), lost())],
            started: Vec::new(),
        };
        let mut supervisor = Supervisor::new("test", ConnectionPolicy::default(), 7);
        let cancel = token.clone();
        let run = supervisor.run(&mut session, &token);
        let start = Instant::now();
        tokio::join!(run, async move {
            sleep(Duration::from_secs(3)).await;
            cancel.cancel();
        });
        assert_eq!(start.elapsed(), Duration::from_secs(3));
    }
}

//! Whether a connection still lives: when to ping, when silence means it is dead, and when it is
//! old enough to be replaced before the venue closes it.

use crate::supervisor::ConnectionPolicy;
use tokio::time::{Instant, sleep_until};

/// What a connection's age or silence asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LivenessEvent {
    /// Nothing came for a while: send a ping.
    PingDue,
    /// Nothing came for too long, not even the answer to a ping.
    Stalled,
    /// The venue will close the connection soon: open the next one.
    RenewalDue,
}

/// The timers of one connection. Any inbound frame is a sign of life.
#[derive(Debug)]
pub struct Liveness {
    policy: ConnectionPolicy,
    heard_at: Instant,
    ping_at: Instant,
    renew_at: Instant,
}

impl Liveness {
    /// The timers of a connection that was opened now.
    #[must_use]
    pub fn new(policy: ConnectionPolicy) -> Self {
        let now = Instant::now();
        Self {
            policy,
            heard_at: now,
            ping_at: now + policy.ping_after,
            renew_at: now + policy.renew_after,
        }
    }

    /// A frame came in.
    pub fn heard(&mut self) {
        self.heard_at = Instant::now();
        self.ping_at = self.heard_at + self.policy.ping_after;
    }

    /// Waits for the next event. Cancel-safe: a dropped wait loses nothing.
    pub async fn next(&mut self) -> LivenessEvent {
        let dead_at = self.heard_at + self.policy.stall_after;
        sleep_until(dead_at.min(self.ping_at).min(self.renew_at)).await;
        let now = Instant::now();
        if now >= dead_at {
            LivenessEvent::Stalled
        } else if now >= self.renew_at {
            self.renew_at = now + self.policy.renew_after;
            LivenessEvent::RenewalDue
        } else {
            self.ping_at = now + self.policy.ping_after;
            LivenessEvent::PingDue
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn policy() -> ConnectionPolicy {
        ConnectionPolicy {
            ping_after: Duration::from_secs(5),
            stall_after: Duration::from_secs(12),
            renew_after: Duration::from_secs(60),
            ..ConnectionPolicy::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn silence_is_pinged_and_then_declared_dead() {
        let start = Instant::now();
        let mut liveness = Liveness::new(policy());
        assert_eq!(liveness.next().await, LivenessEvent::PingDue);
        assert_eq!(liveness.next().await, LivenessEvent::PingDue);
        assert_eq!(liveness.next().await, LivenessEvent::Stalled);
        assert_eq!(start.elapsed(), Duration::from_secs(12));
    }

    #[tokio::test(start_paused = true)]
    async fn traffic_keeps_a_connection_alive_until_its_renewal() {
        let start = Instant::now();
        let mut liveness = Liveness::new(policy());
        let event = loop {
            tokio::select! {
                event = liveness.next() => break event,
                () = tokio::time::sleep(Duration::from_secs(1)) => liveness.heard(),
            }
        };
        assert_eq!(event, LivenessEvent::RenewalDue);
        assert_eq!(start.elapsed(), Duration::from_secs(60));
    }
}

//! SIGINT and SIGTERM: the first begins an orderly end, a second one cuts it short.

use super::{Process, StopReason};
use tokio::signal::unix::{Signal, SignalKind, signal};

impl Process {
    /// Stops the process on SIGINT or SIGTERM. A second signal drops all tasks at once.
    ///
    /// # Errors
    /// When the system refuses to deliver signals.
    pub fn stop_on_signals(&self) -> std::io::Result<()> {
        let interrupt = signal(SignalKind::interrupt())?;
        let terminate = signal(SignalKind::terminate())?;
        let process = self.clone();
        self.spawn_support("signals", async move {
            process.follow(interrupt, terminate).await;
        });
        Ok(())
    }

    async fn follow(&self, mut interrupt: Signal, mut terminate: Signal) {
        let settling = self.settling();
        loop {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
                () = settling.cancelled() => return,
            };
            if self.stopping().is_cancelled() {
                tracing::warn!(signal = name, "second signal: dropping what is in flight");
                self.hurry();
            } else {
                self.stop(StopReason::Signal(name));
            }
        }
    }

    fn hurry(&self) {
        self.shared.settle.cancel();
        self.shared.work.abort();
        self.shared.support.abort();
    }
}

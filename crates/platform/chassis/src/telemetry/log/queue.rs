//! The queue between those who log and the thread that writes: bounded, never waits, counts what it
//! drops. A full disk or a stuck terminal costs lines, not trades.

use crate::metrics::name;
use std::{
    io::Write,
    sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    time::Duration,
};

/// Lines that may wait for the writer.
const LINES_MAX: usize = 8_192;

#[derive(Debug)]
enum Item {
    Line(Vec<u8>),
    /// Answer when everything before is written.
    Flush(SyncSender<()>),
}

/// The writing end. Cloning shares it.
#[derive(Debug, Clone)]
pub(in crate::telemetry) struct LogQueue(SyncSender<Item>);

impl LogQueue {
    /// Starts the writer's thread. It ends with the last clone of the queue.
    pub(in crate::telemetry) fn start(out: Box<dyn Write + Send>) -> Self {
        let (sender, receiver) = sync_channel(LINES_MAX);
        let thread = std::thread::Builder::new().name("log".to_owned());
        if thread.spawn(move || write_all(&receiver, out)).is_err() {
            // Without a thread every line counts as dropped.
            dropped();
        }
        Self(sender)
    }

    pub(super) fn push(&self, line: Vec<u8>) {
        if self.0.try_send(Item::Line(line)).is_err() {
            dropped();
        }
    }

    /// Waits until the lines so far are written, at most `limit`.
    pub(in crate::telemetry) fn flush(&self, limit: Duration) {
        let (done, wait) = sync_channel(1);
        match self.0.try_send(Item::Flush(done)) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {
                let _ = wait.recv_timeout(limit);
            }
            // A writer that is this far behind will not catch up within the limit.
            Err(TrySendError::Full(_)) => {}
        }
    }
}

fn dropped() {
    metrics::counter!(name::TELEMETRY_DROPPED, "kind" => "log").increment(1);
}

fn write_all(receiver: &Receiver<Item>, mut out: Box<dyn Write + Send>) {
    while let Ok(item) = receiver.recv() {
        match item {
            Item::Line(line) => {
                if out.write_all(&line).is_err() {
                    dropped();
                }
            }
            Item::Flush(done) => {
                // Nobody is left to tell about a failure.
                let _ = out.flush();
                let _ = done.try_send(());
            }
        }
    }
    let _ = out.flush();
}

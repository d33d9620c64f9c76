//! The bus of one process: routes core messages without a copy, keeps streams in memory.
//!
//! Obeys the same rules as the server; what it cannot do is outlive the process, which no reader
//! relies on.

mod consumer;
mod log;
mod routes;

use self::{consumer::MemoryConsumer, log::Log, routes::Routes};
use crate::{
    Appended, Bus, BusError, BusHealth, BusOptions, Consumer, ConsumerSpec, Message, Pattern,
    Probe, StreamSpec, StreamState, Subject, Subscription, mailbox::Mailbox,
};
use async_trait::async_trait;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;

/// A stream and the signal that it changed.
#[derive(Debug)]
struct SharedLog {
    log: Mutex<Log>,
    changed: Notify,
}

impl SharedLog {
    fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bus in memory.
#[derive(Debug)]
pub(crate) struct MemoryBus {
    routes: Arc<Routes>,
    logs: Mutex<BTreeMap<String, Arc<SharedLog>>>,
    canary: Option<Subject>,
}

impl MemoryBus {
    pub(crate) fn new(options: &BusOptions) -> Self {
        Self {
            routes: Arc::new(Routes::default()),
            logs: Mutex::default(),
            canary: Subject::new(&format!("ploy.canary.{}", options.name)).ok(),
        }
    }

    fn logs(&self) -> MutexGuard<'_, BTreeMap<String, Arc<SharedLog>>> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_of(&self, stream: &str) -> Result<Arc<SharedLog>, BusError> {
        self.logs()
            .get(stream)
            .cloned()
            .ok_or_else(|| BusError::UnknownStream {
                stream: stream.to_owned(),
            })
    }

    fn log_for(&self, subject: &Subject) -> Option<Arc<SharedLog>> {
        self.logs()
            .values()
            .find(|shared| shared.lock().keeps(subject))
            .cloned()
    }
}

#[async_trait]
impl Bus for MemoryBus {
    fn publish(&self, message: Message) -> Result<(), BusError> {
        self.routes.deliver(&message);
        Ok(())
    }

    async fn subscribe(&self, pattern: Pattern, capacity: usize) -> Result<Subscription, BusError> {
        let mailbox = Mailbox::new(capacity);
        let id = self.routes.add(pattern, Arc::clone(&mailbox));
        let routes = Arc::clone(&self.routes);
        Ok(Subscription::new(mailbox, move || routes.remove(id)))
    }

    async fn flush(&self) -> Result<(), BusError> {
        Ok(())
    }

    async fn declare(&self, streams: &[StreamSpec]) -> Result<(), BusError> {
        let mut logs = self.logs();
        for spec in streams {
            if let Some(existing) = logs.get(spec.name) {
                existing.lock().check_spec(spec)?;
                continue;
            }
            let log = Log::new(spec.clone(), wall_clock_ns())?;
            let shared = SharedLog {
                log: Mutex::new(log),
                changed: Notify::new(),
            };
            logs.insert(spec.name.to_owned(), Arc::new(shared));
        }
        Ok(())
    }

    async fn append(&self, msg_id: &str, message: Message) -> Result<Appended, BusError> {
        let shared = self
            .log_for(&message.subject)
            .ok_or_else(|| BusError::NoStream {
                subject: message.subject.to_string(),
            })?;
        let appended =
            shared
                .lock()
                .append(msg_id, message.clone(), tokio::time::Instant::now())?;
        if !appended.duplicate {
            shared.changed.notify_waiters();
            // A server hands a stored message to core subscribers as well.
            self.routes.deliver(&message);
        }
        Ok(appended)
    }

    async fn consumer(&self, spec: ConsumerSpec) -> Result<Box<dyn Consumer>, BusError> {
        let shared = self.log_of(&spec.stream)?;
        shared.lock().open_consumer(&spec)?;
        Ok(Box::new(MemoryConsumer::new(shared, spec)))
    }

    async fn stream_state(&self, stream: &str) -> Result<StreamState, BusError> {
        Ok(self.log_of(stream)?.lock().state())
    }

    async fn probe(&self) -> Result<Probe, BusError> {
        let started = Instant::now();
        if let Some(canary) = &self.canary
            && self.log_for(canary).is_some()
        {
            let id = wall_clock_ns().to_string();
            self.append(&id, Message::new(canary.clone(), id.clone()))
                .await?;
        }
        let streams = self
            .logs()
            .values()
            .map(|shared| shared.lock().state())
            .collect();
        Ok(Probe {
            took: started.elapsed(),
            streams,
        })
    }

    fn health(&self) -> BusHealth {
        BusHealth {
            connected: true,
            ..BusHealth::default()
        }
    }
}

/// The wall clock in nanoseconds since 1970; the creation stamp of streams.
fn wall_clock_ns() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_nanos()).ok())
        .unwrap_or_default()
}

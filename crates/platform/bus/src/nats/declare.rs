//! Declares streams and consumers, and reads them back: the server ignores fields it does not know.

use super::connection::Connection;
use crate::{BusError, ConsumerSpec, Discard, StartAt, StreamSpec};
use async_nats::jetstream::{
    ErrorCode,
    consumer::{self, AckPolicy, DeliverPolicy, ReplayPolicy, pull},
    context::{GetStreamError, GetStreamErrorKind},
    stream::{Config, DiscardPolicy, RetentionPolicy, StorageType},
};

/// Creates `spec` if it is missing and compares what the server has with it.
pub(super) async fn stream(connection: &Connection, spec: &StreamSpec) -> Result<(), BusError> {
    let wanted = stream_config(spec);
    let found = match connection.stream_info(spec.name).await {
        Ok(info) => info.config,
        Err(BusError::UnknownStream { .. }) => {
            let created = connection.jetstream().create_stream(wanted.clone()).await;
            created.map_err(|e| BusError::refused("a stream declaration", e))?;
            connection.stream_info(spec.name).await?.config
        }
        Err(error) => return Err(error),
    };
    differ("stream", spec.name, stream_differences(&wanted, &found))
}

fn stream_config(spec: &StreamSpec) -> Config {
    Config {
        name: spec.name.to_owned(),
        subjects: spec
            .subjects
            .iter()
            .map(|&subject| subject.to_owned())
            .collect(),
        max_bytes: i64::try_from(spec.bytes_max).unwrap_or(i64::MAX),
        max_messages: -1,
        max_messages_per_subject: -1,
        max_consumers: -1,
        max_age: spec.age_max,
        max_message_size: i32::try_from(spec.message_bytes_max).unwrap_or(i32::MAX),
        discard: match spec.discard {
            Discard::Old => DiscardPolicy::Old,
            Discard::New => DiscardPolicy::New,
        },
        retention: RetentionPolicy::Limits,
        storage: StorageType::File,
        num_replicas: usize::from(spec.replicas),
        duplicate_window: spec.dedupe_window,
        deny_delete: spec.protected,
        deny_purge: spec.protected,
        ..Config::default()
    }
}

/// The consumer as the server should have it.
pub(super) fn consumer_config(spec: &ConsumerSpec) -> pull::Config {
    pull::Config {
        durable_name: Some(spec.name.clone()),
        deliver_policy: match spec.start {
            StartAt::First => DeliverPolicy::All,
            StartAt::Next => DeliverPolicy::New,
        },
        ack_policy: AckPolicy::Explicit,
        ack_wait: spec.ack_wait,
        max_deliver: i64::from(spec.deliver_max),
        filter_subject: spec.filter.to_string(),
        replay_policy: ReplayPolicy::Instant,
        max_ack_pending: i64::from(spec.ack_pending_max),
        ..pull::Config::default()
    }
}

/// Compares a consumer of the server with its declaration.
pub(super) fn check_consumer(
    spec: &ConsumerSpec,
    found: &consumer::Config,
) -> Result<(), BusError> {
    let wanted = consumer_config(spec);
    let mut all = Differences::default();
    all.compare("ack_policy", &wanted.ack_policy, &found.ack_policy);
    all.compare("ack_wait", &wanted.ack_wait, &found.ack_wait);
    all.compare("max_deliver", &wanted.max_deliver, &found.max_deliver);
    all.compare(
        "filter_subject",
        &wanted.filter_subject,
        &found.filter_subject,
    );
    all.compare(
        "max_ack_pending",
        &wanted.max_ack_pending,
        &found.max_ack_pending,
    );
    all.compare("backoff", &wanted.backoff, &found.backoff);
    all.compare("deliver_subject", &None, &found.deliver_subject);
    differ("consumer", &spec.name, all)
}

fn stream_differences(wanted: &Config, found: &Config) -> Differences {
    let mut all = Differences::default();
    all.compare("subjects", &wanted.subjects, &found.subjects);
    all.compare("max_bytes", &wanted.max_bytes, &found.max_bytes);
    all.compare("max_msgs", &wanted.max_messages, &found.max_messages);
    all.compare("max_age", &wanted.max_age, &found.max_age);
    all.compare(
        "max_msg_size",
        &wanted.max_message_size,
        &found.max_message_size,
    );
    all.compare("discard", &wanted.discard, &found.discard);
    all.compare("retention", &wanted.retention, &found.retention);
    all.compare("storage", &wanted.storage, &found.storage);
    all.compare("num_replicas", &wanted.num_replicas, &found.num_replicas);
    all.compare(
        "duplicate_window",
        &wanted.duplicate_window,
        &found.duplicate_window,
    );
    all.compare("deny_delete", &wanted.deny_delete, &found.deny_delete);
    all.compare("deny_purge", &wanted.deny_purge, &found.deny_purge);
    all.compare("no_ack", &wanted.no_ack, &found.no_ack);
    all.compare("sealed", &wanted.sealed, &found.sealed);
    all
}

#[derive(Default)]
struct Differences(Vec<String>);

impl Differences {
    fn compare<T: PartialEq + std::fmt::Debug>(&mut self, field: &str, wanted: &T, found: &T) {
        if wanted != found {
            self.0
                .push(format!("{field} expected {wanted:?} found {found:?}"));
        }
    }
}

fn differ(what: &'static str, name: &str, all: Differences) -> Result<(), BusError> {
    if all.0.is_empty() {
        Ok(())
    } else {
        Err(BusError::Differs {
            what,
            name: name.to_owned(),
            differences: all.0,
        })
    }
}

/// Whether the server answered that the stream does not exist.
pub(super) fn is_missing(error: &GetStreamError) -> bool {
    match error.kind() {
        GetStreamErrorKind::JetStream(reason) => reason.error_code() == ErrorCode::STREAM_NOT_FOUND,
        _ => false,
    }
}

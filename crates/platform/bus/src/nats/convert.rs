//! Between the library's types and ours. No type of the library leaves this folder.

use crate::{BusError, Headers, Message, StreamState, Subject};
use async_nats::{
    HeaderMap, header,
    jetstream::{
        context::{PublishError, PublishErrorKind},
        stream::Info,
    },
};
use std::time::Duration;

pub(super) fn to_nats(headers: &Headers) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in headers.iter() {
        // A header must not break the frame, whoever filled it.
        let value: String = value
            .chars()
            .filter(|c| !matches!(c, '\r' | '\n'))
            .collect();
        map.insert(name, value);
    }
    map
}

pub(super) fn from_nats(message: async_nats::Message) -> Result<Message, BusError> {
    let subject = Subject::new(message.subject.as_str())?;
    let headers = message.headers.as_ref().map(headers).unwrap_or_default();
    Ok(Message {
        subject,
        headers,
        payload: message.payload,
    })
}

/// The headers without the one that the bus itself uses.
fn headers(map: &HeaderMap) -> Headers {
    fn named(name: &header::HeaderName) -> &str {
        name.as_ref()
    }
    map.iter()
        .filter(|(name, _)| named(name) != named(&header::NATS_MESSAGE_ID))
        .filter_map(|(name, values)| Some((named(name), values.first()?.as_str())))
        .collect()
}

/// What a failed append means. The server tells a full stream and a too large message by text.
pub(super) fn publish_error(
    error: PublishError,
    subject: String,
    bytes: usize,
    after: Duration,
) -> BusError {
    let text = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    match error.kind() {
        PublishErrorKind::StreamNotFound => BusError::NoStream { subject },
        PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => BusError::Timeout {
            operation: "a publish acknowledgement",
            after,
        },
        PublishErrorKind::MaxPayloadExceeded => BusError::TooLarge { subject, bytes },
        PublishErrorKind::Other if text.contains("maximum bytes exceeded") => {
            BusError::StreamFull { subject }
        }
        PublishErrorKind::Other if text.contains("message size exceeds") => {
            BusError::TooLarge { subject, bytes }
        }
        PublishErrorKind::Other
        | PublishErrorKind::WrongLastMessageId
        | PublishErrorKind::WrongLastSequence
        | PublishErrorKind::MaxAckPending => BusError::refused("an append", error),
    }
}

pub(super) fn state(info: &Info) -> StreamState {
    StreamState {
        stream: info.config.name.clone(),
        created_ns: i64::try_from(info.created.unix_timestamp_nanos()).unwrap_or_default(),
        last_sequence: info.state.last_sequence,
        messages: info.state.messages,
        bytes: info.state.bytes,
    }
}

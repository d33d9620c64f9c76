//! What travels beside a request: `grpc-timeout`, `traceparent`, `x-ploy-actor`.

use crate::api::{Actor, ApiError, Call};
use ploy_domain::TraceContext;
use std::time::Duration;
use tonic::{
    Request,
    metadata::{AsciiMetadataValue, MetadataMap},
};

const TIMEOUT: &str = "grpc-timeout";
const TRACE: &str = "traceparent";
const ACTOR: &str = "x-ploy-actor";
/// No call may take longer, whatever the caller asks for; also for callers that do not ask.
pub(crate) const DEADLINE_MAX: Duration = Duration::from_secs(5);

/// A request with the circumstances of `call`.
pub(crate) fn request<M>(message: M, call: &Call) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(call.deadline);
    let metadata = request.metadata_mut();
    // Actors and traces are visible ASCII by construction, so nothing is left out.
    if let Ok(actor) = AsciiMetadataValue::try_from(call.actor.as_str()) {
        metadata.insert(ACTOR, actor);
    }
    if call.trace.is_some()
        && let Ok(trace) = AsciiMetadataValue::try_from(call.trace.to_string())
    {
        metadata.insert(TRACE, trace);
    }
    request
}

/// The circumstances of a request that arrived, with what one hop costs taken off its deadline.
pub(crate) fn call(metadata: &MetadataMap) -> Result<Call, ApiError> {
    let given = |name| metadata.get(name).map(AsciiMetadataValue::as_bytes);
    let text = |name| given(name).map(String::from_utf8_lossy);
    let actor = match text(ACTOR) {
        None => Actor::UNKNOWN,
        Some(name) => Actor::parse(&name)
            .map_err(|error| ApiError::invalid(ACTOR, &name, error.to_string()))?,
    };
    let deadline = match text(TIMEOUT) {
        None => DEADLINE_MAX,
        Some(timeout) => parse_timeout(&timeout).ok_or_else(|| {
            ApiError::invalid(TIMEOUT, &timeout, "1 to 8 digits and one of H M S m u n")
        })?,
    };
    // A trace that cannot be read is no reason to refuse an order.
    let trace = text(TRACE).and_then(|header| TraceContext::parse(&header));
    Ok(Call {
        deadline: after_hop(deadline.min(DEADLINE_MAX)),
        trace: trace.unwrap_or_default(),
        actor,
    })
}

/// What is left of a deadline after the hop, at least the half of it.
fn after_hop(deadline: Duration) -> Duration {
    deadline.saturating_sub(Call::HOP.min(deadline / 2))
}

/// Reads a timeout of the gRPC protocol over HTTP/2: up to eight digits and a unit.
fn parse_timeout(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    Some(match unit {
        'H' => Duration::from_secs(count * 3600),
        'M' => Duration::from_secs(count * 60),
        'S' => Duration::from_secs(count),
        'm' => Duration::from_millis(count),
        'u' => Duration::from_micros(count),
        'n' => Duration::from_nanos(count),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn circumstances_arrive_with_a_hop_less_to_go() {
        let trace = TraceContext {
            trace_id: 7,
            span_id: 9,
            sampled: true,
        };
        let sent = Call::new(Actor::EXECUTION, Duration::from_millis(50)).traced(trace);
        let arrived = call(request((), &sent).metadata()).unwrap();
        assert_eq!(
            arrived,
            Call {
                deadline: Duration::from_millis(30),
                ..sent
            }
        );
    }

    #[test]
    fn a_stranger_gets_the_longest_deadline_and_no_name() {
        let arrived = call(&MetadataMap::new()).unwrap();
        assert_eq!(arrived.actor, Actor::UNKNOWN);
        assert_eq!(arrived.deadline, DEADLINE_MAX - Call::HOP);
        assert_eq!(arrived.trace, TraceContext::NONE);
    }

    #[test]
    fn a_short_deadline_keeps_its_half() {
        assert_eq!(
            after_hop(Duration::from_millis(10)),
            Duration::from_millis(5)
        );
    }

    #[test]
    fn timeouts_are_those_of_the_protocol() {
        assert_eq!(parse_timeout("50m"), Some(Duration::from_millis(50)));
        assert_eq!(
            parse_timeout("99999999H").map(|d| d > DEADLINE_MAX),
            Some(true)
        );
        for bad in ["", "m", "-1m", "123456789m", "5x", "5é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_forged_actor_is_refused() {
        let mut metadata = MetadataMap::new();
        metadata.insert(ACTOR, "two words".parse().unwrap());
        assert!(call(&metadata).is_err());
    }
}

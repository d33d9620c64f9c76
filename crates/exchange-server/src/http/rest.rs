//! REST: from bytes to a request, and from an answer to bytes with the venue's headers.

use super::{Shared, connection::Peer, faults::Fault};
use crate::{
    api::{
        ApiError,
        dispatch::{Answer, Incoming, answer},
        endpoint::{Endpoint, REST_PREFIX},
        params::Params,
        security::rest_payload,
    },
    clock,
};
use axum::{
    body::{Body, to_bytes},
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Response, StatusCode, header, request::Parts},
};
use std::{net::IpAddr, sync::Arc};

/// The longest body of a request, in bytes.
const BODY_MAX: usize = 64 * 1024;

/// Answers everything under `/api/v3`.
pub(super) async fn serve(
    State(shared): State<Arc<Shared>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let path = path.strip_prefix(REST_PREFIX).unwrap_or(path);
    let Some(endpoint) = Endpoint::of_rest(parts.method.as_str(), path) else {
        return respond(StatusCode::NOT_FOUND, String::new());
    };
    let address = peer.address.ip();
    let fault = shared.faults.throw(endpoint.trades());
    if fault == Some(Fault::LoseRequest) {
        peer.cut();
        return respond(StatusCode::SERVICE_UNAVAILABLE, String::new());
    }
    let outcome = match to_bytes(body, BODY_MAX).await {
        Ok(bytes) => {
            let body = String::from_utf8_lossy(&bytes);
            handle(&shared, endpoint, (&parts, &body, address)).await
        }
        Err(_) => Err(ApiError::invalid_data("body")),
    };
    let outcome = match fault {
        Some(Fault::DropAnswer) => {
            peer.cut();
            outcome
        }
        Some(Fault::FailAnswer) => Err(ApiError::timeout()),
        Some(Fault::Delay(delay)) => {
            tokio::select! {
                () = tokio::time::sleep(delay) => {}
                () = shared.stop.cancelled() => {}
            }
            outcome
        }
        Some(Fault::LoseRequest) | None => outcome,
    };
    encode(&shared, address, outcome)
}

async fn handle(
    shared: &Shared,
    endpoint: Endpoint,
    (parts, body, address): (&Parts, &str, IpAddr),
) -> Result<Answer, ApiError> {
    let arrived = clock::now();
    let query = parts.uri.query().unwrap_or("");
    let params = Params::parse(query, body)?;
    let weight = endpoint.weight(&params);
    shared.weights.charge(address, weight, arrived)?;
    let incoming = Incoming {
        as_sent: params.without_signature(),
        params,
        api_key: key_of(&parts.headers),
        payload: rest_payload(query, body),
        arrived,
    };
    let outcome = answer(&shared.api, endpoint, incoming).await;
    if outcome.is_ok() && endpoint.is_free_when_successful() {
        shared.weights.refund(address, weight, arrived);
    }
    outcome
}

fn key_of(headers: &HeaderMap) -> Option<String> {
    let key = headers.get("x-mbx-apikey")?.to_str().ok()?;
    Some(key.to_owned())
}

fn encode(shared: &Shared, address: IpAddr, outcome: Result<Answer, ApiError>) -> Response<Body> {
    let now = clock::now();
    let mut response = match &outcome {
        Ok(answer) => respond(StatusCode::OK, answer.body.to_string()),
        Err(refusal) => {
            let status = StatusCode::from_u16(refusal.status);
            respond(
                status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                refusal.body().to_string(),
            )
        }
    };
    let headers = response.headers_mut();
    let used = shared.weights.used(address, now);
    headers.insert("x-mbx-used-weight", used.into());
    headers.insert("x-mbx-used-weight-1m", used.into());
    match &outcome {
        Ok(Answer {
            order_counts: Some([ten_seconds, day]),
            ..
        }) => {
            headers.insert("x-mbx-order-count-10s", (*ten_seconds).into());
            headers.insert("x-mbx-order-count-1d", (*day).into());
        }
        Ok(_) => {}
        Err(refusal) => {
            if let Some(at) = refusal.retry_after_ms {
                let seconds = (at - now.as_millis()).max(0) / 1_000 + 1;
                headers.insert(header::RETRY_AFTER, seconds.into());
            }
        }
    }
    response
}

fn respond(status: StatusCode, body: String) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json;charset=UTF-8"),
    );
    response
}

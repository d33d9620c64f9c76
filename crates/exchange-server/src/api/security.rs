//! Who sent a request and whether it is fresh: API keys, HMAC signatures over the raw bytes, and
//! the receive window. What the caller may do with the account is decided elsewhere.

use super::{
    error::ApiError,
    params::{Params, hex_pair},
};
use hmac::{Hmac, Mac};
use ploy_domain::{Nanos, Timestamp};
use sha2::Sha256;

/// What an endpoint asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Security {
    /// Nothing; a key is ignored.
    None,
    /// Key, signature and timestamp.
    Signed,
}

/// How long before the start of 2017 and after now a timestamp is no timestamp at all.
const EARLIEST_MS: i64 = 1_483_228_800_000;
const FUTURE_MAX: Nanos = Nanos::from_secs(10);
const AHEAD_MAX: Nanos = Nanos::from_millis(1_000);
const WINDOW_DEFAULT: Nanos = Nanos::from_millis(5_000);
const WINDOW_MAX: Nanos = Nanos::from_millis(60_000);

/// The signed bytes of a REST request: both halves without `signature`, one after the other.
pub(crate) fn rest_payload(query: &str, body: &str) -> String {
    let mut payload = without_signature(query);
    payload.push_str(&without_signature(body));
    payload
}

fn without_signature(half: &str) -> String {
    let kept = half
        .split('&')
        .filter(|pair| !pair.starts_with("signature="));
    kept.collect::<Vec<_>>().join("&")
}

/// The signed text of a WebSocket API request: parameters sorted by name, not encoded.
pub(crate) fn socket_payload(params: &[(String, String)]) -> String {
    let mut pairs: Vec<_> = params
        .iter()
        .filter(|(name, _)| name != "signature")
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// Checks a hex HMAC-SHA-256, in either case, in constant time.
pub(crate) fn verify(secret: &str, payload: &str, signature: &str) -> Result<(), ApiError> {
    let bytes = signature.as_bytes();
    if bytes.len() != 64 {
        return Err(ApiError::signature());
    }
    let decoded: Option<Vec<u8>> = bytes.chunks(2).map(hex_pair).collect();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).map_err(|_| ApiError::signature())?;
    mac.update(payload.as_bytes());
    let expected = decoded.ok_or_else(ApiError::signature)?;
    mac.verify_slice(&expected)
        .map_err(|_| ApiError::signature())
}

/// The hex HMAC-SHA-256 of `payload`, as a client of this venue computes it.
#[must_use]
pub fn sign(secret: &str, payload: &str) -> String {
    // HMAC takes keys of any length, so the fallback is never taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(payload.as_bytes());
    let digest = mac.finalize().into_bytes();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The span in which a signed request is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Window {
    sent: Timestamp,
    length: Nanos,
}

impl Window {
    /// Reads `timestamp` and `recvWindow` and checks them on receipt.
    pub(crate) fn check(params: &Params, now: Timestamp) -> Result<Self, ApiError> {
        let sent = params
            .time("timestamp")?
            .ok_or_else(|| ApiError::missing("timestamp"))?;
        let window = Self {
            sent,
            length: receive_window(params)?,
        };
        if sent.as_millis() < EARLIEST_MS || sent > now.plus(FUTURE_MAX) {
            return Err(ApiError::illegal("timestamp", super::params::INTEGER_RANGE));
        }
        if sent >= now.plus(AHEAD_MAX) {
            return Err(ApiError::ahead_of_server());
        }
        window.recheck(now)?;
        Ok(window)
    }

    /// Checks again, just before the engine.
    pub(crate) fn recheck(&self, now: Timestamp) -> Result<(), ApiError> {
        if now - self.sent > self.length {
            return Err(ApiError::outside_window());
        }
        Ok(())
    }
}

/// `recvWindow` in milliseconds with up to three decimals.
fn receive_window(params: &Params) -> Result<Nanos, ApiError> {
    let Some(window) = params.decimal::<ploy_domain::Amount>("recvWindow")? else {
        return Ok(WINDOW_DEFAULT);
    };
    // 1e-8 ms is 1e-2 ns; values beyond the bound are refused before they could overflow.
    if window.raw() > WINDOW_MAX.as_millis() * ploy_domain::SCALE {
        return Err(ApiError::window_too_long());
    }
    Ok(Nanos::new(window.raw() / 100))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "an-example-secret-not-in-use";

    #[test]
    fn published_signatures_verify() {
        let venue = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j";
        let rows = [
            (
                venue,
                "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
                "",
                "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
            ),
            (
                SECRET,
                "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01000&price=25000.10&newClientOrderId=demo-1&recvWindow=5000&timestamp=1735689600123",
                "",
                "c25e75c7ac47ebef63f9ffd631960a423062a01bd39b88219435656359f33f06",
            ),
            (
                SECRET,
                "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC",
                "quantity=0.01000&price=25000.10&recvWindow=5000&timestamp=1735689600123",
                "968f57b37bd7d64501d4edc96cf5f39c1070b77a04e5303fcba41719179514c0",
            ),
            (
                SECRET,
                "symbol=%EF%BC%91%EF%BC%92&timestamp=1735689600123",
                "",
                "de9c96d5cb17943c3bee2782d8e7f4165d3a0b224878642a31274509e9ad32be",
            ),
        ];
        for (secret, query, body, expected) in rows {
            let payload = rest_payload(query, body);
            assert_eq!(sign(secret, &payload), expected);
            assert_eq!(verify(secret, &payload, expected), Ok(()));
            assert_eq!(verify(secret, &payload, &expected.to_uppercase()), Ok(()));
        }
    }

    #[test]
    fn published_socket_signatures_verify() {
        let pair = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let params = [
            ("symbol", "BTCUSDT"),
            ("side", "BUY"),
            ("type", "LIMIT"),
            ("timeInForce", "GTC"),
            ("price", "25000.10"),
            ("quantity", "0.01000"),
            ("newClientOrderId", "demo-1"),
            ("apiKey", "demo-key"),
            ("timestamp", "1735689600123"),
            ("returnRateLimits", "false"),
            ("signature", "cut out"),
        ];
        let payload = socket_payload(&params.map(pair));
        assert_eq!(
            sign(SECRET, &payload),
            "fe9b21ed2c4ac77e88e5961dac8ba5cf0de45fc5c461edfb7313e931891dc58e"
        );
        let subscribe = [("timestamp", "1735689600123"), ("apiKey", "demo-key")];
        assert_eq!(
            sign(SECRET, &socket_payload(&subscribe.map(pair))),
            "e116660daca595cef67ef5ecc39633b43a02e4b92d54536484d4ede02515b637"
        );
    }

    #[test]
    fn the_signature_is_cut_out_wherever_it_stands() {
        for query in [
            "signature=x&a=1&b=2",
            "a=1&signature=x&b=2",
            "a=1&b=2&signature=x",
        ] {
            assert_eq!(rest_payload(query, ""), "a=1&b=2");
        }
        assert_eq!(rest_payload("a=1", "b=2&signature=x"), "a=1b=2");
    }

    #[test]
    fn wrong_signatures_are_refused() {
        let good = sign(SECRET, "a=1");
        for bad in [sign("other", "a=1"), good[..62].to_owned(), "zz".repeat(32)] {
            assert_eq!(verify(SECRET, "a=1", &bad).unwrap_err().code, -1022);
        }
    }

    #[test]
    fn the_receive_window_has_two_edges() {
        let now = Timestamp::from_millis(1_735_689_600_000).unwrap();
        let check = |query: String| {
            let params = Params::parse(&query, "").unwrap();
            Window::check(&params, now).map_or_else(|refusal| refusal.code, |_| 0)
        };
        let at = |offset: i64| now.as_millis() + offset;
        assert_eq!(check(format!("timestamp={}", at(-5_000))), 0);
        assert_eq!(check(format!("timestamp={}", at(-5_001))), -1021);
        assert_eq!(check(format!("timestamp={}", at(999))), 0);
        assert_eq!(check(format!("timestamp={}", at(1_000))), -1021);
        assert_eq!(check(format!("timestamp={}", at(20_000))), -1100);
        assert_eq!(check("timestamp=1".to_owned()), -1100);
        assert_eq!(check(format!("timestamp={}000", at(0))), 0, "microseconds");
        assert_eq!(
            check(format!("timestamp={}&recvWindow=60000.001", at(0))),
            -1131
        );
        assert_eq!(check(format!("timestamp={}&recvWindow=0.5", at(-1))), -1021);
        assert_eq!(check("recvWindow=5000".to_owned()), -1102);
    }
}

//! Signatures: what exactly is signed, and the HMAC over it (binance-spot §3.2 and §17).

use crate::credentials::ApiSecret;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt::Write;

/// The parameters of a request in the order they are sent, percent-encoded.
#[derive(Debug, Clone, Default)]
pub(crate) struct Params(String);

impl Params {
    pub(crate) const fn new() -> Self {
        Self(String::new())
    }

    /// Adds a parameter.
    pub(crate) fn with(mut self, name: &str, value: impl std::fmt::Display) -> Self {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0.push_str(name);
        self.0.push('=');
        encode(&value.to_string(), &mut self.0);
        self
    }

    /// Adds the signature over all parameters so far; it must be the last one.
    pub(crate) fn signed(self, secret: &ApiSecret) -> Self {
        let signature = hmac_hex(secret, &self.0);
        self.with("signature", signature)
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The signature of a WebSocket API request: parameters sorted by name, not encoded.
pub(crate) fn sign_ws(secret: &ApiSecret, params: &[(&str, String)]) -> String {
    let mut sorted: Vec<_> = params.iter().collect();
    sorted.sort_by_key(|(name, _)| *name);
    let pairs: Vec<_> = sorted.iter().map(|(n, v)| format!("{n}={v}")).collect();
    hmac_hex(secret, &pairs.join("&"))
}

/// HMAC-SHA-256 in lower-case hexadecimal.
fn hmac_hex(secret: &ApiSecret, payload: &str) -> String {
    // HMAC takes a key of any length, so the empty signature is never sent.
    let digest = Hmac::<Sha256>::new_from_slice(secret.bytes()).map(|mut mac| {
        mac.update(payload.as_bytes());
        mac.finalize().into_bytes()
    });
    let mut hex = String::with_capacity(64);
    for byte in digest.iter().flatten() {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
fn encode(value: &str, out: &mut String) {
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(secret: &str, payload: &str, expected: &str) {
        assert_eq!(hmac_hex(&ApiSecret::new(secret.into()), payload), expected);
    }

    #[test]
    fn the_venues_own_vector_holds() {
        check(
            "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j",
            "symbol=LTCBTC&side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=0.1&recvWindow=5000&timestamp=1499827319559",
            "c8db56825ae71d6d79447849e617115f4a920fa2acdcab2b053c4b2838bd6b71",
        );
    }

    #[test]
    fn the_example_vectors_hold() {
        let secret = "an-example-secret-not-in-use";
        check(
            secret,
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01000&price=25000.10&newClientOrderId=demo-1&recvWindow=5000&timestamp=1735689600123",
            "c25e75c7ac47ebef63f9ffd631960a423062a01bd39b88219435656359f33f06",
        );
        check(
            secret,
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTCquantity=0.01000&price=25000.10&recvWindow=5000&timestamp=1735689600123",
            "968f57b37bd7d64501d4edc96cf5f39c1070b77a04e5303fcba41719179514c0",
        );
        check(
            secret,
            "symbol=%EF%BC%91%EF%BC%92&timestamp=1735689600123",
            "de9c96d5cb17943c3bee2782d8e7f4165d3a0b224878642a31274509e9ad32be",
        );
    }

    #[test]
    fn parameters_are_encoded_before_they_are_signed() {
        let params = Params::new()
            .with("symbol", "\u{ff11}\u{ff12}")
            .with("timestamp", 1_735_689_600_123_i64)
            .signed(&ApiSecret::new("an-example-secret-not-in-use".into()));
        assert_eq!(
            params.as_str(),
            "symbol=%EF%BC%91%EF%BC%92&timestamp=1735689600123&signature=de9c96d5cb17943c3bee2782d8e7f4165d3a0b224878642a31274509e9ad32be"
        );
    }

    #[test]
    fn websocket_parameters_are_sorted_and_not_encoded() {
        let secret = ApiSecret::new("an-example-secret-not-in-use".into());
        let subscribe = [("timestamp", "1735689600123"), ("apiKey", "demo-key")];
        let order = [
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
        ];
        let sign = |params: &[(&'static str, &str)]| {
            let owned: Vec<_> = params.iter().map(|(n, v)| (*n, (*v).to_owned())).collect();
            sign_ws(&secret, &owned)
        };
        assert_eq!(
            sign(&subscribe),
            "e116660daca595cef67ef5ecc39633b43a02e4b92d54536484d4ede02515b637"
        );
        assert_eq!(
            sign(&order),
            "fe9b21ed2c4ac77e88e5961dac8ba5cf0de45fc5c461edfb7313e931891dc58e"
        );
    }
}

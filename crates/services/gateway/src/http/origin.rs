//! Whether a request comes from a page of somebody else: a browser tells by `Origin` and `Host`.

use axum::http::{HeaderMap, Uri, header};

/// Whether a browser sent it from a page that the gateway did not serve (SEC-25).
pub(super) fn is_foreign(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else {
        return false;
    };
    let page = origin
        .to_str()
        .ok()
        .and_then(|text| text.parse::<Uri>().ok());
    let page = page.as_ref().and_then(Uri::authority).map(|a| a.as_str());
    page.is_none() || page != text(headers, header::HOST)
}

/// Whether it was sent to this machine by one of its own names. A page whose name was pointed at
/// this machine has another (DNS rebinding).
pub(super) fn is_to_loopback(headers: &HeaderMap) -> bool {
    let host = text(headers, header::HOST).and_then(|host| host.parse::<Uri>().ok());
    let host = host.as_ref().and_then(Uri::host).unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(header::HeaderName, &'static str)]) -> HeaderMap {
        let value = |text| header::HeaderValue::from_static(text);
        pairs
            .iter()
            .map(|(name, text)| (name.clone(), value(text)))
            .collect()
    }

    #[test]
    fn a_page_of_somebody_else_is_foreign() {
        let from = |origin| headers(&[(header::HOST, "localhost:8080"), (header::ORIGIN, origin)]);
        assert!(!is_foreign(&from("http://localhost:8080")));
        for foreign in ["http://evil.example", "http://localhost:9999", "null"] {
            assert!(is_foreign(&from(foreign)), "{foreign}");
        }
        assert!(!is_foreign(&headers(&[(header::HOST, "localhost:8080")])));
    }

    #[test]
    fn only_own_names_are_loopback() {
        for own in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080"] {
            assert!(is_to_loopback(&headers(&[(header::HOST, own)])), "{own}");
        }
        for other in ["evil.example", "127.0.0.1.evil.example:80", "10.0.0.1", ""] {
            assert!(
                !is_to_loopback(&headers(&[(header::HOST, other)])),
                "{other}"
            );
        }
    }
}

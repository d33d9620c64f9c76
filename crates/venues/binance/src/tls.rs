//! One TLS configuration for REST and streams: ring, TLS 1.2 and up, Mozilla's root certificates.
//! Explicit, so that a machine without a certificate store behaves like any other.

use rustls::{ClientConfig, RootCertStore, crypto::ring};
use std::sync::Arc;

/// The client's configuration; without ALPN, so HTTP stays at version 1.1.
pub(crate) fn client_config() -> Result<ClientConfig, rustls::Error> {
    let roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

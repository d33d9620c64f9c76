//! The key of an account: what may be seen of it, and what may not.

use std::fmt;
use zeroize::Zeroizing;

/// An API key and its HMAC secret.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The key, sent with every signed request.
    pub key: String,
    /// The secret, never sent.
    pub secret: ApiSecret,
}

/// A secret that does not print and is wiped when dropped (failure-model SEC-54).
#[derive(Clone)]
pub struct ApiSecret(Zeroizing<String>);

impl ApiSecret {
    /// Takes the secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret's bytes, for signing only.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Debug for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

impl fmt::Display for ApiSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_does_not_print() {
        let secret = ApiSecret::new("planted-secret".into());
        let key = "demo".into();
        let text = format!(
            "{secret} {secret:?} {:?}",
            Credentials {
                key,
                secret: secret.clone()
            }
        );
        assert!(!text.contains("planted"), "{text}");
    }
}

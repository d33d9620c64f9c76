//! Reads a store's URL: which database, where, and how it may be written in a message.

use crate::StoreError;
use std::path::PathBuf;

/// The database behind a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    /// A file (or memory, in tests) of this host.
    Sqlite,
    /// A server.
    Postgres,
}

/// Where the data is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// One connection's memory: gone with the store.
    Memory,
    File(PathBuf),
    Postgres(String),
}

impl Target {
    pub(crate) fn parse(url: &str) -> Result<Self, StoreError> {
        let invalid = |reason: &str| StoreError::Url {
            url: redacted(url),
            reason: reason.to_owned(),
        };
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Ok(Self::Postgres(url.to_owned()));
        }
        let Some(path) = url.strip_prefix("sqlite:") else {
            return Err(invalid(
                "expected sqlite:PATH or postgres://user@host/database",
            ));
        };
        let path = path.strip_prefix("//").unwrap_or(path);
        match path {
            ":memory:" => Ok(Self::Memory),
            "" => Err(invalid("names no file; write sqlite:PATH")),
            path if path.contains('?') => Err(invalid("takes no parameters after '?'")),
            path => Ok(Self::File(PathBuf::from(path))),
        }
    }

    pub(crate) const fn backend(&self) -> Backend {
        match self {
            Self::Memory | Self::File(_) => Backend::Sqlite,
            Self::Postgres(_) => Backend::Postgres,
        }
    }

    /// The URL as the driver wants it.
    pub(crate) fn driver_url(&self) -> String {
        match self {
            Self::Memory => "sqlite::memory:".to_owned(),
            Self::File(path) => {
                format!(
                    "sqlite:{}?mode=rwc",
                    percent_encoded(path.as_os_str().as_encoded_bytes())
                )
            }
            Self::Postgres(url) => url.clone(),
        }
    }

    /// The URL for people, without its password.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Memory => "sqlite::memory:".to_owned(),
            Self::File(path) => format!("sqlite:{}", path.display()),
            Self::Postgres(url) => redacted(url),
        }
    }
}

fn percent_encoded(path: &[u8]) -> String {
    let mut encoded = String::with_capacity(path.len());
    for &byte in path {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

/// `url` with the password replaced and parameters cut, since they may hold one too.
fn redacted(url: &str) -> String {
    let url = url.split('?').next().unwrap_or_default();
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let user = url[scheme + 3..at].split(':').next().unwrap_or_default();
            format!("{}{user}:***{}", &url[..scheme + 3], &url[at..])
        }
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_their_database() {
        assert_eq!(Target::parse("sqlite::memory:").unwrap(), Target::Memory);
        assert_eq!(
            Target::parse("sqlite:a/b.db").unwrap(),
            Target::File("a/b.db".into())
        );
        assert_eq!(
            Target::parse("sqlite:///a/b.db").unwrap(),
            Target::File("/a/b.db".into())
        );
        assert_eq!(
            Target::parse("postgres://h/d").unwrap().backend(),
            Backend::Postgres
        );
    }

    #[test]
    fn a_wrong_url_says_what_was_expected() {
        for url in [
            "mysql://u:geheim@h/d",
            "sqlite:",
            "/a/b.db",
            "sqlite:a.db?mode=ro",
        ] {
            let text = Target::parse(url).unwrap_err().to_string();
            assert!(!text.contains("geheim"), "{text}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let target = Target::parse("postgres://ploy:geheim@db:5432/ploy?password=x").unwrap();
        assert_eq!(target.shown(), "postgres://ploy:***@db:5432/ploy");
    }

    #[test]
    fn odd_file_names_reach_the_driver_whole() {
        let target = Target::parse("sqlite:/tmp/a b#c%.db").unwrap();
        assert_eq!(target.driver_url(), "sqlite:/tmp/a%20b%23c%25.db?mode=rwc");
    }
}

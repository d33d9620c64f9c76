//! A message: what it is about, a few headers, opaque bytes. Cheap to clone, never changed.

use crate::Subject;
use bytes::Bytes;
use std::sync::Arc;

type Entry = (Box<str>, Box<str>);

/// A small map of header texts, ordered by name. Cloning shares it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Option<Arc<Vec<Entry>>>);

impl Headers {
    /// No headers.
    #[must_use]
    pub const fn new() -> Self {
        Self(None)
    }

    /// These headers with `name` set to `value`.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let entries = Arc::make_mut(self.0.get_or_insert_default());
        match entries.binary_search_by(|(known, _)| (**known).cmp(name)) {
            Ok(at) => entries[at].1 = value.into(),
            Err(at) => entries.insert(at, (name.into(), value.into())),
        }
        self
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let entries = self.0.as_deref()?;
        let at = entries
            .binary_search_by(|(known, _)| (**known).cmp(name))
            .ok()?;
        Some(&entries[at].1)
    }

    /// All headers in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|entries| entries.iter())
            .map(|(name, value)| (&**name, &**value))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_deref().is_none_or(Vec::is_empty)
    }
}

impl<'a> FromIterator<(&'a str, &'a str)> for Headers {
    fn from_iter<I: IntoIterator<Item = (&'a str, &'a str)>>(headers: I) -> Self {
        headers
            .into_iter()
            .fold(Self::new(), |all, (name, value)| all.with(name, value))
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it is about.
    pub subject: Subject,
    /// Trace context and the like.
    pub headers: Headers,
    /// What `ploy-wire` made of the fact.
    pub payload: Bytes,
}

impl Message {
    /// A message without headers.
    #[must_use]
    pub fn new(subject: Subject, payload: impl Into<Bytes>) -> Self {
        Self {
            subject,
            headers: Headers::new(),
            payload: payload.into(),
        }
    }

    /// The bytes that count against size limits.
    pub(crate) fn size(&self) -> usize {
        let headers: usize = self
            .headers
            .iter()
            .map(|(n, v)| n.len() + v.len() + 4)
            .sum();
        headers + self.payload.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_ordered_and_replaced_by_name() {
        let headers = Headers::new().with("b", "1").with("a", "2").with("b", "3");
        assert_eq!(headers.iter().collect::<Vec<_>>(), [("a", "2"), ("b", "3")]);
        assert_eq!((headers.get("b"), headers.get("c")), (Some("3"), None));
    }

    #[test]
    fn changing_a_copy_leaves_the_original() {
        let original = Headers::new().with("a", "1");
        let changed = original.clone().with("a", "2");
        assert_eq!(
            (original.get("a"), changed.get("a")),
            (Some("1"), Some("2"))
        );
    }
}

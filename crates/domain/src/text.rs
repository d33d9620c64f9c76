//! Short text kept in place: identifiers are copied, compared and hashed without touching the heap.

use std::{borrow::Borrow, fmt, ops::Deref, str::FromStr};

/// Up to `N` bytes of identifier text matching `[A-Za-z0-9_.:-]`, never empty, stored inline.
///
/// The character set is the one that may travel into subjects, SQL, file names and metric labels
/// without escaping (failure-model SEC-27).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<const N: usize> {
    // The bytes come first so that the derived order is the order of the text.
    bytes: [u8; N],
    len: u8,
}

/// Why a text is not an identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// Nothing was given.
    #[error("is empty; expected 1 to {max} characters")]
    Empty {
        /// Longest allowed text, in bytes.
        max: usize,
    },
    /// More than the type can hold.
    #[error("'{value}' has {len} characters; at most {max} are allowed")]
    TooLong {
        /// The offending text.
        value: String,
        /// Its length in bytes.
        len: usize,
        /// Longest allowed text, in bytes.
        max: usize,
    },
    /// A character outside the allowed set.
    #[error(
        "'{value}' contains {character:?} at position {position}; allowed are A-Z a-z 0-9 _ . : -"
    )]
    Character {
        /// The offending text.
        value: String,
        /// The first character that is not allowed.
        character: char,
        /// Its byte position, from 0.
        position: usize,
    },
}

impl<const N: usize> Text<N> {
    /// Parses `value`.
    ///
    /// # Errors
    /// [`TextError`] when it is empty, longer than `N` bytes or holds another character.
    pub fn parse(value: &str) -> Result<Self, TextError> {
        if value.is_empty() {
            return Err(TextError::Empty { max: N });
        }
        if let Some((position, character)) = value.char_indices().find(|(_, c)| !is_allowed(*c)) {
            return Err(TextError::Character {
                value: value.to_owned(),
                character,
                position,
            });
        }
        if value.len() > N || value.len() > usize::from(u8::MAX) {
            return Err(TextError::TooLong {
                value: value.to_owned(),
                len: value.len(),
                max: N,
            });
        }
        let mut bytes = [0; N];
        bytes[..value.len()].copy_from_slice(value.as_bytes());
        let len = value.len() as u8;
        Ok(Self { bytes, len })
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Only ASCII gets in, so the fallback is never taken.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-')
}

impl<const N: usize> Deref for Text<N> {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl<const N: usize> Borrow<[u8]> for Text<N> {
    fn borrow(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

impl<const N: usize> FromStr for Text<N> {
    type Err = TextError;
    fn from_str(value: &str) -> Result<Self, TextError> {
        Self::parse(value)
    }
}

impl<const N: usize> fmt::Display for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl<const N: usize> fmt::Debug for Text<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_keeps_what_it_was_given() {
        let text: Text<8> = "BTC-1".parse().unwrap();
        assert_eq!(text.as_str(), "BTC-1");
        assert_eq!(text.to_string(), "BTC-1");
    }

    #[test]
    fn text_refuses_what_is_empty_long_or_foreign() {
        assert_eq!(Text::<4>::parse(""), Err(TextError::Empty { max: 4 }));
        assert!(matches!(
            Text::<4>::parse("ABCDE"),
            Err(TextError::TooLong { len: 5, max: 4, .. })
        ));
        assert!(matches!(
            Text::<4>::parse("A*"),
            Err(TextError::Character {
                character: '*',
                position: 1,
                ..
            })
        ));
    }

    #[test]
    fn text_orders_like_strings() {
        let parse = |s: &str| Text::<8>::parse(s).unwrap();
        assert!(parse("AB") < parse("ABC"));
        assert!(parse("ABC") < parse("B"));
    }
}

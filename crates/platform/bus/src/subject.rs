//! Names of what a message is about, and patterns over them, by the token rules of NATS.

use std::{borrow::Borrow, fmt, str::FromStr, sync::Arc};

/// The longest subject or pattern.
const LEN_MAX: usize = 255;

/// Why a text is no subject or pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{value}' is not a valid {what}: {reason}")]
pub struct SubjectError {
    /// The offending text.
    pub value: String,
    /// `subject` or `pattern`.
    pub what: &'static str,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// The concrete subject of a message: tokens separated by dots, no wildcards. Cheap to clone.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject(Arc<str>);

impl Subject {
    /// Parses a subject.
    ///
    /// # Errors
    /// [`SubjectError`] for empty tokens, wildcards, white space, control or non-ASCII characters,
    /// and more than 255 bytes.
    pub fn new(value: &str) -> Result<Self, SubjectError> {
        check_shape("subject", value)?;
        if value.split('.').any(|token| token.contains(['*', '>'])) {
            return Err(invalid("subject", value, "wildcards are for patterns"));
        }
        Ok(Self(value.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a subscriber wants: `*` stands for one token, `>` at the end for one or more.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pattern(Arc<str>);

impl Pattern {
    /// Parses a pattern. Every subject is one.
    ///
    /// # Errors
    /// [`SubjectError`] as for subjects, and for a wildcard that shares its token with other
    /// characters or a `>` that is not last.
    pub fn new(value: &str) -> Result<Self, SubjectError> {
        check_shape("pattern", value)?;
        let mut tokens = value.split('.').peekable();
        while let Some(token) = tokens.next() {
            if token == ">" && tokens.peek().is_some() {
                return Err(invalid("pattern", value, "'>' must be the last token"));
            }
            if token.len() > 1 && token.contains(['*', '>']) {
                return Err(invalid(
                    "pattern",
                    value,
                    "a wildcard is a token of its own",
                ));
            }
        }
        Ok(Self(value.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether `subject` is one that this pattern wants.
    #[must_use]
    pub fn matches(&self, subject: &Subject) -> bool {
        let mut tokens = subject.0.split('.');
        for wanted in self.0.split('.') {
            match (wanted, tokens.next()) {
                (">", Some(_)) => return true,
                ("*", Some(_)) => {}
                (wanted, Some(token)) if wanted == token => {}
                (_, Some(_) | None) => return false,
            }
        }
        tokens.next().is_none()
    }
}

impl From<Subject> for Pattern {
    fn from(subject: Subject) -> Self {
        Self(subject.0)
    }
}

fn invalid(what: &'static str, value: &str, reason: &'static str) -> SubjectError {
    SubjectError {
        value: value.chars().take(LEN_MAX).collect(),
        what,
        reason,
    }
}

fn check_shape(what: &'static str, value: &str) -> Result<(), SubjectError> {
    if value.len() > LEN_MAX {
        return Err(invalid(what, value, "longer than 255 bytes"));
    }
    if value.split('.').any(str::is_empty) {
        return Err(invalid(what, value, "a token is empty"));
    }
    if !value.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid(what, value, "only printable ASCII without spaces"));
    }
    Ok(())
}

macro_rules! text_impls {
    ($name:ident) => {
        impl FromStr for $name {
            type Err = SubjectError;
            fn from_str(value: &str) -> Result<Self, SubjectError> {
                Self::new(value)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }
    };
}

text_impls!(Subject);
text_impls!(Pattern);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_follow_the_token_rules() {
        for good in [
            "a",
            "ploy.md.sim.BTCUSDT.trade",
            "ploy.orders.acct-7",
            "$JS.API.INFO",
        ] {
            assert!(Subject::new(good).is_ok(), "{good}");
        }
        for bad in [
            "", ".", "a.", ".a", "a..b", "a b", "a.*", "a.>", "a\u{e9}", "a\n",
        ] {
            assert!(Subject::new(bad).is_err(), "{bad}");
        }
        assert!(Subject::new(&"a".repeat(256)).is_err());
    }

    #[test]
    fn patterns_follow_the_token_rules() {
        for good in ["*", ">", "a.*.c", "a.>", "a.b"] {
            assert!(Pattern::new(good).is_ok(), "{good}");
        }
        for bad in ["", "a.>.b", "a*", "*.b>", "a..>"] {
            assert!(Pattern::new(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn wildcards_match_whole_tokens() {
        let table = [
            ("a.b", "a.b", true),
            ("a.b", "a.c", false),
            ("a.*", "a.b", true),
            ("a.*", "a", false),
            ("a.*", "a.b.c", false),
            ("a.>", "a.b.c", true),
            ("a.>", "a", false),
            (">", "a", true),
            ("*.b", "a.b", true),
            ("ploy.orders.*", "ploy.orders.main.head", false),
        ];
        for (pattern, subject, expected) in table {
            let matched = Pattern::new(pattern)
                .unwrap()
                .matches(&Subject::new(subject).unwrap());
            assert_eq!(matched, expected, "{pattern} {subject}");
        }
    }
}

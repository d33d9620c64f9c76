//! The getters of [`Settings`]: a text becomes a value within its bounds, or a mistake.

use super::{Secret, Settings, duration, layers::FILE_SUFFIX};
use config::ValueKind;
use serde::de::DeserializeOwned;
use std::{fmt::Display, ops::RangeInclusive, str::FromStr, time::Duration};

impl Settings {
    /// The text of `key`, not empty.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let (_, value) = self.set_entry(key)?;
        match value.into_string() {
            Ok(text) if !text.is_empty() => Some(text),
            Ok(_) => self.refuse(key, "is empty"),
            Err(_) => self.refuse(key, "expected a text"),
        }
    }

    /// Anything that parses; `expected` says what would.
    pub fn parse<T: FromStr>(&mut self, key: &str, expected: &str) -> Option<T>
    where
        T::Err: Display,
    {
        match self.text(key)?.parse() {
            Ok(value) => Some(value),
            Err(error) => self.refuse(key, format!("expected {expected}: {error}")),
        }
    }

    /// `true` or `false`.
    pub fn flag(&mut self, key: &str) -> Option<bool> {
        match self.text(key)?.as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => self.refuse(key, "expected true or false"),
        }
    }

    /// A number within `bounds`.
    pub fn number<T>(&mut self, key: &str, bounds: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        match self.text(key)?.parse::<T>() {
            Ok(number) if bounds.contains(&number) => Some(number),
            _ => {
                let (low, high) = bounds.into_inner();
                self.refuse(key, format!("expected a number from {low} to {high}"))
            }
        }
    }

    /// A duration such as `250ms` within `bounds`.
    pub fn duration(&mut self, key: &str, bounds: RangeInclusive<Duration>) -> Option<Duration> {
        match duration::parse_duration(&self.text(key)?) {
            Some(duration) if bounds.contains(&duration) => Some(duration),
            _ => {
                let low = duration::format_duration(*bounds.start());
                let high = duration::format_duration(*bounds.end());
                self.refuse(key, format!("expected a duration from {low} to {high}"))
            }
        }
    }

    /// One of the named choices.
    pub fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        match choices.iter().find(|(name, _)| *name == text) {
            Some((_, value)) => Some(*value),
            None => {
                let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
                self.refuse(key, format!("expected one of {}", names.join(", ")))
            }
        }
    }

    /// A URL of one of the `schemes`: `memory:`, `nats://bus:4222`.
    pub fn url(&mut self, key: &str, schemes: &[&str]) -> Option<String> {
        let text = self.text(key)?;
        let known = text.split_once(':').is_some_and(|(scheme, rest)| {
            schemes.contains(&scheme) && (rest.is_empty() || rest.len() > 2)
        });
        if known && !text.contains(char::is_whitespace) {
            return Some(text);
        }
        let schemes: Vec<_> = schemes.iter().map(|scheme| format!("{scheme}:")).collect();
        self.refuse(key, format!("expected a URL with {}", schemes.join(" or ")))
    }

    /// A list of values that parse, as many as `count` allows; `expected` says of what.
    pub fn list<T: FromStr>(
        &mut self,
        key: &str,
        expected: &str,
        count: RangeInclusive<usize>,
    ) -> Option<Vec<T>> {
        let (_, value) = self.set_entry(key)?;
        let items = value.into_array().ok().and_then(|items| {
            let parsed = items.into_iter().map(|item| item.into_string().ok());
            parsed
                .map(|text| text?.parse().ok())
                .collect::<Option<Vec<T>>>()
        });
        match items {
            Some(items) if count.contains(&items.len()) => Some(items),
            _ => {
                let (low, high) = count.into_inner();
                self.refuse(
                    key,
                    format!("expected a list of {low} to {high} {expected}"),
                )
            }
        }
    }

    /// An open table or list, whose inside `T` describes. Let `T` deny unknown fields.
    pub fn section<T: DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let (_, value) = self.set_entry(key)?;
        match value.try_deserialize() {
            Ok(section) => Some(section),
            Err(error) => self.refuse(key, error.to_string()),
        }
    }

    /// What `read` makes of `key` if it has a value: `Some(None)` if it has none.
    pub fn optional<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        self.entry(key)?;
        if self.is_set(key) {
            read(self, key).map(Some)
        } else {
            Some(None)
        }
    }

    /// A secret, given itself or as the file named by `<key>_file`.
    pub fn secret(&mut self, key: &str) -> Option<Secret> {
        let file_key = format!("{key}{FILE_SUFFIX}");
        let path = self.entry(&file_key)?.value;
        match (self.entry(key)?.value, path) {
            (Some(_), Some(_)) => self.refuse(&file_key, format!("is given besides {key}")),
            (_, None) => self.text(key).map(Secret::new),
            (None, Some(path)) => match path.kind {
                ValueKind::String(path) => self.secret_in(&file_key, &path),
                _ => self.refuse(&file_key, "expected the path of a file"),
            },
        }
    }

    fn secret_in(&mut self, key: &str, path: &str) -> Option<Secret> {
        match std::fs::read_to_string(path) {
            Ok(text) if !text.trim_end().is_empty() => Some(Secret::new(text.trim_end())),
            Ok(_) => self.refuse(key, "names an empty file"),
            Err(error) => self.refuse(key, format!("cannot be read: {error}")),
        }
    }

    fn refuse<T>(&mut self, key: &str, problem: impl Into<String>) -> Option<T> {
        self.reject(key, problem);
        None
    }
}

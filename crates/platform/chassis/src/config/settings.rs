//! The reader of a configuration: remembers every mistake and gives a value only without one.

use super::{
    ConfigError, Mistake, Sources,
    layers::{Entry, Layers},
    print,
};
use std::collections::BTreeSet;

/// All values of a configuration, to be read by [`Settings::resolve`].
#[derive(Debug)]
pub struct Settings {
    pub(super) layers: Layers,
    read: BTreeSet<String>,
}

impl Settings {
    /// Puts the layers together. Mistakes are kept for [`Self::resolve`].
    #[must_use]
    pub fn load(defaults: &[&str], sources: &Sources) -> Self {
        Self {
            layers: Layers::load(defaults, sources),
            read: BTreeSet::new(),
        }
    }

    /// Reads the values. In `read` every getter answers `None` after noting a mistake, so call all
    /// of them first and unwrap with `?` at the end: then all mistakes come at once.
    ///
    /// # Errors
    /// [`ConfigError`] with every mistake found so far, those of the layers among them.
    pub fn resolve<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let value = read(self);
        let mut mistakes = self.layers.mistakes.clone();
        match value {
            Some(value) if mistakes.is_empty() => Ok(value),
            _ => {
                if mistakes.is_empty() {
                    mistakes.push(Mistake::of_key("configuration", "is incomplete"));
                }
                mistakes.sort_by(|a, b| a.key.cmp(&b.key));
                mistakes.dedup();
                Err(ConfigError { mistakes })
            }
        }
    }

    /// Notes that the value of `key` is not acceptable, for bounds that concern several keys.
    pub fn reject(&mut self, key: &str, problem: impl Into<String>) {
        let entry = self.layers.entries.get(key);
        let mut mistake = Mistake::of_key(key, problem);
        if let Some(entry) = entry {
            mistake = mistake.in_layer(&entry.layer);
            if let Some(value) = &entry.value {
                mistake = mistake.with_value(print::shown(value, entry.secret));
            }
        }
        self.layers.mistakes.push(mistake);
    }

    /// Whether `key` has a value.
    #[must_use]
    pub fn is_set(&self, key: &str) -> bool {
        let has = |key: &str| {
            let entry = self.layers.entries.get(key);
            entry.is_some_and(|entry| entry.value.is_some())
        };
        has(key) || has(&format!("{key}{}", super::layers::FILE_SUFFIX))
    }

    /// Declared keys that nobody has read: a service's test expects none in its section.
    #[must_use]
    pub fn unread(&self) -> Vec<&str> {
        let keys = self.layers.entries.keys().map(String::as_str);
        keys.filter(|key| !self.read.contains(*key)).collect()
    }

    /// The configuration in force, one key a line with its layer; secrets are masked.
    #[must_use]
    pub fn print(&self) -> String {
        print::render(&self.layers.entries)
    }

    /// The entry of a key that has to be declared.
    pub(super) fn entry(&mut self, key: &str) -> Option<Entry> {
        self.read.insert(key.to_owned());
        let entry = self.layers.entries.get(key).cloned();
        if entry.is_none() {
            self.reject(key, "is read but not declared in the defaults");
        }
        entry
    }

    /// The entry of a key that has to have a value.
    pub(super) fn set_entry(&mut self, key: &str) -> Option<(Entry, config::Value)> {
        let entry = self.entry(key)?;
        match entry.value.clone() {
            Some(value) => Some((entry, value)),
            None => {
                let variable = key.to_ascii_uppercase().replace('.', "__");
                self.reject(
                    key,
                    format!("is missing; set it in the file or as PLOY_{variable}"),
                );
                None
            }
        }
    }
}

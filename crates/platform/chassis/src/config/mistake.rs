//! A mistake in the configuration, written so that its reader can repair it without asking.

use std::{fmt, path::PathBuf};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layer {
    /// The defaults in the program.
    Default,
    /// This file.
    File(PathBuf),
    /// This environment variable.
    Environment(String),
    /// This option of the command line.
    Option(String),
}

impl fmt::Display for Layer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => write!(f, "file {}", path.display()),
            Self::Environment(name) => write!(f, "environment {name}"),
            Self::Option(name) => write!(f, "option {name}"),
        }
    }
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// The key, as a path: `bus.url`. The file's name when it cannot be read at all.
    pub key: String,
    /// The value as shown to people; `None` when there is none. Secrets are masked.
    pub value: Option<String>,
    /// Where it came from.
    pub layer: Option<Layer>,
    /// What is wrong and what would be right.
    pub problem: String,
}

impl Mistake {
    pub(super) fn of_key(key: &str, problem: impl Into<String>) -> Self {
        Self {
            key: key.to_owned(),
            value: None,
            layer: None,
            problem: problem.into(),
        }
    }

    pub(super) fn in_layer(mut self, layer: &Layer) -> Self {
        self.layer = Some(layer.clone());
        self
    }

    pub(super) fn with_value(mut self, value: impl Into<String>) -> Self {
        self.value = Some(value.into());
        self
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.key)?;
        if let Some(value) = &self.value {
            write!(f, " = {value}")?;
        }
        if let Some(layer) = &self.layer {
            write!(f, " ({layer})")?;
        }
        write!(f, ": {}", self.problem)
    }
}

/// Everything that is wrong with the configuration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// The mistakes, one at least.
    pub mistakes: Vec<Mistake>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.mistakes.len();
        let plural = if count == 1 { "" } else { "s" };
        write!(f, "{count} mistake{plural} in the configuration")?;
        self.mistakes
            .iter()
            .try_for_each(|mistake| write!(f, "\n  {mistake}"))
    }
}

//! Where the layers above the defaults come from. The only reader of the process's environment.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// The beginning of every variable that is ours.
pub(super) const PREFIX: &str = "PLOY_";
/// Names the file when the command line does not.
pub(super) const FILE_VARIABLE: &str = "PLOY_CONFIG";

/// Ours too, but read by the commands that talk to a running gateway: no configuration.
const CLIENT_VARIABLES: [&str; 2] = ["PLOY_URL", "PLOY_TOKEN"];

/// The sources of one load.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    pub(super) file: Option<PathBuf>,
    pub(super) variables: BTreeMap<String, OsString>,
    pub(super) options: Vec<ByOption>,
}

/// A key set by an option of the command line.
#[derive(Debug, Clone)]
pub(super) struct ByOption {
    pub(super) key: String,
    pub(super) value: String,
    pub(super) option: String,
}

impl Sources {
    /// The defaults alone.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The process's environment and `file`; without one, the file that `PLOY_CONFIG` names.
    #[must_use]
    pub fn of_process(file: Option<&Path>) -> Self {
        let variables: BTreeMap<String, OsString> = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .filter(|(name, _)| !CLIENT_VARIABLES.contains(&name.as_str()))
            .collect();
        let named = variables.get(FILE_VARIABLE).map(PathBuf::from);
        Self {
            file: file.map(Path::to_path_buf).or(named),
            variables,
            options: Vec::new(),
        }
    }

    /// With this file.
    #[must_use]
    pub fn with_file(mut self, file: impl Into<PathBuf>) -> Self {
        self.file = Some(file.into());
        self
    }

    /// With this environment variable.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.into());
        self
    }

    /// With `key` set by an option of the command line, the last word.
    #[must_use]
    pub fn with_option(mut self, option: &str, key: &str, value: impl Into<String>) -> Self {
        self.options.push(ByOption {
            key: key.to_owned(),
            value: value.into(),
            option: option.to_owned(),
        });
        self
    }
}

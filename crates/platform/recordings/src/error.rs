//! What can be wrong with a recording, always with the place.

use std::{io, path::PathBuf};

/// A value that does not say what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}:{line}: column {column} must be {expected}, was '{value}'", path.display())]
pub struct Malformed {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; for JSON the element, from 1.
    pub line: u64,
    /// The column as the file calls it.
    pub column: String,
    /// What is written there.
    pub value: String,
    /// What should be written there.
    pub expected: String,
}

/// Why a recording cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be read.
    #[error("{} cannot be read at line {line}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The line that was being read, from 1.
        line: u64,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line makes no sense.
    #[error(transparent)]
    Malformed(Box<Malformed>),
    /// There is no data in the file.
    #[error("{} holds no data", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The first line fits no known format.
    #[error("{} is in no known format: {reason}", path.display())]
    UnknownFormat {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        reason: String,
    },
    /// The header lacks a column.
    #[error("{} has no column for {wanted}; its columns are {have}", path.display())]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// What was looked for.
        wanted: String,
        /// What there is.
        have: String,
    },
    /// The length of the bars cannot be seen in the data.
    #[error("{} does not show how long its bars are; say so with an interval", path.display())]
    NoInterval {
        /// The file.
        path: PathBuf,
    },
    /// The file holds trades, and bars were wanted.
    #[error("{} holds trades, not bars", path.display())]
    NotBars {
        /// The file.
        path: PathBuf,
    },
}

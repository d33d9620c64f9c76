//! The directory that one running platform owns: made, locked against a second one, and emptied
//! when asked.

use anyhow::{Context as _, bail};
use std::{
    fs::{self, File, OpenOptions, TryLockError},
    path::{Path, PathBuf},
};

/// Marks a directory as ours; nothing without it is ever deleted.
const MARKER: &str = "ploy.lock";

/// A data directory, locked while this lives.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    _lock: File,
}

impl DataDir {
    /// Takes the directory for this process.
    pub(crate) fn take(path: &Path, clean: bool) -> anyhow::Result<Self> {
        if clean {
            Self::empty(path)?;
        }
        fs::create_dir_all(path).with_context(|| {
            format!(
                "data directory {} cannot be made; choose one with --data-dir",
                path.display()
            )
        })?;
        let lock = Self::lock(path)?;
        Ok(Self {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// A file in it.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    fn lock(path: &Path) -> anyhow::Result<File> {
        let marker = path.join(MARKER);
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&marker);
        let file = file.with_context(|| format!("{} cannot be opened", marker.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => bail!(
                "another ploy runs on {}; stop it, or choose another directory with --data-dir",
                path.display()
            ),
            Err(TryLockError::Error(error)) => {
                Err(error).with_context(|| format!("{} cannot be locked", marker.display()))
            }
        }
    }

    fn empty(path: &Path) -> anyhow::Result<()> {
        if !path.exists() {
            return Ok(());
        }
        if !path.join(MARKER).exists() {
            bail!(
                "--clean refuses to delete {}: it is not a data directory of ploy (no {MARKER})",
                path.display()
            );
        }
        // Locked first: a running platform's data are not pulled away under it.
        drop(Self::lock(path)?);
        fs::remove_dir_all(path).with_context(|| format!("{} cannot be emptied", path.display()))
    }
}

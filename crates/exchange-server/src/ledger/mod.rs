//! The exchange's own append-only book of everything it received and did: the oracle of fault
//! tests, and what a restart is rebuilt from.
//!
//! Durability: each batch of commands is written before any of them is answered, so a killed
//! process loses nothing that a client was told. `fdatasync` follows once a second; a power cut
//! may take the last second.

mod record;

pub use record::{Accepted, Entry, Filled, OrderKey, Received, Record};

use ploy_domain::Timestamp;
use std::{
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// The file name of the ledger in the data directory.
pub const FILE_NAME: &str = "ledger.jsonl";

/// Why the ledger cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The file cannot be opened, read or written.
    #[error("cannot {action} the exchange's ledger {path}")]
    Io {
        /// `open`, `read`, `write` or `lock`.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// A line that is no record, before the end of the file.
    #[error("line {line} of the exchange's ledger {path} is not a record")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        source: serde_json::Error,
    },
    /// Records are missing or doubled.
    #[error("line {line} of the exchange's ledger {path} has sequence {was}, expected {expected}")]
    Sequence {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// The sequence found.
        was: u64,
        /// The sequence that should be there.
        expected: u64,
    },
}

fn io_error(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> LedgerError + use<> {
    let path = path.to_owned();
    move |source| LedgerError::Io {
        action,
        path,
        source,
    }
}

/// Reads all records of a ledger, also while the exchange writes it. A last line without its end
/// was never answered to anybody and is left out. A file that does not exist holds no records.
///
/// # Errors
/// [`LedgerError`] for a file that cannot be read or whose records are damaged.
pub fn read(path: &Path) -> Result<Vec<Record>, LedgerError> {
    let mut records = Vec::new();
    scan(path, |record| records.push(record))?;
    Ok(records)
}

/// Hands each record to `each` and answers the length of the intact part, in bytes.
pub(crate) fn scan(path: &Path, mut each: impl FnMut(Record)) -> Result<u64, LedgerError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(io_error("open", path)(error)),
    };
    let mut reader = BufReader::with_capacity(1 << 16, file);
    let (mut text, mut line, mut intact) = (Vec::new(), 0, 0);
    loop {
        text.clear();
        let length = reader
            .read_until(b'\n', &mut text)
            .map_err(io_error("read", path))?;
        if text.last() != Some(&b'\n') {
            return Ok(intact);
        }
        line += 1;
        intact += length as u64;
        each(parse(path, &text, line)?);
    }
}

fn parse(path: &Path, text: &[u8], line: usize) -> Result<Record, LedgerError> {
    let record: Record = serde_json::from_slice(text).map_err(|source| LedgerError::Malformed {
        path: path.to_owned(),
        line,
        source,
    })?;
    let expected = line as u64;
    if record.seq != expected {
        return Err(LedgerError::Sequence {
            path: path.to_owned(),
            line,
            was: record.seq,
            expected,
        });
    }
    Ok(record)
}

/// The writing end. One process owns it at a time, which a lock on the file enforces.
#[derive(Debug)]
pub(crate) struct Ledger {
    path: PathBuf,
    file: File,
    buffer: Vec<u8>,
    seq: u64,
    unsynced: bool,
}

impl Ledger {
    /// Opens the ledger in `dir`, hands its records to `each` and cuts off a torn last line.
    pub(crate) fn open(dir: &Path, mut each: impl FnMut(Record)) -> Result<Self, LedgerError> {
        let path = dir.join(FILE_NAME);
        std::fs::create_dir_all(dir).map_err(io_error("open", &path))?;
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(io_error("open", &path))?;
        file.try_lock()
            .map_err(|error| io_error("lock", &path)(error.into()))?;
        let mut seq = 0;
        let intact = scan(&path, |record| {
            seq = record.seq;
            each(record);
        })?;
        file.set_len(intact)
            .and_then(|()| file.seek(SeekFrom::End(0)))
            .map_err(io_error("write", &path))?;
        Ok(Self {
            path,
            file,
            buffer: Vec::new(),
            seq,
            unsynced: false,
        })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Adds a record to the batch and answers its sequence.
    pub(crate) fn append(&mut self, at: Timestamp, entry: Entry) -> u64 {
        self.seq += 1;
        let record = Record {
            seq: self.seq,
            at: at.as_nanos(),
            entry,
        };
        // Writing plain data into memory cannot fail.
        if serde_json::to_writer(&mut self.buffer, &record).is_ok() {
            self.buffer.push(b'\n');
        }
        self.seq
    }

    /// Writes the batch.
    pub(crate) fn flush(&mut self) -> Result<(), LedgerError> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        self.file
            .write_all(&self.buffer)
            .map_err(io_error("write", &self.path))?;
        self.buffer.clear();
        self.unsynced = true;
        Ok(())
    }

    /// A handle to make what was written durable, if there is anything new.
    pub(crate) fn sync_handle(&mut self) -> Option<File> {
        if !std::mem::take(&mut self.unsynced) {
            return None;
        }
        self.file.try_clone().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let dir = std::env::temp_dir().join(format!("ploy-ledger-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        dir
    }

    fn opened() -> Entry {
        Entry::Opened {
            version: "test".to_owned(),
        }
    }

    #[test]
    fn what_was_flushed_is_read_back_and_a_torn_line_is_cut_off() {
        let dir = scratch("torn");
        let path = dir.join(FILE_NAME);
        let mut ledger = Ledger::open(&dir, |_| panic!("a new ledger is empty")).unwrap();
        ledger.append(Timestamp::EPOCH, opened());
        ledger.flush().unwrap();
        ledger.file.write_all(b"{\"seq\":2,\"at\"").unwrap();
        drop(ledger);
        assert_eq!(read(&path).unwrap().len(), 1);

        let mut seen = 0;
        let mut ledger = Ledger::open(&dir, |_| seen += 1).unwrap();
        assert_eq!(ledger.append(Timestamp::EPOCH, opened()), 2);
        ledger.flush().unwrap();
        assert_eq!((seen, read(&path).unwrap().len()), (1, 2));
    }

    #[test]
    fn damage_in_the_middle_is_an_error_that_names_the_line() {
        let dir = scratch("damage");
        let path = dir.join(FILE_NAME);
        let mut ledger = Ledger::open(&dir, |_| ()).unwrap();
        for _ in 0..3 {
            ledger.append(Timestamp::EPOCH, opened());
        }
        ledger.flush().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text.replacen("\"seq\":2", "\"seq\":x", 1)).unwrap();
        assert!(matches!(
            read(&path),
            Err(LedgerError::Malformed { line: 2, .. })
        ));
        std::fs::write(&path, text.replacen("\"seq\":2", "\"seq\":9", 1)).unwrap();
        let error = read(&path).unwrap_err();
        assert!(matches!(
            error,
            LedgerError::Sequence {
                line: 2,
                was: 9,
                expected: 2,
                ..
            }
        ));
    }

    #[test]
    fn a_second_owner_is_refused() {
        let dir = scratch("lock");
        let _first = Ledger::open(&dir, |_| ()).unwrap();
        assert!(matches!(
            Ledger::open(&dir, |_| ()),
            Err(LedgerError::Io { action: "lock", .. })
        ));
    }
}

//! Files of tests: written into a directory of their own, or found among the recorded markets.

use flate2::{Compression, write::GzEncoder};
use ploy_recordings::{Options, Recording, RecordingError};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

/// A file that is removed when the test ends.
#[derive(Debug)]
pub(crate) struct TestFile(pub(crate) PathBuf);

impl TestFile {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ploy-recording-{}-{number}.csv", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for TestFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

pub(crate) fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn options() -> Options {
    Options::new("BTCUSDT.SIM".parse().unwrap())
}

/// Opens a file with this content.
pub(crate) fn open(text: &str, options: &Options) -> Result<(TestFile, Recording), RecordingError> {
    let file = TestFile::new(text.as_bytes());
    let recording = Recording::open(&file.0, options)?;
    Ok((file, recording))
}

/// A folder of recorded markets, where they are at hand: named by `PLOY_MARKET_DATA`, or
/// `shared/data` beside one of the folders above this crate.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told where recorded markets lie"
)]
pub(crate) fn recorded(folder: &str) -> Option<PathBuf> {
    let named = std::env::var("PLOY_MARKET_DATA").ok().map(PathBuf::from);
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    named
        .into_iter()
        .chain(above.map(|path| path.join("shared/data")))
        .map(|root| root.join(folder))
        .find(|path| path.is_dir())
}

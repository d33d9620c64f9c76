//! Where recorded order flow lies, and the synthetic stand-in when there is none.

use std::{
    io::Read,
    path::{Path, PathBuf},
};

/// The folder of a recording.
pub(crate) struct Recording {
    folder: PathBuf,
}

/// The recording `name` below `PLOY_MARKET_DATA`, or below a `shared/data` beside or above the
/// workspace, or else the synthetic one of this crate. Prints which.
pub(crate) fn find(name: &str) -> Recording {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    #[expect(
        clippy::disallowed_methods,
        reason = "a test of the outside may look where the recorded data is"
    )]
    let named = std::env::var("PLOY_MARKET_DATA").ok().map(PathBuf::from);
    let beside = here.ancestors().map(|folder| folder.join("shared/data"));
    let found = named
        .into_iter()
        .chain(beside)
        .map(|data| data.join(name))
        .find(|folder| folder.is_dir());
    let kind = found.as_ref().map_or("synthetic", |_| "recorded");
    let folder = found.unwrap_or_else(|| here.join("tests/data").join(name));
    println!("{name}: {kind} data in {}", folder.display());
    Recording { folder }
}

impl Recording {
    /// The lines of the gzipped file whose name holds `part`.
    pub(crate) fn lines(&self, part: &str) -> Vec<String> {
        let path = std::fs::read_dir(&self.folder)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .find(|path| {
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                name.contains(part) && name.ends_with(".csv.gz")
            })
            .unwrap_or_else(|| panic!("no *{part}*.csv.gz in {}", self.folder.display()));
        let packed = std::fs::read(path).unwrap();
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(packed.as_slice())
            .read_to_string(&mut text)
            .unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

//! The lines of a file, plain or gzipped, through one buffer of bounded size.

use flate2::bufread::MultiGzDecoder;
use std::{
    fmt,
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

/// What is read at once.
const BLOCK: usize = 256 * 1024;
/// Longest line that is accepted.
const LINE_MAX: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

/// Opens a file, decompressing it if its first bytes say so.
pub(crate) fn open(path: &Path) -> io::Result<Box<dyn Read + Send>> {
    let mut file = File::open(path)?;
    let mut magic = Vec::with_capacity(GZIP_MAGIC.len());
    Read::by_ref(&mut file)
        .take(GZIP_MAGIC.len() as u64)
        .read_to_end(&mut magic)?;
    let compressed = magic == GZIP_MAGIC;
    let whole = io::Cursor::new(magic).chain(file);
    Ok(if compressed {
        Box::new(MultiGzDecoder::new(BufReader::with_capacity(BLOCK, whole)))
    } else {
        Box::new(whole)
    })
}

/// The first line that is not blank, or the first 64 KiB of a file without lines.
pub(crate) fn first_line(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let mut head = Vec::with_capacity(LINE_MAX);
    open(path)?.take(LINE_MAX as u64).read_to_end(&mut head)?;
    let lines = head.split(|byte| *byte == b'\n');
    let mut lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    Ok(lines.find(|line| !line.is_empty()).map(<[u8]>::to_vec))
}

/// A reader of lines. Both `\n` and `\r\n` end a line.
pub(crate) struct Lines {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    finished: bool,
    number: u64,
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

impl Lines {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(open(path)?))
    }

    pub(crate) fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source,
            buffer: vec![0; BLOCK + LINE_MAX],
            start: 0,
            end: 0,
            finished: false,
            number: 0,
        }
    }

    /// The number of the line read last, from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// The next line that is not blank, without its end.
    pub(crate) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            let Some((from, to)) = self.bounds()? else {
                return Ok(None);
            };
            self.number += 1;
            if from < to {
                return Ok(self.buffer.get(from..to));
            }
        }
    }

    /// Where the next line lies in the buffer.
    fn bounds(&mut self) -> io::Result<Option<(usize, usize)>> {
        loop {
            let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
            let from = self.start;
            let to = match memchr::memchr(b'\n', rest) {
                Some(at) => from + at,
                None if self.finished && rest.is_empty() => return Ok(None),
                None if self.finished => self.end,
                None => {
                    self.refill()?;
                    continue;
                }
            };
            self.start = (to + 1).min(self.end);
            let carriage_return = to > from && self.buffer.get(to - 1) == Some(&b'\r');
            return Ok(Some((from, to - usize::from(carriage_return))));
        }
    }

    fn refill(&mut self) -> io::Result<()> {
        if self.end - self.start > LINE_MAX {
            let message = format!("a line is longer than {LINE_MAX} bytes");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        let room = self.buffer.get_mut(self.end..).unwrap_or_default();
        match self.source.read(room) {
            Ok(0) => self.finished = true,
            Ok(read) => self.end += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Vec<(u64, String)> {
        let mut lines = Lines::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())));
        let mut read = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            let line = String::from_utf8(line.to_vec()).unwrap();
            read.push((lines.number(), line));
        }
        read
    }

    #[test]
    fn blank_lines_count_but_are_not_read() {
        let expected = [(1, "a".to_owned()), (3, "b".to_owned())];
        assert_eq!(read("a\r\n\r\nb"), expected);
        assert_eq!(read("a\n\nb\n"), expected);
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let endless = io::repeat(b'x');
        let error = Lines::new(Box::new(endless)).next().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }

    proptest! {
        #[test]
        fn lines_survive_any_block_boundary(lengths in proptest::collection::vec(1usize..5_000, 1..200)) {
            let wanted: Vec<String> = lengths.iter().map(|n| "x".repeat(*n)).collect();
            let got: Vec<String> = read(&wanted.join("\n")).into_iter().map(|(_, l)| l).collect();
            prop_assert_eq!(got, wanted);
        }
    }
}

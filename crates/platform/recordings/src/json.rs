//! A JSON list of trades, element by element, without holding more than one of them.
//!
//! An element is an array `[time, id, type, side, price, amount, …]` as freqtrade stores it, or an
//! object with `timestamp`, `id`, `side`, `price` and `amount` as ccxt makes it. Numbers are taken
//! from the text as it stands, never through floats.

use crate::{
    clock::UtcOffset,
    field::{Slot, Values, unquoted},
    layout::{Fault, Layout},
    lines,
};
use std::{
    fmt,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

/// Longest element that is accepted.
const ELEMENT_MAX: usize = 64 * 1024;
/// Where an array has the values that an object has under these names.
const ARRAY: [(&str, usize); 5] = [
    ("timestamp", 0),
    ("id", 1),
    ("side", 3),
    ("price", 4),
    ("amount", 5),
];

/// The elements of a list.
pub(crate) struct Elements {
    source: BufReader<Box<dyn Read + Send>>,
    element: Vec<u8>,
    number: u64,
    finished: bool,
}

impl fmt::Debug for Elements {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Elements")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// Follows nesting and quotation marks.
#[derive(Debug, Default)]
struct Nesting {
    depth: usize,
    in_text: bool,
    escaped: bool,
}

impl Nesting {
    fn step(&mut self, byte: u8) {
        if self.in_text {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_text = true,
            b'[' | b'{' => self.depth += 1,
            b']' | b'}' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}

impl Elements {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::new(lines::open(path)?))
    }

    fn new(source: Box<dyn Read + Send>) -> Self {
        Self {
            source: BufReader::with_capacity(64 * 1024, source),
            element: Vec::with_capacity(1024),
            number: 0,
            finished: false,
        }
    }

    /// The number of the element read last, from 1.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    /// The next element and its number.
    pub(crate) fn next(&mut self) -> io::Result<Option<(u64, Element<'_>)>> {
        if self.number == 0 && self.significant()? != Some(b'[') {
            return Err(broken("a list of trades begins with ["));
        }
        self.number += 1;
        match self.significant()? {
            _ if self.finished => return Ok(None),
            Some(b']') => {
                self.finished = true;
                return match self.significant()? {
                    None => Ok(None),
                    Some(_) => Err(broken("something follows the end of the list")),
                };
            }
            Some(b',') if self.number > 1 => {
                let first = self.significant()?;
                self.collect(first)?;
            }
            first if self.number == 1 => self.collect(first)?,
            Some(_) | None => return Err(broken("the list is cut off or lacks a comma")),
        }
        Ok(Some((self.number, Element(&self.element))))
    }

    /// The next byte that is no blank.
    fn significant(&mut self) -> io::Result<Option<u8>> {
        loop {
            let Some(byte) = self.source.fill_buf()?.first().copied() else {
                return Ok(None);
            };
            self.source.consume(1);
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
        }
    }

    /// Collects the element that begins with `first`.
    fn collect(&mut self, first: Option<u8>) -> io::Result<()> {
        let Some(first @ (b'[' | b'{')) = first else {
            return Err(broken("a trade is an array or an object"));
        };
        let mut nesting = Nesting::default();
        nesting.step(first);
        self.element.clear();
        self.element.push(first);
        while nesting.depth > 0 {
            let block = self.source.fill_buf()?;
            if block.is_empty() {
                return Err(broken("the list is cut off"));
            }
            let mut used = 0;
            for byte in block {
                nesting.step(*byte);
                used += 1;
                if nesting.depth == 0 {
                    break;
                }
            }
            self.element.extend_from_slice(&block[..used]);
            self.source.consume(used);
            if self.element.len() > ELEMENT_MAX {
                return Err(broken("a trade is longer than 65536 bytes"));
            }
        }
        Ok(())
    }
}

fn broken(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.to_owned())
}

/// One element with its brackets.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Element<'a>(&'a [u8]);

impl<'a> Element<'a> {
    /// Reads every column of the layout.
    pub(crate) fn read(
        &self,
        layout: &Layout,
        local: UtcOffset,
        values: &mut Values,
    ) -> Result<(), Fault> {
        for field in &layout.fields {
            let text = self.value(&field.name);
            let fault = || Fault {
                column: field.name.clone(),
                value: String::from_utf8_lossy(text.unwrap_or_default()).into_owned(),
                expected: field.parse.expected().to_owned(),
            };
            let value = text.and_then(|text| field.parse.read_text(unquoted(text), local));
            values.set(field.slot, value.ok_or_else(fault)?);
        }
        Ok(())
    }

    /// The text of the value that goes to `slot`.
    pub(crate) fn text_of(&self, layout: &Layout, slot: Slot) -> String {
        let field = layout.fields.iter().find(|field| field.slot == slot);
        let text = field.and_then(|field| self.value(&field.name));
        String::from_utf8_lossy(text.unwrap_or_default()).into_owned()
    }

    fn value(&self, name: &str) -> Option<&'a [u8]> {
        if self.0.first() == Some(&b'[') {
            let (_, place) = ARRAY.iter().find(|(known, _)| *known == name)?;
            return self.parts().nth(*place);
        }
        self.parts().find_map(|part| {
            let (key, value) = part.split_at_checked(part.iter().position(|b| *b == b':')?)?;
            (unquoted(key) == name.as_bytes()).then(|| value.get(1..))?
        })
    }

    /// What stands between the commas of the outermost level.
    fn parts(&self) -> impl Iterator<Item = &'a [u8]> {
        let inner = self.0.get(1..self.0.len().saturating_sub(1));
        let mut nesting = Nesting::default();
        inner.unwrap_or_default().split(move |byte| {
            nesting.step(*byte);
            *byte == b',' && nesting.depth == 0 && !nesting.in_text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(i64, i64, i64)>, String> {
        let mut elements = Elements::new(Box::new(io::Cursor::new(text.as_bytes().to_vec())));
        let (layout, mut values, mut read) = (Layout::json(), Values::default(), Vec::new());
        while let Some((_, element)) = elements.next().map_err(|error| error.to_string())? {
            let fault = element.read(&layout, UtcOffset::UTC, &mut values).err();
            if let Some(fault) = fault {
                return Err(format!("{} {}", fault.column, fault.value));
            }
            read.push((
                values.get(Slot::Id),
                values.get(Slot::Price),
                values.get(Slot::Seller),
            ));
        }
        Ok(read)
    }

    #[test]
    fn arrays_and_objects_are_trades() {
        let array = r#"[[1570752011620,"7",null,"sell",2e-05,23.0,0.1]]"#;
        assert_eq!(read(array), Ok(vec![(7, 2_000, 1)]));
        let object = r#"[ {"info":{"id":1,"a":"},"},"timestamp":1570752011620, "id":"8","side":"buy",
                          "price":0.5,"amount":1} ]"#;
        assert_eq!(read(object), Ok(vec![(8, 50_000_000, 0)]));
        assert_eq!(read(" [ ] "), Ok(vec![]));
    }

    #[test]
    fn what_is_broken_is_said() {
        let wrong = |text| read(text).unwrap_err();
        assert_eq!(wrong("{}"), "a list of trades begins with [");
        assert_eq!(wrong("[[1570752011620"), "the list is cut off");
        assert_eq!(
            wrong(r#"[[1570752011620,"7",null,"sell",0.5,1.0]"#),
            "the list is cut off or lacks a comma"
        );
        assert_eq!(
            wrong(r#"[[1570752011620,"7",null,"sell",-1,1.0]]"#),
            "price -1"
        );
        assert_eq!(wrong(r#"[[1570752011620,"7"]]"#), "side ");
    }
}

//! Puts the layers on top of each other: which keys exist, which value each has, and from where.

use super::{
    SECTIONS,
    mistake::{Layer, Mistake},
    sources::{FILE_VARIABLE, PREFIX, Sources},
};
use config::{File, FileFormat, Map, Source, Value, ValueKind};
use std::{collections::BTreeMap, path::Path};

/// The mark of a key that has no default.
const UNSET: &str = "<unset>";
/// The mark of a key that holds a secret and has no default.
const SECRET: &str = "<secret>";
/// What a secret's key gets appended when its value is in a file.
pub(super) const FILE_SUFFIX: &str = "_file";

/// What is known about a key.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) value: Option<Value>,
    pub(super) layer: Layer,
    pub(super) secret: bool,
    /// An array or an empty table: its inside is not part of the schema.
    open: bool,
}

/// All keys and their values.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Layers {
    pub(super) fn load(defaults: &[&str], sources: &Sources) -> Self {
        let mut layers = Self::default();
        for text in defaults {
            match parse(text) {
                Ok(table) => layers.declare("", table),
                Err(problem) => layers.mistakes.push(Mistake::of_key("defaults", problem)),
            }
        }
        if let Some(path) = &sources.file {
            layers.add_file(path);
        }
        layers.add_environment(sources);
        for set in &sources.options {
            layers.set_text(&set.key, &set.value, &Layer::Option(set.option.clone()));
        }
        layers
    }

    fn declare(&mut self, above: &str, table: Map<String, Value>) {
        for (name, value) in table {
            let key = join(above, &name);
            match value.kind {
                ValueKind::Table(inner) if !inner.is_empty() => self.declare(&key, inner),
                kind => self.declare_leaf(key, kind),
            }
        }
    }

    fn declare_leaf(&mut self, key: String, kind: ValueKind) {
        let secret = kind == ValueKind::String(SECRET.to_owned());
        let unset = secret || kind == ValueKind::String(UNSET.to_owned());
        let entry = Entry {
            open: matches!(kind, ValueKind::Array(_) | ValueKind::Table(_)),
            value: (!unset).then(|| Value::new(None, kind)),
            layer: Layer::Default,
            secret,
        };
        if secret {
            let file = Entry {
                secret: false,
                ..entry.clone()
            };
            self.entries.insert(format!("{key}{FILE_SUFFIX}"), file);
        }
        self.entries.insert(key, entry);
    }

    fn add_file(&mut self, path: &Path) {
        let key = path.display().to_string();
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) => {
                let problem = format!("cannot be read: {error}");
                return self.mistakes.push(Mistake::of_key(&key, problem));
            }
        };
        match parse(&text) {
            Ok(table) => self.overlay("", table, &Layer::File(path.to_path_buf())),
            Err(problem) => self.mistakes.push(Mistake::of_key(&key, problem)),
        }
    }

    fn overlay(&mut self, above: &str, table: Map<String, Value>, layer: &Layer) {
        for (name, value) in table {
            let key = join(above, &name);
            match value.kind {
                kind if self.entries.contains_key(&key) => self.set_value(&key, kind, layer),
                ValueKind::Table(inner) if self.is_section(&key) => {
                    self.overlay(&key, inner, layer);
                }
                _ if self.is_section(&key) => self
                    .mistakes
                    .push(Mistake::of_key(&key, "has to be a table").in_layer(layer)),
                _ => self.unknown(&key, layer),
            }
        }
    }

    fn set_value(&mut self, key: &str, kind: ValueKind, layer: &Layer) {
        let Some(entry) = self.entries.get_mut(key) else {
            return;
        };
        let nested = matches!(kind, ValueKind::Table(_) | ValueKind::Array(_));
        if nested && !entry.open {
            let problem = "has to be a single value, not a table or a list";
            return self
                .mistakes
                .push(Mistake::of_key(key, problem).in_layer(layer));
        }
        entry.value = Some(Value::new(None, kind));
        entry.layer = layer.clone();
    }

    fn add_environment(&mut self, sources: &Sources) {
        for (name, value) in &sources.variables {
            let Some(path) = name.strip_prefix(PREFIX).filter(|_| name != FILE_VARIABLE) else {
                continue;
            };
            let key = path.to_ascii_lowercase().replace("__", ".");
            let layer = Layer::Environment(name.clone());
            match value.to_str() {
                Some(text) => self.set_text(&key, text, &layer),
                None => self
                    .mistakes
                    .push(Mistake::of_key(&key, "is not valid UTF-8").in_layer(&layer)),
            }
        }
    }

    /// Sets a key from a text: a list is separated by commas, everything else converts itself when
    /// it is read.
    fn set_text(&mut self, key: &str, text: &str, layer: &Layer) {
        let kind = match self.entries.get(key).and_then(|entry| entry.value.as_ref()) {
            Some(Value {
                kind: ValueKind::Array(_),
                ..
            }) => ValueKind::Array(split_list(text)),
            _ => ValueKind::String(text.to_owned()),
        };
        if self.entries.contains_key(key) {
            self.set_value(key, kind, layer);
        } else if !self.set_inside(key, &kind, layer) {
            self.unknown(key, layer);
        }
    }

    /// Sets a key inside an open table: `strategy.params.fast`.
    fn set_inside(&mut self, key: &str, kind: &ValueKind, layer: &Layer) -> bool {
        let Some((above, name)) = key.rsplit_once('.') else {
            return false;
        };
        match self.entries.get_mut(above) {
            Some(Entry {
                value: Some(value),
                layer: from,
                ..
            }) => match &mut value.kind {
                ValueKind::Table(table) => {
                    table.insert(name.to_owned(), Value::new(None, kind.clone()));
                    *from = layer.clone();
                    true
                }
                _ => false,
            },
            _ => false,
        }
    }

    fn is_section(&self, key: &str) -> bool {
        let prefix = format!("{key}.");
        let after = self.entries.range(prefix.clone()..).next();
        after.is_some_and(|(known, _)| known.starts_with(&prefix))
    }

    fn unknown(&mut self, key: &str, layer: &Layer) {
        let section = key.split('.').next().unwrap_or(key);
        if SECTIONS.contains(&section) && !self.is_section(section) {
            return;
        }
        let problem = match self.nearest(key) {
            Some(known) => format!("unknown key; did you mean {known}?"),
            None => "unknown key".to_owned(),
        };
        self.mistakes
            .push(Mistake::of_key(key, problem).in_layer(layer));
    }

    /// The known key or section that is most like `key`, if any is.
    fn nearest(&self, key: &str) -> Option<String> {
        let depth = key.matches('.').count();
        let sections = self.entries.keys().map(|known| cut_to(known, depth));
        let candidates = self.entries.keys().map(String::as_str).chain(sections);
        let distance = |known: &str| strsim::damerau_levenshtein(known, key);
        let nearest = candidates.min_by_key(|known| distance(known))?;
        (distance(nearest) <= (key.len() / 3).max(2)).then(|| nearest.to_owned())
    }
}

/// The first `depth` + 1 segments of a key.
fn cut_to(key: &str, depth: usize) -> &str {
    key.match_indices('.')
        .nth(depth)
        .map_or(key, |(at, _)| &key[..at])
}

fn parse(text: &str) -> Result<Map<String, Value>, String> {
    File::from_str(text, FileFormat::Toml)
        .collect()
        .map_err(|error| error.to_string())
}

fn join(above: &str, name: &str) -> String {
    if above.is_empty() {
        name.to_owned()
    } else {
        format!("{above}.{name}")
    }
}

fn split_list(text: &str) -> Vec<Value> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| Value::new(None, item))
        .collect()
}

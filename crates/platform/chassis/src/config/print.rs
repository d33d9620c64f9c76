//! Shows values to people, without what is nobody's business.

use super::{Layer, layers::Entry};
use config::{Value, ValueKind};
use std::{collections::BTreeMap, fmt::Write};

/// Every key that has a value, with its layer; keys without one as comments.
pub(super) fn render(entries: &BTreeMap<String, Entry>) -> String {
    let mut text = String::new();
    for (key, entry) in entries {
        let layer = match &entry.layer {
            Layer::Default => String::new(),
            layer => format!("  # {layer}"),
        };
        // Writing to a String cannot fail.
        let _ = match &entry.value {
            Some(value) => writeln!(text, "{key} = {}{layer}", shown(value, entry.secret)),
            None => writeln!(text, "# {key} is not set"),
        };
    }
    text
}

/// A value as TOML writes it; `***` for a secret and for the password of a URL.
pub(super) fn shown(value: &Value, secret: bool) -> String {
    match &value.kind {
        _ if secret => "\"***\"".to_owned(),
        ValueKind::String(text) => format!("{:?}", redacted(text)),
        ValueKind::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shown(item, false)).collect();
            format!("[{}]", items.join(", "))
        }
        ValueKind::Table(table) => {
            let sorted: BTreeMap<_, _> = table.iter().collect();
            let pairs: Vec<_> = sorted
                .into_iter()
                .map(|(key, value)| format!("{key} = {}", shown(value, is_sensitive(key))))
                .collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        ValueKind::Nil => "\"\"".to_owned(),
        ValueKind::Boolean(_)
        | ValueKind::I64(_)
        | ValueKind::I128(_)
        | ValueKind::U64(_)
        | ValueKind::U128(_)
        | ValueKind::Float(_) => value.to_string(),
    }
}

/// Keys inside open tables have no schema that could call them secret; their names do.
fn is_sensitive(key: &str) -> bool {
    ["secret", "password", "token", "key"]
        .iter()
        .any(|word| key.contains(word))
}

/// `text` with the password of every URL in it replaced.
fn redacted(text: &str) -> String {
    let one = |address: &str| match (address.find("://"), address.rfind('@')) {
        (Some(scheme), Some(at)) if at > scheme => {
            let user = address[scheme + 3..at]
                .split(':')
                .next()
                .unwrap_or_default();
            format!("{}{user}:***{}", &address[..scheme + 3], &address[at..])
        }
        _ => address.to_owned(),
    };
    text.split(',').map(one).collect::<Vec<_>>().join(",")
}

//! The lint settings of pure crates. A crate's `clippy.toml` replaces the root's, so that every
//! shared setting has to be repeated there.

use super::{Breach, graph::Package, table};
use anyhow::Context as _;
use std::{collections::BTreeSet, fs, path::Path};
use toml::{Table, Value};

const RULE: &str = "a crate's clippy.toml replaces the root's; repeat every shared setting";
const LISTS: [&str; 2] = ["disallowed-methods", "disallowed-types"];

/// Compares the `clippy.toml` of each pure crate with the root's.
pub(crate) fn check(root: &Path, packages: &[Package]) -> anyhow::Result<Vec<Breach>> {
    let shared = load(&root.join("clippy.toml"))?;
    let mut breaches = Vec::new();
    for package in packages {
        if !table::find(&package.name).is_some_and(table::Crate::is_pure) {
            continue;
        }
        let path = package.manifest_path.with_file_name("clippy.toml");
        let found = if path.exists() {
            differences(&shared, &load(&path)?)
        } else {
            vec!["has no clippy.toml that bans clock, environment and threads".to_owned()]
        };
        breaches.extend(found.into_iter().map(|what| Breach {
            place: package.name.clone(),
            what,
            rule: RULE,
        }));
    }
    Ok(breaches)
}

fn load(path: &Path) -> anyhow::Result<Table> {
    let text = fs::read_to_string(path).with_context(|| format!("no {}", path.display()))?;
    text.parse()
        .with_context(|| format!("{} is not TOML", path.display()))
}

fn differences(shared: &Table, own: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in shared {
        if LISTS.contains(&key.as_str()) {
            let banned = paths(own.get(key));
            let missing = paths(Some(value));
            let missing = missing.difference(&banned);
            found.extend(missing.map(|path| format!("clippy.toml lacks {path} in {key}")));
        } else if own.get(key) != Some(value) {
            found.push(format!("clippy.toml does not repeat {key}"));
        }
    }
    found
}

/// The banned paths of a list, whose reasons may differ from crate to crate.
fn paths(list: Option<&Value>) -> BTreeSet<&str> {
    let entries = list.and_then(Value::as_array).into_iter().flatten();
    entries
        .filter_map(|entry| entry.get("path").unwrap_or(entry).as_str())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(shared: &str, own: &str) -> Vec<String> {
        differences(&shared.parse().unwrap(), &own.parse().unwrap())
    }

    #[test]
    fn own_bans_and_reasons_are_welcome() {
        let shared = "a = 1\ndisallowed-methods = [{ path = 'x', reason = 'one' }]";
        let own = "a = 1\ndisallowed-methods = ['y', { path = 'x', reason = 'two' }]";
        assert_eq!(compare(shared, own), Vec::<String>::new());
    }

    #[test]
    fn a_missing_setting_or_ban_is_named() {
        let shared = "a = 1\ndisallowed-methods = [{ path = 'x' }]";
        let found = compare(shared, "a = 2");
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("does not repeat a"));
        assert!(found[1].contains("lacks x in disallowed-methods"));
    }
}

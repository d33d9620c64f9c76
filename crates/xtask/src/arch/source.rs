//! Where SQL and protobuf types appear (A3), by a plain scan of the source: comments are skipped,
//! nothing is parsed.

use super::{
    Breach,
    graph::Package,
    table::{self, Layer},
};
use crate::workspace::rust_files;
use anyhow::Context as _;
use std::{
    fs,
    path::{Component, Path},
};

/// Words that only belong in some places.
struct Confined {
    words: &'static [&'static str],
    crates: &'static [&'static str],
    files: &'static [&'static str],
    rule: &'static str,
}

const CONFINED: &[Confined] = &[
    Confined {
        words: &["wire::proto"],
        crates: &["ploy-wire"],
        files: &["grpc.rs", "inputs.rs"],
        rule: "A3: protobuf types only in ploy-wire, grpc.rs and inputs.rs",
    },
    Confined {
        words: &[
            "sqlx::",
            "INSERT INTO ",
            "DELETE FROM ",
            "CREATE TABLE ",
            "\"SELECT ",
            "\"UPDATE ",
        ],
        crates: &["ploy-store"],
        files: &["store.rs", "store"],
        rule: "A3: SQL only in store.rs and ploy-store",
    },
    Confined {
        words: &["counter!(\"", "gauge!(\"", "histogram!(\""],
        crates: &["ploy-chassis"],
        files: &[],
        rule: "R-OBS-02: metrics are named in ploy_chassis::metrics::name, and nowhere else",
    },
    Confined {
        words: &["async_nats::"],
        crates: &["ploy-bus"],
        files: &[],
        rule: "A3: NATS types only in ploy-bus",
    },
];

/// Scans the sources, without tests, of every crate.
pub(crate) fn check(root: &Path, packages: &[Package]) -> anyhow::Result<Vec<Breach>> {
    let mut breaches = Vec::new();
    for package in packages {
        // What only tests and chores use may speak of anything.
        if table::find(&package.name).is_some_and(|row| row.layer == Layer::Tool) {
            continue;
        }
        let source = package.manifest_path.with_file_name("src");
        for file in rust_files(&source)? {
            let text = fs::read_to_string(&file)
                .with_context(|| format!("cannot read {}", file.display()))?;
            let inside = file.strip_prefix(&source).unwrap_or(&file);
            let shown = file.strip_prefix(root).unwrap_or(&file);
            breaches.extend(
                scan(&package.name, inside, &text).map(|(line, word, rule)| Breach {
                    place: format!("{}:{line}", shown.display()),
                    what: format!("speaks of `{}`", word.trim()),
                    rule,
                }),
            );
        }
    }
    Ok(breaches)
}

/// The lines of a file that use a word that is confined to other places.
fn scan<'a>(
    package: &'a str,
    file: &'a Path,
    text: &'a str,
) -> impl Iterator<Item = (usize, &'static str, &'static str)> + 'a {
    let strays = move |confined: &&Confined| {
        let named = |part: Component<'_>| {
            let part = part.as_os_str();
            confined.files.iter().any(|name| part == *name)
        };
        !confined.crates.contains(&package) && !file.components().any(named)
    };
    CONFINED.iter().filter(strays).flat_map(move |confined| {
        let code = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.trim_start().starts_with("//"));
        code.filter_map(|(index, line)| {
            let word = confined.words.iter().find(|word| line.contains(**word))?;
            Some((index + 1, *word, confined.rule))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn breaches(package: &str, file: &str, text: &str) -> usize {
        scan(package, Path::new(file), text).count()
    }

    #[test]
    fn sql_lives_in_store() {
        let sql = "query(\"SELECT 1\")";
        assert_eq!(breaches("ploy-risk", "app.rs", sql), 1);
        assert_eq!(breaches("ploy-risk", "store.rs", sql), 0);
        assert_eq!(breaches("ploy-risk", "store/limits.rs", sql), 0);
        assert_eq!(breaches("ploy-store", "log.rs", sql), 0);
        assert_eq!(breaches("ploy-risk", "app.rs", "// \"SELECT 1\""), 0);
    }

    #[test]
    fn generated_types_live_at_the_doors() {
        let code = "use ploy_wire::proto;";
        assert_eq!(breaches("ploy-risk", "app.rs", code), 1);
        assert_eq!(breaches("ploy-risk", "grpc.rs", code), 0);
        assert_eq!(breaches("ploy-wire", "facts.rs", code), 0);
    }
}

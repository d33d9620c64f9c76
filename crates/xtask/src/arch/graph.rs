//! The crate graph: what the manifests say against what the table allows.

use super::{
    Breach,
    table::{
        self, Crate, Layer, PURE_MAY_USE, PURE_TESTS_MAY_USE, RESERVED, SIM_MAY_USE, TESTS_MAY_USE,
    },
};
use anyhow::{Context as _, bail};
use serde::Deserialize;
use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// A crate of the workspace as its manifest describes it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its manifest.
    pub(crate) manifest_path: PathBuf,
    /// What it depends on directly.
    pub(crate) dependencies: Vec<Dependency>,
}

/// One dependency of a manifest.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    /// The name of the package.
    pub(crate) name: String,
    /// `dev`, `build` or nothing.
    pub(crate) kind: Option<String>,
    /// Set when it is a crate of the workspace.
    pub(crate) path: Option<PathBuf>,
}

impl Dependency {
    fn is_for_tests(&self) -> bool {
        self.kind.as_deref() == Some("dev")
    }
}

/// Asks cargo for the crates of the workspace.
pub(crate) fn read(root: &Path) -> anyhow::Result<Vec<Package>> {
    #[derive(Deserialize)]
    struct Metadata {
        packages: Vec<Package>,
    }
    let output = Command::new("cargo")
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root)
        .output()
        .context("cannot run cargo metadata")?;
    if !output.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let metadata: Metadata =
        serde_json::from_slice(&output.stdout).context("cannot read cargo metadata")?;
    Ok(metadata.packages)
}

/// Every arrow that the table does not allow.
pub(crate) fn check(packages: &[Package]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for package in packages {
        let Some(row) = table::find(&package.name) else {
            breaches.push(Breach {
                place: package.name.clone(),
                what: "is not in the table of crates".to_owned(),
                rule: "A2: add its layer and arrows to crates/xtask/src/arch/table.rs",
            });
            continue;
        };
        for dependency in &package.dependencies {
            let rule = if dependency.path.is_some() {
                broken_by_arrow(row, dependency)
            } else {
                broken_by_outside(row, dependency)
            };
            breaches.extend(rule.map(|rule| Breach {
                place: package.name.clone(),
                what: format!(
                    "{} on {}",
                    if dependency.is_for_tests() {
                        "depends in tests"
                    } else {
                        "depends"
                    },
                    dependency.name
                ),
                rule,
            }));
        }
    }
    breaches
}

fn broken_by_arrow(from: &Crate, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    let Some(to) = table::find(name) else {
        return Some("A2: only crates in the table can be depended on");
    };
    match (from.layer, to.layer) {
        (Layer::Service, Layer::Service) => return Some("A2: never service to service"),
        (Layer::Core, Layer::Core) => return Some("A2: never core to core"),
        (Layer::Binary, Layer::Sim) => {}
        (_, Layer::Sim | Layer::Binary) => return Some("A2: only ploy uses the simulation"),
        _ => {}
    }
    let for_tests = dependency.is_for_tests() && !from.is_pure() && TESTS_MAY_USE.contains(&name);
    if from.may_use.contains(&name) || for_tests {
        return None;
    }
    Some(match name {
        "ploy-testkit" => "the test kit is for tests of crates that do I/O",
        _ => "A2: not an allowed arrow; see crates/xtask/src/arch/table.rs",
    })
}

fn broken_by_outside(from: &Crate, dependency: &Dependency) -> Option<&'static str> {
    let name = dependency.name.as_str();
    let tests = dependency.is_for_tests() && PURE_TESTS_MAY_USE.contains(&name);
    if from.is_pure() && !tests && !PURE_MAY_USE.contains(&name) {
        return Some("A1: a pure crate knows no I/O, clock, randomness or async");
    }
    if from.layer == Layer::Sim && !tests && !SIM_MAY_USE.contains(&name) {
        return Some("A1: the simulation reaches no network and no clock");
    }
    let reserved = RESERVED.iter().find(|reserved| {
        name == reserved.prefix || name.starts_with(&format!("{}-", reserved.prefix))
    })?;
    (!reserved.owners.contains(&from.name)).then_some(reserved.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(name: &str, on: &str, kind: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            manifest_path: PathBuf::new(),
            dependencies: vec![Dependency {
                name: on.to_owned(),
                kind: kind.map(str::to_owned),
                path: table::find(on).map(|_| PathBuf::from("crates")),
            }],
        }
    }

    fn allowed(name: &str, on: &str, kind: Option<&str>) -> bool {
        check(&[package(name, on, kind)]).is_empty()
    }

    #[test]
    fn the_laws_hold_whatever_the_table_says() {
        assert!(!allowed("ploy-risk", "ploy-execution", None));
        assert!(!allowed("ploy-risk-core", "ploy-orders-core", None));
        assert!(!allowed("ploy-gateway", "ploy-sim", Some("dev")));
        assert!(!allowed("ploy-testkit", "ploy", None));
        assert!(allowed("ploy", "ploy-sim", None));
        for known in table::CRATES {
            for used in known.may_use {
                assert!(allowed(known.name, used, None), "{} -> {used}", known.name);
            }
        }
    }

    #[test]
    fn a_pure_crate_knows_no_runtime() {
        assert!(!allowed("ploy-risk-core", "tokio", None));
        assert!(!allowed("ploy-domain", "tokio", Some("dev")));
        assert!(allowed("ploy-domain", "proptest", Some("dev")));
        assert!(!allowed("ploy-domain", "proptest", None));
    }

    #[test]
    fn drivers_have_owners() {
        assert!(!allowed("ploy-execution", "sqlx", None));
        assert!(!allowed("ploy-chassis", "async-nats", None));
        assert!(!allowed("ploy-venue-binance", "tonic", None));
        assert!(!allowed("ploy-execution", "prost-types", None));
        assert!(allowed("ploy-chassis", "tonic-health", None));
    }

    #[test]
    fn the_test_kit_is_for_tests() {
        assert!(allowed("ploy-bus", "ploy-testkit", Some("dev")));
        assert!(!allowed("ploy-bus", "ploy-testkit", None));
        assert!(!allowed("ploy-domain", "ploy-testkit", Some("dev")));
    }

    #[test]
    fn an_unknown_crate_is_reported() {
        assert!(!allowed("ploy-newcomer", "thiserror", None));
    }
}

//! Shows that the simulation can see: each mutant breaks one rule of the failure model on purpose,
//! in a copy of the sources, and the simulation must find an invariant broken within a number of
//! seeds. A mutant that no longer applies, does not build or survives is an error.

mod table;

use crate::workspace::say;
use anyhow::{Context as _, bail, ensure};
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};
use table::{MUTANTS, Mutant};

/// What of the workspace a build of the simulation needs.
const COPIED: [&str; 4] = ["Cargo.toml", "Cargo.lock", "clippy.toml", "crates"];

/// What the simulation says as JSON, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Summary {
    seeds: u64,
    failures: Vec<Failure>,
}

#[derive(Debug, Deserialize)]
struct Failure {
    broken: Broken,
}

#[derive(Debug, Deserialize)]
struct Broken {
    invariant: String,
}

/// Tries every mutant whose name contains `only`.
pub(crate) fn run(root: &Path, seeds: u64, only: Option<&str>) -> anyhow::Result<()> {
    let place = Place::prepare(root)?;
    let chosen = MUTANTS
        .iter()
        .filter(|mutant| only.is_none_or(|only| mutant.name.contains(only)));
    let mut survivors = Vec::new();
    let mut tried = 0;
    for mutant in chosen {
        tried += 1;
        let found = place.kill(mutant, seeds)?;
        match found {
            Some((invariant, after)) => {
                say(&format!(
                    "{:<32} {invariant} after {after} seeds",
                    mutant.name
                ))?;
            }
            None => {
                say(&format!("{:<32} SURVIVED {seeds} seeds", mutant.name))?;
                survivors.push(mutant.name);
            }
        }
    }
    ensure!(tried > 0, "no mutant is called like that");
    if survivors.is_empty() {
        return say(&format!("mutants: {tried} of {tried} found"));
    }
    bail!("the simulation is blind to: {}", survivors.join(", "))
}

/// A copy of the sources and a target folder of its own.
struct Place {
    root: PathBuf,
    copy: PathBuf,
    target: PathBuf,
}

impl Place {
    fn prepare(root: &Path) -> anyhow::Result<Self> {
        let place = Self {
            root: root.to_path_buf(),
            copy: root.join("target/mutants/source"),
            target: root.join("target/mutants/target"),
        };
        fs::create_dir_all(&place.copy)?;
        for name in COPIED {
            copy(&root.join(name), &place.copy.join(name))?;
        }
        Ok(place)
    }

    /// Which invariant breaks under the mutant, and after how many seeds.
    fn kill(&self, mutant: &Mutant, seeds: u64) -> anyhow::Result<Option<(String, u64)>> {
        let original = fs::read_to_string(self.root.join(mutant.file))
            .with_context(|| format!("mutant {}: no file {}", mutant.name, mutant.file))?;
        let places = original.matches(mutant.rule).count();
        ensure!(
            places == 1,
            "mutant {}: its rule stands {places} times in {}; adapt crates/xtask/src/mutants/table.rs",
            mutant.name,
            mutant.file
        );
        let copied = self.copy.join(mutant.file);
        fs::write(&copied, original.replace(mutant.rule, mutant.broken))?;
        let summary = self.simulate(mutant, seeds);
        fs::write(&copied, original)?;
        let summary = summary?;
        let first = summary.failures.into_iter().next();
        Ok(first.map(|failure| (failure.broken.invariant, summary.seeds)))
    }

    fn simulate(&self, mutant: &Mutant, seeds: u64) -> anyhow::Result<Summary> {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--locked", "--profile", "staging"])
            .args(["--package", "ploy-sim", "--bin", "ploy-sim"])
            .arg("--target-dir")
            .arg(&self.target)
            // A mutant leaves things unused.
            .env("RUSTFLAGS", "--cap-lints=allow")
            .current_dir(&self.copy)
            .output()?;
        let said = String::from_utf8_lossy(&built.stderr);
        ensure!(
            built.status.success(),
            "mutant {} does not build:\n{said}",
            mutant.name
        );
        let ran = Command::new(self.target.join("staging/ploy-sim"))
            .args(["--json", "--until-broken", "--seeds", &seeds.to_string()])
            .output()?;
        serde_json::from_slice(&ran.stdout).with_context(|| {
            let said = String::from_utf8_lossy(&ran.stderr).into_owned();
            format!("mutant {}: the simulation ended oddly: {said}", mutant.name)
        })
    }
}

/// Copies a file or a folder; what did not change is left alone, so that it is not built again.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    if from.is_dir() {
        fs::create_dir_all(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
        return Ok(());
    }
    let content = fs::read(from).with_context(|| format!("cannot read {}", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == content) {
        return Ok(());
    }
    fs::write(to, content).with_context(|| format!("cannot write {}", to.display()))
}

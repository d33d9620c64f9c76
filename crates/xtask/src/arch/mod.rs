//! Checks that the workspace is still built the way `docs/architecture.md` says.
//!
//! Three subjects, each a module of pure functions over what was read: the crate graph, the lint
//! settings of pure crates, and where SQL and protobuf types appear.

mod graph;
mod lints;
mod source;
mod table;

use crate::workspace::say;
use anyhow::bail;
use std::{fmt, path::Path};

/// A place where the workspace breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Breach {
    /// The crate or file.
    pub(crate) place: String,
    /// What is wrong there.
    pub(crate) what: String,
    /// Why it is a rule, and what to do.
    pub(crate) rule: &'static str,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}\n    rule: {}", self.place, self.what, self.rule)
    }
}

/// Runs every check and reports all breaches at once.
pub(crate) fn run(root: &Path) -> anyhow::Result<()> {
    let packages = graph::read(root)?;
    let mut breaches = graph::check(&packages);
    breaches.extend(lints::check(root, &packages)?);
    breaches.extend(source::check(root, &packages)?);
    breaches.sort();
    if breaches.is_empty() {
        return say(&format!("arch: {} crates keep the rules", packages.len()));
    }
    for breach in &breaches {
        say(&breach.to_string())?;
    }
    bail!("{} breaches of the architecture", breaches.len())
}

//! Chores of the workspace: `cargo xtask proto`, `cargo xtask arch` and `cargo xtask mutants`.
//!
//! Each chore is a module; this file only reads the command line.
#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        reason = "a test fails by panicking"
    )
)]

mod arch;
mod mutants;
mod proto;
mod workspace;

use clap::{Parser, Subcommand};
use std::{io::Write as _, process::ExitCode};

/// Chores of the Ploy workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Generate Rust from proto/ into crates/platform/wire/src/gen
    Proto {
        /// Change nothing; fail when the committed files are not what would be generated
        #[arg(long)]
        check: bool,
    },
    /// Check the crate graph, the lint settings of pure crates, and where SQL and protobuf types are
    Arch,
    /// Break rules on purpose, one by one, and check that the simulation finds each
    Mutants {
        /// How many seeds each may take
        #[arg(long, default_value_t = 1_000)]
        seeds: u64,
        /// Only those whose name contains this
        #[arg(long)]
        only: Option<String>,
    },
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody is left to be told when standard error is gone.
            let _ = writeln!(std::io::stderr(), "xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let root = workspace::root()?;
    match Arguments::parse().chore {
        Chore::Proto { check } => proto::run(&root, check),
        Chore::Arch => arch::run(&root),
        Chore::Mutants { seeds, only } => mutants::run(&root, seeds, only.as_deref()),
    }
}

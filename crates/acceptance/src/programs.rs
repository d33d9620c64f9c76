//! The programs under test, built once from the present sources in the profile of the tests.

use anyhow::{Context, Result, ensure};
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError},
};

/// Names the folder of programs that are there already.
const FOLDER_VARIABLE: &str = "PLOY_BIN_DIR";
/// What the outer cargo tells the test about its own package. Build scripts that look at these would
/// run again because of them, and with them everything that depends on their crates.
const OF_THE_OUTER_CARGO: [&str; 6] = [
    "CARGO_PKG_",
    "CARGO_MANIFEST_",
    "CARGO_CRATE_",
    "CARGO_BIN_",
    "CARGO_PRIMARY_",
    "NEXTEST",
];

/// The path of the program `name`. The first call builds all of them.
///
/// # Errors
/// When they cannot be built.
pub fn program(name: &str) -> Result<PathBuf> {
    static BUILT: Mutex<Option<PathBuf>> = Mutex::new(None);
    let mut built = BUILT.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = match built.as_ref() {
        Some(folder) => folder.clone(),
        None => built.insert(folder()?).clone(),
    };
    let path = folder.join(name);
    ensure!(path.is_file(), "there is no program {}", path.display());
    Ok(path)
}

fn folder() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os(FOLDER_VARIABLE) {
        return Ok(given.into());
    }
    let test = std::env::current_exe().context("the test does not know where it is")?;
    // TARGET/PROFILE/deps/it-0123456789abcdef
    let folder = test.ancestors().nth(2).context("no target folder")?;
    build(folder)?;
    Ok(folder.to_owned())
}

fn build(folder: &Path) -> Result<()> {
    let profile = match folder.file_name().and_then(OsStr::to_str) {
        Some("debug") | None => "dev",
        Some(profile) => profile,
    };
    let target = folder.parent().context("no target folder")?;
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if OF_THE_OUTER_CARGO.iter().any(|own| text.starts_with(own)) {
            command.env_remove(&name);
        }
    }
    // The same selection as `make binaries`, so that nothing is built twice.
    let status = command
        .args([
            "build",
            "--quiet",
            "--workspace",
            "--bins",
            "--profile",
            profile,
        ])
        .arg("--target-dir")
        .arg(target)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
        .status()
        .context("cargo cannot be run")?;
    ensure!(status.success(), "the programs under test do not build");
    Ok(())
}

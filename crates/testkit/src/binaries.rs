//! Finds the servers' binaries, installing Debian's packages once when they are missing.

use anyhow::{Context, Result, bail};
use std::{
    fs::{self, File},
    path::PathBuf,
    process::Command,
};

/// Where Debian puts programs, besides the search path.
const DIRECTORIES: [&str; 4] = ["/usr/local/bin", "/usr/bin", "/usr/sbin", "/usr/local/sbin"];
const POSTGRES_VERSIONS: &str = "/usr/lib/postgresql";

/// The path of `program`, from `package` if it has to be installed.
pub(crate) fn program(program: &str, package: &str) -> Result<PathBuf> {
    find_or_install(package, || {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path)
            .chain(DIRECTORIES.iter().map(PathBuf::from))
            .map(|directory| directory.join(program))
            .find(|candidate| candidate.is_file())
    })
}

/// The folder of the newest PostgreSQL's programs.
pub(crate) fn postgres_folder() -> Result<PathBuf> {
    find_or_install("postgresql", || {
        let versions = fs::read_dir(POSTGRES_VERSIONS).ok()?;
        versions
            .flatten()
            .filter_map(|entry| {
                let version: u32 = entry.file_name().to_str()?.parse().ok()?;
                let folder = entry.path().join("bin");
                folder.join("initdb").is_file().then_some((version, folder))
            })
            .max()
            .map(|(_, folder)| folder)
    })
}

fn find_or_install(package: &str, find: impl Fn() -> Option<PathBuf>) -> Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let lock = std::env::temp_dir().join("ploy-test-install.lock");
    let lock = File::create(&lock).with_context(|| format!("cannot open {}", lock.display()))?;
    lock.lock().context("cannot lock the installation")?;
    // Another test process may have installed it while this one waited.
    if let Some(found) = find() {
        return Ok(found);
    }
    install(package)?;
    find().with_context(|| format!("package {package} was installed but its program is not there"))
}

fn install(package: &str) -> Result<()> {
    if !crate::process::is_root() {
        bail!("{package} is missing and only root may install it; run: apt-get install {package}");
    }
    let apt = |arguments: &[&str]| -> Result<bool> {
        let mut command = Command::new("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(arguments);
        let output = command.output().with_context(|| {
            format!("{package} is missing and there is no apt-get; install it by hand")
        })?;
        Ok(output.status.success())
    };
    let wanted = ["install", "-y", "--no-install-recommends", package];
    if apt(&wanted)? || (apt(&["update"])? && apt(&wanted)?) {
        return Ok(());
    }
    bail!("{package} is missing and apt-get could not install it; install it by hand")
}

//! What the first start makes for itself: the bearer token of the API and the key of the account at
//! the built-in exchange, each in a file that only its owner can read.

use anyhow::Context as _;
use std::{
    fs::{self, OpenOptions},
    io::{Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::Path,
};

/// Random bytes in a secret.
const SECRET_BYTES: usize = 32;

/// The secret in `path`, made if there is none yet.
pub(crate) fn read_or_make(path: &Path) -> anyhow::Result<String> {
    match fs::read_to_string(path) {
        Ok(secret) if !secret.trim().is_empty() => Ok(secret.trim().to_owned()),
        Ok(_) => anyhow::bail!(
            "{} is empty; delete it to have a new one made",
            path.display()
        ),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path),
        Err(error) => Err(error).with_context(|| format!("{} cannot be read", path.display())),
    }
}

fn make(path: &Path) -> anyhow::Result<String> {
    let mut bytes = [0; SECRET_BYTES];
    let mut random = fs::File::open("/dev/urandom").context("the system has no randomness")?;
    random
        .read_exact(&mut bytes)
        .context("the system gives no randomness")?;
    let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.with_context(|| format!("{} cannot be made", path.display()))?;
    file.write_all(secret.as_bytes())
        .and_then(|()| file.sync_all())
        .with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(secret)
}

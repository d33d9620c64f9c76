//! Generates the Rust of the protocol, with a protobuf compiler written in Rust, so that building
//! Ploy needs nothing installed. The result is committed; `--check` fails when it is stale.

use crate::workspace::say;
use anyhow::{Context as _, bail};
use std::{
    fs,
    path::{Path, PathBuf},
};

const SOURCES: &str = "proto";
const PACKAGE: &str = "ploy/v1";
const GENERATED: &str = "crates/platform/wire/src/gen";
const CODE: &str = "ploy.v1.rs";
const DESCRIPTORS: &str = "ploy.v1.bin";

/// Generates, or compares when `check` is set.
pub(crate) fn run(root: &Path, check: bool) -> anyhow::Result<()> {
    let fresh = root.join("target/xtask/proto");
    fs::create_dir_all(&fresh)?;
    generate(root, &fresh)?;
    let committed = root.join(GENERATED);
    if check {
        let stale: Vec<&str> = [CODE, DESCRIPTORS]
            .into_iter()
            .filter(|name| !is_same(&fresh.join(name), &committed.join(name)))
            .collect();
        if !stale.is_empty() {
            bail!(
                "{GENERATED}: {} does not match {SOURCES}/; run `cargo xtask proto` and commit",
                stale.join(", ")
            );
        }
        return say("proto: generated files are current");
    }
    fs::create_dir_all(&committed)?;
    for name in [CODE, DESCRIPTORS] {
        fs::copy(fresh.join(name), committed.join(name))
            .with_context(|| format!("cannot write {GENERATED}/{name}"))?;
    }
    say(&format!("proto: wrote {GENERATED}"))
}

/// Whether both files exist and hold the same bytes.
fn is_same(one: &Path, other: &Path) -> bool {
    matches!((fs::read(one), fs::read(other)), (Ok(one), Ok(other)) if one == other)
}

fn generate(root: &Path, out: &Path) -> anyhow::Result<()> {
    let includes = root.join(SOURCES);
    // Comments of the source become documentation of the code, but not part of what is reflected.
    fs::write(
        out.join(DESCRIPTORS),
        compiled(&includes, false)?.encode_file_descriptor_set(),
    )?;
    tonic_prost_build::configure()
        .out_dir(out)
        .emit_rerun_if_changed(false)
        .compile_fds(compiled(&includes, true)?.file_descriptor_set())
        .context("cannot generate Rust from the descriptors")?;
    let code = out.join(CODE);
    let text = fs::read_to_string(&code)?;
    let text = format!("// Made by `cargo xtask proto`; edit proto/ instead.\n{text}");
    Ok(fs::write(&code, text)?)
}

fn compiled(includes: &Path, with_comments: bool) -> anyhow::Result<protox::Compiler> {
    // The debug form of these errors is the one that quotes the source.
    let quoted = |error: protox::Error| anyhow::anyhow!("{error:?}");
    let mut compiler = protox::Compiler::new([includes]).map_err(quoted)?;
    compiler
        .include_imports(true)
        .include_source_info(with_comments)
        .open_files(proto_files(includes)?)
        .map_err(quoted)?;
    Ok(compiler)
}

fn proto_files(includes: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let folder = includes.join(PACKAGE);
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))? {
        let path = entry?.path();
        if path.extension().is_some_and(|end| end == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

//! `cargo xtask bench`: builds what is measured and what measures, and hands over.

use crate::shell::{Trouble, run_in, run_with, target_dir, workspace_root};
use std::path::{Path, PathBuf};

/// Measures; `args` are the benchmark's own (`--help` tells).
///
/// # Errors
/// When something can't be built, or the benchmark can't run. Figures are not judged.
pub(crate) fn run(args: &[&str]) -> Result<(), Trouble> {
    let root = workspace_root();
    let folder = target_dir().join("bench");
    let is_drawn = args.contains(&"flame");
    build_bench(is_drawn)?;
    let afterward = if is_drawn { build_with_frames(&folder.join("frames"))? } else { build()? };
    let (work, peers) = (folder.join("data"), folder.join("peers"));
    let texts = [&afterward, &work, &peers].map(|path| path.to_string_lossy());
    let mut all = vec!["--afterward", &texts[0], "--work", &texts[1], "--peers-folder", &texts[2]];
    all.extend(args);
    run_in(&root, program(&target_dir(), "afterward-bench"), &all)
}

fn program(target: &Path, name: &str) -> PathBuf {
    target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// What measures. The bare server is in it, so the yardstick is built with the same profile as what it measures; a flame
/// graph needs none, and waits for no linker's optimizations.
fn build_bench(is_drawn: bool) -> Result<(), Trouble> {
    let quick: &[(&str, &str)] = if is_drawn { &QUICK_LINK } else { &[] };
    run_with(&workspace_root(), "cargo", &["build", "--quiet", "--release", "--package", "afterward-bench"], quick)
}

/// Settings of a release build that is linked in seconds.
const QUICK_LINK: [(&str, &str); 2] =
    [("CARGO_PROFILE_RELEASE_LTO", "off"), ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16")];

/// The binary that users have.
fn build() -> Result<PathBuf, Trouble> {
    run_in(&workspace_root(), "cargo", &["build", "--quiet", "--release", "--package", "afterward-cli"])?;
    Ok(program(&target_dir(), "afterward"))
}

/// The same with frame pointers and symbols, so that a sampler sees who called whom, and without link-time optimization,
/// which takes long and leaves fewer functions to see; in a folder of its own, for nothing else is measured with it.
fn build_with_frames(target: &Path) -> Result<PathBuf, Trouble> {
    let folder = target.to_string_lossy();
    let build = ["build", "--quiet", "--release", "--package", "afterward-cli", "--target-dir", &folder];
    let frames = [
        ("RUSTFLAGS", "-C force-frame-pointers=yes"),
        ("CARGO_PROFILE_RELEASE_STRIP", "none"),
        ("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only"),
    ];
    run_with(&workspace_root(), "cargo", &build, &[&frames[..], &QUICK_LINK].concat())?;
    Ok(program(target, "afterward"))
}

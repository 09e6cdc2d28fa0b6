//! `cargo xtask bench`: builds what is measured and what measures, and hands over.

use crate::shell::{Trouble, run_in, run_with, target_dir, workspace_root};
use std::path::{Path, PathBuf};

/// Measures; `args` are the benchmark's own (`--help` tells).
///
/// # Errors
/// When something can't be built, or the benchmark can't run. Figures are not judged.
pub(crate) fn run(args: &[&str]) -> Result<(), Trouble> {
    let root = workspace_root();
    run_in(&root, "cargo", &["build", "--quiet", "--release", "--package", "afterward-bench"])?;
    let folder = target_dir().join("bench");
    let afterward = if args.contains(&"flame") { build_with_frames(&folder.join("frames"))? } else { build()? };
    let (work, peers) = (folder.join("data"), folder.join("peers"));
    let texts = [&afterward, &work, &peers].map(|path| path.to_string_lossy());
    let mut all = vec!["--afterward", &texts[0], "--work", &texts[1], "--peers-folder", &texts[2]];
    all.extend(args);
    run_in(&root, program(&target_dir(), "afterward-bench"), &all)
}

fn program(target: &Path, name: &str) -> PathBuf {
    target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}

/// The binary that users have.
fn build() -> Result<PathBuf, Trouble> {
    run_in(&workspace_root(), "cargo", &["build", "--quiet", "--release", "--package", "afterward-cli"])?;
    Ok(program(&target_dir(), "afterward"))
}

/// The same with frame pointers and symbols, so that a sampler sees who called whom; in a folder of its own, for nothing
/// else is measured with it.
fn build_with_frames(target: &Path) -> Result<PathBuf, Trouble> {
    let folder = target.to_string_lossy();
    let build = ["build", "--quiet", "--release", "--package", "afterward-cli", "--target-dir", &folder];
    let settings = [
        ("RUSTFLAGS", "-C force-frame-pointers=yes"),
        ("CARGO_PROFILE_RELEASE_STRIP", "none"),
        ("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only"),
    ];
    run_with(&workspace_root(), "cargo", &build, &settings)?;
    Ok(program(target, "afterward"))
}

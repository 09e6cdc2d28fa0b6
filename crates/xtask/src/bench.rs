//! `cargo xtask bench`: builds what is measured and what measures, and hands over.

use crate::shell::{Trouble, run_in, target_dir, workspace_root};

/// Measures; `args` are the benchmark's own (`--help` tells).
///
/// # Errors
/// When something can't be built, or the benchmark can't run. Figures are not judged.
pub(crate) fn run(args: &[&str]) -> Result<(), Trouble> {
    let root = workspace_root();
    // Frame pointers and symbols are for the flame graph alone: a measured binary is the one that users have.
    let build = ["build", "--quiet", "--release", "--package", "afterward-cli", "--package", "afterward-bench"];
    run_in(&root, "cargo", &build)?;
    let program = |name: &str| target_dir().join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    let (afterward, work) = (program("afterward"), target_dir().join("bench").join("data"));
    let (afterward, work) = (afterward.to_string_lossy(), work.to_string_lossy());
    let mut all = vec!["--afterward", &*afterward, "--work", &*work];
    all.extend(args);
    run_in(&root, program("afterward-bench"), &all)
}

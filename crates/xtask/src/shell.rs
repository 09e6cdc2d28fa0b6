//! Running other programs: each either succeeds or is a [`Trouble`] that says which one failed.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::Command,
};

/// What went wrong, in words for the person at the terminal.
#[derive(Debug)]
pub(crate) struct Trouble(String);

impl Trouble {
    pub(crate) fn new(text: impl Into<String>) -> Trouble {
        Trouble(text.into())
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The folder of the workspace's `Cargo.toml`.
pub(crate) fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// Where cargo builds.
pub(crate) fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace_root().join(dir),
        None => workspace_root().join("target"),
    }
}

/// Whether nobody is watching: then what would be left out is a failure.
pub(crate) fn is_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

pub(crate) fn run_in(dir: &Path, program: impl AsRef<Path>, args: &[&str]) -> Result<(), Trouble> {
    run_with(dir, program, args, &[])
}

pub(crate) fn run_with(
    dir: &Path,
    program: impl AsRef<Path>,
    args: &[&str],
    env: &[(&str, &str)],
) -> Result<(), Trouble> {
    let program = program.as_ref();
    let told = || format!("{} {}", program.display(), args.join(" "));
    let status = Command::new(program)
        .args(args)
        .envs(env.iter().copied())
        .current_dir(dir)
        .status()
        .map_err(|error| Trouble::new(format!("`{}` could not be started: {error}", told())))?;
    if status.success() { Ok(()) } else { Err(Trouble::new(format!("`{}` failed ({status})", told()))) }
}

/// What a program prints on its standard output; `None` if it is not there or fails.
pub(crate) fn output_of(dir: &Path, program: &str, args: &[&str]) -> Option<String> {
    let output = Command::new(program).args(args).current_dir(dir).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

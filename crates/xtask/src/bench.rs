//! `cargo xtask bench`: builds what is measured and what measures, and hands over.

use crate::shell::{Trouble, run_in, run_with, target_dir, workspace_root};
use std::path::{Path, PathBuf};

/// Measures; `args` are the benchmark's own (`--help` tells).
///
/// # Errors
/// When something can't be built, or the benchmark can't run. Figures are not judged.
pub(crate) fn run(args: &[&str]) -> Result<(), Trouble> {
    let folder = target_dir().join("bench");
    let release = if args.contains(&"flame") { Release::with_frames(&folder) } else { Release::as_users_have() };
    release.build("afterward-bench")?;
    let bench = release.program("afterward-bench");
    if args.iter().any(|arg| matches!(*arg, "--help" | "-h")) {
        return run_in(&workspace_root(), bench, args);
    }
    // Before minutes go into the build of a server that nobody will measure.
    run_in(&workspace_root(), &bench, &[args, &["--check"]].concat())?;
    release.build("afterward-cli")?;
    let (afterward, work, peers) = (release.program("afterward"), folder.join("data"), folder.join("peers"));
    let texts = [&afterward, &work, &peers].map(|path| path.to_string_lossy());
    let ours = ["--afterward", &texts[0], "--work", &texts[1], "--peers-folder", &texts[2]];
    run_in(&workspace_root(), bench, &[&ours, args].concat())
}

/// How the server and the benchmark are built: both the same way, for the bare server is in the benchmark.
struct Release {
    target: PathBuf,
    env: &'static [(&'static str, &'static str)],
}

impl Release {
    fn as_users_have() -> Release {
        Release { target: target_dir(), env: &[] }
    }

    /// With frame pointers and symbols, so that a sampler sees who called whom, and without link-time optimization, which
    /// takes long and leaves fewer functions to see; in a folder of its own, for nothing else is measured with it.
    fn with_frames(folder: &Path) -> Release {
        let env = &[
            ("RUSTFLAGS", "-C force-frame-pointers=yes"),
            ("CARGO_PROFILE_RELEASE_STRIP", "none"),
            ("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only"),
            ("CARGO_PROFILE_RELEASE_LTO", "off"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "16"),
        ];
        Release { target: folder.join("frames"), env }
    }

    fn build(&self, package: &str) -> Result<(), Trouble> {
        eprintln!("building {package} for release; where nothing is built yet, this takes minutes");
        let target = self.target.to_string_lossy();
        let args = ["build", "--quiet", "--release", "--package", package, "--target-dir", &target];
        run_with(&workspace_root(), "cargo", &args, self.env)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.target.join("release").join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
    }
}

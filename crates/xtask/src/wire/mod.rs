//! The wire tests: other people's clients against our server, and our library against other people's servers.
//!
//! A suite is a client library, or a set of them, in one language. What it needs is installed under `target/wire/`, pinned
//! by the files in `tests/wire/`; what the machine itself lacks (Python, Node.js) is said, and with `CI=true` is a failure.

mod elsewhere;
mod node;
mod python;
mod sdk;
mod server;

use crate::{
    shell::{Trouble, is_ci, run_in, target_dir, workspace_root},
    tally::Tally,
};
use elsewhere::Elsewhere;
use server::Server;
use std::path::{Path, PathBuf};

/// A language's clients and their stories.
trait Suite {
    /// As `cargo xtask wire NAME` calls it.
    fn name(&self) -> &'static str;

    /// Installs what the stories need.
    fn prepare(&self) -> Result<Ready, Trouble>;

    /// Plays the stories whose names hold one of `words`, or all.
    fn play(&self, against: &Against, words: &[&str]) -> Result<Tally, Trouble>;
}

/// Whether a suite can run here.
enum Ready {
    Yes,
    /// The machine lacks something: what, and how to get it.
    Lacks(String),
}

/// What a suite tests.
struct Against {
    /// The shared server's address.
    url: String,
    /// The binary, for stories that start servers of their own.
    binary: PathBuf,
}

/// Builds the server, starts one for all suites, and plays them: all, or the one that `args` names first, with the rest
/// of `args` choosing stories.
///
/// # Errors
/// When the server can't be built or started, or a suite can't be installed.
pub(crate) fn run(args: &[&str]) -> Result<Tally, Trouble> {
    let suites: [Box<dyn Suite>; 6] = [
        Box::new(python::Python::today()),
        Box::new(python::Python::before_json()),
        Box::new(node::Node),
        Box::new(sdk::Sdk),
        Box::new(Elsewhere::moto()),
        Box::new(Elsewhere::fauxqs()),
    ];
    let (chosen, words) = match args {
        [] => (None, args),
        [name, words @ ..] => (Some(*name), words),
    };
    if let Some(name) = chosen.filter(|name| suites.iter().all(|suite| suite.name() != *name)) {
        let names: Vec<&str> = suites.iter().map(|suite| suite.name()).collect();
        return Err(Trouble::new(format!("There is no suite `{name}`; there are {}.", names.join(", "))));
    }
    let root = workspace_root();
    run_in(&root, "cargo", &["build", "--quiet", "--package", "afterward-cli"])?;
    let binary = target_dir().join("debug").join(format!("afterward{}", std::env::consts::EXE_SUFFIX));
    let server = Server::start(&binary)?;
    let against = Against { url: server.url().to_owned(), binary };
    let mut tally = Tally::default();
    let mut left_out = Vec::new();
    for suite in suites.iter().filter(|suite| chosen.is_none_or(|name| suite.name() == name)) {
        println!("\nWire tests: {}", suite.name());
        match suite.prepare()? {
            Ready::Yes => tally += suite.play(&against, words)?,
            Ready::Lacks(what) if is_ci() => {
                println!("FAILED: {what}");
                tally += Tally::FAILURE;
            }
            Ready::Lacks(what) => {
                println!("LEFT OUT: {what}");
                left_out.push(suite.name());
            }
        }
    }
    if !left_out.is_empty() {
        println!("\nLeft out, for want of tools that are named above: {}", left_out.join(", "));
    }
    Ok(tally)
}

/// The folder of a suite's files in the repository.
fn stories(of: &str) -> PathBuf {
    workspace_root().join("tests/wire").join(of)
}

/// The folder that a suite installs into.
fn installed(name: &str) -> PathBuf {
    target_dir().join("wire").join(name)
}

/// Runs `install` unless it has succeeded before with the same `pins` in the same folder; an older installation is
/// removed first.
fn once(folder: &Path, pins: &str, install: impl FnOnce() -> Result<(), Trouble>) -> Result<(), Trouble> {
    let stamp = folder.join("installed-pins");
    if std::fs::read_to_string(&stamp).is_ok_and(|stamped| stamped == pins) {
        return Ok(());
    }
    let trouble = |error| Trouble::new(format!("{} can't be written: {error}", folder.display()));
    if folder.exists() {
        std::fs::remove_dir_all(folder).map_err(trouble)?;
    }
    std::fs::create_dir_all(folder).map_err(trouble)?;
    install()?;
    std::fs::write(stamp, pins).map_err(trouble)
}

/// A file of the repository.
fn read(path: &Path) -> Result<String, Trouble> {
    std::fs::read_to_string(path).map_err(|error| Trouble::new(format!("{}: {error}", path.display())))
}

//! The library's public interface, compared with what the repository says it is: whoever changes it, sees it.
//!
//! rustdoc writes it as JSON, which the stable one does if it is told that it may (`RUSTC_BOOTSTRAP`). That goes to rustdoc
//! alone, by way of this program ([`as_rustdoc`]): with the variable set for cargo, build scripts would find themselves on a
//! nightly compiler, and everything would be built a second time.

use crate::shell::{Trouble, output_of, run_with, target_dir, workspace_root};
use std::{
    collections::HashSet,
    process::{Command, ExitCode},
};

const LISTING: &str = "crates/afterward/public-api.txt";
/// Set where cargo starts this program and means rustdoc.
const AS_RUSTDOC: &str = "AFTERWARD_XTASK_AS_RUSTDOC";

/// rustdoc, if cargo has called for it: with the right to write JSON.
pub(crate) fn as_rustdoc() -> Option<ExitCode> {
    std::env::var_os(AS_RUSTDOC)?;
    let args = std::env::args_os().skip(1);
    let status = Command::new("rustdoc").args(args).env("RUSTC_BOOTSTRAP", "1").env_remove(AS_RUSTDOC).status();
    Some(if status.is_ok_and(|status| status.success()) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Compares the interface with its listing, or writes that.
///
/// # Errors
/// When they differ, or the interface can't be listed.
pub(crate) fn run(args: &[&str]) -> Result<(), Trouble> {
    let path = workspace_root().join(LISTING);
    let is = current()?;
    match args {
        ["--write"] => {
            std::fs::write(&path, is).map_err(|error| Trouble::new(format!("{LISTING} can't be written: {error}")))
        }
        [] => {
            let was = std::fs::read_to_string(&path).unwrap_or_default();
            difference(&was, &is).map_or(Ok(()), |difference| Err(changed(&difference)))
        }
        _ => Err(Trouble::new("Usage: cargo xtask api [--write]")),
    }
}

/// The interface as it is, with every feature.
fn current() -> Result<String, Trouble> {
    let root = workspace_root();
    let myself = std::env::current_exe().map_err(|error| Trouble::new(format!("xtask can't find itself: {error}")))?;
    let arguments =
        "rustdoc --quiet --package afterward --lib --all-features -- -Zunstable-options --output-format=json";
    let arguments: Vec<&str> = arguments.split(' ').collect();
    run_with(&root, "cargo", &arguments, &[("RUSTDOC", &myself.to_string_lossy()), (AS_RUSTDOC, "1")])?;
    let json = target_dir().join("doc/afterward.json").display().to_string();
    let listing = output_of(&root, "cargo", &["run", "--quiet", "--package", "afterward-listing", "--", &json]);
    listing.ok_or_else(|| Trouble::new(format!("{json} could not be read: `cargo run -p afterward-listing` says why")))
}

/// The lines that went, with `-`, and those that came, with `+`.
fn difference(was: &str, is: &str) -> Option<String> {
    let without = |lines: &str, others: &str, sign: char| {
        let others: HashSet<&str> = others.lines().collect();
        let lines = lines.lines().filter(|line| !others.contains(line));
        lines.map(|line| format!("{sign} {line}\n")).collect::<String>()
    };
    (was != is).then(|| without(was, is, '-') + &without(is, was, '+'))
}

fn changed(difference: &str) -> Trouble {
    Trouble::new(format!(
        "The public interface of the library is not what {LISTING} says:\n\n{difference}\n\
         Is that meant? A line with `-` breaks programs that use it: since the first release, that takes a new major version (0.x: \
         minor). Then say in CHANGELOG.md what changed and what to do, and commit what `cargo xtask api --write` writes."
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_and_what_came_is_told_and_nothing_if_nothing_did() {
        assert_eq!(difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(difference("a\nb\n", "b\nc\nd\n").as_deref(), Some("- a\n+ c\n+ d\n"));
        // The same lines in another order are another file.
        assert_eq!(difference("a\nb\n", "b\na\n").as_deref(), Some(""));
    }
}

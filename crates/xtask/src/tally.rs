//! Counting tests: every runner's closing lines, added up to one.

use crate::shell::{Trouble, workspace_root};
use std::{
    io::{BufRead, BufReader},
    ops::AddAssign,
    process::{Command, Stdio},
};

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    pub(crate) failed: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

impl Tally {
    /// One failure that no runner counted.
    pub(crate) const FAILURE: Tally = Tally { passed: 0, failed: 1 };

    /// Prints the closing line.
    ///
    /// # Errors
    /// When a test failed, or none ran.
    pub(crate) fn close(self) -> Result<(), Trouble> {
        let Tally { passed, failed } = self;
        println!("\n{passed} passed, {failed} failed");
        match (passed, failed) {
            (0, 0) => Err(Trouble::new("No test ran.")),
            (_, 0) => Ok(()),
            _ => Err(Trouble::new("Tests failed; each is told of above.")),
        }
    }

    /// Adds what a line of a runner's output counts, if it is a closing line.
    fn count(&mut self, line: &str) {
        let line = line.trim();
        if let Some(counts) = line.strip_prefix("test result: ") {
            // cargo test: `test result: ok. 12 passed; 0 failed; 1 ignored; …`
            self.passed += number_before(counts, " passed");
            self.failed += number_before(counts, " failed");
        } else if let Some(count) = line.strip_prefix("# pass ").or_else(|| line.strip_prefix("ℹ pass ")) {
            self.passed += count.parse().unwrap_or(0);
        } else if let Some(count) = line.strip_prefix("# fail ").or_else(|| line.strip_prefix("ℹ fail ")) {
            self.failed += count.parse().unwrap_or(0);
        } else if line.split_whitespace().next().is_some_and(|word| word.parse::<u64>().is_ok()) {
            // Ours: `12 passed, 0 failed`
            if line.contains(" passed, ") && line.contains(" failed") {
                self.passed += number_before(line, " passed");
                self.failed += number_before(line, " failed");
            }
        }
    }
}

fn number_before(text: &str, word: &str) -> u64 {
    let before = text.split(word).next().unwrap_or_default();
    before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(|digits| digits.parse().ok()).unwrap_or(0)
}

/// Runs a test runner, passes its output on and counts. A runner that fails without counting a failure (it did not
/// compile, it crashed) counts as one.
///
/// # Errors
/// When it can't be started.
pub(crate) fn of(command: &mut Command) -> Result<Tally, Trouble> {
    let told = format!("{command:?}");
    let trouble = |error: std::io::Error| Trouble::new(format!("{told} could not be run: {error}"));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(trouble)?;
    let mut tally = Tally::default();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).split(b'\n') {
            let line = String::from_utf8_lossy(&line.map_err(trouble)?).into_owned();
            println!("{line}");
            tally.count(&line);
        }
    }
    let status = child.wait().map_err(trouble)?;
    if !status.success() && tally.failed == 0 {
        println!("{told} failed ({status})");
        tally += Tally::FAILURE;
    }
    Ok(tally)
}

/// Runs `cargo` with these arguments in the workspace.
///
/// # Errors
/// When it can't be started.
pub(crate) fn of_cargo_test(args: &[&str]) -> Result<Tally, Trouble> {
    of(Command::new("cargo").args(args).current_dir(workspace_root()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn closing_lines_of_every_runner_are_counted_and_other_lines_are_not() {
        for (line, passed, failed) in [
            ("test result: ok. 12 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.1s", 12, 0),
            ("test result: FAILED. 3 passed; 2 failed; 0 ignored", 3, 2),
            ("# pass 4", 4, 0),
            ("ℹ fail 2", 0, 2),
            ("31 passed, 1 failed", 31, 1),
            ("31 passed, 0 failed, 2 skipped", 31, 0),
            ("a line that says 5 passed, 6 failed inside", 0, 0),
            ("running 3 tests", 0, 0),
            ("", 0, 0),
        ] {
            let mut tally = Tally::default();
            tally.count(line);
            assert_eq!(tally, Tally { passed, failed }, "{line}");
        }
    }

    #[test]
    fn a_runner_that_dies_without_counting_is_a_failure() {
        assert_eq!(of(&mut Command::new("false")).unwrap(), Tally::FAILURE);
        assert_eq!(of(Command::new("echo").arg("2 passed, 0 failed")).unwrap(), Tally { passed: 2, failed: 0 });
    }
}

//! One target's run: libFuzzer started, and what it says put into a line.

use super::built;
use crate::shell::{Trouble, workspace_root};
use std::{
    fs::{self, File},
    path::Path,
    process::Command,
};

/// What one input may take: seconds by the wall clock, and long ones, for a process that is stopped for a while hangs as
/// well. Memory for one input is bounded by the targets themselves; this is the process's.
const LIMITS: &[&str] = &["-timeout=120", "-rss_limit_mb=1024", "-print_final_stats=1"];
/// How much of libFuzzer's output a failure shows.
const SHOWN_LINES: usize = 40;

/// A target to run.
pub(super) struct Run<'a> {
    pub(super) target: &'a str,
    pub(super) binary: &'a Path,
    pub(super) seconds: u32,
    pub(super) seed: u32,
}

/// Runs it; what it did in a line.
pub(super) fn run(run: &Run<'_>) -> Result<String, Trouble> {
    let told = |error: std::io::Error| Trouble::new(format!("{}: {error}", run.target));
    let root = workspace_root();
    let artifacts = format!("fuzz/artifacts/{}/", run.target);
    let found = format!("fuzz/corpus/{}", run.target);
    for folder in [&artifacts, &found] {
        fs::create_dir_all(root.join(folder)).map_err(told)?;
    }
    let log = built().join(format!("{}.log", run.target));
    let mut command = Command::new(run.binary);
    command.current_dir(&root).args(LIMITS).stderr(File::create(&log).map_err(told)?);
    command.arg(format!("-max_total_time={}", run.seconds)).arg(format!("-seed={}", run.seed));
    command.arg(format!("-artifact_prefix={artifacts}"));
    let dictionary = format!("fuzz/dictionaries/{}.dict", run.target);
    if root.join(&dictionary).is_file() {
        command.arg(format!("-dict={dictionary}"));
    }
    // What is found goes into the first folder; the others are read.
    let read = ["seeds", "regressions"].map(|kind| format!("fuzz/{kind}/{}", run.target));
    command.arg(&found).args(read.iter().filter(|folder| root.join(folder).is_dir()));
    let status = command.status().map_err(told)?;
    let said = fs::read(&log).map_err(told)?;
    let said = String::from_utf8_lossy(&said);
    if status.success() { Ok(summary(run.target, &said)) } else { Err(failure(run.target, &said)) }
}

/// How often the target ran, and how much of the program that reached.
fn summary(target: &str, said: &str) -> String {
    let executions = said.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let words = said.lines().rev().find(|line| line.contains(" cov: ")).map(str::split_whitespace);
    let edges = words.and_then(|mut words| words.find(|word| *word == "cov:").and(words.next()));
    let number = |text: Option<&str>| text.map_or("?", str::trim).to_owned();
    format!("{target:12} {:>12} executions {:>7} edges", number(executions), number(edges))
}

/// What went wrong, and how to see it again.
fn failure(target: &str, said: &str) -> Trouble {
    let lines: Vec<&str> = said.lines().collect();
    let shown = lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n");
    let artifact = lines.iter().find_map(|line| line.split_once("Test unit written to ")).map(|(_, path)| path.trim());
    let again = match artifact {
        Some(path) => format!(
            "Play it again: cargo xtask fuzz {target} {path}\nWhen it is mended, keep it: install -D -t fuzz/regressions/{target} {path}"
        ),
        None => format!("It says all in {}", built().join(format!("{target}.log")).display()),
    };
    Trouble::new(format!("{shown}\n\nThe fuzz target {target} failed; above is the end of what it said.\n{again}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_libfuzzer_says_is_put_into_a_line_or_a_way_to_see_it_again() {
        let said = "#1024\tNEW    cov: 120 ft: 300 corp: 9/1Kb\n#9999\tDONE   cov: 131 ft: 310\n\
                    stat::number_of_executed_units: 9999\n";
        assert_eq!(summary("names", said), "names                9999 executions     131 edges");
        let said = "panicked at record.rs\nartifact_prefix='a/'; Test unit written to fuzz/artifacts/record/crash-1\n";
        let told = failure("record", said).to_string();
        assert!(told.contains("cargo xtask fuzz record fuzz/artifacts/record/crash-1\n"), "{told}");
        assert!(told.starts_with("panicked"), "{told}");
    }
}

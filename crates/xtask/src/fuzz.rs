//! The fuzz targets of `fuzz/`, built with the stable compiler, and run for a while each.
//!
//! cargo-fuzz works as well, but need not be there: what it does is build with coverage instrumentation and start
//! libFuzzer. A run begins with every seed, every input that once went wrong and what earlier runs found, so what was
//! mended stays mended. Seconds are per target; as many targets as there are processors run beside each other.

mod run;

use crate::shell::{Trouble, output_of, run_with, target_dir, workspace_root};
use run::{Run, run};
use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

/// Coverage for libFuzzer, by the flags that stable has.
const INSTRUMENTED: &[&str] = &[
    "--cfg=fuzzing",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

const USAGE: &str = "\
Usage: cargo xtask fuzz [TARGET…] [--seconds N] [--seed N]
       cargo xtask fuzz TARGET FILE…     plays inputs again

N seconds for each target (15), or for the TARGETs alone. A run begins with the seeds and with what earlier runs found.
The same seed (1) makes the same choices on the same corpus; 0 makes others each time.";

/// Formatting and clippy, for `fuzz/` is a workspace of its own.
///
/// # Errors
/// When they find something.
pub(crate) fn lint() -> Result<(), Trouble> {
    let (root, built) = (workspace_root(), target_dir().display().to_string());
    println!("Fuzz targets: cargo fmt --check, cargo clippy, warnings denied");
    let fuzz = ["--manifest-path", "fuzz/Cargo.toml"];
    run_with(&root, "cargo", &[&["fmt"], &fuzz[..], &["--", "--check"]].concat(), &[])?;
    // Without libFuzzer, which takes a while to build: it has three lines of ours for each target.
    let args = [&["clippy"], &fuzz[..], &["--no-default-features", "--all-targets", "--", "-D", "warnings"]].concat();
    run_with(&root, "cargo", &args, &[("CARGO_TARGET_DIR", &built)])
}

/// What is asked for.
struct Plan {
    targets: Vec<String>,
    files: Vec<String>,
    seconds: u32,
    seed: u32,
}

/// Runs the targets that `words` name, or all.
///
/// # Errors
/// When a target does not build or an input goes wrong: the text says how to play that again.
pub(crate) fn fuzz(words: &[&str]) -> Result<(), Trouble> {
    let plan = plan(words, &targets()?)?;
    build()?;
    if !plan.files.is_empty() {
        let files: Vec<&str> = plan.files.iter().map(String::as_str).collect();
        return plan.targets.iter().try_for_each(|target| run_with(&workspace_root(), binary(target)?, &files, &[]));
    }
    let at_once = thread::available_parallelism().map_or(1, usize::from);
    println!("Fuzzing {} targets for {} s each, {at_once} at a time", plan.targets.len(), plan.seconds);
    let failures = all(&plan, at_once);
    if failures.is_empty() { Ok(()) } else { Err(Trouble::new(failures.join("\n\n"))) }
}

/// The targets' names, from the folder of their sources.
fn targets() -> Result<Vec<String>, Trouble> {
    let folder = workspace_root().join("fuzz/fuzz_targets");
    let files = std::fs::read_dir(&folder).map_err(|error| Trouble::new(format!("{}: {error}", folder.display())))?;
    let names = files.filter_map(|file| file.ok()?.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned));
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

fn plan(words: &[&str], known: &[String]) -> Result<Plan, Trouble> {
    let usage = || Trouble::new(format!("{USAGE}\n\nThe targets: {}", known.join(", ")));
    let mut plan = Plan { targets: Vec::new(), files: Vec::new(), seconds: 15, seed: 1 };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number = || words.next().and_then(|number| number.parse().ok()).ok_or_else(usage);
        match *word {
            "--seconds" => plan.seconds = number()?,
            "--seed" => plan.seed = number()?,
            target if known.iter().any(|name| name == target) => plan.targets.push(target.to_owned()),
            // Before the first file there is the one target that it is for.
            file if plan.targets.len() == 1 && workspace_root().join(file).is_file() => {
                plan.files.push(file.to_owned());
            }
            _ => return Err(usage()),
        }
    }
    if plan.seconds == 0 {
        return Err(usage()); // libFuzzer would take it for no limit
    }
    if plan.targets.is_empty() {
        plan.targets = known.to_vec();
    }
    Ok(plan)
}

fn built() -> PathBuf {
    target_dir().join("fuzz")
}

/// For which machine: named, so that build scripts and macros are not instrumented.
fn host() -> Result<String, Trouble> {
    let told = output_of(&workspace_root(), "rustc", &["-vV"]).unwrap_or_default();
    let host = told.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| Trouble::new("`rustc -vV` does not say for which machine it builds"))
}

fn binary(target: &str) -> Result<PathBuf, Trouble> {
    Ok(built().join(host()?).join("release").join(target))
}

fn build() -> Result<(), Trouble> {
    let (host, built) = (host()?, built());
    let args = ["build", "--release", "--bins", "--manifest-path", "fuzz/Cargo.toml", "--target", &host];
    let flags =
        [("CARGO_ENCODED_RUSTFLAGS", INSTRUMENTED.join("\u{1f}")), ("CARGO_TARGET_DIR", built.display().to_string())];
    let flags: Vec<(&str, &str)> = flags.iter().map(|(name, value)| (*name, value.as_str())).collect();
    println!("Fuzz targets: cargo {}", args.join(" "));
    run_with(&workspace_root(), "cargo", &args, &flags)
}

/// Runs every target of the plan and says what came of it: the failures.
fn all(plan: &Plan, at_once: usize) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for _ in 0..at_once.min(plan.targets.len()) {
            scope.spawn(|| {
                while let Some(target) = plan.targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = binary(target).and_then(|binary| {
                        run(&Run { target, binary: &binary, seconds: plan.seconds, seed: plan.seed })
                    });
                    match outcome {
                        Ok(said) => println!("{said}"),
                        Err(trouble) => {
                            failures.lock().unwrap_or_else(PoisonError::into_inner).push(trouble.to_string());
                        }
                    }
                }
            });
        }
    });
    failures.into_inner().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_targets_numbers_and_after_one_target_files() {
        let known = ["names".to_owned(), "record".to_owned()];
        let planned = |words: &[&str]| {
            plan(words, &known).map(|plan| (plan.targets.join(","), plan.files.len(), plan.seconds, plan.seed)).ok()
        };
        for (words, expected) in [
            (&[][..], Some(("names,record", 0, 15, 1))),
            (&["record", "--seconds", "60", "--seed", "7"], Some(("record", 0, 60, 7))),
            (&["record", "Cargo.toml"], Some(("record", 1, 15, 1))),
            (&["Cargo.toml"], None),
            (&["record", "no such file"], None),
            (&["strangers"], None),
            (&["--seconds"], None),
            (&["--seconds", "0"], None),
        ] {
            let expected = expected.map(|(targets, files, seconds, seed)| (targets.to_owned(), files, seconds, seed));
            assert_eq!(planned(words), expected, "{words:?}");
        }
    }
}

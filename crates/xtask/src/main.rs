//! What has to be done with the repository, as a program: `cargo xtask test`, `ci`, `tidy`, `api`, `wire`, `bench`
//! and `fuzz`.
//!
//! It uses nothing but the standard library, so that it builds in a second, and it installs what the wire tests need
//! under `target/`, so that a fresh clone needs no preparation.
#![allow(clippy::print_stdout, clippy::print_stderr)] // printing is what it is for

mod api;
mod bench;
mod features;
mod fuzz;
mod shell;
mod tally;
mod tidy;
mod wire;

use shell::{Trouble, run_in, workspace_root};
use std::process::ExitCode;
use tally::Tally;

const USAGE: &str = "\
Usage: cargo xtask COMMAND

  test                   everything: the Rust tests, then the wire tests with other people's clients
  wire [SUITE [WORD…]]   the wire tests alone; SUITE is one of python, query, node, sdk (clients
                         against our server), moto, fauxqs (our library against
                         other servers); all but node run only the stories whose
                         names hold a WORD
  tidy                   the house rules
  api [--write]          compare the library's public interface with its listing, or write that
  bench [NAME…]          measure, and print the tables of BENCHMARKS.md; `bench --help` lists names and options
  fuzz [TARGET…] [--seconds N] [--seed N]
                         hostile input for every parser, 15 seconds each; `fuzz TARGET FILE…` plays inputs again
  ci                     formatting, clippy, house rules, docs, the library by its features, api, test, fuzz

The crash test plays more rounds with AFTERWARD_CRASH_ROUNDS=300, and the same ones again with AFTERWARD_CRASH_SEED=N.";

fn main() -> ExitCode {
    if let Some(code) = api::as_rustdoc() {
        return code;
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["test"] => test(),
        ["wire", rest @ ..] => wire::run(rest).and_then(Tally::close),
        ["tidy"] => tidy::run(),
        ["api", rest @ ..] => api::run(rest),
        ["bench", rest @ ..] => bench::run(rest),
        ["fuzz", rest @ ..] => fuzz::fuzz(rest),
        ["ci"] => ci(),
        _ => Err(Trouble::new(USAGE)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprintln!("{trouble}");
            ExitCode::FAILURE
        }
    }
}

/// The Rust tests and the wire tests; both run even if the first fail, so that one run shows all there is to mend.
fn test() -> Result<(), Trouble> {
    println!("Rust tests: cargo test --workspace");
    let mut tally = tally::of_cargo_test(&["test", "--workspace", "--no-fail-fast"])?;
    println!("The library's tests behind features: cargo test --package afterward");
    tally += features::test()?;
    tally += wire::run(&[])?;
    tally.close()
}

fn ci() -> Result<(), Trouble> {
    let root = workspace_root();
    println!("Formatting: cargo fmt --check");
    run_in(&root, "cargo", &["fmt", "--all", "--", "--check"])?;
    println!("Lints: cargo clippy, warnings denied");
    run_in(&root, "cargo", &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"])?;
    println!("House rules: cargo xtask tidy");
    tidy::run()?;
    println!("Documentation: cargo doc, warnings denied");
    shell::run_with(&root, "cargo", &["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")])?;
    println!("The library by its features: cargo clippy, warnings denied");
    features::lint()?;
    println!("The library's public interface: cargo xtask api");
    api::run(&[])?;
    test()?;
    fuzz::lint()?;
    fuzz::fuzz(&["--seconds", "10"])
}

//! Which seeds are played, and what is said of one that fails.

use crate::ops::{Op, op};
use crate::pair::Pair;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// What a plain `cargo test` plays.
const SEEDS: Range<u64> = 0..2000;
const STEPS: usize = 120;
const THREADS: u64 = 2;
const NAME: &str = "the_state_machine_does_what_the_model_does";

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |flag: &str| arguments.iter().position(|argument| argument == flag).map(|at| arguments.get(at + 1));
    let seeds = match (value("--seeds"), value("--seed")) {
        (Some(range), _) => range.and_then(|range| parse(range)),
        (None, Some(seed)) => seed.and_then(|seed| seed.parse().ok()).map(|seed| seed..seed + 1),
        (None, None) => Some(SEEDS),
    };
    let Some(seeds) = seeds else {
        println!("which seeds? --seeds 0..1000 or --seed 7");
        return ExitCode::FAILURE;
    };
    // As the usual harness: a word is a filter of names, and a list is asked for by tools.
    let asks = value("--seeds").is_some() || value("--seed").is_some();
    let filtered = arguments.iter().any(|word| !word.starts_with('-') && !NAME.contains(word.as_str()));
    if arguments.iter().any(|argument| argument == "--list") {
        println!("{NAME}: test");
        return ExitCode::SUCCESS;
    }
    if filtered && !asks {
        println!("test result: ok. 0 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out");
        return ExitCode::SUCCESS;
    }
    report(&seeds)
}

fn parse(range: &str) -> Option<Range<u64>> {
    let (from, to) = range.split_once("..")?;
    let range = from.parse().ok()?..to.parse().ok()?;
    (!range.is_empty()).then_some(range)
}

fn report(seeds: &Range<u64>) -> ExitCode {
    println!("running 1 test");
    let begun = Instant::now();
    let steps = AtomicU64::new(0);
    let failure = play_all(seeds, &steps);
    let seconds = begun.elapsed().as_secs_f64();
    match failure {
        None => {
            println!("{} seeds, {} commands, {seconds:.1} s", seeds.end - seeds.start, steps.load(Relaxed));
            println!(
                "test {NAME} ... ok\n\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out"
            );
            ExitCode::SUCCESS
        }
        Some((seed, what)) => {
            println!("seed {seed} fails: {what}");
            println!("again: cargo test -p afterward-machine --test model -- --seed {seed}");
            println!(
                "test {NAME} ... FAILED\n\ntest result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out"
            );
            ExitCode::FAILURE
        }
    }
}

/// Plays them; the first that fails, and why.
fn play_all(seeds: &Range<u64>, steps: &AtomicU64) -> Option<(u64, String)> {
    // A panic in what is tested fails the seed, and is told of once, after shrinking.
    std::panic::set_hook(Box::new(|_| {}));
    let first_failure = AtomicU64::new(u64::MAX);
    let failures = std::thread::scope(|scope| {
        let part = |thread| {
            let (first_failure, seeds) = (&first_failure, seeds.clone());
            scope.spawn(move || {
                let mut own = seeds.skip(thread as usize).step_by(THREADS as usize);
                own.find_map(|seed| {
                    if seed > first_failure.load(Relaxed) {
                        return None;
                    }
                    let failed = play(seed, steps).err()?;
                    first_failure.fetch_min(seed, Relaxed);
                    Some((seed, failed))
                })
            })
        };
        let threads: Vec<_> = (0..THREADS).map(part).collect();
        threads.into_iter().filter_map(|thread| thread.join().expect("panics are caught")).collect::<Vec<_>>()
    });
    failures.into_iter().min()
}

/// Plays a seed; if it fails, the shortest sequence that fails like it, step by step.
fn play(seed: u64, steps: &AtomicU64) -> Result<(), String> {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = Config { cases: 1, failure_persistence: None, max_shrink_iters: 5000, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&(any::<bool>(), vec(op(), 1..STEPS)), |(compacts, ops)| {
        steps.fetch_add(ops.len() as u64, Relaxed);
        let told = catch_unwind(AssertUnwindSafe(|| tell(compacts, &ops)));
        told.unwrap_or_else(|panic| Err(format!("a panic: {}", text(&*panic)))).map_err(TestCaseError::fail)
    });
    match outcome {
        Ok(()) => Ok(()),
        Err(TestError::Fail(why, (compacts, ops))) => {
            let lines: Vec<String> = ops.iter().map(|op| format!("  {op:?}")).collect();
            Err(format!("{why}\nat the last of these (compacting: {compacts}):\n{}", lines.join("\n")))
        }
        Err(TestError::Abort(why)) => Err(why.to_string()),
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(ToString::to_string)).unwrap_or_default()
}

fn tell(compacts: bool, ops: &[Op]) -> Result<(), String> {
    let mut pair = Pair::new(compacts)?;
    for op in ops {
        pair.step(op)?;
    }
    pair.end()
}

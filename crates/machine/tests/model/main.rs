//! The state machine against a reference model: seeded sequences of commands, each told the same by both, and the whole
//! visible state the same after each.
//!
//! ```text
//! cargo test -p afterward-machine --test model                                    a few thousand seeds
//! cargo test --release -p afterward-machine --test model -- --seeds 0..1000000    as many as you like
//! cargo test -p afterward-machine --test model -- --seed 7                        one, shrunk if it fails
//! ```
//!
//! What the model leaves to stories: 120,000 messages in flight and 100,000 finished jobs (`tests/machine/limits.rs`),
//! 1,000 dead letters in one receive, groups of more than 1,000 schedules (`schedules.rs`), and more than 32 noisy tenants of one queue (`fair.rs`).
#![allow(clippy::print_stdout)] // its own harness: it prints what the usual one would

#[cfg(test)]
mod ops;
#[cfg(test)]
mod pair;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod run;
#[cfg(test)]
mod schedules;
#[cfg(test)]
mod sight;
#[cfg(test)]
#[path = "../machine/world.rs"]
mod world;

#[cfg(test)]
fn main() -> std::process::ExitCode {
    run::main()
}

#[cfg(not(test))]
fn main() {}

//! A seeded simulation of the broker over a faulty log, and a checker of what its clients saw.
//!
//! A run is one thread that does one thing after the other, as the numbers that follow from its seed say: clients send,
//! receive, delete, change visibility, go away, and set, delete and make queues; batches are put on their way, arrive,
//! fail or arrive late; there is no room for a while; the owner is killed and the log replayed, or paused while another
//! takes the log over, and goes on; the clock passes, leaps and falls back; the log is compacted. So one seed gives one
//! trace, and a seed that fails today fails tomorrow:
//!
//! ```text
//! cargo run -p afterward-sim -- --seed 7 --trace        one run, every line of it
//! cargo run -p afterward-sim -- --seeds 0..10000        many
//! ```
//!
//! Half of the runs play with segment files on a disk in memory, which loses and tears what was not flushed when the
//! power is cut; half of these write frames past the page cache, as on Linux. The others play with a log in memory that
//! behaves like a service elsewhere, whose answers get lost or late.
//!
//! The parts: [`World`] plays, [`System`](system::System) is what is tested, with its faults, and [`Checker`] judges
//! from calls and answers alone. What the checker can't see from outside is compared directly: a replayed state is,
//! in all that can be read of it, the state before the crash.
//!
//! That the checker sees what it shall see is shown by [`Bug`]s: deliberate mistakes between clients and broker, each
//! of which it finds (`tests/bugs.rs`).

pub mod checker;
pub mod client;
pub mod history;
mod rng;
pub mod scenario;
pub mod snapshot;
pub mod system;
mod tally;
mod trace;
mod world;

pub use checker::{Checker, Violation};
pub use rng::Rng;
use std::panic::{AssertUnwindSafe, catch_unwind};
pub use system::Bug;
pub use tally::Tally;
pub use trace::Trace;
pub use world::World;

/// How a run ended.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// What happened.
    pub trace: Trace,
    /// How much of it.
    pub tally: Tally,
    /// What the log retains at the end, where the trace is kept.
    pub records: Vec<String>,
    /// Whether it may.
    pub verdict: Result<(), Violation>,
}

/// Plays a seed. A panic in what is tested is a violation, too.
pub fn play(seed: u64, steps: u64, keep_trace: bool) -> Outcome {
    play_with(seed, steps, keep_trace, None)
}

/// The same with a deliberate bug, which the checker has to find.
pub fn play_with(seed: u64, steps: u64, keep_trace: bool, bug: Option<Bug>) -> Outcome {
    let mut world = match World::new(seed, keep_trace, bug) {
        Ok(world) => world,
        Err(violation) => {
            return Outcome {
                trace: Trace::new(false),
                tally: Tally::default(),
                records: Vec::new(),
                verdict: Err(violation),
            };
        }
    };
    let verdict = catch_unwind(AssertUnwindSafe(|| world.run(steps)));
    let verdict = verdict.unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
        Err(Violation { what: format!("a panic: {}", text.unwrap_or("without a text")) })
    });
    let records = if keep_trace { world.records() } else { Vec::new() };
    Outcome { trace: world.trace().clone(), tally: world.tally(), records, verdict }
}

//! Hundreds of seeds, each a run of its own. One that fails is played again by the command in the message.

use afterward_sim::{Tally, play};
use std::thread;

const STEPS: u64 = 500;
const SEEDS: u64 = 300;
/// Apart from each other, so that their runs share nothing.
const THREADS: u64 = 2;

fn check(seed: u64) -> Tally {
    let outcome = play(seed, STEPS, false);
    if let Err(violation) = outcome.verdict {
        panic!("{violation}\nagain, line by line: cargo run -p afterward-sim -- --seed {seed} --steps {STEPS}");
    }
    outcome.tally
}

fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
    tallies.fold(Tally::default(), Tally::plus)
}

#[test]
fn no_seed_shows_what_a_queue_may_not() {
    let tally = thread::scope(|scope| {
        let runs: Vec<_> = (0..THREADS)
            .map(|first| scope.spawn(move || sum((first..SEEDS).step_by(THREADS as usize).map(check))))
            .collect();
        sum(runs.into_iter().map(|run| run.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))))
    });
    println!("{SEEDS} seeds:\n{tally}");
    // The runs are worth something: each of these was tried, and often.
    for (what, count, at_least) in [
        ("calls", tally.calls, 50_000),
        ("deliveries", tally.deliveries, 15_000),
        ("deliveries to repeated attempts", tally.deliveries_again, 200),
        ("deliveries of what a batch had held", tally.held_for_batches, 50),
        ("calls that nobody knows of", tally.unavailable, 2_000),
        ("failed appends", tally.failed_appends, 200),
        ("full disks", tally.full_disks, 50),
        ("kills over a log in memory", tally.kills_over_memory, 400),
        ("kills over files", tally.kills_over_files, 200),
        ("power cuts", tally.power_cuts, 200),
        ("kills and cuts where frames go past the page cache", tally.ends_past_the_cache, 200),
        ("torn batches", tally.torn_batches, 4),
        ("pauses", tally.pauses, 300),
        ("owners that found out", tally.fenced_owners, 100),
        ("calls in vain", tally.calls_in_vain, 400),
        ("clocks set back", tally.clocks_set_back, 200),
        ("waits left", tally.waits_left, 100),
        ("queues deleted", tally.queues_deleted, 40),
        ("queues set", tally.queues_set, 100),
        ("messages given up for good", tally.dead_lettered, 80),
        ("words of holders about how far they are", tally.reports, 700),
        ("messages handed back", tally.handed_back, 300),
        ("receives taken back after their leases", tally.taken_back_late, 100),
        ("words about progress, shown at rest", tally.progress_shown, 300),
        ("runs of schedules", tally.runs, 700),
        ("schedules that were due", tally.due_schedules, 2_000),
        ("replays compared", tally.replays_compared, 500),
        ("trimmed batches", tally.trimmed, 1_000),
    ] {
        assert!(count >= at_least, "only {count} {what}");
    }
}

#[test]
fn one_seed_gives_one_trace() {
    for seed in [3, 4, 5] {
        let (first, second) = (play(seed, STEPS, true), play(seed, STEPS, false));
        assert_eq!(first.trace.hash(), second.trace.hash(), "seed {seed}");
        assert_eq!(first.tally, second.tally, "seed {seed}");
        assert!(first.trace.lines().len() > 100, "seed {seed}");
    }
    assert_ne!(play(3, STEPS, false).trace.hash(), play(4, STEPS, false).trace.hash());
}

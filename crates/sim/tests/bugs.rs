//! The checker has teeth: every deliberate bug is found within a few seeds, and none is found where there is none.

use afterward_sim::{Bug, play_with};
use std::thread;

const STEPS: u64 = 500;
/// How many seeds a bug may hide from.
const SEEDS: u64 = 60;
const THREADS: usize = 2;

/// The first seed that finds the bug, and what it says.
fn hunt(bug: Bug) -> Option<(u64, String)> {
    (0..SEEDS).find_map(|seed| Some((seed, play_with(seed, STEPS, false, Some(bug)).verdict.err()?.what)))
}

#[test]
fn every_bug_is_found() {
    let hunted = thread::scope(|scope| {
        let part = |first: usize| {
            let own = Bug::ALL.iter().skip(first).step_by(THREADS);
            scope.spawn(move || own.map(|(bug, what)| (*bug, *what, hunt(*bug))).collect::<Vec<_>>())
        };
        let threads: Vec<_> = (0..THREADS).map(part).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    for (bug, what, found) in &hunted {
        match found {
            Some((seed, violation)) => {
                let violation: String = violation.chars().take(160).collect();
                println!("{bug:?} ({what}): seed {seed}: {violation}");
            }
            None => println!("{bug:?} ({what}): not found"),
        }
    }
    let hidden: Vec<Bug> = hunted.iter().filter(|(_, _, found)| found.is_none()).map(|(bug, ..)| *bug).collect();
    // Found by the checker, that is, and not because something fell over.
    let fell = |found: &Option<(u64, String)>| found.as_ref().is_some_and(|(_, what)| what.contains("a panic"));
    assert!(hunted.iter().all(|(_, _, found)| !fell(found)));
    assert!(hidden.is_empty(), "within {SEEDS} seeds, nobody found {hidden:?}");
}

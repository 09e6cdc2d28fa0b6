//! What holds for any history: a replay gives the same state, time in many steps is time in one, counters are exact,
//! and compaction changes nothing.

use crate::history::{Op, Queue, World, run_seeds};
use crate::world::digest;
use afterward_machine::State;

#[test]
fn a_replay_gives_the_same_state_and_counters_are_exact() {
    run_seeds("replay", 300, 80, |ops| {
        let mut world = World::new();
        for op in ops {
            let known = world.inner.state.all_queues().map(|queue| queue.counts).collect::<Vec<_>>();
            world.step(op);
            if let Op::Forward(_) | Op::Define | Op::Compact = op {
                let after: Vec<_> = world.inner.state.all_queues().map(|queue| queue.counts).collect();
                assert_eq!(known, after, "writing forward changes the state");
            }
        }
        world.inner.verify();
    });
}

#[test]
fn compaction_at_any_time_in_any_number_of_steps_changes_nothing() {
    run_seeds("compaction", 300, 80, |ops| {
        let mut plain = World::new();
        let mut compacted = World::new();
        for op in ops {
            if !matches!(op, Op::Forward(_) | Op::Define | Op::Compact) {
                plain.step(op);
            }
            compacted.step(op);
            let expected = digest(&plain.inner.state, false);
            assert_eq!(expected, digest(&compacted.inner.state, false), "after {op:?}");
            assert_eq!(expected, digest(&compacted.inner.replayed(), false), "replayed after {op:?}");
        }
    });
}

#[test]
fn a_state_that_was_replayed_from_compacted_records_goes_on_as_the_original() {
    run_seeds("goes on", 300, 80, |ops| {
        let (before, after) = ops.split_at(ops.len() / 2);
        let mut original = World::new();
        before.iter().for_each(|op| original.step(op));
        let mut restarted = World::new();
        before.iter().for_each(|op| restarted.step(op));
        restarted.inner.compact();
        restarted.inner.state = restarted.inner.replayed();
        for op in after.iter().filter(|op| !matches!(op, Op::Move { .. } | Op::RunMoves)) {
            // Only how long ago which tenant kept consumers busy is forgotten: it may change the order on the
            // standard queue, and with it all else. So that one queue only empties here.
            if matches!(op, Op::Receive { queue: Queue::Standard | Queue::Dead, .. }) {
                continue;
            }
            original.step(op);
            restarted.step(op);
            assert_eq!(digest(&original.inner.state, false), digest(&restarted.inner.state, false), "after {op:?}");
        }
    });
}

#[test]
fn time_in_many_steps_is_time_in_one() {
    run_seeds("time", 300, 80, |ops| {
        let mut at_once = World::new();
        let mut in_steps = World::new();
        for op in ops {
            at_once.step(op);
            match op {
                Op::Advance(ms) => {
                    let end_ms = in_steps.inner.state.now_ms() + ms;
                    // From one due time to the next, as a broker does, and a bit in between.
                    while let Some(due_ms) = in_steps.inner.state.next_due_ms().filter(|due_ms| *due_ms <= end_ms) {
                        let now_ms = in_steps.inner.state.now_ms();
                        in_steps.inner.state.advance(now_ms + (due_ms - now_ms) / 2);
                        quiet_until(&mut in_steps.inner.state, due_ms);
                    }
                    in_steps.inner.state.advance(end_ms);
                    in_steps.inner.release();
                }
                other => in_steps.step(other),
            }
            assert_eq!(digest(&at_once.inner.state, true), digest(&in_steps.inner.state, true), "after {op:?}");
        }
    });
}

/// Nothing changes before `due_ms`, which the state gave as the next due time; then something does.
fn quiet_until(state: &mut State, due_ms: u64) {
    let counts = |state: &State| state.all_queues().map(|queue| queue.counts).collect::<Vec<_>>();
    let before = counts(state);
    if due_ms > state.now_ms() {
        state.advance(due_ms - 1);
        assert_eq!(before, counts(state), "something fired before it was due");
    }
    state.advance(due_ms);
    assert_ne!(before, counts(state), "nothing fired when it was due");
}

#[test]
fn a_queue_in_which_something_becomes_receivable_is_woken() {
    run_seeds("woken", 300, 80, |ops| {
        let mut world = World::new();
        let receivable = |state: &State| -> Vec<_> {
            state.all_queues().map(|queue| queue.id).filter(|queue| state.is_receivable(*queue)).collect()
        };
        for op in ops {
            let before = receivable(&world.inner.state);
            world.inner.state.take_woken();
            world.step(op);
            let after = receivable(&world.inner.state);
            let woken = world.inner.state.take_woken();
            assert!(woken.iter().all(|queue| after.contains(queue)));
            let newly = after.iter().filter(|queue| !before.contains(queue));
            assert!(newly.clone().all(|queue| woken.contains(queue)), "{newly:?} slept through {op:?}");
        }
    });
}

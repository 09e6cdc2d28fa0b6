//! The cases.

use super::{Case, Harness, append_all, batch, claim, everything, is_never_written, ok, texts};
use crate::{AppendError, Bounds, ClaimError, Log, ReadError, Slice};
use std::{sync::Arc, thread};

/// All of them.
pub const CASES: &[Case] = &[
    ("an empty log has no batches", an_empty_log_has_no_batches),
    ("positions are contiguous from 1", positions_are_contiguous_from_1),
    ("what was appended is read back", what_was_appended_is_read_back),
    ("pages of any size give the same", pages_of_any_size_give_the_same),
    ("parts are fetched in the order asked for", parts_are_fetched_in_the_order_asked_for),
    ("fetching what is not there fails", fetching_what_is_not_there_fails),
    ("a claim elsewhere than at the tail is refused", a_claim_elsewhere_than_at_the_tail_is_refused),
    ("epochs grow", epochs_grow),
    ("nothing is appended without a claim", nothing_is_appended_without_a_claim),
    ("a claim fences the owner before", a_claim_fences_the_owner_before),
    ("a zombie that pipelines gets nothing in", a_zombie_that_pipelines_gets_nothing_in),
    ("the first error ends the epoch", the_first_error_ends_the_epoch),
    ("an unknown append is decided by the next claim", an_unknown_append_is_decided_by_the_next_claim),
    ("trimming is monotone", trimming_is_monotone),
    ("only the owner trims", only_the_owner_trims),
    ("reopening gives the same", reopening_gives_the_same),
    ("reopening after a trim gives the same", reopening_after_a_trim_gives_the_same),
    ("a large batch is a batch", a_large_batch_is_a_batch),
    ("reads go on beside appends", reads_go_on_beside_appends),
    ("usage counts what is retained", usage_counts_what_is_retained),
];

fn an_empty_log_has_no_batches(harness: &mut dyn Harness) {
    let log = harness.another();
    assert_eq!(ok(log.bounds()), Bounds { first: 1, tail: 0 });
    for from in [0, 1, 2] {
        let page = ok(log.read(from, 100));
        assert_eq!((page.batches.len(), page.next), (0, from));
    }
    assert_eq!(ok(log.fetch(&[])).len(), 0);
}

fn positions_are_contiguous_from_1(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, position) = claim(&*log, "claim");
    assert_eq!(position, 1);
    for expected in 1..200 {
        assert_eq!(ok(log.append(epoch, expected, batch("x"))), expected + 1);
        assert_eq!(ok(log.bounds()), Bounds { first: 1, tail: expected + 1 });
    }
    assert!(everything(&*log, 50).iter().map(|logged| logged.position).eq(1..=200));
}

fn what_was_appended_is_read_back(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    let payloads = ["", "a", "\0\0\0\0", &"\0".repeat(5000), &"long ".repeat(3000), "end"];
    append_all(&*log, epoch, tail, &payloads);
    let read = everything(&*log, usize::MAX);
    assert_eq!(read[0].batch, batch("claim"));
    assert_eq!(read[1..].iter().map(|logged| logged.batch.clone()).collect::<Vec<_>>(), payloads.map(batch));
    assert!(read.iter().all(|logged| logged.epoch == epoch && logged.claim == (logged.position == 1)));
}

fn pages_of_any_size_give_the_same(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, mut tail) = claim(&*log, "claim");
    for length in 0..60 {
        tail = append_all(&*log, epoch, tail, &[&"x".repeat(length * length)]);
    }
    let all = everything(&*log, usize::MAX);
    assert_eq!(all.len() as u64, tail);
    for max_bytes in [0, 1, 100, 1000, 10_000] {
        assert_eq!(everything(&*log, max_bytes), all, "in pages of {max_bytes} bytes");
    }
    let rest = ok(log.read(40, usize::MAX)).batches;
    assert_eq!(rest[..], all[39..39 + rest.len()], "from the middle");
    assert!(!rest.is_empty());
}

fn parts_are_fetched_in_the_order_asked_for(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    append_all(&*log, epoch, tail, &["hello world", "0123456789", ""]);
    let asked = [(3, 2..5), (2, 0..5), (1, 0..5), (2, 6..11), (2, 4..4), (4, 0..0), (3, 0..10)];
    let slices = asked.map(|(position, bytes)| Slice { position, bytes });
    let fetched = ok(log.fetch(&slices));
    assert_eq!(fetched, ["234", "hello", "claim", "world", "", "", "0123456789"]);
    if let Some(at_hand) = log.fetch_at_hand(&slices) {
        assert_eq!(at_hand, fetched);
    }
}

fn fetching_what_is_not_there_fails(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    append_all(&*log, epoch, tail, &["hello"]);
    for (position, bytes) in [(3, 0..1), (2, 0..5000), (u64::MAX, 0..1)] {
        let slices = [Slice { position: 2, bytes: 0..5 }, Slice { position, bytes }];
        assert!(matches!(log.fetch(&slices), Err(ReadError::Io { .. })), "{slices:?}");
        assert_eq!(log.fetch_at_hand(&slices), None, "{slices:?}");
    }
}

fn a_claim_elsewhere_than_at_the_tail_is_refused(harness: &mut dyn Harness) {
    let log = harness.another();
    for expected in [1, 2] {
        assert!(matches!(log.claim(expected, batch("x")), Err(ClaimError::TailMoved { tail: 0 })));
    }
    let (epoch, tail) = claim(&*log, "claim");
    for expected in [0, 2] {
        assert!(matches!(log.claim(expected, batch("x")), Err(ClaimError::TailMoved { tail: 1 })));
    }
    append_all(&*log, epoch, tail, &["the owner is still the owner"]);
    assert_eq!(texts(&*log).len(), 2);
}

fn epochs_grow(harness: &mut dyn Harness) {
    let mut last = 0;
    for _ in 0..3 {
        for log in [harness.another(), harness.another()] {
            let (epoch, position) = claim(&*log, "claim");
            assert!(epoch > last);
            last = epoch;
            append_all(&*log, epoch, position, &["x"]);
        }
    }
    let log = harness.another();
    let claims: Vec<_> = everything(&*log, 0).iter().map(|logged| (logged.claim, logged.epoch)).collect();
    assert_eq!(claims.len(), 12);
    assert!(claims.chunks(2).all(|pair| pair[0].0 && !pair[1].0 && pair[0].1 == pair[1].1));
    assert!(claims.windows(2).all(|pair| pair[0].1 <= pair[1].1));
}

fn nothing_is_appended_without_a_claim(harness: &mut dyn Harness) {
    let log = harness.another();
    for epoch in [0, 1, 2] {
        assert!(is_never_written(&log.append(epoch, 0, batch("x"))), "epoch {epoch} of an empty log");
    }
    let (epoch, tail) = claim(&*log, "claim");
    assert!(is_never_written(&log.append(epoch + 1, tail, batch("x"))), "an epoch that nobody claimed");
    assert_eq!(texts(&*log), ["claim"]);
}

fn a_claim_fences_the_owner_before(harness: &mut dyn Harness) {
    let (old, new) = (harness.another(), harness.another());
    let (old_epoch, tail) = claim(&*old, "old");
    let tail = append_all(&*old, old_epoch, tail, &["a"]);
    let (new_epoch, new_tail) = ok(new.claim(tail, batch("new")));
    assert!(is_never_written(&old.append(old_epoch, tail, batch("late"))));
    append_all(&*new, new_epoch, new_tail, &["b"]);
    for log in [&old, &new] {
        assert_eq!(texts(&**log), ["old", "a", "new", "b"]);
    }
}

/// The old owner had sent two appends before it learned that it had been superseded. The first is refused, the second
/// expects the very tail that the new owner's claim has made.
fn a_zombie_that_pipelines_gets_nothing_in(harness: &mut dyn Harness) {
    let (zombie, owner) = (harness.another(), harness.another());
    let (old_epoch, tail) = claim(&*zombie, "old");
    let (epoch, claimed) = ok(owner.claim(tail, batch("new")));
    assert!(is_never_written(&zombie.append(old_epoch, tail, batch("zombie"))));
    assert_eq!(claimed, tail + 1, "the tail is where the zombie believes its own append to be");
    assert!(zombie.append(old_epoch, tail + 1, batch("zombie")).is_err());
    assert!(zombie.append(old_epoch, tail + 2, batch("zombie")).is_err());
    append_all(&*owner, epoch, claimed, &["a", "b"]);
    assert!(zombie.append(old_epoch, claimed + 2, batch("zombie")).is_err());
    drop((zombie, owner));
    assert_eq!(texts(&*harness.reopen()), ["old", "new", "a", "b"]);
}

fn the_first_error_ends_the_epoch(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    assert!(is_never_written(&log.append(epoch, tail + 1, batch("too far"))));
    assert!(is_never_written(&log.append(epoch, tail, batch("right, but too late"))));
    assert!(log.trim(epoch, 0).is_err(), "nor is there an owner who could trim");
    let (epoch, tail) = claim(&*log, "again");
    append_all(&*log, epoch, tail, &["a"]);
    assert_eq!(texts(&*log), ["claim", "again", "a"]);
}

fn an_unknown_append_is_decided_by_the_next_claim(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    if !harness.lose_next_answer(&log) {
        return;
    }
    assert!(matches!(log.append(epoch, tail, batch("unknown")), Err(AppendError::Unknown { .. })));
    for expected in [tail, tail + 1] {
        assert!(log.append(epoch, expected, batch("unknown")).is_err(), "it is never tried again in place");
    }
    let (epoch, claimed) = claim(&*log, "again");
    let decided = texts(&*log);
    assert!(decided == ["claim", "again"] || decided == ["claim", "unknown", "again"], "{decided:?}");
    append_all(&*log, epoch, claimed, &["a"]);
    drop(log);
    assert_eq!(texts(&*harness.reopen()), [decided, vec!["a".to_owned()]].concat());
}

fn trimming_is_monotone(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, mut tail) = claim(&*log, "claim");
    let long = "x".repeat(1000);
    for _ in 0..40 {
        tail = append_all(&*log, epoch, tail, &[&long]);
    }
    let mut first = 1;
    for up_to in [0, 10, 5, 30, 30, 12, tail, 3] {
        let before = everything(&*log, usize::MAX);
        ok(log.trim(epoch, up_to));
        let bounds = ok(log.bounds());
        assert!(bounds.first >= first && bounds.tail == tail, "{bounds:?} after trimming to {up_to}");
        assert!(bounds.first <= up_to.max(first - 1) + 1, "trimmed no more than was asked for");
        first = bounds.first;
        assert!(before.ends_with(&everything(&*log, usize::MAX)));
        if first > 1 {
            let gone = first - 1;
            assert!(matches!(log.read(gone, 10), Err(ReadError::Trimmed { .. })));
            let slice = Slice { position: gone, bytes: 0..1 };
            assert_eq!(log.fetch_at_hand(std::slice::from_ref(&slice)), None);
            assert!(matches!(log.fetch(&[slice]), Err(ReadError::Trimmed { .. })));
        }
    }
    assert_eq!(append_all(&*log, epoch, tail, &["a"]), tail + 1, "positions go on");
}

fn only_the_owner_trims(harness: &mut dyn Harness) {
    let (old, new) = (harness.another(), harness.another());
    let (old_epoch, tail) = claim(&*old, "old");
    claim(&*new, "new");
    assert!(matches!(old.trim(old_epoch, tail), Err(AppendError::Fenced)));
    assert_eq!(texts(&*new), ["old", "new"]);
}

fn reopening_gives_the_same(harness: &mut dyn Harness) {
    let mut expected = Vec::new();
    for round in 0..5 {
        let log = harness.reopen();
        assert_eq!(everything(&*log, 3000), expected, "round {round}");
        assert!(log.append(round, ok(log.bounds()).tail, batch("x")).is_err(), "a new process is not the owner yet");
        let (epoch, tail) = claim(&*log, "claim");
        assert_eq!(epoch, round + 1);
        append_all(&*log, epoch, tail, &["a", &"b".repeat(1500), ""]);
        expected = everything(&*log, usize::MAX);
        assert_eq!(expected.len() as u64, (round + 1) * 4);
    }
}

fn reopening_after_a_trim_gives_the_same(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, mut tail) = claim(&*log, "claim");
    for _ in 0..40 {
        tail = append_all(&*log, epoch, tail, &[&"x".repeat(1000)]);
    }
    ok(log.trim(epoch, 25));
    let left = everything(&*log, usize::MAX);
    let bounds = ok(log.bounds());
    drop(log);
    let log = harness.reopen();
    assert_eq!(ok(log.bounds()), bounds);
    assert_eq!(everything(&*log, usize::MAX), left);
    let (epoch, tail) = claim(&*log, "again");
    append_all(&*log, epoch, tail, &["a"]);
}

fn a_large_batch_is_a_batch(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    let large = "0123456789abcdef".repeat(1 << 17);
    append_all(&*log, epoch, tail, &["before", &large, "after", &large]);
    drop(log);
    let log = harness.reopen();
    assert!(texts(&*log) == ["claim", "before", &large, "after", &large]);
    let slice = Slice { position: 3, bytes: 1_000_010..1_000_016 };
    assert_eq!(ok(log.fetch(&[slice])), ["abcdef"]);
}

fn reads_go_on_beside_appends(harness: &mut dyn Harness) {
    const COUNT: u64 = 300;
    let log: Arc<dyn Log> = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    let text = |position: u64| format!("batch {position} {}", "x".repeat(position as usize * 5));
    thread::scope(|scope| {
        scope.spawn(|| {
            (tail..COUNT).for_each(|at| assert_eq!(ok(log.append(epoch, at, batch(&text(at + 1)))), at + 1));
        });
        let mut seen = 1;
        while seen < COUNT {
            let tail = ok(log.bounds()).tail;
            assert!(tail >= seen, "the tail ran back");
            for position in seen + 1..=tail {
                let whole = text(position);
                let slice = Slice { position, bytes: 0..whole.len() as u32 };
                assert_eq!(ok(log.fetch(&[slice])), [whole]);
            }
            assert!(ok(log.read(seen, 1000)).batches[0].position == seen);
            seen = tail;
        }
    });
}

fn usage_counts_what_is_retained(harness: &mut dyn Harness) {
    let log = harness.another();
    let (epoch, tail) = claim(&*log, "claim");
    let before = log.usage();
    append_all(&*log, epoch, tail, &[&"x".repeat(10_000)]);
    let after = log.usage();
    assert!(after.retained_bytes >= before.retained_bytes + 10_000);
    assert!(after.allocated_bytes >= after.retained_bytes);
    assert!(after.flushes > before.flushes, "an append that returns has been flushed");
}

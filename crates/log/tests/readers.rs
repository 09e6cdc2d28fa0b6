//! What was just acknowledged is read as it was written, however the bytes went to the disk: frames go past the page
//! cache, which readers read through, and into the same pages as their neighbours.
//!
//! A second here; `AFTERWARD_STRESS_SECONDS=30 cargo test -p afterward-log --test readers` takes longer, and `TMPDIR`
//! says on which file system.

use afterward_log::{
    Batch, Log, Position, Slice,
    segment::{Options, SegmentLog},
};
use std::{
    env, slice,
    sync::atomic::{AtomicU64, Ordering::SeqCst},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

const READERS: u64 = 3;

/// Of all lengths up to some pages, no two alike.
fn payload(position: Position) -> Vec<u8> {
    let mut state = position.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let bytes = [40, 300, 4000, 4096, 9000, 100][position as usize % 6] + state as usize % 50;
    let next = |state: &mut u64| {
        *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*state >> 33) as u8
    };
    (0..bytes).map(|_| next(&mut state)).collect()
}

fn check(log: &SegmentLog, position: Position) {
    let expected = payload(position);
    let slice = Slice { position, bytes: 0..expected.len() as u32 };
    // Sooner than the ways that wait, which bring it into the page cache.
    if let Some(found) = log.fetch_at_hand(slice::from_ref(&slice)) {
        assert!(found[0] == expected, "batch {position} is at hand as something else");
    }
    assert!(log.fetch(&[slice]).expect("it is there")[0] == expected, "batch {position} is fetched as something else");
    assert!(
        log.read(position, 1).expect("it is there").batches[0].batch.payload == expected,
        "batch {position} is read otherwise"
    );
}

#[test]
fn readers_beside_appends_see_what_was_acknowledged() {
    let seconds = env::var("AFTERWARD_STRESS_SECONDS").map_or(1, |seconds| seconds.parse().unwrap());
    let directory = TempDir::new().unwrap();
    let options = Options { segment_bytes: 4 << 20, ..Options::default() };
    let log = SegmentLog::open(directory.path(), &options).unwrap().0;
    let batch = |position: u64| Batch { time_ms: position, records: 1, payload: payload(position).into() };
    let (epoch, mut tail) = log.claim(0, batch(1)).unwrap();
    // The last one that was acknowledged; 0 ends the readers.
    let acknowledged = AtomicU64::new(tail);
    let reads = AtomicU64::new(0);
    thread::scope(|scope| {
        let reader = |mut seed: u64| {
            let (log, acknowledged, reads) = (&log, &acknowledged, &reads);
            move || {
                loop {
                    let last = acknowledged.load(SeqCst);
                    if last == 0 {
                        return;
                    }
                    check(log, last);
                    // And one of those just before it, whose pages the writer is still busy with.
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    check(log, last - (seed >> 33) % last.min(20));
                    reads.fetch_add(2, SeqCst);
                }
            }
        };
        let readers: Vec<_> = (0..READERS).map(|seed| scope.spawn(reader(seed))).collect();
        let began = Instant::now();
        // However slow the machine is, each has done something.
        let enough =
            |tail| tail > 10 && reads.load(SeqCst) > READERS || readers.iter().any(|reader| reader.is_finished());
        while began.elapsed() < Duration::from_secs(seconds) || !enough(tail) {
            tail = log.append(epoch, tail, batch(tail + 1)).unwrap();
            acknowledged.store(tail, SeqCst);
        }
        acknowledged.store(0, SeqCst);
        readers.into_iter().for_each(|reader| reader.join().unwrap());
    });
    drop(log);
    // What the disk has is the same.
    let log = SegmentLog::open(directory.path(), &options).unwrap().0;
    (1..=tail).for_each(|position| check(&log, position));
}

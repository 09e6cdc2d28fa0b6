//! Segments are made, filled, taken back and used again.

use super::*;
use crate::{
    ReadError, Slice,
    disk::{Directory, Disk, LockError},
    segment::inspect,
};
use tempfile::TempDir;

fn names(disk: &FaultyDisk) -> Vec<String> {
    let mut names = disk.list().unwrap();
    names.sort();
    names
}

/// A recycled file is full of the frames of its former life until it gets its next name.
#[test]
fn a_recycled_segment_starts_empty() {
    let disk = FaultyDisk::new();
    let mut ledger = Ledger::default();
    let log = open(&disk);
    ledger.work(&log, 12).unwrap();
    ledger.check(&log, "after many trims");
    assert!(names(&disk).len() <= 12, "{:?}", names(&disk));
    assert!(names(&disk).iter().any(|name| name.ends_with(".recycled")), "{:?}", names(&disk));
    let usage = log.usage();
    assert_eq!(usage.allocated_bytes, names(&disk).iter().map(|name| disk.contents(name).len() as u64).sum::<u64>());
    assert!(usage.retained_bytes < usage.allocated_bytes);
    drop(log);
    ledger.check(&open(&disk), "after a restart");
    assert!(names(&disk).iter().all(|name| name.ends_with(".segment")), "leftovers are swept: {:?}", names(&disk));
}

#[test]
fn segments_grow_and_a_large_batch_gets_one_that_fits() {
    let dir = TempDir::new().unwrap();
    let options = Options { segment_bytes: 4 << 20, background: false, ..Options::default() };
    let (log, report) = SegmentLog::open(dir.path(), &options).unwrap();
    assert_eq!((report.batches, report.segments, report.torn), (0, 0, None));
    let (epoch, mut tail) = log.claim(0, batch(1)).unwrap();
    let mut append = |bytes: usize| {
        let payload = vec![7; bytes].into();
        tail = log.append(epoch, tail, Batch { time_ms: 1, records: 1, payload }).unwrap();
    };
    for bytes in [900_000, 900_000, 1_900_000, 3_000_000, 3_000_000, 10_000_000, 100] {
        append(bytes);
    }
    drop(log);
    let sizes = |dir: &TempDir| -> Vec<u64> {
        let inspection = inspect(dir.path(), 0).unwrap();
        inspection.segments.iter().map(|segment| segment.file_bytes >> 10).collect()
    };
    assert_eq!(sizes(&dir), [1024, 2048, 4096, 4096, 4096, 9768]);
    let (log, report) = SegmentLog::open(dir.path(), &options).unwrap();
    assert_eq!((report.batches, report.segments), (8, 6));
    assert_eq!(everything(&log).len(), 8);
}

#[test]
fn a_directory_has_one_log_at_a_time() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("a/b");
    let (log, _) = SegmentLog::open(&path, &Options::default()).unwrap();
    let error = SegmentLog::open(&path, &Options::default()).map(|_| ()).unwrap_err();
    assert!(matches!(error, OpenError::Lock(LockError::InUse(_))));
    assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    assert!(inspect(&path, 0).unwrap().in_use);
    drop(log);
    assert!(!inspect(&path, 0).unwrap().in_use);
    Directory::lock(&path).unwrap();
    SegmentLog::open(&path, &Options::default()).unwrap();
}

/// While the owner writes and trims, readers get what was written or are told that it is gone.
#[test]
fn a_reader_of_a_segment_just_trimmed_never_gets_other_bytes() {
    const COUNT: u64 = 4000;
    let disk = FaultyDisk::new();
    let options = Options { background: true, ..options() };
    let log = SegmentLog::open_on(Arc::new(disk), &options).unwrap().0;
    let payload = |position: u64| format!("{position:08}").repeat(50);
    let put = |position: u64| Batch { time_ms: 1, records: 1, payload: payload(position).into() };
    let (epoch, _) = log.claim(0, put(1)).unwrap();
    let (mut read, mut trimmed) = (0, 0);
    std::thread::scope(|scope| {
        let log = &log;
        scope.spawn(move || {
            for tail in 1..COUNT {
                log.append(epoch, tail, put(tail + 1)).unwrap();
                log.trim(epoch, tail.saturating_sub(3)).unwrap();
            }
        });
        let mut random = 1_u64;
        while log.bounds().unwrap().tail < COUNT {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let bounds = log.bounds().unwrap();
            let position = bounds.first + (random >> 33) % (bounds.tail + 1 - bounds.first);
            let outcome = if random & 1 << 32 == 0 {
                log.fetch(&[Slice { position, bytes: 0..400 }]).map(|mut fetched| fetched.remove(0))
            } else {
                log.read(position, 0).map(|mut page| page.batches.remove(0).batch.payload)
            };
            match outcome {
                Ok(bytes) => {
                    assert_eq!(bytes, payload(position));
                    read += 1;
                }
                Err(ReadError::Trimmed { .. }) => trimmed += 1,
                Err(error) => panic!("batch {position}: {error}"),
            }
        }
    });
    assert!(read > 0, "{read} read, {trimmed} trimmed");
}

#[test]
fn one_append_is_one_write_and_one_flush() {
    let disk = FaultyDisk::new();
    let log = SegmentLog::open_on(Arc::new(disk.clone()), &Options { segment_bytes: 1 << 20, ..options() }).unwrap().0;
    let (epoch, mut tail) = log.claim(0, batch(1)).unwrap();
    let (steps, flushes) = (disk.steps(), log.usage().flushes);
    for nth in 0..100 {
        tail = log.append(epoch, tail, batch(nth)).unwrap();
    }
    assert_eq!((disk.steps() - steps, log.usage().flushes - flushes), (200, 100));
}

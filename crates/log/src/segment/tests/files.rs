//! Segments are made, filled, taken back and used again.

use super::*;
use crate::{
    ReadError, Slice,
    disk::{Directory, Disk, DiskFile, Fault, LockError, Op},
    segment::inspect,
};
use std::{io, path::PathBuf, sync::Mutex};
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

/// A file that can't get its next name is neither lost nor forgotten: it is counted, and used when it can.
#[test]
fn a_recycled_segment_that_can_not_be_renamed_is_kept_for_the_next_try() {
    let allocated = |disk: &FaultyDisk| names(disk).iter().map(|name| disk.contents(name).len() as u64).sum::<u64>();
    let recycled = |disk: &FaultyDisk| names(disk).iter().filter(|name| name.ends_with(".recycled")).count();
    for kind in [io::ErrorKind::StorageFull, io::ErrorKind::PermissionDenied] {
        let disk = FaultyDisk::new();
        let mut ledger = Ledger::default();
        let log = open(&disk);
        ledger.work(&log, 12).unwrap();
        let before = recycled(&disk);
        assert!(before > 0, "{:?}", names(&disk));
        // The first rename in the next life of a segment is the one that takes it from where it was put aside.
        disk.fail(Op::Rename, 0, Fault::Error(kind));
        assert!(matches!(ledger.work(&log, 1), Err(AppendError::Rejected { .. })), "{kind}");
        assert_eq!((recycled(&disk), log.usage().allocated_bytes), (before, allocated(&disk)), "{kind}");
        ledger.in_doubt = None;
        disk.heal();
        ledger.work(&log, 1).unwrap();
        assert!(recycled(&disk) <= before, "{kind}: {:?}", names(&disk));
        assert_eq!(log.usage().allocated_bytes, allocated(&disk), "{kind}");
        ledger.check(&log, "after it got its name");
        drop(log);
        ledger.check(&open(&disk.after_power_cut(1)), "after a power cut");
    }
}

#[test]
fn a_recycled_segment_that_somebody_took_away_is_missed_once() {
    let disk = FaultyDisk::new();
    let mut ledger = Ledger::default();
    let log = open(&disk);
    ledger.work(&log, 12).unwrap();
    let gone: Vec<_> = names(&disk).into_iter().filter(|name| name.ends_with(".recycled")).collect();
    gone.iter().for_each(|name| disk.remove(name).unwrap());
    let mut failed = 0;
    while ledger.work(&log, 1).is_err() {
        ledger.in_doubt = None;
        failed += 1;
        assert!(failed <= gone.len(), "it goes on without them");
    }
    assert!(failed > 0);
    ledger.check(&log, "without them");
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

/// The owner trims the segment and fills it anew just between a reader's looking up and its reading.
#[test]
fn a_reader_of_a_segment_just_trimmed_never_gets_other_bytes() {
    let disk = Arc::new(Interposing::default());
    let log = Arc::new(SegmentLog::open_on(Arc::clone(&disk) as Arc<dyn Disk>, &options()).unwrap().0);
    let put = |position: u64| Batch { time_ms: 1, records: 1, payload: format!("{position:0400}").into() };
    let (epoch, _) = log.claim(0, put(1)).unwrap();
    let fill = move |log: &SegmentLog, count: u64| {
        let tail = log.bounds().unwrap().tail;
        (tail..tail + count).for_each(|tail| assert_eq!(log.append(epoch, tail, put(tail + 1)).unwrap(), tail + 1));
    };
    fill(&log, 40);
    for way in ["fetch", "fetch at hand", "read"] {
        let position = log.bounds().unwrap().first;
        let (owner, tail) = (Arc::clone(&log), log.bounds().unwrap().tail);
        *disk.before_read.lock().unwrap() = Some(Box::new(move || {
            owner.trim(epoch, tail).unwrap();
            fill(&owner, 40);
        }));
        let slice = Slice { position, bytes: 0..400 };
        if way == "fetch at hand" {
            // So that its file is open.
            let open = Slice { position: position + 1, bytes: 0..400 };
            let before = disk.before_read.lock().unwrap().take();
            log.fetch(&[open]).unwrap();
            *disk.before_read.lock().unwrap() = before;
            assert_eq!(log.fetch_at_hand(&[slice]), None);
        } else {
            let outcome =
                if way == "fetch" { log.fetch(&[slice]).map(|_| ()) } else { log.read(position, 0).map(|_| ()) };
            assert!(matches!(outcome, Err(ReadError::Trimmed { .. })), "{way}: {outcome:?}");
        }
        assert!(disk.before_read.lock().unwrap().is_none(), "it was read");
    }
}

type Interruption = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

/// A disk where something happens just before the next read.
#[derive(Default)]
struct Interposing {
    disk: FaultyDisk,
    before_read: Interruption,
}

struct InterposingFile {
    file: Arc<dyn DiskFile>,
    before_read: Interruption,
}

impl Interposing {
    fn wrap(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        Arc::new(InterposingFile { file, before_read: Arc::clone(&self.before_read) })
    }
}

impl Disk for Interposing {
    fn list(&self) -> io::Result<Vec<String>> {
        self.disk.list()
    }
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.wrap(self.disk.create(name)?))
    }
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.wrap(self.disk.open(name)?))
    }
    fn open_direct(&self, name: &str) -> io::Result<Option<Arc<dyn DiskFile>>> {
        self.disk.open_direct(name)
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn sync_dir(&self) -> io::Result<()> {
        self.disk.sync_dir()
    }
    fn path(&self, name: &str) -> PathBuf {
        self.disk.path(name)
    }
}

impl DiskFile for InterposingFile {
    fn write_at(&self, bytes: &[u8], offset_bytes: u64) -> io::Result<usize> {
        self.file.write_at(bytes, offset_bytes)
    }
    fn read_at(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<usize> {
        let before = self.before_read.lock().unwrap().take();
        if let Some(before) = before {
            before();
        }
        self.file.read_at(bytes, offset_bytes)
    }
    fn read_at_hand(&self, bytes: &mut [u8], offset_bytes: u64) -> io::Result<Option<usize>> {
        self.read_at(bytes, offset_bytes).map(Some)
    }
    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }
    fn len_bytes(&self) -> io::Result<u64> {
        self.file.len_bytes()
    }
}

#[test]
fn one_append_is_one_write_and_one_flush() {
    for new in DISKS {
        let disk = new();
        let options = Options { segment_bytes: 1 << 20, ..options() };
        let log = SegmentLog::open_on(Arc::new(disk.clone()), &options).unwrap().0;
        let (epoch, mut tail) = log.claim(0, batch(1)).unwrap();
        let (steps, flushes) = (disk.steps(), log.usage().flushes);
        for nth in 0..100 {
            tail = log.append(epoch, tail, batch(nth)).unwrap();
        }
        assert_eq!((disk.steps() - steps, log.usage().flushes - flushes), (200, 100));
    }
}

/// Frames of all sizes, some too large for the way past the cache, some read between writes, all there in the end.
#[test]
fn both_ways_to_the_disk_meet_in_one_segment() {
    let disk = FaultyDisk::with_direct();
    let options = Options { segment_bytes: 4 << 20, ..options() };
    let open = |disk: &FaultyDisk| SegmentLog::open_on(Arc::new(disk.clone()), &options).unwrap().0;
    let log = open(&disk);
    let mut written = vec![batch(1)];
    let (mut epoch, mut tail) = log.claim(0, batch(1)).unwrap();
    for nth in 0..120_u64 {
        let bytes = [1, 4000, 4096 - 64, 100, 300_000, 5000, 70_000, 64][nth as usize % 8];
        let batch = Batch { time_ms: nth, records: 1, payload: vec![nth as u8 | 1; bytes].into() };
        if nth % 17 == 16 {
            (epoch, tail) = log.claim(tail, batch.clone()).unwrap();
        } else {
            tail = log.append(epoch, tail, batch.clone()).unwrap();
        }
        written.push(batch);
        assert_eq!(log.read(tail, 1).unwrap().batches[0].batch, written[tail as usize - 1]);
    }
    drop(log);
    let found: Vec<_> = everything(&open(&disk.after_power_cut(1))).into_iter().map(|logged| logged.batch).collect();
    assert!(found == written);
}

//! Logs as every format of segments left them on a disk: they open for ever, and today's code still leaves the same bytes.
//!
//! `crates/log/golden/N` is the directory of a server that was killed, in format `N` (the version in each file's head): a
//! segment that was used before, a batch that spans most of one, three claims, batches that were written without waiting
//! for their flush, a trim, a recycled file, and the first sectors of a batch that nobody was told of. What it holds is
//! always the same story, told by [`story`]; so a new format needs nothing but a directory, which [`a_new_format_gets_a_directory`]
//! writes. A directory that exists is never written again, and one that is committed stays.

#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use afterward_log::{
    AppendError, Batch, Bounds, Log, LoggedBatch, Position,
    disk::{Disk, FaultyDisk},
    segment::{Durability, Options, SegmentLog},
};
use std::{collections::BTreeMap, fs, path::PathBuf, sync::Arc};
use tempfile::TempDir;

/// How many batches were acknowledged, and which of them were claims.
const TAIL: Position = 39;
const CLAIMS: [Position; 3] = [1, 10, 32];
/// Up to where its owner trimmed it; whole segments go, so it begins no later than behind this one.
const TRIMMED: Position = 26;
/// How much came through of the last write: seven sectors of a block, which begins with batches that were there before.
const LAST_WRITE_BYTES: usize = 7 * 512;

type Files = BTreeMap<String, Vec<u8>>;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden")
}

fn options(durability: Durability) -> Options {
    Options { durability, segment_bytes: 4096, salt: 42, partition: 3, background: false }
}

/// Payloads of all kinds of lengths, with zeros where they can do harm.
fn batch(position: Position) -> Batch {
    let bytes = [10, 300, 448, 700, 0, 1500, 2500, 63][position as usize % 8];
    let mut payload: Vec<u8> = (0..bytes).map(|at: u64| (at * 7 + position * 13) as u8 | 1).collect();
    if position.is_multiple_of(3) {
        let zeros = payload.len() / 4..payload.len() / 4 * 3;
        payload[zeros].fill(0);
    }
    Batch { time_ms: 1_700_000_000_000 + position, records: position as u32 % 5, payload: payload.into() }
}

/// What the log is told, up to the power cut.
fn story() -> Files {
    let disk = FaultyDisk::with_direct();
    let open = |durability| SegmentLog::open_on(Arc::new(disk.clone()), &options(durability)).unwrap().0;
    let mut log = open(Durability::Flush);
    let mut epoch = 0;
    for position in 1..=TAIL {
        match position {
            // One life without flushes, then one with them again.
            10 => log = reopened(log, &open, Durability::Os),
            32 => log = reopened(log, &open, Durability::Flush),
            _ => {}
        }
        let expected = position - 1;
        if CLAIMS.contains(&position) {
            epoch = log.claim(expected, batch(position)).unwrap().0;
        } else {
            log.append(epoch, expected, batch(position)).unwrap();
        }
        if position == 20 || position == 35 {
            log.trim(epoch, if position == 20 { 12 } else { TRIMMED }).unwrap();
        }
    }
    disk.stop_at(disk.steps(), LAST_WRITE_BYTES);
    let torn = log.append(epoch, TAIL, Batch { payload: vec![7; 1000].into(), ..batch(TAIL + 1) });
    assert!(matches!(torn, Err(AppendError::Unknown { .. })), "{torn:?}");
    let disk = disk.after_kill();
    disk.list().unwrap().into_iter().map(|name| (name.clone(), disk.contents(&name))).collect()
}

/// The log is closed before it is opened again.
fn reopened(log: SegmentLog, open: &impl Fn(Durability) -> SegmentLog, durability: Durability) -> SegmentLog {
    drop(log);
    open(durability)
}

/// The format that a file says it has.
fn version(files: &Files) -> u8 {
    files.values().find_map(|bytes| bytes.get(8).copied()).unwrap()
}

/// The directories that are committed.
fn golden() -> BTreeMap<u8, Files> {
    let directories = fs::read_dir(root()).unwrap().map(|entry| entry.unwrap().path());
    let read = |directory: PathBuf| {
        let files = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap());
        let files = files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap()));
        (directory.file_name().unwrap().to_str().unwrap().parse().unwrap(), files.collect())
    };
    directories.map(read).collect()
}

#[test]
#[ignore = "writes the directory of today's format if it is missing, to look at and commit"]
fn a_new_format_gets_a_directory() {
    let files = story();
    let directory = root().join(version(&files).to_string());
    if !directory.exists() {
        fs::create_dir_all(&directory).unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(directory.join(name), bytes).unwrap());
    }
}

#[test]
fn todays_segments_have_the_bytes_that_they_always_had() {
    let files = story();
    let version = version(&files);
    let golden = golden();
    let golden = golden.get(&version).unwrap_or_else(|| {
        panic!(
            "there is no log of format {version}: `cargo test -p afterward-log --test conformance -- --ignored new` \
             writes it"
        )
    });
    assert_eq!(files.keys().collect::<Vec<_>>(), golden.keys().collect::<Vec<_>>());
    for (name, bytes) in &files {
        let differs = bytes.iter().zip(&golden[name]).position(|(today, golden)| today != golden);
        assert_eq!((bytes.len(), differs), (golden[name].len(), None), "{name}: a new format needs a new version");
    }
}

/// All batches, of which the first ones may be gone that were trimmed.
fn check(log: &SegmentLog, what: &str) -> Bounds {
    let bounds = log.bounds().unwrap();
    assert_eq!(bounds.tail, TAIL, "{what}");
    assert!(bounds.first > 1 && bounds.first <= TRIMMED + 1, "{what}: {bounds:?}");
    let mut found: Vec<LoggedBatch> = Vec::new();
    let mut from = bounds.first;
    while from <= TAIL {
        let page = log.read(from, 1000).unwrap();
        from = page.next;
        found.extend(page.batches);
    }
    for (position, logged) in (bounds.first..).zip(&found) {
        let epoch = CLAIMS.iter().filter(|claim| **claim <= position).count() as u64;
        let expected = LoggedBatch { position, epoch, claim: CLAIMS.contains(&position), batch: batch(position) };
        assert_eq!(*logged, expected, "{what}");
    }
    bounds
}

#[test]
fn old_logs_open_with_what_they_held_and_go_on() {
    let golden = golden();
    assert!(!golden.is_empty());
    for (version, files) in golden {
        let what = format!("format {version}");
        let names = |suffix: &str| files.keys().filter(|name| name.ends_with(suffix)).count();
        assert!(names(".segment") >= 2 && names(".recycled") >= 1, "{what}: {:?}", files.keys());
        let directory = TempDir::new().unwrap();
        files.iter().for_each(|(name, bytes)| fs::write(directory.path().join(name), bytes).unwrap());
        let open = || SegmentLog::open(directory.path(), &options(Durability::Flush)).unwrap();

        let (log, report) = open();
        let torn = report.torn.unwrap_or_else(|| panic!("{what}: nothing was torn"));
        assert_eq!(torn.offset + torn.bytes, LAST_WRITE_BYTES as u64, "{what}: {torn}");
        let bounds = check(&log, &what);
        drop(log);

        let (log, report) = open();
        assert_eq!(report.torn, None, "{what}: it was cut for good");
        assert_eq!(check(&log, &what), bounds);
        let (epoch, tail) = log.claim(TAIL, batch(TAIL + 1)).unwrap();
        assert_eq!((epoch, tail), (CLAIMS.len() as u64 + 1, TAIL + 1), "{what}");
        (tail..tail + 20).for_each(|tail| assert_eq!(log.append(epoch, tail, batch(tail + 1)).unwrap(), tail + 1));
        drop(log);
        let (log, _) = open();
        assert_eq!(log.bounds().unwrap(), Bounds { tail: tail + 20, ..bounds }, "{what}");
        assert_eq!(log.read(tail + 20, 1).unwrap().batches[0].batch, batch(tail + 20), "{what}");
    }
}

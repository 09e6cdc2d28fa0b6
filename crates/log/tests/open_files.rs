//! A backlog of any size takes few file descriptors.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use afterward_log::{
    Batch, Log, Slice,
    segment::{Options, SegmentLog},
};
use std::{fs, path::Path};
use tempfile::TempDir;

const SEGMENTS: u64 = 300;
/// 64 to read from, and those that are being written and made.
const MOST_FILES: usize = 70;

/// How many files of this directory the process has open, and how many of those have been removed.
fn open_files(directory: &Path) -> (usize, usize) {
    let targets = fs::read_dir("/proc/self/fd").unwrap().filter_map(|fd| fs::read_link(fd.unwrap().path()).ok());
    let here: Vec<_> = targets.filter(|target| target.starts_with(directory)).collect();
    let removed = here.iter().filter(|target| target.to_string_lossy().ends_with("(deleted)")).count();
    (here.len(), removed)
}

fn payload(position: u64) -> String {
    format!("{position:03000}")
}

#[test]
fn many_segments_are_read_through_few_open_files() {
    let directory = TempDir::new().unwrap();
    let options = Options { segment_bytes: 4096, ..Options::default() };
    let (log, _) = SegmentLog::open(directory.path(), &options).unwrap();
    let batch = |position: u64| Batch { time_ms: 1, records: 1, payload: payload(position).into() };
    let (epoch, mut tail) = log.claim(0, batch(1)).unwrap();
    while tail < SEGMENTS {
        tail = log.append(epoch, tail, batch(tail + 1)).unwrap();
    }
    let read = |log: &SegmentLog, first: u64| {
        for step in 0..2 * SEGMENTS {
            let position = first + step * 7919 % (SEGMENTS - first + 1);
            let fetched = log.fetch(&[Slice { position, bytes: 0..3000 }]).unwrap();
            assert_eq!(fetched, [payload(position)]);
            assert_eq!(log.read(position, 1).unwrap().batches[0].batch.payload, payload(position));
        }
        let (open, removed) = open_files(directory.path());
        assert!(open <= MOST_FILES, "{open} files are open");
        assert_eq!(removed, 0, "what was removed keeps its space while it is open");
    };
    read(&log, 1);
    drop(log);

    let (log, report) = SegmentLog::open(directory.path(), &options).unwrap();
    assert_eq!(report.segments as u64, SEGMENTS);
    let (epoch, _) = log.claim(tail, batch(tail + 1)).unwrap();
    read(&log, 1);
    log.trim(epoch, 200).unwrap();
    read(&log, 201);
}

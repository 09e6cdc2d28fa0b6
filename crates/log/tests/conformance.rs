//! Every engine keeps the contract.

use afterward_log::{
    Log,
    conformance::{self, Harness},
    disk::{Fault, FaultyDisk, Op},
    memory::{self, Fencing, MemoryLog},
    segment::{Options, SegmentLog},
};
use std::{
    io,
    sync::{Arc, Weak},
};
use tempfile::TempDir;

/// Small segments, so that every case crosses some.
fn options(background: bool) -> Options {
    Options { segment_bytes: 4096, background, ..Options::default() }
}

/// A log that one process has open once: a further handle is the same one.
struct Segments<D> {
    disk: D,
    open: fn(&D) -> SegmentLog,
    fail_flush: fn(&D) -> bool,
    log: Weak<SegmentLog>,
}

impl<D> Harness for Segments<D> {
    fn another(&mut self) -> Arc<dyn Log> {
        let log = self.log.upgrade().unwrap_or_else(|| Arc::new((self.open)(&self.disk)));
        self.log = Arc::downgrade(&log);
        // The weak reference is not enough to keep it open between two calls of one case: the case holds the handle.
        log
    }

    fn reopen(&mut self) -> Arc<dyn Log> {
        assert!(self.log.upgrade().is_none(), "the case holds a handle still");
        self.another()
    }

    fn lose_next_answer(&mut self, _: &Arc<dyn Log>) -> bool {
        (self.fail_flush)(&self.disk)
    }
}

#[test]
fn segments_in_a_directory() {
    conformance::run(|| Segments {
        disk: TempDir::new().unwrap(),
        open: |dir| SegmentLog::open(dir.path(), &options(true)).unwrap().0,
        fail_flush: |_| false,
        log: Weak::new(),
    });
}

#[test]
fn segments_on_a_faulty_disk() {
    for background in [false, true] {
        conformance::run(|| Segments {
            disk: FaultyDisk::new(),
            open: if background { |disk| open(disk, true) } else { |disk| open(disk, false) },
            // With a thread at work nobody knows whose flush is the next one.
            fail_flush: if background { |_| false } else { fail_flush },
            log: Weak::new(),
        });
    }
}

fn open(disk: &FaultyDisk, background: bool) -> SegmentLog {
    SegmentLog::open_on(Arc::new(disk.clone()), &options(background)).unwrap().0
}

fn fail_flush(disk: &FaultyDisk) -> bool {
    disk.fail(Op::Sync, 0, Fault::Error(io::ErrorKind::Other));
    true
}

struct Memory {
    log: MemoryLog,
    /// Those given out, to make them fail.
    fault: memory::Fault,
}

impl Harness for Memory {
    fn another(&mut self) -> Arc<dyn Log> {
        Arc::new(self.log.another())
    }

    fn reopen(&mut self) -> Arc<dyn Log> {
        self.another()
    }

    fn lose_next_answer(&mut self, _: &Arc<dyn Log>) -> bool {
        false
    }
}

#[test]
fn memory() {
    for fencing in [Fencing::ByStore, Fencing::ByReaders] {
        conformance::run(|| Memory { log: MemoryLog::new(fencing), fault: memory::Fault::UnknownLost });
    }
}

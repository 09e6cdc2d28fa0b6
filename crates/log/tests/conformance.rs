//! Every engine keeps the contract, and segments keep their format.

mod golden;

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
    let disks: [fn() -> FaultyDisk; 2] = [FaultyDisk::new, FaultyDisk::with_direct];
    for (background, new) in [(false, disks[0]), (true, disks[0]), (false, disks[1]), (true, disks[1])] {
        conformance::run(|| Segments {
            disk: new(),
            open: if background { |disk| open(disk, true) } else { |disk| open(disk, false) },
            // With a thread at work nobody knows whose flush is the next one.
            fail_flush: if background { |_| false } else { fail_flush },
            log: Weak::new(),
        });
    }
}

fn open(disk: &FaultyDisk, background: bool) -> SegmentLog {
    SegmentLog::open_on(Arc::new(disk.clone()), &options(background)).expect("a log on a sound disk").0
}

fn fail_flush(disk: &FaultyDisk) -> bool {
    disk.fail(Op::Sync, 0, Fault::Error(io::ErrorKind::Other));
    true
}

struct Memory {
    handles: Vec<Arc<MemoryLog>>,
    fault: memory::Fault,
}

impl Harness for Memory {
    fn another(&mut self) -> Arc<dyn Log> {
        let handle = Arc::new(self.handles[0].another());
        self.handles.push(Arc::clone(&handle));
        handle
    }

    fn reopen(&mut self) -> Arc<dyn Log> {
        // What was lost on the way may still come, and must find the door shut.
        self.handles.iter().for_each(|handle| assert_eq!(handle.deliver_late(), 0));
        self.another()
    }

    fn lose_next_answer(&mut self, log: &Arc<dyn Log>) -> bool {
        let same = |handle: &&Arc<MemoryLog>| std::ptr::addr_eq(Arc::as_ptr(handle), Arc::as_ptr(log));
        self.handles.iter().find(same).expect("a handle from here").fail_next(self.fault);
        true
    }
}

#[test]
fn memory() {
    for fencing in [Fencing::ByStore, Fencing::ByReaders] {
        for fault in [memory::Fault::UnknownLost, memory::Fault::UnknownWritten, memory::Fault::UnknownLate] {
            conformance::run(|| Memory { handles: vec![Arc::new(MemoryLog::new(fencing))], fault });
        }
    }
}

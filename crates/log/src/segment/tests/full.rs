//! A disk without room: it is known before an append fails, and ends by itself.

use super::*;
use crate::{Shortage, disk::Disk};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Waits until it is short, or is not.
fn shortage(log: &SegmentLog, is_short: bool) -> Option<Shortage> {
    let began = Instant::now();
    while log.shortage().is_some() != is_short {
        assert!(began.elapsed() < Duration::from_secs(60), "short: {:?}", log.shortage());
        thread::sleep(Duration::from_millis(1));
    }
    log.shortage()
}

/// The next try may be making one at this very moment: none stays.
fn no_half_segment_is_left(disk: &FaultyDisk) {
    let began = Instant::now();
    while let Some(half) = disk.list().unwrap().iter().find(|name| !name.ends_with(".segment")) {
        assert!(began.elapsed() < Duration::from_secs(60), "{half} is left");
        thread::sleep(Duration::from_millis(1));
    }
}

fn open_in_background(disk: &FaultyDisk) -> SegmentLog {
    SegmentLog::open_on(Arc::new(disk.clone()), &Options { background: true, ..options() }).unwrap().0
}

#[test]
fn a_full_disk_is_known_while_there_is_room_for_small_batches_and_a_trim_ends_it() {
    for new in DISKS {
        let disk = new();
        // Five segments, and not a sixth.
        disk.set_capacity(Some(5 * SEGMENT_BYTES + 100));
        let log = open_in_background(&disk);
        let (epoch, mut tail) = log.claim(0, batch(1)).unwrap();
        assert_eq!(log.shortage(), None);
        // Five to a segment, after the claim; the last one is the first in the fifth.
        while tail < 22 {
            tail = log.append(epoch, tail, batch(4)).unwrap();
        }
        let Shortage { room_bytes, reason } = shortage(&log, true).unwrap();
        assert!(room_bytes > SEGMENT_BYTES / 2 && room_bytes < SEGMENT_BYTES, "{room_bytes}");
        assert!(reason.contains("no further segment could be made in memory"), "{reason}");
        no_half_segment_is_left(&disk);

        // All of the room that was promised is there.
        let mut room_bytes = room_bytes;
        while room_bytes >= 128 {
            tail = log.append(epoch, tail, batch(0)).unwrap();
            assert!(log.shortage().unwrap().room_bytes >= room_bytes - 128);
            room_bytes -= 128;
        }
        log.trim(epoch, 12).unwrap();
        shortage(&log, false);
        for _ in 0..8 {
            tail = log.append(epoch, tail, batch(4)).unwrap();
        }
        drop(log);
        assert_eq!(open(&disk.after_power_cut(3)).bounds().unwrap().tail, tail);
    }
}

#[test]
fn room_that_somebody_else_makes_is_found() {
    let disk = FaultyDisk::new();
    disk.set_capacity(Some(SEGMENT_BYTES));
    let log = open_in_background(&disk);
    let (epoch, tail) = log.claim(0, batch(1)).unwrap();
    shortage(&log, true);
    disk.set_capacity(None);
    shortage(&log, false);
    (0..20).fold(tail, |tail, _| log.append(epoch, tail, batch(4)).unwrap());
}

#[test]
fn a_disk_that_is_full_at_a_start_is_known_then() {
    let disk = FaultyDisk::new();
    let log = open(&disk);
    let (epoch, tail) = log.claim(0, batch(1)).unwrap();
    log.append(epoch, tail, batch(4)).unwrap();
    drop(log);
    disk.set_capacity(Some(0));
    let log = open_in_background(&disk);
    log.claim(2, batch(1)).unwrap();
    assert!(shortage(&log, true).is_some());
}

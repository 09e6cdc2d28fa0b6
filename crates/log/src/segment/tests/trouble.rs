//! What the owner is told when something fails, and what it may do then.

use super::*;
use crate::disk::{Fault, Op};
use std::io::ErrorKind;

#[test]
fn after_an_unknown_append_nothing_is_tried_again() {
    let disk = FaultyDisk::new();
    let log = open(&disk);
    let (epoch, tail) = log.claim(0, batch(1)).unwrap();
    disk.fail(Op::Sync, 0, Fault::Error(ErrorKind::Other));
    let error = log.append(epoch, tail, batch(2)).unwrap_err();
    assert!(matches!(error, AppendError::Unknown { .. }), "{error}");
    let steps = disk.steps();
    for expected in [tail, tail + 1] {
        assert!(matches!(log.append(epoch, expected, batch(2)), Err(AppendError::Rejected { .. })));
        assert!(log.trim(epoch, tail).is_err());
    }
    assert_eq!(disk.steps(), steps, "the disk was left alone");
    assert_eq!(everything(&log).len(), 1, "nobody reads what is in doubt");
}

#[test]
fn a_claim_that_fails_can_be_made_again() {
    for (op, nth) in [(Op::Sync, 0), (Op::Sync, 1), (Op::Sync, 2), (Op::Write, 0), (Op::Write, 1)] {
        let disk = FaultyDisk::new();
        let log = open(&disk);
        let (epoch, tail) = log.claim(0, batch(1)).unwrap();
        disk.fail(Op::Sync, 0, Fault::Error(ErrorKind::Other));
        assert!(log.append(epoch, tail, batch(2)).is_err());
        disk.fail(op, nth, Fault::Error(ErrorKind::Other));
        let mut claimed = log.claim(tail, batch(3));
        let failed = claimed.is_err();
        while let Err(error) = claimed {
            assert!(matches!(error, crate::ClaimError::Append(AppendError::Unknown { .. })), "{error}");
            assert!(log.append(epoch, tail, batch(2)).is_err());
            claimed = log.claim(tail, batch(3));
        }
        let (epoch, tail) = claimed.unwrap();
        disk.heal();
        log.append(epoch, tail, batch(4)).unwrap();
        assert!(failed || nth == 2, "{op:?} {nth}");
        let found = everything(&log);
        assert_eq!(found.len(), 3);
        drop(log);
        assert_eq!(everything(&open(&disk.after_power_cut(5))), found);
    }
}

#[test]
fn a_batch_beyond_all_measure_is_rejected() {
    let log = open(&FaultyDisk::new());
    let (epoch, tail) = log.claim(0, batch(1)).unwrap();
    let payload = vec![0; super::super::frame::MAX_PAYLOAD_BYTES + 1].into();
    let error = log.append(epoch, tail, Batch { time_ms: 1, records: 1, payload }).unwrap_err();
    assert!(matches!(&error, AppendError::Rejected { reason } if reason.contains("larger")), "{error}");
}

#[test]
fn a_full_disk_is_not_filled_further_with_half_a_segment_and_is_written_again_once_there_is_room() {
    let disk = FaultyDisk::new();
    let log = open(&disk);
    let (epoch, mut tail) = log.claim(0, batch(1)).unwrap();
    let full = loop {
        // From its head on, the second segment finds no room.
        disk.heal();
        for write in 1..3 {
            disk.fail(Op::Write, write, Fault::Error(ErrorKind::StorageFull));
        }
        match log.append(epoch, tail, batch(4)) {
            Ok(position) => tail = position,
            Err(error) => break error,
        }
    };
    assert!(matches!(&full, AppendError::Rejected { reason } if reason.contains("no further segment")), "{full}");
    assert_eq!(crate::disk::Disk::list(&disk).unwrap(), ["0000000000000001.segment"]);
    disk.heal();
    let (epoch, tail) = log.claim(tail, batch(0)).unwrap();
    log.append(epoch, tail, batch(6)).unwrap();
    drop(log);
    assert_eq!(everything(&open(&disk)).len() as u64, tail + 1);
}

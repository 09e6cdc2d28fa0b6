//! The process is killed, or the power cut, at every step of a small workload; writes and flushes fail.
//!
//! Each test prints how much it tried: `cargo test -p afterward-log --lib crash -- --nocapture`.

use super::*;
use crate::disk::{Fault, Op};
use std::io::ErrorKind;

const ROUNDS: u64 = 4;

/// What a test tried, for people.
#[allow(clippy::print_stdout)] // what the reliability report quotes
fn tried(what: &str, counts: &[(u64, &str)]) {
    let counts: Vec<String> = counts.iter().map(|(count, of)| format!("{count} {of}")).collect();
    println!("{what}: {}", counts.join(", "));
}

/// Works until the disk stops at `step`: what was acknowledged by then.
fn stopped_at(disk: &FaultyDisk, durability: Durability, step: u64, last_write_bytes: usize) -> Ledger {
    let mut ledger = Ledger::default();
    disk.stop_at(step, last_write_bytes);
    if let Ok((log, _)) = try_open(disk, durability) {
        let _ = ledger.work(&log, ROUNDS);
    }
    ledger
}

fn steps_in_all(disk: &FaultyDisk, durability: Durability) -> u64 {
    let mut ledger = Ledger::default();
    let (log, _) = try_open(disk, durability).unwrap();
    ledger.work(&log, ROUNDS).unwrap();
    ledger.check(&log, "without a fault");
    assert!(log.bounds().unwrap().first > 9, "the workload trims");
    disk.steps()
}

/// Whether the last batch on the disk is incomplete.
fn is_torn(disk: &FaultyDisk) -> bool {
    try_open(&disk.after_kill(), Durability::Flush).unwrap().1.torn.is_some()
}

/// It works on after the crash, and what it says then survives a power cut too.
fn goes_on(disk: &FaultyDisk, ledger: &mut Ledger, what: &str) {
    let log = open(disk);
    ledger.check(&log, what);
    ledger.work(&log, 1).unwrap_or_else(|error| panic!("{what}: {error}"));
    drop(log);
    ledger.check(&open(&disk.after_power_cut(1)), what);
}

#[test]
fn killed_at_every_step() {
    let (mut kills, mut torn) = (0, 0);
    for (new, durability) in [(DISKS[0], Durability::Flush), (DISKS[0], Durability::Os), (DISKS[1], Durability::Flush)]
    {
        for step in 0..steps_in_all(&new(), durability) {
            for last_write_bytes in [0, 1, 60, 63, 64, 65, 100, 511, 512, 513, 1000, 4096, usize::MAX] {
                let disk = new();
                let mut ledger = stopped_at(&disk, durability, step, last_write_bytes);
                let what = format!("{durability:?}, killed at step {step} after {last_write_bytes} bytes");
                kills += 1;
                torn += u64::from(is_torn(&disk.after_kill()));
                goes_on(&disk.after_kill(), &mut ledger, &what);
            }
        }
    }
    tried("killed at every step", &[(kills, "kills"), (torn, "torn batches")]);
    assert!(torn > 500, "only {torn} torn batches: the test does not test");
}

#[test]
fn the_power_is_cut_at_every_step() {
    for (new, way) in DISKS.into_iter().zip(["through the cache", "past the cache"]) {
        let (mut cuts, mut torn) = (0, 0);
        for step in 0..steps_in_all(&new(), Durability::Flush) {
            for seed in 0..10 {
                let disk = new();
                let mut ledger = stopped_at(&disk, Durability::Flush, step, usize::MAX);
                let disk = disk.after_power_cut(seed);
                let what = format!("power cut at step {step}, seed {seed}");
                cuts += 1;
                torn += u64::from(is_torn(&disk));
                goes_on(&disk, &mut ledger, &what);
            }
        }
        tried(&format!("power cut at every step, {way}"), &[(cuts, "cuts"), (torn, "torn batches")]);
        assert!(torn > 100, "only {torn} torn batches: the test does not test");
    }
}

/// Without flushes the last batches may be gone, but not one from among them, and none that is under a claim.
#[test]
fn a_power_cut_without_flushes_leaves_a_prefix() {
    let (mut cuts, mut shorter) = (0, 0);
    for step in 0..steps_in_all(&FaultyDisk::new(), Durability::Os) {
        for seed in 0..10 {
            let disk = FaultyDisk::new();
            let mut ledger = stopped_at(&disk, Durability::Os, step, usize::MAX);
            let what = format!("power cut at step {step}, seed {seed}");
            let disk = disk.after_power_cut(seed);
            let (log, _) = try_open(&disk, Durability::Os).unwrap_or_else(|error| panic!("{what}: {error}"));
            let tail = log.bounds().unwrap().tail as usize;
            assert!(tail >= ledger.claimed, "{what}");
            cuts += 1;
            shorter += u64::from(tail < ledger.acknowledged.len());
            ledger.acknowledged.truncate(tail);
            ledger.check(&log, &what);
            drop(log);
            goes_on(&disk, &mut ledger, &what);
        }
    }
    tried("power cut at every step, without flushes", &[(cuts, "cuts"), (shorter, "shorter logs")]);
    assert!(shorter > 100, "only {shorter} logs lost anything: the test does not test");
}

/// A flush fails; the page cache shows the batch, the disk doesn't have it, and no later flush will bring it there.
#[test]
fn a_failed_flush_is_never_taken_for_one_that_worked() {
    let mut failed = 0;
    for (new, nth) in DISKS.into_iter().flat_map(|new| (0..60).map(move |nth| (new, nth))) {
        for restart in [false, true] {
            for seed in 0..8 {
                let what = format!("flush {nth} fails, restart {restart}, seed {seed}");
                let disk = new();
                let mut ledger = Ledger::default();
                disk.fail(Op::Sync, nth, Fault::Error(ErrorKind::Other));
                let Ok((mut log, _)) = try_open(&disk, Durability::Flush) else { continue };
                if let Err(error) = ledger.work(&log, ROUNDS) {
                    failed += 1;
                    assert!(matches!(error, AppendError::Unknown { .. } | AppendError::Rejected { .. }), "{what}");
                }
                if restart {
                    drop(log);
                    log = open(&disk);
                    ledger.check(&log, &what);
                } else {
                    // It was decided that it is not there, whatever the disk has.
                    assert_eq!(log.bounds().unwrap().tail as usize, ledger.acknowledged.len(), "{what}");
                }
                disk.heal();
                ledger.work(&log, 1).unwrap();
                drop(log);
                ledger.check(&open(&disk.after_power_cut(seed)), &what);
            }
        }
    }
    tried("failed flushes", &[(failed, "appends and claims were told of one")]);
    assert!(failed > 1000, "{failed}");
}

/// Whatever was refused for want of room is not there, and the log goes on when there is room again.
#[test]
fn a_full_disk_rejects_and_goes_on_later() {
    let mut rejected = 0;
    for op in [Op::Write, Op::Create, Op::Rename] {
        for nth in 0..60 {
            let what = format!("{op:?} {nth} finds the disk full");
            let disk = FaultyDisk::new();
            disk.fail(op, nth, Fault::Error(ErrorKind::StorageFull));
            let Ok((log, _)) = try_open(&disk, Durability::Flush) else { continue };
            let mut ledger = Ledger::default();
            if let Err(error) = ledger.work(&log, ROUNDS) {
                assert!(matches!(error, AppendError::Rejected { .. }), "{what}: {error}");
                ledger.in_doubt = None;
                rejected += 1;
            }
            ledger.check(&log, &what);
            disk.heal();
            ledger.work(&log, 1).unwrap();
            drop(log);
            ledger.check(&open(&disk.after_power_cut(nth)), &what);
        }
    }
    tried("full disks", &[(rejected, "appends and claims were refused")]);
    assert!(rejected > 40, "{rejected}");
}

#[test]
fn short_writes_are_finished() {
    let disk = FaultyDisk::new();
    for (nth, bytes) in (0..200).zip([1, 3, 64, 100, 511].into_iter().cycle()) {
        disk.fail(Op::Write, nth * 2, Fault::Short(bytes));
    }
    let mut ledger = Ledger::default();
    let log = open(&disk);
    ledger.work(&log, ROUNDS).unwrap();
    ledger.check(&log, "short writes");
    // Each costs one write more.
    let met = disk.steps() - steps_in_all(&FaultyDisk::new(), Durability::Flush);
    tried("short writes", &[(met, "were finished")]);
    assert!(met > 20, "{met}");
    drop(log);
    ledger.check(&open(&disk.after_power_cut(0)), "short writes, power cut");
}

/// A write that fails half-way: perhaps all of it came through, so nobody knows; after the next claim it is not there.
#[test]
fn a_write_that_fails_half_way_is_unknown_and_then_erased() {
    let mut cases = 0;
    for (new, bytes) in DISKS.into_iter().flat_map(|new| [1, 64, 200, 511, 600].map(|bytes| (new, bytes))) {
        let disk = new();
        cases += 1;
        let log = open(&disk);
        let (epoch, _) = log.claim(0, batch(1)).unwrap();
        disk.fail(Op::Write, 0, Fault::Short(bytes));
        disk.fail(Op::Write, 1, Fault::Error(ErrorKind::StorageFull));
        assert!(matches!(log.append(epoch, 1, batch(4)), Err(AppendError::Unknown { .. })));
        disk.heal();
        let (epoch, tail) = log.claim(1, batch(0)).unwrap();
        log.append(epoch, tail, batch(1)).unwrap();
        let found = everything(&log);
        drop(log);
        let (log, report) = try_open(&disk.after_power_cut(3), Durability::Flush).unwrap();
        assert_eq!(report.torn, None);
        assert_eq!(everything(&log), found);
    }
    tried("writes that fail half-way", &[(cases, "were unknown, and then erased")]);
}

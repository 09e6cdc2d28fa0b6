//! The faulty disk forgets what it should, and nothing else.

use super::*;
use std::io::ErrorKind;

fn disk_with(name: &str, bytes: &[u8]) -> (FaultyDisk, Arc<dyn DiskFile>) {
    let disk = FaultyDisk::new();
    let file = disk.create(name).unwrap();
    write_all(&*file, bytes, 0).unwrap();
    file.sync().unwrap();
    disk.sync_dir().unwrap();
    (disk, file)
}

#[test]
fn a_power_cut_leaves_what_was_flushed_and_whole_sectors_of_the_rest() {
    let (disk, file) = disk_with("a", &[1; 4096]);
    write_all(&*file, &[2; 4096], 0).unwrap();
    let (mut torn, mut whole) = (0, 0);
    for seed in 0..200 {
        let left = disk.after_power_cut(seed).contents("a");
        let sectors: Vec<_> = left.chunks(SECTOR_BYTES as usize).collect();
        assert!(sectors.iter().all(|sector| sector.iter().all(|byte| *byte == sector[0])), "a sector is atomic");
        match sectors.iter().filter(|sector| sector[0] == 2).count() {
            0 | 8 => whole += 1,
            _ => torn += 1,
        }
    }
    assert!(torn > 50 && whole > 10, "{torn} torn, {whole} whole");
    assert_eq!(disk.after_kill().contents("a"), [2; 4096], "the operating system has it");
}

#[test]
fn a_failed_flush_loses_what_a_later_one_does_not_bring_back() {
    let (disk, file) = disk_with("a", &[1; 512]);
    write_all(&*file, &[2; 512], 0).unwrap();
    disk.fail(Op::Sync, 0, Fault::Error(ErrorKind::Other));
    assert!(file.sync().is_err());
    assert!(file.sync().is_ok());
    assert_eq!(disk.contents("a"), [2; 512]);
    assert_eq!(disk.after_power_cut(7).contents("a"), [1; 512]);
}

#[test]
fn names_that_were_not_synced_may_be_lost() {
    let (disk, _file) = disk_with("a", &[1; 512]);
    disk.rename("a", "b").unwrap();
    let found: BTreeSetOfNames = (0..20).map(|seed| disk.after_power_cut(seed).list().unwrap()).collect();
    assert_eq!(found, [vec!["a".to_owned()], vec!["b".to_owned()]].into());
    disk.sync_dir().unwrap();
    assert!((0..20).all(|seed| disk.after_power_cut(seed).list().unwrap() == ["b"]));
}

type BTreeSetOfNames = std::collections::BTreeSet<Vec<String>>;

#[test]
fn faults_meet_the_operation_they_were_meant_for() {
    let (disk, file) = disk_with("a", &[0; 10]);
    disk.fail(Op::Write, 1, Fault::Error(ErrorKind::StorageFull));
    disk.fail(Op::Write, 0, Fault::Short(3));
    assert_eq!(file.write_at(b"12345", 0).unwrap(), 3);
    assert_eq!(file.write_at(b"12345", 0).unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(file.write_at(b"12345", 0).unwrap(), 5);
}

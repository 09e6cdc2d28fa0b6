//! Bytes that are not what was written, and tails that were never written to their end.

use super::*;
use crate::{
    ReadError,
    disk::Disk,
    segment::{
        Condition, file,
        frame::{HEADER_BYTES, Place, encode, frame_bytes},
        handle::OpenFiles,
        inspect::inspect_on,
        recovery,
    },
};
use std::path::{Path, PathBuf};

/// A log of some segments, and where its frames are: file, start, end.
fn log_with_frames(count: u64) -> (FaultyDisk, Vec<LoggedBatch>, Vec<(String, u64, u64)>) {
    let disk = FaultyDisk::new();
    let log = open(&disk);
    let (epoch, mut tail) = log.claim(0, batch(0)).unwrap();
    for nth in 1..count {
        tail = log.append(epoch, tail, batch(nth)).unwrap();
    }
    let batches = everything(&log);
    let (mut number, mut end) = (1, HEADER_BYTES as u64);
    let frames = batches.iter().map(|logged| {
        let bytes = frame_bytes(logged.batch.payload.len());
        if end + bytes > SEGMENT_BYTES {
            (number, end) = (number + 1, HEADER_BYTES as u64);
        }
        end += bytes;
        (file::name(number), end - bytes, end)
    });
    let frames = frames.collect();
    (disk, batches, frames)
}

/// Its checksums fit, so it is none of ours by design: whatever it counts on from must not overflow.
#[test]
fn a_batch_that_counts_further_than_any_log_is_damage() {
    let (disk, ..) = log_with_frames(3);
    let name = file::name(1);
    for (position, epoch) in [(u64::MAX, 1), (1, u64::MAX), (u64::MAX, u64::MAX)] {
        let mut bytes = disk.contents(&name);
        let head = file::Head::decode(bytes[..HEADER_BYTES].try_into().unwrap()).unwrap();
        let place = Place {
            partition: 0,
            position,
            epoch,
            claim: true,
            previous_checksum: 0,
            unflushed: 0,
            may_be_overtaken: false,
            offset_bytes: file::FIRST_FRAME,
        };
        let mut frame = Vec::new();
        encode(&mut frame, &place, &batch(1), head.seed());
        bytes[HEADER_BYTES..HEADER_BYTES + frame.len()].copy_from_slice(&frame);
        let damaged = FaultyDisk::new();
        damaged.put(&name, bytes);
        let found = corrupt(try_open(&damaged, Durability::Flush));
        assert_eq!(found, Some((damaged.path(&name), file::FIRST_FRAME)));
    }
}

#[test]
fn a_head_that_leaves_itself_no_room_is_damage() {
    let (disk, ..) = log_with_frames(3);
    let name = file::name(1);
    for bytes in [0, 1, 63] {
        let mut contents = disk.contents(&name);
        let head = file::Head::decode(contents[..HEADER_BYTES].try_into().unwrap()).unwrap();
        contents[..HEADER_BYTES].copy_from_slice(&file::Head { bytes, ..head }.encode());
        let damaged = FaultyDisk::new();
        damaged.put(&name, contents);
        assert_eq!(corrupt(try_open(&damaged, Durability::Flush)), Some((damaged.path(&name), 0)));
    }
}

fn corrupt(outcome: Result<(SegmentLog, OpenReport), OpenError>) -> Option<(PathBuf, u64)> {
    match outcome {
        Err(OpenError::Read(ReadError::Corrupt { file, offset, .. })) => Some((file, offset)),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

/// Every byte of every segment: bits flipped in a frame are damage at the start of that frame, in the last one as well
/// as in any other. Elsewhere they are damage too, or there is nothing that they could hurt.
#[test]
fn no_flipped_bit_goes_unnoticed() {
    let (disk, batches, frames) = log_with_frames(15);
    let names = file::numbers(&disk.list().unwrap()).into_iter().map(file::name);
    let last = frames.last().unwrap().0.clone();
    assert!(last > file::name(2), "some segments are closed");
    let (mut in_frames, mut elsewhere) = (0, 0);
    for name in names.filter(|name| *name <= last) {
        for offset in 0..SEGMENT_BYTES {
            let within = |frame: &&(String, u64, u64)| frame.0 == name && (frame.1..frame.2).contains(&offset);
            let frame = frames.iter().find(within);
            let masks: &[u8] = if frame.is_some() { &[1 << (offset % 8), 0xff] } else { &[1 << (offset % 8)] };
            *if frame.is_some() { &mut in_frames } else { &mut elsewhere } += masks.len();
            for mask in masks {
                disk.flip(&name, offset, *mask);
                // A server would cut; the bytes must stay for the next flip.
                let opened = try_open(&disk.after_kill(), Durability::Flush);
                disk.flip(&name, offset, *mask);
                let what = format!("{name}, byte {offset}, {mask:#x}");
                match (frame, opened) {
                    (None, Ok((log, _))) => assert_eq!(everything(&log), batches, "{what}"),
                    (Some((_, start, _)), opened) => {
                        assert_eq!(corrupt(opened), Some((disk.path(&name), *start)), "{what}");
                    }
                    (None, opened) => assert_eq!(corrupt(opened).unwrap().0, disk.path(&name), "{what}"),
                }
            }
        }
    }
    assert_eq!(everything(&open(&disk)), batches);
    println!("{in_frames} flips in frames, {elsewhere} elsewhere");
}

/// The same in segments that were used before, under several claims, written past the cache; and what was sound when the
/// log was opened is checked again when it is read.
#[test]
fn no_flipped_bit_in_a_recycled_segment_goes_unnoticed_at_a_start_or_at_a_read() {
    let disk = FaultyDisk::with_direct();
    let log = open(&disk);
    Ledger::default().work(&log, 8).unwrap();
    let batches = everything(&log);
    let mut frames = Vec::new();
    let files = OpenFiles::new(Arc::new(disk.clone()));
    let found = recovery::find(&files, 0, |segment, scan| {
        let starts = scan.starts.iter().map(|start| u64::from(*start) * HEADER_BYTES as u64);
        let ends = starts.clone().skip(1).chain([scan.end]);
        frames.extend(starts.zip(ends).map(|(start, end)| (file::name(segment.number), start, end)));
    });
    assert!(found.is_ok() && frames.len() == batches.len());
    assert!(batches.iter().any(|logged| logged.claim), "a claim is retained");
    assert!(disk.list().unwrap().iter().any(|name| name.ends_with(".recycled")), "segments are used again");
    let mut flips = 0;
    for ((name, start, end), logged) in frames.iter().zip(&batches) {
        flips += end - start;
        for offset in *start..*end {
            let mask = 1 << (offset % 8);
            disk.flip(name, offset, mask);
            let (opened, read) = (try_open(&disk.after_kill(), Durability::Flush), log.read(logged.position, 0));
            disk.flip(name, offset, mask);
            let place = Some((disk.path(name), *start));
            assert_eq!(corrupt(opened), place, "{name}, byte {offset}, at a start");
            let read = match read {
                Err(ReadError::Corrupt { file, offset, .. }) => Some((file, offset)),
                _ => None,
            };
            assert_eq!(read, place, "{name}, byte {offset}, at a read");
        }
    }
    assert_eq!(everything(&log), batches);
    println!("{flips} flips in recycled segments and their neighbours, each at a start and at a read");
}

/// The last frame ends after any number of bytes, as when a process is killed within its write.
#[test]
fn a_tail_torn_at_any_length_is_cut_and_said() {
    let mut ends = 0;
    for count in 1..20 {
        let (disk, batches, frames) = log_with_frames(count);
        let (name, start, end) = frames.last().unwrap();
        let whole = disk.contents(name);
        let written = whole.iter().rposition(|byte| *byte != 0).unwrap() as u64 + 1;
        assert_eq!(written, *end, "the end mark is the last byte");
        ends += written - start;
        for torn_at in *start..written {
            let mut torn = whole.clone();
            torn[torn_at as usize..].fill(0);
            let disk = disk.after_kill();
            disk.put(name, torn.clone());
            let what = format!("{count} batches, the last cut at {torn_at} of {start}..{end}");
            let (log, report) = try_open(&disk, Durability::Flush).unwrap_or_else(|error| panic!("{what}: {error}"));
            assert_eq!(everything(&log), batches[..batches.len() - 1], "{what}");
            match report.torn {
                Some(cut) => assert_eq!((cut.file, cut.offset), (disk.path(name), *start), "{what}"),
                None => assert!(torn[*start as usize..].iter().all(|byte| *byte == 0), "{what}: cut without a word"),
            }
            drop(log);
            assert_eq!(try_open(&disk, Durability::Flush).unwrap().1.torn, None, "{what}: it was cut for good");
        }
    }
    println!("{ends} tails");
}

/// What is missing before the last frame was there once.
#[test]
fn only_the_last_frame_can_be_torn() {
    let (disk, batches, frames) = log_with_frames(15);
    for ((name, start, end), logged) in frames.iter().zip(&batches).take(frames.len() - 1) {
        let disk = disk.after_kill();
        let mut torn = disk.contents(name);
        torn[*start as usize..*end as usize].fill(0);
        disk.put(name, torn);
        let found = corrupt(try_open(&disk, Durability::Flush));
        assert_eq!(found, Some((disk.path(name), *start)), "batch {}", logged.position);
    }
}

#[test]
fn a_segment_that_is_missing_short_or_another_is_damage() {
    let (disk, ..) = log_with_frames(15);
    let names: Vec<_> = file::numbers(&disk.list().unwrap()).into_iter().map(file::name).collect();

    let gap = disk.after_kill();
    gap.remove(&names[1]).unwrap();
    assert_eq!(corrupt(try_open(&gap, Durability::Flush)), Some((gap.path(&names[1]), 0)));

    let short = disk.after_kill();
    short.put(&names[1], short.contents(&names[1])[..1000].to_vec());
    assert_eq!(corrupt(try_open(&short, Durability::Flush)), Some((short.path(&names[1]), 1000)));

    let other = disk.after_kill();
    other.put(&names[1], other.contents(&names[0]));
    assert_eq!(corrupt(try_open(&other, Durability::Flush)), Some((other.path(&names[1]), 0)));

    let partition = Options { partition: 3, ..options() };
    let opened = SegmentLog::open_on(Arc::new(disk.clone()), &partition);
    assert!(matches!(opened, Err(OpenError::OtherPartition { found: 0, expected: 3, .. })));
}

/// Behind the last batch of a closed segment there can be no remains: the next one was written after it.
#[test]
fn something_behind_the_end_of_a_closed_segment_is_damage() {
    let (disk, _, frames) = log_with_frames(15);
    let (name, _, end) = frames.iter().rfind(|frame| frame.0 == file::name(1)).unwrap();
    assert!(SEGMENT_BYTES - end > HEADER_BYTES as u64, "there is room for a header");
    disk.flip(name, *end, 1);
    assert_eq!(corrupt(try_open(&disk, Durability::Flush)), Some((disk.path(name), *end)));
}

/// A segment of an earlier state of the same log, brought back from a copy.
#[test]
fn an_older_copy_of_a_segment_is_damage() {
    let (old, ..) = log_with_frames(8);
    let (disk, _, frames) = log_with_frames(15);
    let name = &frames[7].0;
    let older = old.contents(name);
    assert_ne!(older, disk.contents(name));
    disk.put(name, older);
    assert_eq!(corrupt(try_open(&disk, Durability::Flush)).unwrap().0, disk.path(name));
}

/// A client sends what looks like a frame, at every alignment, and the batch that holds it is torn.
#[test]
fn bytes_of_a_client_are_never_a_frame() {
    let (disk, ..) = log_with_frames(3);
    let name = file::name(1);
    let stolen = disk.contents(&name)[64..128].to_vec();
    let disk = FaultyDisk::new();
    let log = SegmentLog::open_on(Arc::new(disk.clone()), &Options { salt: 7, ..options() }).unwrap().0;
    let (epoch, tail) = log.claim(0, batch(0)).unwrap();
    let before = everything(&log);
    log.append(epoch, tail, Batch { time_ms: 1, records: 1, payload: stolen.repeat(20).into() }).unwrap();
    drop(log);
    let mut torn = disk.contents(&name);
    torn[192..512].fill(0);
    disk.put(&name, torn);
    let (log, report) = try_open(&disk, Durability::Flush).unwrap();
    assert!(report.torn.is_some());
    assert_eq!(everything(&log), before);
}

#[test]
fn damage_that_comes_later_is_found_when_it_is_read() {
    let (disk, _, frames) = log_with_frames(15);
    let log = open(&disk);
    let (name, start, _) = &frames[4];
    disk.flip(name, start + 70, 4);
    let error = log.read(5, 10).unwrap_err();
    assert!(matches!(&error, ReadError::Corrupt { file, offset, .. } if *file == disk.path(name) && offset == start));
    assert!(error.to_string().contains("afterward doctor memory"), "{error}");
}

#[test]
fn the_command_to_run_is_one_for_a_shell() {
    let windows = cfg!(windows);
    for (directory, quoted) in [
        ("/var/lib/afterward", "/var/lib/afterward"),
        ("a b/c", if windows { "\"a b/c\"" } else { "'a b/c'" }),
        ("$HOME & sons", if windows { "\"$HOME & sons\"" } else { "'$HOME & sons'" }),
        ("it's", if windows { "\"it's\"" } else { r"'it'\''s'" }),
    ] {
        let error = ReadError::Corrupt { file: Path::new(directory).join("1.segment"), offset: 0, reason: "".into() };
        assert!(error.to_string().contains(&format!("`afterward doctor {quoted}`")), "{error}");
    }
}

#[test]
fn an_inspection_says_what_is_wrong_and_changes_nothing() {
    let (disk, batches, frames) = log_with_frames(15);
    let inspect = |disk: &FaultyDisk| inspect_on(Arc::new(disk.clone()), Path::new("memory"), 0, false).unwrap();
    let sound = inspect(&disk);
    assert!(sound.trouble.is_none() && sound.torn.is_none());
    assert_eq!(sound.segments.iter().map(|segment| segment.frames).sum::<u64>(), batches.len() as u64);
    assert!(sound.to_string().contains("as it was written"), "{sound}");

    let (name, start, end) = &frames[2];
    disk.flip(name, start + 80, 1);
    let before = disk.contents(name);
    let damaged = inspect(&disk);
    let segment = &damaged.segments[0];
    assert!(matches!(segment.condition, Condition::Damaged { offset, .. } if offset == *start), "{segment}");
    assert_eq!((segment.frames, segment.positions.unwrap().tail), (2, 2));
    assert!(damaged.segments[1].frames > 0, "those behind it are looked at too: {damaged}");
    assert!(damaged.to_string().contains(&format!("DAMAGED at byte {start}")), "{damaged}");
    assert_eq!(disk.contents(name), before);
    disk.flip(name, start + 80, 1);
    let _ = end;

    let (name, start, end) = frames.last().unwrap();
    let mut torn = disk.contents(name);
    torn[*end as usize - 1] = 0;
    disk.put(name, torn.clone());
    let found = inspect(&disk);
    assert_eq!(found.torn.as_ref().unwrap().offset, *start);
    assert!(found.to_string().contains("ends in an incomplete batch"), "{found}");
    assert_eq!(disk.contents(name), torn);
}

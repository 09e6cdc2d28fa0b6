//! Records as they stood in the logs of every release: they read as the same events for ever, and today's bytes are
//! still the same.
//!
//! A new version of a kind gets a new entry in [`samples`] and a new file, which [`new_records_get_a_file`] writes; the
//! old entry stays, with `written_today` off. A file that exists is never written again.

#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use afterward_machine::Event;
use afterward_record::{Beside, Content, Decoded, decode, decode_one, encode};
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

mod samples;
use samples::{Sample, samples};

fn golden_file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.hex"))
}

fn encoded(sample: &Sample) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, sample.time_ms, &sample.event, sample.beside());
    bytes
}

/// The bytes in a file of hexadecimal digits in lines; lines that start with `#` say what they are.
fn golden(sample: &Sample) -> Vec<u8> {
    let file = golden_file(sample.name);
    let text = fs::read_to_string(&file).unwrap_or_else(|error| {
        panic!("{}: {error}; a new one is written by `cargo test -p afterward-record -- --ignored new`", file.display())
    });
    let digits: String = text.lines().filter(|line| !line.starts_with('#')).collect();
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect()
}

#[test]
#[ignore = "writes the files that are missing, to look at and commit"]
fn new_records_get_a_file() {
    for sample in samples() {
        let file = golden_file(sample.name);
        if !file.exists() {
            let bytes = encoded(&sample);
            let lines: Vec<String> =
                bytes.chunks(40).map(|line| line.iter().map(|byte| format!("{byte:02x}")).collect()).collect();
            fs::write(&file, format!("# {}\n{}\n", sample.says, lines.join("\n"))).unwrap();
        }
    }
}

fn check_reads_as(sample: &Sample, decoded: &Decoded<'_>) {
    assert_eq!(decoded.time_ms, sample.time_ms, "{}", sample.name);
    assert_eq!(decoded.event, sample.event, "{}", sample.name);
    assert_eq!(decoded.error, sample.error, "{}", sample.name);
    if let Some(definition) = sample.definition {
        assert_eq!(decoded.content, Some(definition.as_bytes()), "{}", sample.name);
        return;
    }
    let content = decoded.content.map(|bytes| Content::decode(bytes).unwrap());
    assert_eq!(content, sample.content, "{}", sample.name);
}

#[test]
fn old_records_read_as_the_events_that_they_were() {
    for sample in samples() {
        let bytes = golden(&sample);
        let decoded = decode_one(&bytes).unwrap_or_else(|corrupt| panic!("{}: {corrupt}", sample.name));
        check_reads_as(&sample, &decoded);
    }
}

#[test]
fn todays_records_have_the_bytes_that_they_always_had() {
    for sample in samples().iter().filter(|sample| sample.written_today) {
        assert_eq!(encoded(sample), golden(sample), "{}", sample.name);
    }
}

#[test]
fn there_is_a_record_of_every_kind_and_no_file_without_one() {
    let mut kinds: BTreeSet<&str> = samples::KINDS.into_iter().collect();
    for sample in samples() {
        kinds.remove(samples::kind(&sample.event));
    }
    assert!(kinds.is_empty(), "no golden record of {kinds:?}");

    let known: BTreeSet<PathBuf> = samples().iter().map(|sample| golden_file(sample.name)).collect();
    let files: BTreeSet<PathBuf> =
        fs::read_dir(golden_file("any").parent().unwrap()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, known);
}

#[test]
fn a_batch_of_them_reads_in_order_with_their_places() {
    let mut payload = Vec::new();
    let mut spans = Vec::new();
    for sample in samples().iter().filter(|sample| sample.written_today) {
        spans.push(encode(&mut payload, sample.time_ms, &sample.event, sample.beside()));
    }
    let decoded: Vec<_> = decode(&payload).map(Result::unwrap).collect();
    let of_today: Vec<_> = samples().into_iter().filter(|sample| sample.written_today).collect();
    assert_eq!(decoded.len(), of_today.len());
    for ((sample, decoded), span) in of_today.iter().zip(&decoded).zip(&spans) {
        check_reads_as(sample, decoded);
        assert_eq!(decoded.span, *span);
        let bytes = &payload[span.offset_bytes as usize..][..span.length_bytes as usize];
        assert_eq!(decode_one(bytes).unwrap().event, sample.event);
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    for sample in samples() {
        let mut bytes = golden(&sample);
        for bit in 0..bytes.len() * 8 {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(decode_one(&bytes).is_err(), "{} with bit {bit} flipped", sample.name);
            let first = decode(&bytes).next().unwrap();
            assert!(first.is_err(), "{} with bit {bit} flipped, in a batch", sample.name);
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
    }
}

#[test]
fn every_missing_or_added_byte_is_noticed() {
    for sample in samples() {
        let mut bytes = golden(&sample);
        for length in 0..bytes.len() {
            assert!(decode_one(&bytes[..length]).is_err(), "{} cut to {length} bytes", sample.name);
        }
        bytes.push(0);
        assert!(decode_one(&bytes).is_err(), "{} with a byte more", sample.name);
    }
}

/// A record's body (kind, version, fields) under a head that fits it.
fn framed(body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32;
    let checksum = crc32c::crc32c_append(length, body);
    [&length.to_le_bytes(), &checksum.to_le_bytes(), body].concat()
}

#[test]
fn what_a_newer_release_wrote_is_refused_with_that_reason() {
    let unknown =
        "its kind or version is not known to this release; a newer one wrote this log, and is needed to read it";
    for (what, body, reason) in [
        ("an unknown kind", &[200, 1, 5][..], unknown),
        ("a kind never used", &[0, 1, 5], unknown),
        ("an unknown version of Deleted", &[18, 2, 5, 1, 1], unknown),
        ("no version", &[18, 0, 5, 1, 1], unknown),
        ("Deleted with more fields", &[18, 1, 5, 1, 1, 9], "it is longer than its fields"),
        ("Deleted with fewer", &[18, 1, 5, 1], "it ends in the middle of a field"),
        ("nothing", &[], "it ends in the middle of a field"),
    ] {
        let corrupt = decode_one(&framed(body)).expect_err(what);
        assert_eq!(corrupt.reason, reason, "{what}");
    }
    let good = framed(&[18, 1, 5, 1, 1]);
    assert!(matches!(decode_one(&good).unwrap().event, Event::Deleted { .. }));
}

#[test]
fn a_batch_ends_at_the_first_corrupt_record_and_says_where_it_is() {
    let mut payload = Vec::new();
    let event = Event::Deleted { message: afterward_machine::MessageKey { slot: 1, generation: 1 } };
    for _ in 0..3 {
        encode(&mut payload, 5, &event, Beside::Nothing);
    }
    let each = payload.len() / 3;
    payload[each + 9] ^= 1;
    let read: Vec<_> = decode(&payload).collect();
    assert_eq!(read.len(), 2);
    let corrupt = read[1].as_ref().unwrap_err();
    assert_eq!(corrupt.offset_bytes as usize, each);
    assert_eq!(corrupt.to_string(), format!("record at byte {each} of the batch: its bytes do not match its checksum"));
}

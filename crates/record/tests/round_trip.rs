//! Whatever an event and what stands beside it say, they come back; and whatever the bytes are, reading them ends well.

#![allow(clippy::unwrap_used)] // helpers of tests fail as tests do

use afterward_machine::{Event, MessageKey};
use afterward_record::{Beside, Content, Glance, decode, decode_one, encode, glance};
use proptest::prelude::*;

mod arbitrary;
use arbitrary::{contents, events};

fn record(time_ms: u64, event: &Event, beside: Beside<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut bytes, time_ms, event, beside);
    bytes
}

/// Puts a fitting head on a record whose body was tampered with.
fn reseal(record: &mut [u8]) {
    let length = record.len() as u32 - 8;
    let checksum = crc32c::crc32c_append(length, &record[8..]);
    record[..4].copy_from_slice(&length.to_le_bytes());
    record[4..8].copy_from_slice(&checksum.to_le_bytes());
}

/// What is accepted is, encoded again, the same bytes: no two records say the same.
fn check_canonical(bytes: &[u8]) {
    let Ok(decoded) = decode_one(bytes) else { return };
    let beside = match (decoded.content, decoded.error) {
        (None, None) => Beside::Nothing,
        (None, Some(error)) => Beside::Error(error),
        (Some(content), error) => Beside::Kept { content, error },
    };
    assert_eq!(record(decoded.time_ms, &decoded.event, beside), bytes);
    let content = decoded.content.map(Content::decode);
    if let Some(Ok(content)) = content {
        let again = record(decoded.time_ms, &decoded.event, Beside::Content(&content));
        assert_eq!(decode_one(&again).unwrap().content, decoded.content);
    }
}

/// What a glance must see.
fn in_short(event: &Event) -> Glance {
    match event {
        Event::Sent(sent) => {
            let window = sent.dedup.map_or(0, |dedup| dedup.expires_ms);
            let counts_until_ms = if sent.job { u64::MAX } else { window };
            Glance::Message { message: MessageKey::from_u64(sent.id.key()), counts_until_ms }
        }
        Event::MessageKept(kept) => {
            let counts_until_ms = if kept.job { u64::MAX } else { 0 };
            Glance::Message { message: MessageKey::from_u64(kept.id.key()), counts_until_ms }
        }
        Event::Deleted { message } => Glance::Deleted(*message),
        Event::Leased { attempt: None, .. } => Glance::Leased,
        Event::SchedulePut(put) => Glance::Schedule(put.schedule),
        Event::ScheduleRan { .. } | Event::ScheduleDeleted { .. } => Glance::SchedulePassed,
        _ => Glance::Other,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1024, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_event_comes_back(time_ms: u64, event in events(), error in proptest::option::of(".{0,40}")) {
        let beside = error.as_deref().map_or(Beside::Nothing, Beside::Error);
        let bytes = record(time_ms, &event, beside);
        let decoded = decode_one(&bytes).unwrap();
        prop_assert_eq!(decoded.time_ms, time_ms);
        prop_assert_eq!(decoded.event, event);
        prop_assert_eq!(decoded.error, error.as_deref());
        prop_assert_eq!(decoded.content, None);
        prop_assert_eq!(decoded.span.length_bytes as usize, bytes.len());
    }

    #[test]
    fn content_comes_back_also_after_it_was_copied_forward(
        event in events(),
        content in contents(),
        error in proptest::option::of(".{0,40}"),
    ) {
        let first = record(1, &event, Beside::Content(&content));
        let bytes = decode_one(&first).unwrap().content.unwrap();
        prop_assert_eq!(Content::decode(bytes).unwrap(), content.clone());
        let copy = record(2, &event, Beside::Kept { content: bytes, error: error.as_deref() });
        let decoded = decode_one(&copy).unwrap();
        prop_assert_eq!(decoded.error, error.as_deref());
        prop_assert_eq!(Content::decode(decoded.content.unwrap()).unwrap(), content);
    }

    #[test]
    fn a_payload_comes_back_record_by_record(all in proptest::collection::vec((any::<u64>(), events()), 0..8)) {
        let mut payload = Vec::new();
        let spans: Vec<_> =
            all.iter().map(|(time_ms, event)| encode(&mut payload, *time_ms, event, Beside::Nothing)).collect();
        let read: Vec<_> = decode(&payload).map(Result::unwrap).collect();
        prop_assert_eq!(read.iter().map(|decoded| decoded.span).collect::<Vec<_>>(), spans);
        let events: Vec<_> = read.into_iter().map(|decoded| (decoded.time_ms, decoded.event)).collect();
        prop_assert_eq!(events, all);
    }

    #[test]
    fn a_glance_sees_what_decoding_shows(
        all in proptest::collection::vec((0..1u64 << 62, events()), 0..8),
        content in contents(),
    ) {
        let mut payload = Vec::new();
        for (time_ms, event) in &all {
            encode(&mut payload, *time_ms, event, Beside::Content(&content));
        }
        let seen: Vec<_> = glance(&payload, 0).map(Result::unwrap).collect();
        let expected: Vec<_> =
            decode(&payload).map(Result::unwrap).map(|decoded| (in_short(&decoded.event), decoded.span)).collect();
        prop_assert_eq!(&seen, &expected);
        if let Some((_, second)) = seen.get(1) {
            let rest: Vec<_> = glance(&payload, second.offset_bytes as usize).map(Result::unwrap).collect();
            prop_assert_eq!(&rest, &expected[1..]);
        }
    }

    #[test]
    fn a_glance_at_anything_ends_well(bytes in proptest::collection::vec(prop_oneof![0u8..40, any::<u8>()], 0..200)) {
        for looked in glance(&bytes, 0) {
            let Ok((_, span)) = looked else { break };
            prop_assert!((span.offset_bytes + span.length_bytes) as usize <= bytes.len());
        }
    }

    #[test]
    fn random_bytes_are_refused_or_canonical(
        kind in prop_oneof![0u8..48, 64u8..80],
        version in prop::sample::select(vec![1u8, 0x41, 0x81, 0xc1]),
        fields in proptest::collection::vec(prop_oneof![0u8..4, any::<u8>()], 0..200),
    ) {
        let mut bytes = [&[0; 8][..], &[kind, version], &fields].concat();
        reseal(&mut bytes);
        check_canonical(&bytes);
        let _ = Content::decode(&fields);
    }

    #[test]
    fn tampered_records_with_a_fitting_checksum_are_refused_or_canonical(
        event in events(),
        content in contents(),
        at: prop::sample::Index,
        byte: u8,
        cut: prop::sample::Index,
    ) {
        let mut bytes = record(1_751_328_000_000, &event, Beside::Content(&content));
        let at = 8 + at.index(bytes.len() - 8);
        bytes[at] = byte;
        reseal(&mut bytes);
        check_canonical(&bytes);
        bytes.truncate(8 + cut.index(bytes.len() - 8));
        reseal(&mut bytes);
        check_canonical(&bytes);
    }
}

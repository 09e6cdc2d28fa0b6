//! How fast records are written and replayed: `cargo test --release -p afterward-record --test replay_rate -- --ignored
//! --nocapture`.

use afterward_machine::{Event, MessageKey, MessageSent, QueueId};
use afterward_names::MessageId;
use afterward_record::{Beside, Content, Glance, decode, encode, glance};
use bytes::Bytes;
use std::time::Instant;

const RECORDS: u32 = 1_000_000;

#[test]
#[ignore = "a measurement, for release builds"]
fn a_million_sends_replay_within_a_second() {
    let content = Content {
        body: Bytes::from(vec![b'x'; 256]),
        body_md5: [1; 16],
        attributes: Vec::new(),
        sender: "000000000000".into(),
        deduplication_id: None,
        trace_header: None,
    };
    let mut payload = Vec::with_capacity(RECORDS as usize * 400);
    let started = Instant::now();
    for slot in 0..RECORDS {
        let time_ms = 1_751_328_000_000 + u64::from(slot / 100);
        let id = MessageId::new(MessageKey { slot, generation: 0 }.as_u64(), u64::from(slot) << 20);
        let sent = MessageSent {
            queue: QueueId(1),
            id,
            order: u64::from(slot),
            visible_ms: time_ms,
            group: None,
            dedup: None,
            job: false,
            batch: None,
        };
        encode(&mut payload, time_ms, &Event::Sent(sent), Beside::Content(&content));
    }
    let encoding = started.elapsed();
    let started = Instant::now();
    let read = decode(&payload).filter(|decoded| decoded.as_ref().is_ok_and(|d| d.content.is_some())).count();
    let decoding = started.elapsed();
    let started = Instant::now();
    let is_message = |looked: &Result<(Glance, _), _>| matches!(looked, Ok((Glance::Message { .. }, _)));
    let seen = glance(&payload, 0).filter(is_message).count();
    let glancing = started.elapsed();
    assert_eq!(seen, RECORDS as usize);
    println!("glanced at in {glancing:?}");
    println!(
        "{RECORDS} records of {} bytes: encoded in {encoding:?}, decoded in {decoding:?}",
        payload.len() / RECORDS as usize
    );
    assert_eq!(read, RECORDS as usize);
    assert!(decoding.as_secs_f64() < 1.0, "{decoding:?}");
}

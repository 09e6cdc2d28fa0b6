//! Records: any bytes as a batch's payload, and any bytes as a record's body under a head that fits.
//!
//! What is accepted is, encoded again, the same bytes; all else is refused with its place, and costs no more memory than
//! a small multiple of its length.

use crate::memory;
use afterward_record::{Beside, Content, decode, decode_one, encode};

/// Any bytes.
pub fn run(input: &[u8]) {
    memory::within((64 << 10) + 64 * input.len(), || {
        payload(input);
        if input.len() < 1 << 20 {
            payload(&sealed(input));
        }
        if let Ok(content) = Content::decode(input) {
            std::hint::black_box(content);
        }
    });
}

/// The record whose body these bytes are.
pub fn sealed(body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32;
    let checksum = crc32c::crc32c_append(length, body);
    [&length.to_le_bytes(), &checksum.to_le_bytes(), body].concat()
}

fn payload(bytes: &[u8]) {
    let mut at = 0;
    for decoded in decode(bytes) {
        let decoded = match decoded {
            Ok(decoded) => decoded,
            Err(corrupt) => {
                assert_eq!(corrupt.offset_bytes as usize, at, "the place of {corrupt}");
                return;
            }
        };
        assert_eq!(decoded.span.offset_bytes as usize, at);
        let record = &bytes[at..at + decoded.span.length_bytes as usize];
        at += record.len();
        let beside = match (decoded.content, decoded.error) {
            (None, None) => Beside::Nothing,
            (None, Some(error)) => Beside::Error(error),
            (Some(content), error) => Beside::Kept { content, error },
        };
        let mut again = Vec::new();
        encode(&mut again, decoded.time_ms, &decoded.event, beside);
        assert_eq!(again, record, "encoded again");
        let alone = decode_one(record).expect("a record reads alone as it does among others");
        assert_eq!((alone.event, alone.time_ms), (decoded.event.clone(), decoded.time_ms));
        if let Some(Ok(content)) = decoded.content.map(Content::decode) {
            let mut again = Vec::new();
            encode(&mut again, decoded.time_ms, &decoded.event, Beside::Content(&content));
            let read = decode_one(&again).expect("what was encoded reads");
            assert_eq!(read.content, decoded.content, "content encoded again");
        }
    }
    assert_eq!(at, bytes.len(), "every byte belongs to a record");
}

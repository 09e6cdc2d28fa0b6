//! Receipt handles: the text on the first line, then a lease and what is done to its handle.
//!
//! A handle that the partition did not make is never accepted, and nobody but it can make one.

use afterward_broker::{
    Receipts,
    machine::{LeaseId, LeaseRef, MessageKey, QueueId},
};
use std::sync::LazyLock;

static OURS: LazyLock<Receipts> = LazyLock::new(|| Receipts::new(&[0x5a; 32]));
/// Of a partition that never gave out a handle. (libFuzzer tries again what it has seen compared, so it would come upon
/// those that are made here.)
static SILENT: LazyLock<Receipts> = LazyLock::new(|| Receipts::new(&[0xc3; 32]));

/// Any bytes.
pub fn run(input: &[u8]) {
    let (text, rest) = crate::request::part(input, b"\n").unwrap_or((input, b""));
    if let Ok(text) = std::str::from_utf8(text) {
        assert!(SILENT.lease(text).is_err(), "forged: {text}");
        if let Ok(lease) = OURS.lease(text) {
            assert_eq!(OURS.handle(lease), text, "one lease has one handle");
        }
    }
    let Some((lease, edits)) = lease(rest) else { return };
    let handle = OURS.handle(lease);
    assert_eq!(OURS.lease(&handle), Ok(lease));
    let mut edited = handle.clone().into_bytes();
    for edit in edits.chunks_exact(2) {
        match edit[0] {
            0xff => edited.push(edit[1]),
            0xfe => edited.truncate(usize::from(edit[1])),
            at => {
                let at = usize::from(at) % edited.len().max(1);
                if let Some(byte) = edited.get_mut(at) {
                    *byte = edit[1];
                }
            }
        }
    }
    if let Ok(edited) = String::from_utf8(edited)
        && edited != handle
    {
        assert!(OURS.lease(&edited).is_err(), "{edited} was taken for {handle}");
    }
}

fn lease(bytes: &[u8]) -> Option<(LeaseRef, &[u8])> {
    let (queue, rest) = bytes.split_first_chunk()?;
    let (slot, rest) = rest.split_first_chunk()?;
    let (generation, rest) = rest.split_first_chunk()?;
    let (lease, rest) = rest.split_first_chunk()?;
    let message = MessageKey { slot: u32::from_le_bytes(*slot), generation: u16::from_le_bytes(*generation) };
    let lease = LeaseId(u64::from_le_bytes(*lease));
    Some((LeaseRef { queue: QueueId(u32::from_le_bytes(*queue)), message, lease }, rest))
}

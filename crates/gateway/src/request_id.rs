//! The ids of requests, for people who compare logs.

use afterward_names::MessageId;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Gives each request an id that looks as AWS's do, a UUID: random bits of this process, then a count.
pub(crate) struct RequestIds {
    process: u64,
    next: AtomicU64,
}

impl RequestIds {
    pub(crate) fn new() -> RequestIds {
        // Without randomness, ids of two processes may be the same: no more than a nuisance.
        RequestIds { process: getrandom::u64().unwrap_or(0), next: AtomicU64::new(1) }
    }

    pub(crate) fn next(&self) -> String {
        let count = self.next.fetch_add(1, Relaxed);
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&self.process.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&0x8000_u16.to_be_bytes());
        bytes[8..].copy_from_slice(&(count & u64::MAX >> 4 | 0x8 << 60).to_be_bytes());
        // A message's id is written as a UUID, too, and quickly.
        MessageId::from_bytes(bytes).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_uuids_and_differ() {
        let ids = RequestIds::new();
        let (one, two) = (ids.next(), ids.next());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert!(one.parse::<afterward_names::MessageId>().is_ok(), "{one} reads as a UUID");
    }
}

//! Receipt handles: a lease, signed.
//!
//! A handle is base64url of a version, the queue, the message's key, the lease and an HMAC-SHA256 of these, cut to 16
//! bytes and keyed by the partition's secret. So it can't be forged, needs no table, and a handle from before a crash
//! still works after it.

use afterward_machine::{LeaseId, LeaseRef, MessageKey, QueueId};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::fmt;
use thiserror::Error;

/// The version, the queue (4 bytes), the key (6), the lease (8).
const CLAIM_BYTES: usize = 19;
/// How much of the HMAC is kept: 128 bits are beyond guessing.
const TAG_BYTES: usize = 16;
const HANDLE_BYTES: usize = CLAIM_BYTES + TAG_BYTES;
/// Base64 without padding.
const HANDLE_CHARS: usize = (HANDLE_BYTES * 4).div_ceil(3);
/// The only layout so far.
const VERSION: u8 = 1;

/// Makes and reads receipt handles with the partition's secret.
#[derive(Clone)]
pub struct Receipts {
    /// Keyed once; cloned for each handle, which saves half of the work.
    keyed: Hmac<Sha256>,
}

/// The text is not a receipt handle that this partition gave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the receipt handle was not given out by this server")]
pub struct NotAReceiptHandle;

impl Receipts {
    /// A maker of handles under `secret`.
    #[allow(clippy::expect_used)] // HMAC takes keys of any length
    pub fn new(secret: &[u8; 32]) -> Receipts {
        Receipts { keyed: Hmac::new_from_slice(secret).expect("a key of 32 bytes") }
    }

    /// The handle for a lease.
    pub fn handle(&self, lease: LeaseRef) -> String {
        let mut bytes = [0; HANDLE_BYTES];
        bytes[0] = VERSION;
        bytes[1..5].copy_from_slice(&lease.queue.0.to_be_bytes());
        bytes[5..11].copy_from_slice(&lease.message.as_u64().to_be_bytes()[2..]);
        bytes[11..19].copy_from_slice(&lease.lease.0.to_be_bytes());
        let tag = self.keyed.clone().chain_update(&bytes[..CLAIM_BYTES]).finalize().into_bytes();
        bytes[CLAIM_BYTES..].copy_from_slice(&tag[..TAG_BYTES]);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The lease that a handle stands for, if this partition signed it.
    ///
    /// # Errors
    /// [`NotAReceiptHandle`].
    pub fn lease(&self, handle: &str) -> Result<LeaseRef, NotAReceiptHandle> {
        if handle.len() != HANDLE_CHARS {
            return Err(NotAReceiptHandle);
        }
        // The decoder asks for room by the length of the text, rounded up.
        let mut room = [0; HANDLE_BYTES + 3];
        let length = URL_SAFE_NO_PAD.decode_slice(handle, &mut room).map_err(|_| NotAReceiptHandle)?;
        let (claim, tag) = room[..length].split_at_checked(CLAIM_BYTES).ok_or(NotAReceiptHandle)?;
        if tag.len() != TAG_BYTES {
            return Err(NotAReceiptHandle);
        }
        self.keyed.clone().chain_update(claim).verify_truncated_left(tag).map_err(|_| NotAReceiptHandle)?;
        parse(claim).ok_or(NotAReceiptHandle)
    }
}

/// The lease in the signed part of a handle.
fn parse(claim: &[u8]) -> Option<LeaseRef> {
    let (&version, rest) = claim.split_first()?;
    let (queue, rest) = rest.split_first_chunk::<4>()?;
    let (key, lease) = rest.split_first_chunk::<6>()?;
    if version != VERSION {
        return None;
    }
    let key = key.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
    Some(LeaseRef {
        queue: QueueId(u32::from_be_bytes(*queue)),
        message: MessageKey::from_u64(key),
        lease: LeaseId(u64::from_be_bytes(*lease.first_chunk()?)),
    })
}

impl fmt::Debug for Receipts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipts { .. }")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(queue: u32, slot: u32, generation: u16, lease: u64) -> LeaseRef {
        LeaseRef { queue: QueueId(queue), message: MessageKey { slot, generation }, lease: LeaseId(lease) }
    }

    #[test]
    fn a_handle_reads_back_as_its_lease() {
        let receipts = Receipts::new(&[7; 32]);
        for given in [lease(0, 0, 0, 0), lease(1, 2, 3, 4), lease(u32::MAX, u32::MAX, u16::MAX, u64::MAX)] {
            let handle = receipts.handle(given);
            assert_eq!(handle.len(), HANDLE_CHARS);
            assert_eq!(receipts.lease(&handle), Ok(given), "{handle}");
        }
    }

    #[test]
    fn a_handle_with_any_character_changed_is_nobodys() {
        let receipts = Receipts::new(&[7; 32]);
        let handle = receipts.handle(lease(1, 2, 3, 4));
        for at in 0..handle.len() {
            for other in ['A', 'z', '_', '=', '\n'] {
                let mut changed = handle.clone();
                changed.replace_range(at..=at, &other.to_string());
                if changed != handle {
                    assert_eq!(receipts.lease(&changed), Err(NotAReceiptHandle), "{changed}");
                }
            }
        }
    }

    #[test]
    fn what_was_never_a_handle_is_refused() {
        let receipts = Receipts::new(&[7; 32]);
        let foreign = Receipts::new(&[8; 32]).handle(lease(1, 2, 3, 4));
        for text in ["", "A", "not a handle", &"A".repeat(HANDLE_CHARS), &"é".repeat(24)[..46], &foreign] {
            assert_eq!(receipts.lease(text), Err(NotAReceiptHandle), "{text}");
        }
        let longer = receipts.handle(lease(1, 2, 3, 4)) + "A";
        assert_eq!(receipts.lease(&longer), Err(NotAReceiptHandle));
    }
}

//! The id that a message carries through its life.

use std::{fmt, str::FromStr};
use thiserror::Error;

/// A message's id: 16 bytes, written as a UUID (version 8, RFC 9562: the layout is ours).
///
/// It holds where the message's state is kept (a 48-bit key), how often the message has been redriven (12 bits), and
/// 62 random bits that make it unguessable. So a status look-up needs no index by id, and a redriven message has a
/// new id, as on AWS, while the id from its first life still finds it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId([u8; 16]);

/// The text is not a message id.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a message id is a UUID as SendMessage returned it")]
pub struct NotAMessageId;

/// The 62 bits below the UUID's variant.
const RANDOM: u64 = (1 << 62) - 1;

impl MessageId {
    /// Keys are below this bound.
    pub const KEY_BOUND: u64 = 1 << 48;

    /// The id of the message kept under `key` (below [`Self::KEY_BOUND`]); of `random`, 62 bits are used.
    pub fn new(key: u64, random: u64) -> MessageId {
        debug_assert!(key < Self::KEY_BOUND);
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(key << 16 | 0x8000).to_be_bytes());
        bytes[8..].copy_from_slice(&(random & RANDOM | 1 << 63).to_be_bytes());
        MessageId(bytes)
    }

    /// The id's bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The id with these bytes, whatever they are: a look-up of an id that was never given out finds nothing.
    pub fn from_bytes(bytes: [u8; 16]) -> MessageId {
        MessageId(bytes)
    }

    fn high(&self) -> u64 {
        u64::from_be_bytes(self.0[..8].try_into().unwrap_or_default())
    }

    /// The key of the message's state.
    pub fn key(&self) -> u64 {
        self.high() >> 16
    }

    /// The random part.
    pub fn random(&self) -> u64 {
        u64::from_be_bytes(self.0[8..].try_into().unwrap_or_default()) & RANDOM
    }

    /// How often the message had been redriven when it carried this id, modulo 4096.
    pub fn redrives(&self) -> u16 {
        (self.high() & 0xfff) as u16
    }

    /// The id of the same message after `redrives` redrives (modulo 4096).
    pub fn after_redrives(self, redrives: u16) -> MessageId {
        let mut bytes = self.0;
        let high = self.high() & !0xfff | u64::from(redrives & 0xfff);
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        MessageId(bytes)
    }
}

impl FromStr for MessageId {
    type Err = NotAMessageId;

    fn from_str(text: &str) -> Result<Self, NotAMessageId> {
        let mut bytes = [0; 16];
        let mut nibbles = 0;
        for (at, c) in text.bytes().enumerate() {
            if matches!(at, 8 | 13 | 18 | 23) {
                if c != b'-' {
                    return Err(NotAMessageId);
                }
                continue;
            }
            let digit = char::from(c).to_digit(16).ok_or(NotAMessageId)? as u8;
            let byte = bytes.get_mut(nibbles / 2).ok_or(NotAMessageId)?;
            *byte = *byte << 4 | digit;
            nibbles += 1;
        }
        if nibbles == 32 && text.len() == 36 { Ok(MessageId(bytes)) } else { Err(NotAMessageId) }
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Each message that comes or goes has its id written: digits first, without branches, then their groups.
        let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
        let mut digits = [0; 32];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(self.0) {
            *pair = [digit(byte >> 4), digit(byte & 15)];
        }
        let mut text = [b'-'; 36];
        for (to, from) in [(0, 0..8), (9, 8..12), (14, 12..16), (19, 16..20), (24, 20..32)] {
            text[to..to + from.len()].copy_from_slice(&digits[from]);
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_parts_and_reads_back() {
        let id = MessageId::new(0x0000_1234_5678_9abc, u64::MAX);
        assert_eq!(id.key(), 0x1234_5678_9abc);
        assert_eq!(id.random(), RANDOM);
        assert_eq!(id.redrives(), 0);
        assert_eq!(id.to_string(), "12345678-9abc-8000-bfff-ffffffffffff");
        assert_eq!(id.to_string().parse(), Ok(id));
        let again = id.after_redrives(3);
        assert_ne!(again, id);
        assert_eq!((again.key(), again.random(), again.redrives()), (id.key(), id.random(), 3));
        assert_eq!(again.after_redrives(0), id);
    }

    #[test]
    fn what_is_not_a_uuid_is_refused() {
        for bad in [
            "",
            "x",
            "12345678-9abc-8000-bfff-fffffffffff",
            "123456789abc8000bfffffffffffffff",
            "12345678-9abc-8000-bfff-fffffffffffff",
            "1234567g-9abc-8000-bfff-ffffffffffff",
        ] {
            assert_eq!(bad.parse::<MessageId>(), Err(NotAMessageId), "{bad}");
        }
    }
}

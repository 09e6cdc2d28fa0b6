//! The name of one payload in a store.

use crate::Cause;
use sha2::{Digest, Sha256};
use std::fmt;

const LONGEST: usize = 200;

/// A payload's name: safe as a file's name and in a URL's path as it stands. Ours are 32 random hex digits, a dash and the
/// payload's SHA-256; so a payload can be checked however its message is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key(String);

impl Key {
    /// A new key for a payload.
    pub(super) fn of(payload: &[u8]) -> Result<Key, Cause> {
        let mut random = [0; 16];
        getrandom::fill(&mut random).map_err(|error| format!("no randomness to name a payload with: {error}"))?;
        Ok(Key(format!("{}-{}", hex(&random), sha256(payload))))
    }

    /// `None` for what is no single, plain name.
    pub(crate) fn parse(text: &str) -> Option<Key> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let fits = !text.is_empty() && text.len() <= LONGEST && !text.starts_with('.') && text.bytes().all(plain);
        fits.then(|| Key(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The SHA-256 that the key names, where it is one of ours.
    pub(super) fn sha256(&self) -> Option<&str> {
        let (random, digest) = self.0.split_once('-')?;
        let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        (random.len() == 32 && digest.len() == 64 && is_hex(random) && is_hex(digest)).then_some(digest)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A SHA-256 in hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_plain_name() {
        for bad in ["", ".", "..", ".hidden", "a/b", "a\\b", "a b", "ü", "a%2fb", "a?b", "a#b", &"x".repeat(201)] {
            assert_eq!(Key::parse(bad), None, "{bad}");
        }
        for good in ["a", "7f3c-1.json", "A_b"] {
            assert_eq!(Key::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn our_keys_name_what_they_stand_for() {
        let (one, other) = (Key::of(b"abc").unwrap(), Key::of(b"abc").unwrap());
        assert_ne!(one, other);
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(one.sha256(), Some(digest));
        assert_eq!(Key::parse(one.as_str()), Some(one));
        assert_eq!(Key::parse("9b2c0f4e-0000-4000-8000-000000000000").unwrap().sha256(), None);
    }
}

//! Random bits that can't be guessed from those seen before.

use sha2::{Digest, Sha256};

/// SHA-256 of a seed and a counter: message ids are unguessable, a seed gives one sequence, and once seeded it can't
/// fail, as asking the operating system for each id could.
pub struct Random {
    seed: [u8; 32],
    counter: u64,
    left: Vec<u64>,
}

impl Random {
    /// A generator whose whole sequence follows from `seed`.
    pub fn from_seed(seed: [u8; 32]) -> Random {
        Random { seed, counter: 0, left: Vec::with_capacity(4) }
    }

    /// A generator seeded by the operating system.
    ///
    /// # Errors
    /// When it has no random bits to give.
    pub fn from_system() -> Result<Random, getrandom::Error> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed)?;
        Ok(Random::from_seed(seed))
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        if let Some(bits) = self.left.pop() {
            return bits;
        }
        let block = self.block();
        let words = block.as_chunks::<8>().0;
        self.left.extend(words[1..].iter().map(|word| u64::from_le_bytes(*word)));
        u64::from_le_bytes(words[0])
    }

    /// The next 32 bytes, for a secret.
    pub fn block(&mut self) -> [u8; 32] {
        self.counter += 1;
        Sha256::new_with_prefix(self.seed).chain_update(self.counter.to_le_bytes()).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_seed_gives_one_sequence_and_no_bits_twice() {
        let take = |seed| {
            let mut random = Random::from_seed([seed; 32]);
            (0..1000).map(|_| random.bits()).collect::<Vec<_>>()
        };
        assert_eq!(take(1), take(1));
        assert_ne!(take(1), take(2));
        assert_eq!(take(1).into_iter().collect::<HashSet<_>>().len(), 1000);
    }
}

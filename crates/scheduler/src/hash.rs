//! Numbers that look drawn at random and are the same each time: what has to come out the same after a crash, or on
//! another day, is derived, not drawn.

/// A hash of several parts, by FNV-1a and the finisher of SplitMix64. Not for adversaries.
pub(crate) fn hash(parts: &[&[u8]]) -> u64 {
    let mut state: u64 = 0xcbf2_9ce4_8422_2325;
    for part in parts {
        // The length keeps "ab", "c" apart from "a", "bc".
        for byte in part.iter().chain(&part.len().to_le_bytes()) {
            state = (state ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_and_their_borders_count() {
        let all = [hash(&[]), hash(&[b""]), hash(&[b"ab", b"c"]), hash(&[b"a", b"bc"]), hash(&[b"abc"])];
        for (at, one) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(one), "{all:x?}");
        }
    }

    #[test]
    fn a_range_is_filled_evenly() {
        let mut counts = [0; 15];
        for number in 0..15_000_u64 {
            counts[(hash(&[b"schedule", &number.to_le_bytes()]) % 15) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
    }
}

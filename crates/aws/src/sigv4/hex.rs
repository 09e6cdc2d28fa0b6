//! Bytes as hexadecimal digits, and back: without tables and branches, so that the compiler does many at a time.

/// 32 bytes in lower-case digits.
pub(super) type HexDigest = [u8; 64];

/// 32 bytes in lower-case digits.
pub(super) fn encode(bytes: &[u8; 32]) -> HexDigest {
    let digit = |nibble: u8| nibble + if nibble < 10 { b'0' } else { b'a' - 10 };
    let mut text = [0; 64];
    for (pair, byte) in text.as_chunks_mut::<2>().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    text
}

/// The bytes that 64 digits stand for, in whichever case; `None` where one is none.
pub(super) fn decode(text: &HexDigest) -> Option<[u8; 32]> {
    let mut fits = true;
    let nibbles = text.map(|byte| {
        let (digit, letter) = (byte.wrapping_sub(b'0'), (byte | 0x20).wrapping_sub(b'a'));
        fits &= (digit < 10) | (letter < 6);
        if digit < 10 { digit } else { letter.wrapping_add(10) }
    });
    let mut bytes = [0; 32];
    for (byte, [high, low]) in bytes.iter_mut().zip(nibbles.as_chunks::<2>().0) {
        *byte = high << 4 | low & 15;
    }
    fits.then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_written_and_read_back() {
        for from in (0..=224).step_by(32) {
            let bytes: [u8; 32] = std::array::from_fn(|at| from + at as u8);
            let text = encode(&bytes);
            let expected: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(std::str::from_utf8(&text).unwrap(), expected);
            assert_eq!(decode(&text), Some(bytes));
            assert_eq!(decode(&text.map(|digit| digit.to_ascii_uppercase())), Some(bytes));
        }
    }

    #[test]
    fn digits_are_the_only_ones_that_can_be_read() {
        for byte in 0..=255 {
            for at in [0, 31, 63] {
                let mut text = [b'0'; 64];
                text[at] = byte;
                assert_eq!(decode(&text).is_some(), byte.is_ascii_hexdigit(), "{byte:#x} at {at}");
            }
        }
    }
}

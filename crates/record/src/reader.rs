//! Bytes back into fields, whatever the bytes are.

/// What is wrong with the bytes, for people.
pub(crate) type Reason = &'static str;

const ENDS_EARLY: Reason = "it ends in the middle of a field";

/// Takes fields off the front of a record; the counterpart of [`crate::writer::Writer`].
pub(crate) struct Reader<'a> {
    left: &'a [u8],
    time_ms: u64,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Reader { left: bytes, time_ms: 0 }
    }

    /// From here on, times are distances from `time_ms`.
    pub(crate) fn set_time(&mut self, time_ms: u64) {
        self.time_ms = time_ms;
    }

    /// All that has not been read.
    pub(crate) fn rest(self) -> &'a [u8] {
        self.left
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Reason> {
        let (&byte, left) = self.left.split_first().ok_or(ENDS_EARLY)?;
        self.left = left;
        Ok(byte)
    }

    pub(crate) fn raw(&mut self, length: usize) -> Result<&'a [u8], Reason> {
        let (bytes, left) = self.left.split_at_checked(length).ok_or(ENDS_EARLY)?;
        self.left = left;
        Ok(bytes)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Reason> {
        let (bytes, left) = self.left.split_first_chunk().ok_or(ENDS_EARLY)?;
        self.left = left;
        Ok(*bytes)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Reason> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                // A last byte without bits would be a second way to write the same number.
                return if bits == 0 && shift > 0 { Err("a number is written longer than it is") } else { Ok(number) };
            }
        }
        Err("a number is larger than 64 bits")
    }

    /// A number of a narrower type.
    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self) -> Result<T, Reason> {
        T::try_from(self.number()?).map_err(|_| "a number is larger than its field")
    }

    pub(crate) fn distance(&mut self, from: u64) -> Result<u64, Reason> {
        let zigzag = self.number()?;
        let signed = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        Ok(from.wrapping_add(signed as u64))
    }

    pub(crate) fn time(&mut self) -> Result<u64, Reason> {
        self.distance(self.time_ms)
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Reason> {
        let length = self.narrow()?;
        self.raw(length)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Reason> {
        std::str::from_utf8(self.bytes()?).map_err(|_| "a text is not UTF-8")
    }

    /// How many items follow, each of at least `item_bytes`: no more than there is room for, so that a list may be
    /// allocated at once.
    pub(crate) fn count(&mut self, item_bytes: usize) -> Result<usize, Reason> {
        let count: usize = self.narrow()?;
        if count > self.left.len() / item_bytes { Err(ENDS_EARLY) } else { Ok(count) }
    }

    /// A byte of flags, of which this version defines those in `known`.
    pub(crate) fn flags(&mut self, known: u8) -> Result<Flags, Reason> {
        let bits = self.byte()?;
        if bits & !known == 0 { Ok(Flags(bits)) } else { Err("it has flags that its version does not define") }
    }
}

/// A byte of flags.
#[derive(Clone, Copy)]
pub(crate) struct Flags(u8);

impl Flags {
    pub(crate) fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// The result of `read` where the flag is set.
    pub(crate) fn then<T>(self, flag: u8, read: impl FnOnce() -> Result<T, Reason>) -> Result<Option<T>, Reason> {
        if self.has(flag) { read().map(Some) } else { Ok(None) }
    }
}

/// The flags whose condition holds, as one byte.
pub(crate) fn flags<const N: usize>(conditions: [(u8, bool); N]) -> u8 {
    conditions.into_iter().filter(|(_, holds)| *holds).fold(0, |bits, (flag, _)| bits | flag)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::writer::Writer;

    #[test]
    fn numbers_of_every_length_read_back() {
        for bits in 0..64 {
            for number in [1 << bits, (1 << bits) - 1, u64::MAX >> bits] {
                let mut bytes = Vec::new();
                Writer::new(&mut bytes, 0).number(number);
                let mut reader = Reader::new(&bytes);
                assert_eq!(reader.number(), Ok(number));
                assert!(reader.rest().is_empty());
            }
        }
    }

    #[test]
    fn distances_go_both_ways_and_all_the_way() {
        for (from, to, length) in [
            (1_700_000_000_000, 1_700_000_000_000, 1),
            (1_700_000_000_000, 1_700_000_000_063, 1),
            (1_700_000_000_000, 1_699_999_999_936, 1),
            (1_700_000_000_000, 0, 6),
            (0, u64::MAX, 1),
            (u64::MAX, 0, 1),
            (0, 1 << 63, 10),
        ] {
            let mut bytes = Vec::new();
            Writer::new(&mut bytes, from).time(to);
            let mut reader = Reader::new(&bytes);
            reader.set_time(from);
            assert_eq!(reader.time(), Ok(to), "{from} to {to}");
            assert_eq!(bytes.len(), length, "{from} to {to}");
        }
    }

    #[test]
    fn numbers_that_nobody_writes_are_refused() {
        for (bytes, reason) in [
            (&[][..], ENDS_EARLY),
            (&[0x80], ENDS_EARLY),
            (&[0x80, 0x00], "a number is written longer than it is"),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], "a number is larger than 64 bits"),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81], "a number is larger than 64 bits"),
        ] {
            assert_eq!(Reader::new(bytes).number(), Err(reason), "{bytes:x?}");
        }
    }
}

//! Fields into bytes.

/// Appends fields to a payload; the counterpart of [`crate::reader::Reader`].
pub(crate) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    time_ms: u64,
}

impl<'a> Writer<'a> {
    /// Times are written as distances from `time_ms`.
    pub(crate) fn new(out: &'a mut Vec<u8>, time_ms: u64) -> Self {
        Writer { out, time_ms }
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    /// Bytes whose number the reader knows.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.out.push(number as u8);
    }

    /// The distance from `from` to `to`, either way: small numbers for near ones, and right for any two.
    pub(crate) fn distance(&mut self, from: u64, to: u64) {
        let signed = to.wrapping_sub(from) as i64;
        self.number((signed << 1 ^ signed >> 63) as u64);
    }

    /// A time that is likely near the record's.
    pub(crate) fn time(&mut self, at_ms: u64) {
        self.distance(self.time_ms, at_ms);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.raw(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }
}

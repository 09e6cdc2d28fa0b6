//! Writing JSON: objects and texts, escaped as `serde_json` escapes them, and faster.
//!
//! What a reply mostly consists of are texts with nothing in them to escape, which is seen many bytes at a time.
//! `serde_json` looks at each byte for itself, and that is most of what it takes to write a batch of messages.

/// An object being written.
pub(crate) struct Object<'a> {
    out: &'a mut Vec<u8>,
    is_empty: bool,
}

/// An object with these members.
pub(crate) fn object(out: &mut Vec<u8>, members: impl FnOnce(&mut Object<'_>)) {
    out.push(b'{');
    members(&mut Object { out, is_empty: true });
    out.push(b'}');
}

/// An array of what `write` makes of each element.
pub(crate) fn array<T>(out: &mut Vec<u8>, elements: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    out.push(b'[');
    for (number, element) in elements.iter().enumerate() {
        if number > 0 {
            out.push(b',');
        }
        write(out, element);
    }
    out.push(b']');
}

impl Object<'_> {
    /// A member, whose value is what is written next. Its name is one of ours, with nothing to escape in it.
    pub(crate) fn member(&mut self, name: &'static str) -> &mut Vec<u8> {
        self.comma();
        // Each piece asks for room by itself: all of it is asked for first.
        self.out.reserve(name.len() + 3);
        self.out.push(b'"');
        self.out.extend_from_slice(name.as_bytes());
        self.out.extend_from_slice(b"\":");
        self.out
    }

    /// A member that is a text.
    pub(crate) fn text(&mut self, name: &'static str, value: &str) {
        text(self.member(name), value);
    }

    /// A member with a name that somebody else may have chosen, and a text.
    pub(crate) fn entry(&mut self, name: &str, value: &str) {
        self.comma();
        text(self.out, name);
        self.out.push(b':');
        text(self.out, value);
    }

    fn comma(&mut self) {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
    }

    /// The same, where there is one.
    pub(crate) fn optional(&mut self, name: &'static str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }
}

/// A text in quotes.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    let (blocks, rest) = bytes.as_chunks::<32>();
    // What has nothing to escape in it is copied at once, from here on.
    let mut from = 0;
    for (number, block) in blocks.iter().enumerate() {
        if needs_escape(block) {
            from = escape(out, bytes, from, number * 32..(number + 1) * 32);
        }
    }
    if needs_escape(rest) {
        from = escape(out, bytes, from, blocks.len() * 32..bytes.len());
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// Without a stop in the midst, so that the compiler looks at many bytes at a time.
fn needs_escape(bytes: &[u8]) -> bool {
    let special = |b: u8| (b < b' ') | (b == b'"') | (b == b'\\');
    bytes.iter().fold(false, |any, &b| any | special(b))
}

/// What of `bytes` is not written yet begins at `from`; of these, in `within` there is something to escape. Writes up to the
/// last such byte, and says what is left from where.
fn escape(out: &mut Vec<u8>, bytes: &[u8], mut from: usize, within: std::ops::Range<usize>) -> usize {
    for at in within {
        let byte = bytes[at];
        let letter = ESCAPES[usize::from(byte)];
        if letter == 0 {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        if letter == b'u' {
            let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
        } else {
            out.extend_from_slice(&[b'\\', letter]);
        }
    }
    from
}

/// What is written after a backslash for each byte; 0 for those that stand for themselves.
const ESCAPES: [u8; 256] = {
    let mut escapes = [0; 256];
    let mut control = 0;
    while control < b' ' {
        escapes[control as usize] = b'u';
        control += 1;
    }
    escapes[b'\n' as usize] = b'n';
    escapes[b'\r' as usize] = b'r';
    escapes[b'\t' as usize] = b't';
    escapes[0x08] = b'b';
    escapes[0x0c] = b'f';
    escapes[b'"' as usize] = b'"';
    escapes[b'\\' as usize] = b'\\';
    escapes
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_is_written_as_serde_json_writes_it() {
        let ascii: String = (0..128).map(char::from).collect();
        for case in ["", "plain", "é€𝄞", &ascii, &ascii.repeat(3), &("x".repeat(31) + "\u{1}y"), &"€".repeat(50)]
        {
            let mut out = Vec::new();
            text(&mut out, case);
            assert_eq!(String::from_utf8(out).unwrap(), serde_json::to_string(case).unwrap());
        }
    }

    #[test]
    fn members_and_elements_have_commas_between_them() {
        let mut out = Vec::new();
        object(&mut out, |object| {
            object.text("a", "1");
            object.optional("none", None);
            array(object.member("b"), &["x", "y"], |out, element| text(out, element));
            array(object.member("c"), &[""; 0], |out, element| text(out, element));
        });
        assert_eq!(String::from_utf8(out).unwrap(), r#"{"a":"1","b":["x","y"],"c":[]}"#);
    }
}

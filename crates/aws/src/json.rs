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
    /// A member, whose value is what is written next.
    pub(crate) fn member(&mut self, name: &str) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.is_empty) {
            self.out.push(b',');
        }
        text(self.out, name);
        self.out.push(b':');
        self.out
    }

    /// A member that is a text.
    pub(crate) fn text(&mut self, name: &str, value: &str) {
        text(self.member(name), value);
    }

    /// The same, where there is one.
    pub(crate) fn optional(&mut self, name: &str, value: Option<&String>) {
        if let Some(value) = value {
            self.text(name, value);
        }
    }
}

/// A text in quotes.
pub(crate) fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let (blocks, rest) = text.as_bytes().as_chunks::<32>();
    // What has nothing to escape in it is copied at once, from here on.
    let mut from = 0;
    for (number, block) in blocks.iter().enumerate() {
        if needs_escape(block) {
            out.extend_from_slice(blocks[from..number].as_flattened());
            escape(out, block);
            from = number + 1;
        }
    }
    if needs_escape(rest) {
        out.extend_from_slice(blocks[from..].as_flattened());
        escape(out, rest);
    } else {
        out.extend_from_slice(&text.as_bytes()[from * 32..]);
    }
    out.push(b'"');
}

/// Without a stop in the midst, so that the compiler looks at many bytes at a time.
fn needs_escape(bytes: &[u8]) -> bool {
    let special = |b: u8| (b < b' ') | (b == b'"') | (b == b'\\');
    bytes.iter().fold(false, |any, &b| any | special(b))
}

fn escape(out: &mut Vec<u8>, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x00..=0x1f => {
                let digit = |nibble: u8| b"0123456789abcdef"[usize::from(nibble)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', digit(byte >> 4), digit(byte & 15)]);
            }
            byte => out.push(byte),
        }
    }
}

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

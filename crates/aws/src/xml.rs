//! Writing XML: elements and text, escaped so that every character arrives that XML 1.0 has.
//!
//! It has no control characters but tab, line feed and carriage return, and no U+FFFE and U+FFFF, not even as references:
//! parsers refuse the whole document for one of them. Messages never have them; what else repeats what a caller sent
//! (an error's text, a tag) gets U+FFFD in their place.

use crate::Error;

/// What stands for a character that XML 1.0 doesn't have.
const UNWRITABLE: &str = "\u{fffd}";

/// XML being written.
#[derive(Debug)]
pub(crate) struct Writer {
    out: String,
}

impl Writer {
    /// A document whose texts have about so many bytes.
    pub(crate) fn new(text_bytes: usize) -> Writer {
        let mut out = String::with_capacity(512 + text_bytes);
        out.push_str("<?xml version=\"1.0\"?>");
        Writer { out }
    }

    /// The document.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    /// The outermost element.
    pub(crate) fn root(&mut self, name: &str, namespace: &str, content: impl FnOnce(&mut Self)) {
        self.out.extend(["<", name, " xmlns=\"", namespace, "\">"]);
        content(self);
        self.out.extend(["</", name, ">"]);
    }

    /// An element with elements in it.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.out.extend(["<", name, ">"]);
        content(self);
        self.out.extend(["</", name, ">"]);
    }

    /// An element with text in it.
    pub(crate) fn text(&mut self, name: &str, text: &str) {
        self.element(name, |writer| writer.escape(text));
    }

    /// An element, if there is text for it.
    pub(crate) fn optional(&mut self, name: &str, text: Option<&String>) {
        if let Some(text) = text {
            self.text(name, text);
        }
    }

    /// An element with a number in it, if there is one.
    pub(crate) fn number(&mut self, name: &str, number: Option<i64>) {
        if let Some(number) = number {
            self.text(name, &number.to_string());
        }
    }

    /// A reader takes a raw carriage return for a line feed: it goes as a character reference.
    fn escape(&mut self, text: &str) {
        let mut from = 0;
        for (at, byte) in text.bytes().enumerate() {
            let (written, length) = match byte {
                b'&' => ("&amp;", 1),
                b'<' => ("&lt;", 1),
                b'>' => ("&gt;", 1),
                b'"' => ("&quot;", 1),
                b'\r' => ("&#xD;", 1),
                // U+FFFE and U+FFFF
                0xef if matches!(text.as_bytes()[at..], [_, 0xbf, 0xbe | 0xbf, ..]) => (UNWRITABLE, 3),
                b'\t' | b'\n' | b' '.. => continue,
                _ => (UNWRITABLE, 1),
            };
            self.out.push_str(&text[from..at]);
            self.out.push_str(written);
            from = at + length;
        }
        self.out.push_str(&text[from..]);
    }
}

/// Query's error document.
pub(crate) fn error(namespace: &str, request_id: &str, error: &Error) -> String {
    let mut writer = Writer::new(error.message.len());
    writer.root("ErrorResponse", namespace, |writer| {
        writer.element("Error", |writer| {
            writer.text("Type", error.code.fault().as_str());
            writer.text("Code", error.code.query_code());
            writer.text("Message", &error.message);
            writer.element("Detail", |_| ());
        });
        writer.text("RequestId", request_id);
    });
    writer.finish()
}

/// Where every result document ends.
pub(crate) fn metadata(writer: &mut Writer, request_id: &str) {
    writer.element("ResponseMetadata", |writer| writer.text("RequestId", request_id));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_that_xml_has_is_written_so_that_it_arrives() {
        for (text, xml) in [
            ("plain", "plain"),
            ("<a href=\"x\">&amp;</a>", "&lt;a href=&quot;x&quot;&gt;&amp;amp;&lt;/a&gt;"),
            ("a\r\nb\tc", "a&#xD;\nb\tc"),
            ("\0a\u{1f}", "\u{fffd}a\u{fffd}"),
            ("a\u{fffe}\u{ffff}b\u{fffd}\u{f000}\u{7f}", "a\u{fffd}\u{fffd}b\u{fffd}\u{f000}\u{7f}"),
            ("é€𝄞", "é€𝄞"),
            ("", ""),
        ] {
            let mut writer = Writer { out: String::new() };
            writer.text("T", text);
            assert_eq!(writer.finish(), format!("<T>{xml}</T>"));
        }
    }
}

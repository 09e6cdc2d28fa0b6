//! Which characters a message may have.

use afterward_aws::{Code, Error};

/// The first character that no message may have. Allowed are, as in XML 1.0, `#x9 | #xA | #xD | #x20 to #xD7FF |
/// #xE000 to #xFFFD | #x10000 to #x10FFFF`.
///
/// Source: SQS API reference, SendMessage, `MessageBody`.
pub(crate) fn first_forbidden(text: &str) -> Option<char> {
    // All that is forbidden has a byte below 0x20, or, as U+FFFE and U+FFFF, begins with 0xEF: most texts have neither,
    // and looking at bytes is quick.
    let suspicious = |b: u8| (b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r') | (b == 0xef);
    // Looked at in blocks, without a stop in the midst of one: then the compiler looks at many bytes at a time.
    let among = |block: &[u8]| block.iter().fold(false, |any, &b| any | suspicious(b));
    let (blocks, rest) = text.as_bytes().as_chunks::<64>();
    if !blocks.iter().any(|block| among(block)) && !among(rest) {
        return None;
    }
    text.chars().find(|c| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}'))
}

/// Checks a message's body.
pub(super) fn check_body(body: &str) -> Result<(), Error> {
    first_forbidden(body).map_or(Ok(()), |c| Err(forbidden(c, "the message body")))
}

/// What is said of a forbidden character in `place`.
pub(super) fn forbidden(c: char, place: &str) -> Error {
    let message = format!(
        "Invalid binary character '#x{:x}' was found in {place}, the set of allowed characters is #x9 | #xA | #xD | \
         #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        u32::from(c)
    );
    Error::new(Code::InvalidMessageContents, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_non_characters_are_found() {
        for good in ["", "a\tb\r\nc", "\u{7f}\u{80}", "\u{d7ff}\u{e000}\u{fffd}", "\u{10000}\u{10ffff}", "ﬁ"] {
            assert_eq!(first_forbidden(good), None, "{good:?}");
        }
        for (bad, c) in [
            ("a\0b", '\0'),
            ("\x0b", '\x0b'),
            ("\u{1f}", '\u{1f}'),
            ("é\u{ffff}", '\u{ffff}'),
            ("\u{fffe}", '\u{fffe}'),
        ] {
            assert_eq!(first_forbidden(bad), Some(c), "{bad:?}");
        }
    }
}

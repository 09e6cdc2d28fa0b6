//! The name of a batch of messages: those that a message sent after them waits for.

use crate::word::word;
use thiserror::Error;

/// The text is not a batch's name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a batch's name is 1 to 128 letters, digits, hyphens, underscores, dots and colons")]
pub struct NotABatchId;

/// No character that a header, a log line or a table of `key=value` pairs would have to escape.
fn is_name(text: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte);
    (1..=128).contains(&text.len()) && text.bytes().all(is_part)
}

word! {
    /// The name of a batch of messages within one queue.
    BatchId(Box<str>): is_name, else NotABatchId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_named_by_what_no_header_has_to_escape() {
        let longest = "b".repeat(128);
        for good in ["a", "import-42", "2026-07-01T08:00_eu.west", &longest] {
            assert_eq!(good.parse::<BatchId>().as_ref().map(BatchId::as_str), Ok(good));
        }
        let too_long = "b".repeat(129);
        for bad in ["", "a b", "a;b", "a=b", "a,b", "a/b", "ä", "a\n", &too_long] {
            assert_eq!(bad.parse::<BatchId>(), Err(NotABatchId), "{bad}");
        }
    }
}

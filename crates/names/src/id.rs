//! Ids that senders choose: message groups and deduplication ids.

use crate::word::word;
use thiserror::Error;

/// The text is not an id of this kind.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("an id is 1 to 128 letters, digits and punctuation marks")]
pub struct NotAnId;

/// Letters, digits and `` !"#$%&'()*+,-./:;<=>?@[\]^_`{|}~ ``: the printable ASCII characters but the space.
///
/// Source: SQS API reference, SendMessage, `MessageDeduplicationId` and `MessageGroupId`.
fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic())
}

word! {
    /// A message group: on FIFO queues what is delivered in order, on standard queues a tenant to be fair to.
    GroupId(Box<str>): is_id, else NotAnId
}

word! {
    /// What makes two sends to a FIFO queue the same within the deduplication window.
    DeduplicationId(Box<str>): is_id, else NotAnId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_printable_ascii_without_spaces() {
        let longest = "g".repeat(128);
        for good in ["a", "tenant-7", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", &longest] {
            assert!(good.parse::<GroupId>().is_ok(), "{good}");
        }
        let too_long = "g".repeat(129);
        for bad in ["", "a b", "ä", "a\n", &too_long] {
            assert_eq!(bad.parse::<DeduplicationId>(), Err(NotAnId), "{bad}");
        }
    }
}

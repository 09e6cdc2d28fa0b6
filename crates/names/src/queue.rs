//! Queue names, and the full address of a queue.

use crate::{AccountId, QueueArn, Region, word::word};
use std::sync::Arc;
use thiserror::Error;

/// The text is not a queue name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a queue name is 1 to 80 letters, digits, hyphens and underscores; a FIFO queue's ends in .fifo")]
pub struct NotAQueueName;

/// Source: SQS API reference, CreateQueue, `QueueName`.
fn is_name(text: &str) -> bool {
    let stem = text.strip_suffix(".fifo").unwrap_or(text);
    let fits = !stem.is_empty() && text.len() <= 80;
    fits && stem.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

word! {
    /// A queue name: 1 to 80 of letters, digits, `-` and `_`; a FIFO queue's ends in `.fifo`, which counts.
    QueueName(Arc<str>): is_name, else NotAQueueName
}

impl QueueName {
    /// Whether the name is a FIFO queue's, that is, ends in `.fifo`.
    pub fn is_fifo(&self) -> bool {
        self.0.ends_with(".fifo")
    }
}

/// Where a queue lives: queues of different accounts and regions don't see each other.
///
/// Ordered by account, region, name: the queues that one caller sees stand together, in the order of their names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueAddress {
    /// The owner.
    pub account: AccountId,
    /// The region.
    pub region: Region,
    /// The name, unique within account and region.
    pub name: QueueName,
}

impl QueueAddress {
    /// The queue's ARN, in the `aws` partition.
    pub fn arn(&self) -> QueueArn {
        QueueArn(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_create_queue() {
        let longest = "x".repeat(80);
        let longest_fifo = format!("{}.fifo", "x".repeat(75));
        for good in ["jobs", "A-b_9", "jobs.fifo", &longest, &longest_fifo] {
            assert_eq!(good.parse::<QueueName>().unwrap().as_str(), good);
        }
        let too_long = "x".repeat(81);
        let too_long_fifo = format!("{}.fifo", "x".repeat(76));
        for bad in ["", ".fifo", "a b", "a.b", "jobs.fifo.fifo", "ä", "a/b", &too_long, &too_long_fifo] {
            assert_eq!(bad.parse::<QueueName>(), Err(NotAQueueName), "{bad}");
        }
        assert!("jobs.fifo".parse::<QueueName>().unwrap().is_fifo());
        assert!(!"jobs".parse::<QueueName>().unwrap().is_fifo());
    }
}

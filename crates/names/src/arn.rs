//! Amazon Resource Names of queues.

use crate::{AccountId, QueueAddress, QueueName, Region};
use std::{fmt, str::FromStr};
use thiserror::Error;

/// `arn:aws:sqs:REGION:ACCOUNT:NAME`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueArn(pub QueueAddress);

/// The text is not the ARN of an SQS queue.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a queue's ARN reads arn:aws:sqs:REGION:ACCOUNT:NAME")]
pub struct NotAQueueArn;

impl FromStr for QueueArn {
    type Err = NotAQueueArn;

    /// Reads the ARN of any partition (`aws`, `aws-cn`, `aws-us-gov`, …).
    fn from_str(text: &str) -> Result<Self, NotAQueueArn> {
        let mut parts = text.split(':');
        let mut part = || parts.next().ok_or(NotAQueueArn);
        let (arn, partition, service) = (part()?, part()?, part()?);
        if arn != "arn" || !partition.starts_with("aws") || service != "sqs" {
            return Err(NotAQueueArn);
        }
        let region: Region = part()?.parse().map_err(|_| NotAQueueArn)?;
        let account: AccountId = part()?.parse().map_err(|_| NotAQueueArn)?;
        let name: QueueName = part()?.parse().map_err(|_| NotAQueueArn)?;
        if parts.next().is_some() {
            return Err(NotAQueueArn);
        }
        Ok(QueueArn(QueueAddress { account, region, name }))
    }
}

impl fmt::Display for QueueArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let QueueAddress { account, region, name } = &self.0;
        write!(f, "arn:aws:sqs:{region}:{account}:{name}")
    }
}

impl fmt::Debug for QueueArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_reads_back_as_it_was_written() {
        let text = "arn:aws:sqs:eu-west-1:123456789012:jobs.fifo";
        let arn: QueueArn = text.parse().unwrap();
        assert_eq!(arn.to_string(), text);
        assert_eq!(arn.0.name.as_str(), "jobs.fifo");
    }

    #[test]
    fn what_is_not_a_queues_arn_is_refused() {
        for bad in [
            "",
            "arn",
            "jobs",
            "arn:aws:sns:us-east-1:123456789012:jobs",
            "arn:aws:sqs:us-east-1:12345:jobs",
            "arn:aws:sqs:us-east-1:123456789012:",
            "arn:aws:sqs:us-east-1:123456789012:jobs:more",
            "arn:gcp:sqs:us-east-1:123456789012:jobs",
        ] {
            assert_eq!(bad.parse::<QueueArn>(), Err(NotAQueueArn), "{bad}");
        }
    }
}

//! The names of things: accounts, regions, queues, schedules, ARNs, message and group ids, and the limits on them; and what
//! may stand in a message, for all who take one in.
//!
//! The idea is *parse, don't validate*: a [`QueueName`] in hand is a valid queue name, so nothing below the gateway
//! checks a name again. Every type here is plain data, parsed from text and displayed as the same text.
//!
//! This crate knows nothing of HTTP, AWS error codes, storage or time.

mod account;
mod arn;
mod batch;
mod id;
pub mod limits;
mod message_id;
pub mod message_text;
mod queue;
mod region;
mod schedule;
mod schedule_arn;
mod word;

pub use account::{AccountId, NotAnAccountId};
pub use arn::{NotAQueueArn, QueueArn};
pub use batch::{BatchId, NotABatchId};
pub use id::{DeduplicationId, GroupId, NotAnId};
pub use message_id::{MessageId, NotAMessageId};
pub use queue::{NotAQueueName, QueueAddress, QueueName};
pub use region::{NotARegion, Region};
pub use schedule::{NotAScheduleName, ScheduleAddress, ScheduleGroupAddress, ScheduleGroupName, ScheduleName};
pub use schedule_arn::{NotAScheduleArn, NotAScheduleGroupArn, ScheduleArn, ScheduleGroupArn};

//! The numbers that AWS publishes for SQS and EventBridge Scheduler, with their units.
//!
//! Source: SQS developer guide, "Amazon SQS message quotas" and the API reference's attribute tables; EventBridge
//! Scheduler's API reference.

use std::ops::RangeInclusive;

/// The largest message, body and attributes together, and the largest batch: 1 MiB.
pub const MESSAGE_BYTES: usize = 1024 * 1024;
/// What a queue's `MaximumMessageSize` may be.
pub const MAXIMUM_MESSAGE_SIZE_BYTES: RangeInclusive<u64> = 1024..=1024 * 1024;
/// What a queue's or a message's `DelaySeconds` may be.
pub const DELAY_S: RangeInclusive<u64> = 0..=900;
/// What `MessageRetentionPeriod` may be: one minute to fourteen days.
pub const RETENTION_S: RangeInclusive<u64> = 60..=1_209_600;
/// How long a message of ours may be delayed beyond what SQS knows: it must end before the longest retention period does.
pub const LONG_DELAY_S: RangeInclusive<u64> = 0..=1_209_599;
/// The retention period unless set: four days.
pub const DEFAULT_RETENTION_S: u64 = 345_600;
/// What `WaitTimeSeconds` may be.
pub const RECEIVE_WAIT_S: RangeInclusive<u64> = 0..=20;
/// What a visibility timeout may be: up to twelve hours.
pub const VISIBILITY_TIMEOUT_S: RangeInclusive<u64> = 0..=43_200;
/// The visibility timeout unless set.
pub const DEFAULT_VISIBILITY_TIMEOUT_S: u64 = 30;
/// How long one message may stay invisible from one receive, extensions included: twelve hours.
pub const LONGEST_LEASE_MS: u64 = 43_200_000;
/// What a redrive policy's `maxReceiveCount` may be.
pub const MAX_RECEIVE_COUNT: RangeInclusive<u64> = 1..=1000;
/// Entries in a batch, and messages of one receive.
pub const BATCH_ENTRIES: usize = 10;
/// The same where a caller asks us for more than SQS knows, by the header `x-afterward-entries`.
pub const LONG_BATCH_ENTRIES: usize = 100;
/// User message attributes of one message.
pub const MESSAGE_ATTRIBUTES: usize = 10;
/// Tags on one queue.
pub const QUEUE_TAGS: usize = 50;
/// Messages of one queue that may be leased at a time.
pub const IN_FLIGHT: usize = 120_000;
/// How long a deduplication id is remembered.
pub const DEDUPLICATION_WINDOW_MS: u64 = 300_000;
/// An access policy's text, in bytes.
pub const POLICY_BYTES: usize = 8192;
/// Queues named by one redrive-allow policy.
pub const REDRIVE_ALLOW_SOURCES: usize = 10;
/// Results of one page of a list.
pub const LIST_PAGE: usize = 1000;
/// The fastest that a message move task may be asked to go, in messages a second.
pub const MOVE_RATE_PER_S: RangeInclusive<u64> = 1..=500;
/// Message move tasks that may run at a time in one account. Source: SQS developer guide, "Configuring a dead-letter queue
/// redrive": "a maximum of 100 active redrive tasks per account".
pub const ACTIVE_MOVES: usize = 100;
/// How long a deleted queue's name, or a purge, rests where cool-downs are on.
pub const COOLDOWN_MS: u64 = 60_000;
/// Tags on one group of schedules: what the API's `TagList` holds at the most.
pub const SCHEDULE_GROUP_TAGS: usize = 200;
/// What a schedule may take as it is stored. Its input alone may be 256 KiB.
pub const SCHEDULE_DEFINITION_BYTES: usize = 1024 * 1024;

//! The numbers of the kinds of record. Once released, a number keeps its meaning.
//!
//! 1 to 15 define, 16 to 31 are a message's way, 32 to 47 are state written forward, 64 to 79 are schedules. 48 to 63 are
//! set aside for what is planned to come before the format freezes: checkpoints (the index without bodies), and the
//! outbox and high-water marks of messages that cross partitions. 0 and 255 are never used: they are what erased storage reads as.

pub(crate) const FOUNDED: u8 = 1;
pub(crate) const QUEUE_CREATED: u8 = 2;
pub(crate) const QUEUE_DELETED: u8 = 3;
pub(crate) const ATTRIBUTES_SET: u8 = 4;
pub(crate) const TAGS_SET: u8 = 5;
pub(crate) const PURGED: u8 = 6;
pub(crate) const MOVE_STARTED: u8 = 7;
pub(crate) const MOVE_ENDED: u8 = 8;
pub(crate) const SCHEDULE_GROUP_PUT: u8 = 9;
pub(crate) const SCHEDULE_GROUP_DELETED: u8 = 10;

pub(crate) const SENT: u8 = 16;
pub(crate) const LEASED: u8 = 17;
pub(crate) const DELETED: u8 = 18;
pub(crate) const VISIBILITY_CHANGED: u8 = 19;
pub(crate) const DEAD_LETTERED: u8 = 20;
pub(crate) const REDRIVEN: u8 = 21;
pub(crate) const RELEASED: u8 = 22;
pub(crate) const HANDED_BACK: u8 = 23;
pub(crate) const DROPPED: u8 = 24;

pub(crate) const QUEUE_KEPT: u8 = 32;
pub(crate) const MESSAGE_KEPT: u8 = 33;
pub(crate) const DEDUP_KEPT: u8 = 34;
pub(crate) const FINISHED_KEPT: u8 = 35;
pub(crate) const ATTEMPT_KEPT: u8 = 36;
pub(crate) const MOVE_KEPT: u8 = 37;
pub(crate) const COUNTERS_KEPT: u8 = 38;
pub(crate) const DELETION_KEPT: u8 = 39;

pub(crate) const SCHEDULE_PUT: u8 = 64;
pub(crate) const SCHEDULE_RAN: u8 = 65;
pub(crate) const SCHEDULE_DELETED: u8 = 66;

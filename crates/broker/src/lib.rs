//! A partition at work: group commit, reply gate, timers, long-poll wake-ups.

mod broker;
mod clock;
mod receipt;

pub use afterward_machine as machine;
pub use afterward_record::{Attribute, AttributeValue, Content};
pub use broker::{Broker, Failure, Metrics, OpenError, Received, Settings, StoredMessage, Unavailable};
pub use clock::{Clock, SystemClock};
pub use receipt::{NotAReceiptHandle, Receipts};

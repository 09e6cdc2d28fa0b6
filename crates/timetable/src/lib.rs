//! When a schedule is due: `at(…)`, `rate(…)` and `cron(…)` expressions, read as EventBridge Scheduler documents them
//! (User Guide, "Schedule types"), and Unix's cron lines of five fields.
//!
//! The idea: an [`Expression`] is parsed once and is then a set of times; a [`Timetable`] is that set in a [`Zone`],
//! between a start and an end. Asked for the first time from a moment on, it answers without trying every minute, and
//! gives up at the end of [`LAST_YEAR`], so that a date that never comes (February 30th) costs little.
//!
//! Daylight saving, as documented: of a local time that does not exist a cron schedule is skipped; of one that comes
//! twice it runs the first time only. A rate is elapsed time and heeds no clock change: a day is 24 hours.
//!
//! This crate is pure: time comes in, and the zones' rules are compiled in. It knows nothing of what a schedule does.

mod at;
mod cron;
mod expression;
mod invalid;
mod rate;
mod timetable;
mod zone;

pub use at::At;
pub use cron::Cron;
pub use expression::Expression;
pub use invalid::{Field, Invalid};
pub use rate::Rate;
pub use timetable::{Occurrences, Timetable};
pub use zone::Zone;

/// The last year for which there are times: the last one that a cron expression may name.
pub const LAST_YEAR: i16 = 2199;

/// 2200-01-01T00:00:00Z, in milliseconds since 1970: no time is this late.
pub const END_OF_TIME_MS: u64 = 7_258_118_400_000;

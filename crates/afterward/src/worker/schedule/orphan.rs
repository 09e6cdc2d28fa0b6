//! Ticks of schedules that a worker does not have.
//!
//! While a deployment changes, workers of two versions share the queue: the tick is another's then, and is handed back, so
//! that it may reach one who knows it. When that has not helped several times over, the schedule belongs to nobody any more.
//! Its tick is dropped rather than dead-lettered, and the schedule deleted, so that it ends. Should that have been wrong, a
//! worker that has the schedule puts it back within minutes ([`Source::keep_schedules`](crate::Source::keep_schedules)).

use std::time::Duration;

/// How long an unknown tick is out of sight until the next worker may have it.
pub(crate) const ORPHAN_WAIT: Duration = Duration::from_secs(60);
/// After so many receives nobody is expected to know it.
pub(crate) const GIVE_UP_RECEIVES: u32 = 5;

//! The clock that the broker goes by.

use crate::{StartError, config};
use afterward_broker::{Clock, ManualClock, SystemClock};
use afterward_log::Log;
use std::sync::Arc;

/// The broker's clock; the second is the same one, where it can be moved.
pub(crate) type Clocks = (Arc<dyn Clock>, Option<Arc<ManualClock>>);

/// The clock that `setting` names, for the broker of `log`.
///
/// A manual clock begins no earlier than the log ends: the broker's time never runs back, and if it were ahead of its clock,
/// it would not go exactly as far as the clock is moved. So a server that is started again goes on at the time of the last
/// thing that it wrote.
///
/// # Errors
/// When the log's end can't be read.
pub(crate) fn of(setting: config::Clock, log: &dyn Log) -> Result<Clocks, StartError> {
    let config::Clock::Manual { from_ms } = setting else {
        return Ok((Arc::new(SystemClock), None));
    };
    let end_ms = end_ms(log).map_err(afterward_broker::OpenError::from)?;
    let from_ms = from_ms.or(end_ms).unwrap_or_else(|| SystemClock.now_ms());
    let clock = Arc::new(ManualClock::at(from_ms.max(end_ms.unwrap_or_default())));
    Ok((clock.clone(), Some(clock)))
}

/// The time of the last batch.
fn end_ms(log: &dyn Log) -> Result<Option<u64>, afterward_log::ReadError> {
    let bounds = log.bounds()?;
    if bounds.tail < bounds.first {
        return Ok(None);
    }
    let page = log.read(bounds.tail, 1)?;
    Ok(page.batches.last().map(|last| last.batch.time_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use afterward_log::{
        Batch,
        memory::{Fencing, MemoryLog},
    };

    #[test]
    fn a_manual_clock_begins_where_it_is_told_to_but_never_before_the_logs_end() {
        let new = || MemoryLog::new(Fencing::ByStore);
        let used = || {
            let log = new();
            log.claim(0, Batch { time_ms: 5_000, records: 0, payload: Default::default() }).unwrap();
            log
        };
        for (log, from_ms, begins_ms) in [
            (new(), Some(1_000), 1_000),
            (used(), None, 5_000),
            (used(), Some(1_000), 5_000),
            (used(), Some(9_000), 9_000),
        ] {
            let (clock, manual) = of(config::Clock::Manual { from_ms }, &log).unwrap();
            assert_eq!((clock.now_ms(), manual.unwrap().now_ms()), (begins_ms, begins_ms), "{from_ms:?}");
        }
        let before_ms = SystemClock.now_ms();
        let (clock, _) = of(config::Clock::Manual { from_ms: None }, &new()).unwrap();
        assert!((before_ms..=SystemClock.now_ms()).contains(&clock.now_ms()));
        assert!(of(config::Clock::System, &new()).unwrap().1.is_none());
    }
}

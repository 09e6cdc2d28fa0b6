//! An expression in its zone, between its start and its end.

use crate::{Expression, Zone};

/// All the times of a schedule.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Timetable {
    /// Which times.
    pub expression: Expression,
    /// Where they are local. Rates don't heed it.
    pub zone: Zone,
    /// A rate's first time where `start_ms` is not given: when the schedule was made.
    pub anchor_ms: u64,
    /// No time is before this one, milliseconds since 1970, and a rate begins with it. A one-time expression ignores it.
    pub start_ms: Option<u64>,
    /// No time is after this one, milliseconds since 1970. A one-time expression ignores it.
    pub end_ms: Option<u64>,
}

impl Timetable {
    /// The first time at or after `from_ms`.
    pub fn first_from(&self, from_ms: u64) -> Option<u64> {
        if self.expression.is_one_time() {
            return self.expression.from(from_ms, &self.zone, self.anchor_ms);
        }
        let from_ms = from_ms.max(self.start_ms.unwrap_or(0));
        let anchor_ms = self.start_ms.unwrap_or(self.anchor_ms);
        let found = self.expression.from(from_ms, &self.zone, anchor_ms)?;
        Some(found).filter(|found| self.end_ms.is_none_or(|end_ms| *found <= end_ms))
    }

    /// The first time after `after_ms`.
    pub fn next_after(&self, after_ms: u64) -> Option<u64> {
        self.first_from(after_ms.checked_add(1)?)
    }

    /// The last time from `from_ms` to `until_ms`, both of them included. It is searched for by halves, so that a minute's
    /// schedule of a year costs some forty looks and not half a million.
    pub fn last_within(&self, from_ms: u64, until_ms: u64) -> Option<u64> {
        let first_from = |from_ms: u64| self.first_from(from_ms).filter(|found| *found <= until_ms);
        let mut last_ms = first_from(from_ms)?;
        // No time is within from here to the end.
        let mut beyond_ms = until_ms.saturating_add(1);
        while beyond_ms - last_ms > 1 {
            let middle_ms = last_ms + (beyond_ms - last_ms) / 2;
            match first_from(middle_ms) {
                Some(found_ms) => last_ms = found_ms,
                None => beyond_ms = middle_ms,
            }
        }
        Some(last_ms)
    }

    /// The times at and after `from_ms`, in their order.
    pub fn occurrences_from(&self, from_ms: u64) -> Occurrences<'_> {
        Occurrences { timetable: self, from_ms: Some(from_ms) }
    }
}

/// See [`Timetable::occurrences_from`].
#[derive(Clone, Debug)]
pub struct Occurrences<'a> {
    timetable: &'a Timetable,
    from_ms: Option<u64>,
}

impl Iterator for Occurrences<'_> {
    type Item = u64;

    fn next(&mut self) -> Option<u64> {
        let found = self.from_ms.take().and_then(|from_ms| self.timetable.first_from(from_ms))?;
        self.from_ms = found.checked_add(1);
        Some(found)
    }
}

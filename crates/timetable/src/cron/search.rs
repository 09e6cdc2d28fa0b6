//! Finding the next time: the dates that match one after the other, and on each its minutes.

use jiff::{Timestamp, ToSpan, civil::Date};

use super::Cron;
use crate::Zone;

impl Cron {
    /// The first time at or after `from_ms`.
    ///
    /// Local times are tried in their order, which is also that of their moments (see [`Zone::first_moment`]), from
    /// what the clocks show at `from_ms`. Earlier ones need no look: they are over, or the clocks skip them. Months and
    /// years that don't match are passed over whole, so a search that finds nothing looks at no more than the dates to 2199.
    pub(crate) fn from(&self, from_ms: u64, zone: &Zone) -> Option<u64> {
        let from = Timestamp::from_millisecond(i64::try_from(from_ms).ok()?).ok()?;
        let local = zone.local(from);
        let mut minute_of_day = local.hour() as u16 * 60 + local.minute() as u16;
        let mut date = local.date();
        loop {
            let matching = self.date_from(date)?;
            if matching != date {
                minute_of_day = 0;
            }
            if let Some(found) = self.moment_on(matching, minute_of_day, from, zone) {
                return u64::try_from(found.as_millisecond()).ok();
            }
            date = matching.tomorrow().ok()?;
            minute_of_day = 0;
        }
    }

    /// The first date that matches, from `date` on.
    fn date_from(&self, date: Date) -> Option<Date> {
        let mut date = date;
        loop {
            let year = self.years.first_from(u16::try_from(date.year()).ok()?)? as i16;
            if year > date.year() {
                date = Date::new(year, 1, 1).ok()?;
            }
            let Some(month) = self.months.first_from(date.month() as u16) else {
                date = Date::new(year + 1, 1, 1).ok()?;
                continue;
            };
            if month > date.month() as u16 {
                date = Date::new(year, month as i8, 1).ok()?;
            }
            let last = date.last_of_month();
            let mut days = date.series(1.day()).take_while(|day| *day <= last);
            if let Some(found) = days.find(|day| self.days.contains(*day)) {
                return Some(found);
            }
            date = last.tomorrow().ok()?;
        }
    }

    /// The first moment of a date that is not before `from`, among the minutes from `minute_of_day` on.
    fn moment_on(&self, date: Date, minute_of_day: u16, from: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let (first_hour, first_minute) = (minute_of_day / 60, minute_of_day % 60);
        self.hours.from(first_hour).find_map(|hour| {
            let minutes = self.minutes.from(if hour == first_hour { first_minute } else { 0 });
            minutes
                .filter_map(|minute| zone.first_moment(date.at(hour as i8, minute as i8, 0, 0)))
                .find(|moment| *moment >= from)
        })
    }
}

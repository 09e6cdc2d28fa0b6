//! The two day fields: which dates they name between them.

use jiff::civil::{Date, Weekday};

use super::{
    list::{Bounds, Names},
    numbers::Numbers,
};
use crate::{Field, Invalid};

const WEEKDAYS: Names = &[("SUN", 1), ("MON", 2), ("TUE", 3), ("WED", 4), ("THU", 5), ("FRI", 6), ("SAT", 7)];
const UNIX_WEEKDAYS: Names = &[("SUN", 0), ("MON", 1), ("TUE", 2), ("WED", 3), ("THU", 4), ("FRI", 5), ("SAT", 6)];

pub(super) const DAY_OF_MONTH: Bounds =
    Bounds { field: Field::DayOfMonth, first: 1, last: 31, names: &[], cycle: Some(31) };
pub(super) const DAY_OF_WEEK: Bounds =
    Bounds { field: Field::DayOfWeek, first: 1, last: 7, names: WEEKDAYS, cycle: Some(7) };
const UNIX_DAY_OF_WEEK: Bounds =
    Bounds { field: Field::DayOfWeek, first: 0, last: 7, names: UNIX_WEEKDAYS, cycle: Some(7) };

/// Which dates of a month.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Days {
    OfMonth(OfMonth),
    OfWeek(OfWeek),
    /// Unix's cron where both fields say something: either will do.
    Either(OfMonth, OfWeek),
    /// Unix's cron where a field begins with `*`: both have to match.
    Both(OfMonth, OfWeek),
}

/// Days by their number.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OfMonth {
    numbers: Numbers,
    /// `15W`: the weekday nearest to the 15th, in the same month; no day in a month without that number.
    nearest: Numbers,
    /// `L`.
    last: bool,
    /// `LW`: the last weekday.
    last_weekday: bool,
}

/// Days by their name, Sunday being 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct OfWeek {
    numbers: Numbers,
    /// `6L`: the last Friday.
    last: Numbers,
    /// `3#2`: the second Tuesday. Nothing else may stand beside it.
    nth: Option<(u16, u16)>,
}

impl Days {
    /// Parses Amazon's two fields, one of which is `?`.
    pub(super) fn parse(day_of_month: &str, day_of_week: &str) -> Result<Days, Invalid> {
        match (day_of_month, day_of_week) {
            ("?", "?") => Err(Invalid::Days),
            (_, "?") => OfMonth::parse(day_of_month).map(Days::OfMonth),
            ("?", _) => OfWeek::parse(day_of_week).map(Days::OfWeek),
            _ => Err(Invalid::Days),
        }
    }

    /// Parses Unix's two fields. That a field begins with `*` decides, as crontab(5) has it, even if a step follows.
    pub(super) fn parse_unix(day_of_month: &str, day_of_week: &str) -> Result<Days, Invalid> {
        let of_month = OfMonth { numbers: DAY_OF_MONTH.parse(day_of_month)?, ..OfMonth::none() };
        let mut of_week = OfWeek::none();
        // 0 and 7 are Sunday there, and 1 is here.
        UNIX_DAY_OF_WEEK.parse(day_of_week)?.from(0).for_each(|day| of_week.numbers.insert(day % 7 + 1));
        Ok(match day_of_month.starts_with('*') || day_of_week.starts_with('*') {
            true => Days::Both(of_month, of_week),
            false => Days::Either(of_month, of_week),
        })
    }

    /// True if the date is one of them.
    pub(super) fn contains(&self, date: Date) -> bool {
        match self {
            Days::OfMonth(days) => days.contains(date),
            Days::OfWeek(days) => days.contains(date),
            Days::Either(by_number, by_name) => by_number.contains(date) || by_name.contains(date),
            Days::Both(by_number, by_name) => by_number.contains(date) && by_name.contains(date),
        }
    }
}

impl OfMonth {
    fn none() -> OfMonth {
        OfMonth { numbers: Numbers::none(1), nearest: Numbers::none(1), last: false, last_weekday: false }
    }

    /// The days' numbers, where nothing else is asked for.
    pub(super) fn plain(&self) -> Option<Numbers> {
        let plain = self.nearest == Numbers::none(1) && !self.last && !self.last_weekday;
        plain.then_some(self.numbers)
    }

    fn parse(text: &str) -> Result<OfMonth, Invalid> {
        let mut days = OfMonth::none();
        for item in text.split(',') {
            match item.to_ascii_uppercase().as_str() {
                "L" => days.last = true,
                "LW" => days.last_weekday = true,
                "?" => return Err(Invalid::Days),
                upper => match upper.strip_suffix('W') {
                    Some(number) => days.nearest.insert(DAY_OF_MONTH.number(item, number)?),
                    None => DAY_OF_MONTH.parse_item(item, &mut days.numbers)?,
                },
            }
        }
        Ok(days)
    }

    fn contains(&self, date: Date) -> bool {
        let (day, last) = (date.day() as u16, date.days_in_month() as u16);
        self.numbers.contains(day)
            || (self.last && day == last)
            || (self.last_weekday
                && is_working_day(date)
                && (day + 1..=last).all(|later| !is_working_day(on(date, later))))
            || (is_working_day(date)
                && (day.saturating_sub(2)..=day + 2)
                    .any(|wanted| self.nearest.contains(wanted) && nearest_working_day(date, wanted) == Some(day)))
    }
}

impl OfWeek {
    fn none() -> OfWeek {
        OfWeek { numbers: Numbers::none(1), last: Numbers::none(1), nth: None }
    }

    /// The days' numbers, where nothing else is asked for.
    pub(super) fn plain(&self) -> Option<Numbers> {
        (self.last == Numbers::none(1) && self.nth.is_none()).then_some(self.numbers)
    }

    fn parse(text: &str) -> Result<OfWeek, Invalid> {
        let mut days = OfWeek::none();
        if let Some((day, nth)) = text.split_once('#') {
            let wrong = |why| Err(DAY_OF_WEEK.wrong(text, why));
            if text.contains(',') {
                return wrong("\"#\" stands alone in its field");
            }
            let Some(nth) = nth.parse().ok().filter(|nth| (1..=5).contains(nth)) else {
                return wrong("after \"#\" it takes 1 to 5");
            };
            days.nth = Some((DAY_OF_WEEK.number(text, day)?, nth));
            return Ok(days);
        }
        for item in text.split(',') {
            match item.strip_suffix(['L', 'l']) {
                // The week's last day, as Amazon counts: Saturday.
                Some("") => days.numbers.insert(7),
                Some(day) => days.last.insert(DAY_OF_WEEK.number(item, day)?),
                None if item == "?" => return Err(Invalid::Days),
                None if item.contains('/') => {
                    return Err(DAY_OF_WEEK.wrong(item, "it takes no steps; name the days instead"));
                }
                None => DAY_OF_WEEK.parse_item(item, &mut days.numbers)?,
            }
        }
        Ok(days)
    }

    fn contains(&self, date: Date) -> bool {
        let day = date.weekday().to_sunday_one_offset() as u16;
        self.numbers.contains(day)
            || (self.last.contains(day) && date.day() + 7 > date.days_in_month())
            || self.nth.is_some_and(|(wanted, nth)| wanted == day && (date.day() as u16 - 1) / 7 + 1 == nth)
    }
}

/// The working day of `month` that is nearest to its day `wanted`, or `None` if it has no such day.
fn nearest_working_day(month: Date, wanted: u16) -> Option<u16> {
    let last = month.days_in_month() as u16;
    if !(1..=last).contains(&wanted) {
        return None;
    }
    Some(match on(month, wanted).weekday() {
        Weekday::Saturday if wanted == 1 => 3,
        Weekday::Saturday => wanted - 1,
        Weekday::Sunday if wanted == last => last - 2,
        Weekday::Sunday => wanted + 1,
        _ => wanted,
    })
}

fn is_working_day(date: Date) -> bool {
    !matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

/// Another day of a date's month, which has to have it.
fn on(month: Date, day: u16) -> Date {
    month.with().day(day as i8).build().unwrap_or(month)
}

//! Cron expressions: Amazon's six fields, and Unix's five.

mod amazon;
mod days;
mod list;
mod numbers;
mod search;

use days::{DAY_OF_MONTH as DAY_BOUNDS, DAY_OF_WEEK as WEEKDAY_BOUNDS, Days};
use list::{Bounds, Names};
use numbers::Numbers;

use crate::{Field, Invalid, LAST_YEAR};

/// The minutes that a cron expression names, as sets of local minutes, hours, days, months and years.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cron {
    minutes: Numbers,
    hours: Numbers,
    days: Days,
    months: Numbers,
    years: Numbers,
}

const MONTHS: Names = &[
    ("JAN", 1),
    ("FEB", 2),
    ("MAR", 3),
    ("APR", 4),
    ("MAY", 5),
    ("JUN", 6),
    ("JUL", 7),
    ("AUG", 8),
    ("SEP", 9),
    ("OCT", 10),
    ("NOV", 11),
    ("DEC", 12),
];

const MINUTES: Bounds = Bounds { field: Field::Minutes, first: 0, last: 59, names: &[], cycle: Some(60) };
const HOURS: Bounds = Bounds { field: Field::Hours, first: 0, last: 23, names: &[], cycle: Some(24) };
const MONTH: Bounds = Bounds { field: Field::Month, first: 1, last: 12, names: MONTHS, cycle: Some(12) };
const YEARS: Bounds = Bounds { field: Field::Year, first: 1970, last: LAST_YEAR as u16, names: &[], cycle: None };

impl Cron {
    /// Parses Amazon's six fields: minutes, hours, day of month, month, day of week (1 is Sunday) and year.
    pub(crate) fn parse(text: &str) -> Result<Cron, Invalid> {
        let [minutes, hours, day_of_month, month, day_of_week, year] =
            fields(text, "minutes hours day-of-month month day-of-week year")?;
        Ok(Cron {
            minutes: MINUTES.parse(minutes)?,
            hours: HOURS.parse(hours)?,
            days: Days::parse(day_of_month, day_of_week)?,
            months: MONTH.parse(month)?,
            years: YEARS.parse(year)?,
        })
    }

    /// Parses Unix's five fields: minutes, hours, day of month, month and day of week (0 and 7 are Sunday). Of the two
    /// day fields either may match where neither begins with `*`, as crontab(5) has it.
    pub(crate) fn parse_unix(text: &str) -> Result<Cron, Invalid> {
        let [minutes, hours, day_of_month, month, day_of_week] =
            fields(text, "minutes hours day-of-month month day-of-week")?;
        Ok(Cron {
            minutes: MINUTES.parse(minutes)?,
            hours: HOURS.parse(hours)?,
            days: Days::parse_unix(day_of_month, day_of_week)?,
            months: MONTH.parse(month)?,
            years: YEARS.all(),
        })
    }
}

/// Splits a text at its spaces into as many fields as there are to be.
fn fields<'a, const N: usize>(text: &'a str, names: &'static str) -> Result<[&'a str; N], Invalid> {
    let found: Vec<&str> = text.split_ascii_whitespace().collect();
    let count = found.len();
    found.try_into().map_err(|_| Invalid::FieldCount { fields: names, expected: N, found: count })
}

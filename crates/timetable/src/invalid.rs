//! What is wrong with an expression, said to the person who wrote it.

use std::fmt;

use thiserror::Error;

/// A field of a cron expression.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Field {
    /// 0–59.
    Minutes,
    /// 0–23.
    Hours,
    /// 1–31.
    DayOfMonth,
    /// 1–12 or JAN–DEC.
    Month,
    /// 1–7 or SUN–SAT; in Unix's cron 0–7.
    DayOfWeek,
    /// 1970–2199.
    Year,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::Minutes => "minutes",
            Field::Hours => "hours",
            Field::DayOfMonth => "day-of-month",
            Field::Month => "month",
            Field::DayOfWeek => "day-of-week",
            Field::Year => "year",
        })
    }
}

/// Why a text is no schedule expression, or no time zone.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum Invalid {
    /// It is none of the three kinds.
    #[error("\"{0}\" is none of at(yyyy-mm-ddThh:mm:ss), rate(value unit) and cron(fields)")]
    Kind(String),
    /// What stands in `at(…)` is not a date and time.
    #[error("at({text}): {why}")]
    At {
        /// What stands between the parentheses.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// What stands in `rate(…)` is not a number and a unit.
    #[error("rate({text}): {why}")]
    Rate {
        /// What stands between the parentheses.
        text: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A cron expression has too few or too many fields.
    #[error("a cron expression of this kind has {expected} fields, {fields}, and this one has {found}")]
    FieldCount {
        /// The names of the fields, in their order.
        fields: &'static str,
        /// How many there are to be.
        expected: usize,
        /// How many there are.
        found: usize,
    },
    /// One field of a cron expression is wrong.
    #[error("\"{text}\" in the {field} field: {why}")]
    Field {
        /// Which one.
        field: Field,
        /// The part of it that is wrong.
        text: String,
        /// What is wrong with it.
        why: String,
    },
    /// Both day fields say something, or neither does.
    #[error(
        "exactly one of day-of-month and day-of-week must be \"?\": \
         give the days in the other one, or \"*\" there for every day"
    )]
    Days,
    /// There is no such time zone.
    #[error("\"{0}\" is not a time zone; give a name of the IANA time zone database, such as Europe/Vienna or UTC")]
    Zone(String),
}

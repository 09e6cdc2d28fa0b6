//! `rate(value unit)`: every so often, by elapsed time.

use crate::{END_OF_TIME_MS, Invalid};

/// A period. Its times are an anchor, which the timetable knows, and every whole number of periods after it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rate {
    period_ms: u64,
}

const MINUTE_MS: u64 = 60_000;

impl Rate {
    /// Parses what stands between the parentheses. The API's model lists `minute | minutes | hour | hours | day |
    /// days` without a rule for which goes with which value, and its guide writes `rate(1 days)`: both do.
    pub(crate) fn parse(text: &str) -> Result<Rate, Invalid> {
        let wrong = |why| Invalid::Rate { text: text.to_owned(), why };
        let mut words = text.split_ascii_whitespace();
        let (Some(value), Some(unit), None) = (words.next(), words.next(), words.next()) else {
            return Err(wrong("it is not a number and a unit, as in rate(5 minutes)"));
        };
        let value: u32 = Some(value)
            .filter(|value| value.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|value| value.parse().ok())
            .filter(|value| *value > 0)
            .ok_or_else(|| wrong("the value is not a whole number from 1 to 4294967295"))?;
        let unit_ms = match unit {
            "minute" | "minutes" => MINUTE_MS,
            "hour" | "hours" => 60 * MINUTE_MS,
            "day" | "days" => 24 * 60 * MINUTE_MS,
            _ => return Err(wrong("the unit is none of minutes, hours and days")),
        };
        Ok(Rate { period_ms: u64::from(value) * unit_ms })
    }

    /// How long it is from one time to the next.
    pub fn period_ms(&self) -> u64 {
        self.period_ms
    }

    /// The first time at or after `from_ms`.
    pub(crate) fn from(&self, from_ms: u64, anchor_ms: u64) -> Option<u64> {
        let periods = from_ms.saturating_sub(anchor_ms).div_ceil(self.period_ms);
        let ms = periods.checked_mul(self.period_ms)?.checked_add(anchor_ms)?;
        (ms < END_OF_TIME_MS).then_some(ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_goes_with_either_form_of_its_unit() {
        for (text, minutes) in [
            ("1 minute", 1),
            ("1 minutes", 1),
            ("5 minutes", 5),
            ("5 minute", 5),
            ("1 hour", 60),
            ("2 hours", 120),
            ("1 day", 1440),
            ("1 days", 1440),
            (" 7  days ", 7 * 1440),
        ] {
            assert_eq!(Rate::parse(text).unwrap().period_ms(), minutes * 60_000, "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "a number and a unit"),
            ("5", "a number and a unit"),
            ("5 minutes daily", "a number and a unit"),
            ("0 minutes", "whole number"),
            ("-1 minutes", "whole number"),
            ("+1 minutes", "whole number"),
            ("1.5 hours", "whole number"),
            ("4294967296 days", "whole number"),
            ("30 seconds", "unit"),
            ("1 week", "unit"),
            ("1 Day", "unit"),
        ] {
            let told = Rate::parse(text).unwrap_err().to_string();
            assert!(told.contains(reason), "{text}: {told}");
        }
    }

    #[test]
    fn a_rate_longer_than_time_runs_once() {
        let rate = Rate::parse("4294967295 days").unwrap();
        assert_eq!(rate.from(0, 1_000), Some(1_000));
        assert_eq!(rate.from(1_001, 1_000), None);
        assert_eq!(rate.from(u64::MAX, u64::MAX - 1), None);
    }
}

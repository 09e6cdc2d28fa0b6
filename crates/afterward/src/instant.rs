//! Moments as text, the way AWS and an Afterward server write them: `2022-03-22T18:59:43.250Z`, always in UTC.
//!
//! The zone's letter is the caller's: an `at(…)` expression has none, all others have it.

use afterward_aws::calendar::{date_of, day_of};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `2022-03-22T18:59:43`, of milliseconds since 1970; the fraction of the second is left out.
pub(crate) fn in_seconds(ms: u64) -> String {
    let seconds = i64::try_from(ms / 1000).unwrap_or(i64::MAX);
    let (year, month, day) = date_of(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
}

/// Reads such a text, with a fraction of the second or without; digits beyond the millisecond don't count.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    let (date, time) = text.split_once('T')?;
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let ([year, month, day], [hour, minute, second]) = (numbers(date, '-')?, numbers(time, ':')?);
    let is_date = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !is_date || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = day_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let since = Duration::from_secs(u64::try_from(seconds).ok()?) + Duration::from_millis(ms_of(fraction)?);
    UNIX_EPOCH.checked_add(since)
}

/// Reads a moment as HTTP's headers have it: `Sun, 06 Nov 1994 08:49:37 GMT`. The two older forms are not read.
pub(crate) fn parse_http_date(text: &str) -> Option<SystemTime> {
    let (_, date) = text.strip_suffix(" GMT")?.split_once(", ")?;
    let mut parts = date.splitn(4, ' ');
    let (day, name, year, time) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let month = MONTHS.iter().position(|month| *month == name)? + 1;
    parse(&format!("{year}-{month}-{day}T{time}"))
}

fn numbers(text: &str, between: char) -> Option<[i64; 3]> {
    let numbers: Option<Vec<i64>> = text.split(between).map(|part| part.parse::<u16>().ok().map(i64::from)).collect();
    numbers?.try_into().ok()
}

/// The milliseconds of a fraction's digits: 25 is 250.
fn ms_of(fraction: &str) -> Option<u64> {
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    format!("{fraction:0<3}").get(..3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_they_are_written() {
        for (text, ms) in [
            ("1970-01-01T00:00:00", Some(0)),
            ("2024-02-29T12:34:56", Some(1_709_210_096_000)),
            ("2024-02-29T12:34:56.789", Some(1_709_210_096_789)),
            ("2024-02-29T12:34:56.7", Some(1_709_210_096_700)),
            ("2024-02-29T12:34:56.789999", Some(1_709_210_096_789)),
            ("2100-03-01T00:00:00", Some(4_107_542_400_000)),
            ("1969-12-31T23:59:59", None),
            ("2024-02-29T12:34:56Z", None),
            ("2024-02-29T12:34:56.", None),
            ("2024-02-29T12:34:56.+1", None),
            ("2024-13-01T00:00:00", None),
            ("2024-01-01T24:00:00", None),
            ("2024-02-29", None),
            ("soon", None),
        ] {
            let read =
                parse(text).map(|time| u64::try_from(time.duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap());
            assert_eq!(read, ms, "{text}");
            if let Some(ms) = ms {
                assert_eq!(in_seconds(ms), text.split('.').next().unwrap());
            }
        }
    }

    #[test]
    fn a_date_of_http_is_read() {
        for (text, same) in [
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("1994-11-06T08:49:37")),
            ("Thu, 29 Feb 2024 12:34:56 GMT", Some("2024-02-29T12:34:56")),
            ("Thu, 29 Feb 2024 12:34:56 CET", None),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None),
            ("Sun Nov  6 08:49:37 1994", None),
            ("Sun, 06 Nov 1994 GMT", None),
            ("", None),
        ] {
            assert_eq!(parse_http_date(text), same.map(|same| parse(same).unwrap()), "{text}");
        }
    }
}

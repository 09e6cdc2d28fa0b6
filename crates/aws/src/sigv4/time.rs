//! The one form of time that signatures use: `20150830T123600Z`.

use crate::calendar;

/// Unix seconds of `YYYYMMDDTHHMMSSZ`; `None` for anything else.
pub(super) fn parse_amz_date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes[8] != b'T' || bytes[15] != b'Z' {
        return None;
    }
    let number = |from: usize, to: usize| digits(&bytes[from..to]);
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    unix(year, month, day, (number(9, 11)?, number(11, 13)?, number(13, 15)?))
}

/// Unix seconds of HTTP's `Date`: `Sun, 30 Aug 2015 12:36:00 GMT`.
pub(super) fn parse_http_date(text: &str) -> Option<i64> {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let day = digits(words.next()?.as_bytes())?;
    let month = words.next()?;
    let month = 1 + i64::try_from(MONTHS.iter().position(|name| *name == month)?).ok()?;
    let year = digits(words.next()?.as_bytes())?;
    let mut clock = words.next()?.split(':').map(|part| digits(part.as_bytes()));
    let clock = (clock.next()??, clock.next()??, clock.next()??);
    (words.next()? == "GMT").then(|| unix(year, month, day, clock))?
}

fn digits(bytes: &[u8]) -> Option<i64> {
    if bytes.is_empty() || bytes.len() > 4 {
        return None;
    }
    bytes.iter().try_fold(0, |number, b| b.is_ascii_digit().then(|| number * 10 + i64::from(b - b'0')))
}

fn unix(year: i64, month: i64, day: i64, (hour, minute, second): (i64, i64, i64)) -> Option<i64> {
    let fits = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    // 60 is a leap second.
    if !fits || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    Some(calendar::day_of(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// Unix milliseconds as `YYYYMMDDTHHMMSSZ`. Past the year 9999 it stays there.
pub(super) fn amz_date(now_ms: u64) -> String {
    let seconds = i64::try_from(now_ms / 1000).unwrap_or(i64::MAX).min(253_402_300_799);
    let (year, month, day) = calendar::date_of(seconds / 86_400);
    let clock = seconds % 86_400;
    format!("{year:04}{month:02}{day:02}T{:02}{:02}{:02}Z", clock / 3600, clock / 60 % 60, clock % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        for (text, http, seconds) in [
            ("19700101T000000Z", "Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("20000229T235959Z", "Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("20150830T123600Z", "Sun, 30 Aug 2015 12:36:00 GMT", 1_440_938_160),
            ("20231231T235959Z", "Sun, 31 Dec 2023 23:59:59 GMT", 1_704_067_199),
            ("20240101T000000Z", "Mon, 01 Jan 2024 00:00:00 GMT", 1_704_067_200),
            ("21000301T000000Z", "Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
        ] {
            assert_eq!(parse_amz_date(text), Some(seconds), "{text}");
            assert_eq!(parse_http_date(http), Some(seconds), "{http}");
            assert_eq!(amz_date(seconds.unsigned_abs() * 1000), text);
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "20150830",
            "2015-08-30T12:36Z",
            "20151330T123600Z",
            "20150832T123600Z",
            "20150830T243600Z",
            "20150830T123600z",
            "2015083aT123600Z",
            "20150830T1236000",
            "00000000T000000Z",
            "é0150830T12360Z",
        ] {
            assert_eq!(parse_amz_date(text), None, "{text}");
        }
        for text in ["", "Sun, 30 Aug 2015", "Sun, 30 Foo 2015 12:36:00 GMT", "Sun, 30 Aug 2015 12:36:00 CET", ", : "] {
            assert_eq!(parse_http_date(text), None, "{text}");
        }
    }
}

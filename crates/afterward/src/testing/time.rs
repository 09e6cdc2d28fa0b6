//! Times as the server writes them.

use afterward_aws::calendar::{date_of, day_of};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// `2026-03-29T01:00:00.250Z`, also without the milliseconds or the zone, as a time; always UTC.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (date, time) = text.trim_end_matches('Z').split_once('T')?;
    let mut date = date.splitn(3, '-').map(str::parse::<i64>);
    let days = day_of(date.next()?.ok()?, date.next()?.ok()?, date.next()?.ok()?);
    let (time, ms) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(str::parse::<i64>);
    let seconds = time.next()?.ok()? * 3600 + time.next()?.ok()? * 60 + time.next()?.ok()?;
    let ms: u64 = ms.parse().ok()?;
    Some(UNIX_EPOCH + Duration::from_secs(u64::try_from(days * 86_400 + seconds).ok()?) + Duration::from_millis(ms))
}

/// The same, with the milliseconds.
pub(super) fn format(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let seconds = since.as_secs();
    let (year, month, day) = date_of(i64::try_from(seconds / 86_400).unwrap_or_default());
    let (hour, minute, second) = (seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{:03}Z", since.subsec_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_the_server_writes_them() {
        for (text, ms) in [
            ("1970-01-01T00:00:00.000Z", Some(0)),
            ("2024-02-29T12:34:56.789Z", Some(1_709_210_096_789)),
            ("2024-02-29T12:34:56", Some(1_709_210_096_000)),
            ("2024-02-29", None),
            ("soon", None),
        ] {
            assert_eq!(parse(text), ms.map(|ms| UNIX_EPOCH + Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn a_time_is_written_as_it_is_read() {
        let text = "2024-02-29T12:34:56.789Z";
        assert_eq!(parse(text).map(format).as_deref(), Some(text));
    }
}

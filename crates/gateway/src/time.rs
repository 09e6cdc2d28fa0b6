//! Points in time as text.

use afterward_aws::calendar;

/// RFC 3339 in UTC with milliseconds: `2015-01-01T00:00:00.000Z`. `ms`: milliseconds since 1970.
pub(crate) fn rfc3339(ms: u64) -> String {
    let (days, of_day_ms) = (ms / 86_400_000, ms % 86_400_000);
    let (year, month, day) = calendar::date_of(days as i64);
    let (s, ms) = (of_day_ms / 1000, of_day_ms % 1000);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{ms:03}Z", s / 3600, s / 60 % 60, s % 60)
}

/// A time in RFC 3339, with an offset or `Z`, in milliseconds since 1970; a fraction finer than that is cut off. `None`
/// for other texts, for times before 1970, and for leap seconds, which would be read as the second before them.
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let text = Some(text).filter(|text| text.contains(':') && !text.contains(":60"))?;
    text.parse::<jiff::Timestamp>().ok()?.as_millisecond().try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_an_offset() {
        for (text, ms) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T23:59:59.999Z", Some(951_868_799_999)),
            ("2026-03-29T03:00:00+02:00", Some(1_774_746_000_000)),
            ("2026-03-29T01:00:00", None),
            ("2026-02-30T01:00:00Z", None),
            ("1969-12-31T23:59:59Z", None),
            ("2016-12-31T23:59:60Z", None),
            ("20161231T235960Z", None),
            ("tomorrow", None),
        ] {
            assert_eq!(parse_rfc3339(text), ms, "{text}");
        }
    }

    #[test]
    fn times_are_written_by_the_gregorian_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (951_868_800_000, "2000-03-01T00:00:00.000Z"),
            (1_709_164_800_123, "2024-02-29T00:00:00.123Z"),
            (1_735_689_599_000, "2024-12-31T23:59:59.000Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ] {
            assert_eq!(rfc3339(ms), text);
        }
    }
}

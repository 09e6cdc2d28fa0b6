//! `at(yyyy-mm-ddThh:mm:ss)`: once.

use jiff::civil::DateTime;

use crate::{END_OF_TIME_MS, Invalid, Zone};

/// A local date and time: the one moment of a one-time schedule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    local: DateTime,
}

/// Where `yyyy-mm-ddThh:mm:ss` has what is not a digit.
const SEPARATORS: [(usize, u8); 5] = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];

impl At {
    /// Parses what stands between the parentheses. A zone has no place there: it goes beside the expression.
    pub(crate) fn parse(text: &str) -> Result<At, Invalid> {
        let wrong = |why: &str| Invalid::At { text: text.to_owned(), why: why.to_owned() };
        let shaped = text.len() == 19
            && text.bytes().enumerate().all(|(at, byte)| match SEPARATORS.iter().find(|(place, _)| *place == at) {
                Some((_, separator)) => byte == *separator,
                None => byte.is_ascii_digit(),
            });
        if !shaped {
            return Err(wrong(
                "it is not of the form yyyy-mm-ddThh:mm:ss, which has no fraction and no zone \
                 (a zone is given beside the expression)",
            ));
        }
        // A leap second would be read as the second before it: the time that computers keep has none.
        let local = Some(text).filter(|text| !text.ends_with(":60")).and_then(|text| text.parse::<DateTime>().ok());
        let local = local.ok_or_else(|| wrong("there is no such date or time of day"))?;
        if !(1970..=crate::LAST_YEAR).contains(&local.year()) {
            return Err(wrong("the year is not within 1970–2199"));
        }
        Ok(At { local })
    }

    /// The moment, in milliseconds since 1970. A time that the clocks skip is as much later; of one that they show
    /// twice it is the first. `None` if that is before 1970 or after 2199.
    pub(crate) fn moment_ms(&self, zone: &Zone) -> Option<u64> {
        let ms = u64::try_from(zone.moment(self.local)?.as_millisecond()).ok()?;
        (ms < END_OF_TIME_MS).then_some(ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_a_plain_local_time_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "form"),
            ("2026-11-22", "form"),
            ("2026-11-22T10:00", "form"),
            ("2026-11-22T10:00:00Z", "zone"),
            ("2026-11-22T10:00:00.5", "fraction"),
            ("2026-11-22T10:00:00+01:00", "zone"),
            ("2026-11-22 10:00:00", "form"),
            ("2026-11-22t10:00:00", "form"),
            ("20é6-11-22T10:00:0", "form"),
            ("2026-02-30T10:00:00", "no such date"),
            ("2026-13-01T10:00:00", "no such date"),
            ("2026-11-22T24:00:00", "no such date"),
            ("2026-11-22T10:60:00", "no such date"),
            ("2026-12-01T00:00:60", "no such date"),
            ("2016-12-31T23:59:60", "no such date"),
            ("1969-12-31T23:59:59", "1970"),
            ("2200-01-01T00:00:00", "2199"),
        ] {
            let told = At::parse(text).unwrap_err().to_string();
            assert!(told.contains(reason), "{text}: {told}");
        }
    }
}

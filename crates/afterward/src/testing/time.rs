//! Times as the server writes them.

use crate::instant;
use std::time::{SystemTime, UNIX_EPOCH};

/// `2026-03-29T01:00:00.250Z`, also without the milliseconds or the zone, as a time; always UTC.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    instant::parse(text.strip_suffix('Z').unwrap_or(text))
}

/// The same, with the milliseconds.
pub(super) fn format(time: SystemTime) -> String {
    let ms = u64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX);
    format!("{}.{:03}Z", instant::in_seconds(ms), ms % 1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for text in ["2024-02-29T12:34:56.789Z", "1970-01-01T00:00:00.000Z"] {
            assert_eq!(parse(text).map(format).as_deref(), Some(text));
        }
        // A schedule's, which has neither.
        assert_eq!(parse("2024-02-29T12:34:56"), parse("2024-02-29T12:34:56.000Z"));
    }
}

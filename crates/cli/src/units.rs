//! Durations and counts as people write and read them.

use std::time::Duration;

/// Whole seconds: `30`, `30s`, `5m`, `2h`, `4d`.
///
/// # Errors
/// Says what a duration looks like.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is not a duration of whole seconds: write 30s, 5m, 2h or 4d");
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[digits.len()..] {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return Err(wrong()),
    };
    let number = digits.parse::<i64>().ok().filter(|number| *number >= 0).and_then(|number| number.checked_mul(unit));
    number.ok_or_else(wrong)
}

/// `4 d`, `1 h 30 min`, `30 s`: at most two units.
pub(crate) fn spoken(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    let mut rest = seconds;
    let mut words = Vec::new();
    for (size, name) in units {
        if rest >= size && words.len() < 2 {
            words.push(format!("{} {name}", rest / size));
            rest %= size;
        }
    }
    if words.is_empty() { "0 s".to_owned() } else { words.join(" ") }
}

/// `1.3 s`, `240 ms`.
pub(crate) fn took(duration: Duration) -> String {
    match duration.as_millis() {
        ms @ 0..1000 => format!("{ms} ms"),
        ms => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
    }
}

/// `1 message`, `3 messages`.
pub(crate) fn count(number: impl Into<u64>, noun: &str) -> String {
    match number.into() {
        1 => format!("1 {noun}"),
        number => format!("{number} {noun}s"),
    }
}

/// `NAME=VALUE`.
///
/// # Errors
/// Says what it looks like.
pub(crate) fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not NAME=VALUE")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_and_without_units() {
        for (text, expected) in
            [("0", 0), ("30", 30), ("30s", 30), ("5m", 300), ("2h", 7200), ("4d", 345_600), ("14d", 1_209_600)]
        {
            assert_eq!(seconds(text), Ok(expected), "{text}");
        }
        for bad in ["", "s", "-1", "1.5", "1w", "1 s", "500ms", "99999999999999999d"] {
            assert!(seconds(bad).unwrap_err().contains("whole seconds"), "{bad}");
        }
    }

    #[test]
    fn durations_are_spoken_in_two_units() {
        for (seconds, expected) in
            [(0, "0 s"), (30, "30 s"), (90, "1 min 30 s"), (345_600, "4 d"), (90_061, "1 d 1 h"), (3_600, "1 h")]
        {
            assert_eq!(spoken(seconds), expected);
        }
        assert_eq!(
            (took(Duration::from_millis(240)), took(Duration::from_millis(1350))),
            ("240 ms".into(), "1.3 s".into())
        );
        assert_eq!((count(1_u64, "message"), count(0_u64, "message")), ("1 message".into(), "0 messages".into()));
    }

    #[test]
    fn pairs_are_split_at_the_first_equals_sign() {
        assert_eq!(pair("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(pair("a="), Ok(("a".into(), String::new())));
        assert!(pair("=b").is_err() && pair("ab").is_err());
    }
}

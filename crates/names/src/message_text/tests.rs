//! Which texts and numbers are taken. The attributes' own table is with the service that takes them.

use super::*;

#[test]
fn numbers_have_38_digits_and_a_bounded_size() {
    let digits = "9".repeat(38);
    let too_many = "9".repeat(39);
    for good in [
        "0",
        "-0.0",
        "0e999",
        "+1",
        ".5",
        "5.",
        "1e126",
        "-1E126",
        "9.9e125",
        "1e-128",
        "-0.01e-126",
        "10e125",
        &digits,
        "000123",
        "1.50",
    ] {
        assert!(is_number(good), "{good}");
    }
    for bad in [
        "",
        "-",
        ".",
        "e5",
        "1e",
        "1e+",
        "0x10",
        "1 ",
        "NaN",
        "1e127",
        "2e126",
        "-1e127",
        "1e-129",
        "9e-129",
        "1e99999999999",
        &too_many,
    ] {
        assert!(!is_number(bad), "{bad}");
    }
}

#[test]
fn control_characters_and_non_characters_are_found() {
    for good in ["", "a\tb\r\nc", "\u{7f}\u{80}", "\u{d7ff}\u{e000}\u{fffd}", "\u{10000}\u{10ffff}", "ﬁ"] {
        assert_eq!(first_forbidden(good), None, "{good:?}");
    }
    for (bad, c) in
        [("a\0b", '\0'), ("\x0b", '\x0b'), ("\u{1f}", '\u{1f}'), ("é\u{ffff}", '\u{ffff}'), ("\u{fffe}", '\u{fffe}')]
    {
        assert_eq!(first_forbidden(bad), Some(c), "{bad:?}");
    }
}

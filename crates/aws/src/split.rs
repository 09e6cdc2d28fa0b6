//! Short texts taken apart at an ASCII character. Each request has a claim and a URL, and for texts as short as theirs
//! `str::split_once` and `str::split` take several times as long.

/// The text before and behind the first `at`, which is ASCII.
#[inline]
pub fn cut(text: &str, at: u8) -> Option<(&str, &str)> {
    debug_assert!(at.is_ascii());
    let at = memchr::memchr(at, text.as_bytes())?;
    Some((&text[..at], &text[at + 1..]))
}

/// The parts of a text between one `at` and the next, which is ASCII.
#[inline]
pub fn split(text: &str, at: u8) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let (part, after) = cut(text, at).map_or((text, None), |(part, after)| (part, Some(after)));
        rest = after;
        Some(part)
    })
}

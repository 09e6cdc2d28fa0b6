//! Web addresses as people write them, before they are read as such, and as errors tell of them.

/// Whether the text is meant as a web address. Its scheme may be written in any case (RFC 3986, 3.1).
pub(super) fn is_web_address(text: &str) -> bool {
    let begins = |scheme: &str| text.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    begins("http://") || begins("https://")
}

/// Whether it holds a user or a password.
pub(super) fn holds_user(text: &str) -> bool {
    let authority = text.split_once("://").and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.is_some_and(|authority| authority.contains('@'))
}

/// The text for an error, which others may read: without what may be a password, also where it stands in the wrong place.
pub(super) fn without_user(text: &str) -> String {
    match (text.find("://"), text.rfind('@')) {
        (Some(end), Some(at)) if end < at => format!("{}://…{}", &text[..end], &text[at..]),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_meant_as_a_web_address_is_known_and_told_without_its_user() {
        for (text, is_web, has_user, told) in [
            ("http://a/b", true, false, "http://a/b"),
            ("HTTPS://a", true, false, "HTTPS://a"),
            ("http://u:p@a/b", true, true, "http://…@a/b"),
            ("http://u@a?b", true, true, "http://…@a?b"),
            ("http://u:p/q@a/b", true, false, "http://…@a/b"),
            ("http://a/b@c", true, false, "http://…@c"),
            ("ftp://u:p@a", false, true, "ftp://…@a"),
            ("http:/a", false, false, "http:/a"),
            ("httpé://", false, false, "httpé://"),
            ("a@b://c", false, false, "a@b://c"),
            ("", false, false, ""),
        ] {
            let found = (is_web_address(text), holds_user(text), without_user(text));
            assert_eq!(found, (is_web, has_user, told.to_owned()), "{text}");
        }
    }
}

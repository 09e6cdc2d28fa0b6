//! What a schedule is called: as it was told, else as its handler.

/// The longest name of a schedule, by EventBridge Scheduler's API.
const LONGEST: usize = 64;

/// The name of a function as the compiler writes it, without its path; `None` for a closure, which has none.
pub(super) fn function(type_name: &'static str) -> Option<&'static str> {
    let path = type_name.split('<').next().unwrap_or_default();
    path.rsplit("::").next().filter(|name| is_name(name))
}

/// Whether a text can be a schedule's name.
pub(super) fn is_name(text: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    (1..=LONGEST).contains(&text.len()) && text.bytes().all(known)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::any::type_name_of_val;

    fn hourly() {}
    fn generic<T>() {}

    #[test]
    fn a_function_is_called_by_its_name_and_a_closure_by_none() {
        assert_eq!(function(type_name_of_val(&hourly)), Some("hourly"));
        assert_eq!(function(type_name_of_val(&generic::<Vec<String>>)), Some("generic"));
        assert_eq!(function(type_name_of_val(&|| ())), None);
        for (text, fits) in [("", false), ("a.b-c_9", true), ("a b", false), ("ü", false)] {
            assert_eq!(is_name(text), fits, "{text}");
        }
        assert!(is_name(&"x".repeat(64)) && !is_name(&"x".repeat(65)));
    }
}

//! Why a handler failed, as one line of text.

use std::{
    any::Any,
    error::Error as StdError,
    panic::{AssertUnwindSafe, catch_unwind},
};

/// An error with its causes: `no invoice: HTTP 500: connection reset`. A cause whose words its parent says already is left
/// out. An error that panics over its own words is a failure like others.
pub(super) fn describe(error: &(dyn StdError + 'static)) -> String {
    let words = catch_unwind(AssertUnwindSafe(|| words(error)));
    words.unwrap_or_else(|_| "the handler failed with an error that panics when it is shown".to_owned())
}

fn words(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let words = cause.to_string();
        if !text.ends_with(&words) {
            text.push_str(": ");
            text.push_str(&words);
        }
        next = cause.source();
    }
    text
}

/// What a panic said.
pub(super) fn describe_panic(payload: &(dyn Any + Send)) -> String {
    let words =
        payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    match words {
        Some(words) => format!("the handler panicked: {words}"),
        None => "the handler panicked".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;
    use thiserror::Error;

    #[derive(Debug, Error)]
    #[error("no invoice")]
    struct NoInvoice(#[source] Call);

    #[derive(Debug, Error)]
    #[error("HTTP call failed: {0}")]
    struct Call(#[source] io::Error);

    #[test]
    fn causes_follow_each_once() {
        let error = NoInvoice(Call(io::Error::other("connection reset")));
        assert_eq!(describe(&error), "no invoice: HTTP call failed: connection reset");
    }

    #[derive(Debug)]
    struct Speechless;

    impl std::fmt::Display for Speechless {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("no words")
        }
    }

    impl StdError for Speechless {}

    #[test]
    fn an_error_without_words_is_one_all_the_same() {
        assert_eq!(describe(&Speechless), "the handler failed with an error that panics when it is shown");
    }

    #[test]
    fn a_panic_says_what_it_said() {
        for (payload, text) in [
            (Box::new("boom") as Box<dyn Any + Send>, "the handler panicked: boom"),
            (Box::new("boom".to_owned()), "the handler panicked: boom"),
            (Box::new(7), "the handler panicked"),
        ] {
            assert_eq!(describe_panic(&*payload), text);
        }
    }
}

//! The region that a request's signature is scoped to.

use crate::word::word;
use std::sync::Arc;
use thiserror::Error;

/// The text is not a region name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a region is 1 to 63 characters of a-z, 0-9 and -")]
pub struct NotARegion;

fn is_region(text: &str) -> bool {
    let fits = (1..=63).contains(&text.len());
    fits && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

word! {
    /// A region name such as `eu-central-1`: 1 to 63 of `a-z`, `0-9` and `-`. Any such word is a region here; AWS's own
    /// list changes too often to be a rule.
    Region(Arc<str>): is_region, else NotARegion
}

impl Default for Region {
    /// `us-east-1`, where a request does not say.
    fn default() -> Self {
        Region(Arc::from("us-east-1"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_words_of_lower_case_digits_and_dashes() {
        for good in ["us-east-1", "eu-central-1", "local", "x"] {
            assert!(good.parse::<Region>().is_ok(), "{good}");
        }
        for bad in ["", "US-EAST-1", "us_east_1", "us east", "a/b", &"x".repeat(64)] {
            assert_eq!(bad.parse::<Region>(), Err(NotARegion), "{bad}");
        }
    }
}

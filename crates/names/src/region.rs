//! The region that a request's signature is scoped to.

use std::{fmt, str::FromStr, sync::Arc};
use thiserror::Error;

/// A region name such as `eu-central-1`: 1 to 63 of `a-z`, `0-9` and `-`. Any such word is a region here; AWS's own
/// list changes too often to be a rule.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

/// The text is not a region name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("a region is 1 to 63 characters of a-z, 0-9 and -")]
pub struct NotARegion;

impl Region {
    /// The region's name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Region {
    /// `us-east-1`, where a request does not say.
    fn default() -> Self {
        Region(Arc::from("us-east-1"))
    }
}

impl FromStr for Region {
    type Err = NotARegion;

    fn from_str(text: &str) -> Result<Self, NotARegion> {
        let fits = (1..=63).contains(&text.len());
        if fits && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
            Ok(Region(Arc::from(text)))
        } else {
            Err(NotARegion)
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
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

//! The parameters in a URL.

use http::Uri;
use percent_encoding::percent_decode_str;

/// Names and values behind the `?`, decoded, in their order. What is no UTF-8 is replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

impl Parameters {
    pub(crate) fn of(uri: &Uri) -> Parameters {
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Parameters(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(n, v)| (decoded(n), decoded(v)))
                .collect(),
        )
    }

    /// The first value of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All values of that name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The first name that comes again.
    pub(crate) fn repeated(&self) -> Option<&str> {
        let names = || self.0.iter().map(|(name, _)| name.as_str());
        names().enumerate().find_map(|(at, name)| names().take(at).any(|before| before == name).then_some(name))
    }

    /// The first name that is not among `known`.
    pub(crate) fn unknown(&self, known: &[&str]) -> Option<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).find(|name| !known.contains(name))
    }
}

/// Percent-encoding undone, and `+` taken for a space, as forms have it.
fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

/// A part of a path, decoded: there, `+` is a plus.
pub(crate) fn decoded_path(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_decoded_and_may_repeat() {
        let parameters = Parameters::of(&"/x?a=1&b=%C3%A4+b%2B&a=2&flag".parse().unwrap());
        assert_eq!(parameters.get("a"), Some("1"));
        assert_eq!(parameters.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(parameters.get("b"), Some("ä b+"));
        assert_eq!(parameters.get("flag"), Some(""));
        assert_eq!(parameters.get("c"), None);
        assert_eq!(parameters.unknown(&["a", "b"]), Some("flag"));
        assert_eq!(parameters.repeated(), Some("a"));
        assert_eq!(Parameters::of(&"/x?a=1&b=1".parse().unwrap()).repeated(), None);
    }
}

//! Progress: our extension of ChangeMessageVisibility.
//!
//! The header `x-afterward-progress` holds percent-encoded UTF-8: a fraction from 0 to 1 and, behind a blank, words, such as
//! `0.4 resized`. What is no such thing is ignored, as all of it is by Amazon: a lease is not to be lost over a remark.

use super::call::Call;
use afterward_broker::Progress;
use percent_encoding::percent_decode;

const PROGRESS: &str = "x-afterward-progress";

/// What the header of a change of visibility says of its message.
pub(super) fn told(call: &Call<'_>) -> Option<Progress> {
    let header = call.header(PROGRESS)?;
    let progress = read(header.as_bytes());
    if progress.is_none() {
        tracing::debug!(?header, "the header {PROGRESS} is ignored: it has no fraction such as 0.4");
    }
    progress
}

fn read(header: &[u8]) -> Option<Progress> {
    let header = percent_decode(header).decode_utf8_lossy();
    let (fraction, text) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
    Progress::new(fraction.parse().ok()?, text.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_and_words_are_read_and_nothing_else_is() {
        for (header, expected) in [
            ("0%2E4%20resized", Some((0.4, "resized"))),
            ("0.4 resized", Some((0.4, "resized"))),
            ("0.4%20%20page%20na%C3%AFve%20", Some((0.4, "page naïve"))),
            ("1", Some((1.0, ""))),
            ("%200%20", Some((0.0, ""))),
            ("1e-1 x", Some((0.1, "x"))),
            ("0.5 %FF", Some((0.5, "\u{fffd}"))),
            ("40%25 resized", None),
            ("1.5", Some((1.0, ""))),
            ("-1", Some((0.0, ""))),
            ("NaN of it", None),
            ("inf", None),
            ("resized", None),
            ("", None),
            ("%20", None),
        ] {
            let progress = read(header.as_bytes());
            assert_eq!(progress.as_ref().map(|told| (told.fraction(), told.text())), expected, "{header:?}");
        }
    }
}

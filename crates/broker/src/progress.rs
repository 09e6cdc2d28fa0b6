//! How far a consumer is with a message that it holds.
//!
//! It is worth nothing once the attempt is over, so it is kept in memory beside the state and not logged: after a restart, or
//! a failed append, a message has none until its consumer tells it again.

use crate::{Broker, Failure, Unavailable, shared::Entry};
use afterward_machine::{LeaseRef, MessageKey};
use afterward_names::QueueAddress;

/// The longest text that is kept of one.
const TEXT_BYTES: usize = 256;

/// A fraction of the work, and words about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Progress {
    fraction: f64,
    text: Box<str>,
}

impl Progress {
    /// With `fraction` brought into 0.0 to 1.0, and the text cut at 256 bytes, between two characters. `None` for a fraction
    /// that is not finite.
    pub fn new(fraction: f64, text: &str) -> Option<Progress> {
        let text = &text[..text.floor_char_boundary(TEXT_BYTES)];
        fraction.is_finite().then(|| Progress { fraction: fraction.clamp(0.0, 1.0), text: text.into() })
    }

    /// From 0.0 to 1.0.
    pub fn fraction(&self) -> f64 {
        self.fraction
    }

    /// At most 256 bytes, perhaps none.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Broker {
    /// A `ChangeVisibility` by a holder that says how far it is. With a timeout of 0 the attempt is over, and its progress
    /// forgotten.
    ///
    /// # Errors
    /// As of a `ChangeVisibility`; then the progress is as it was. See [`Failure`].
    pub async fn report_progress(
        &self,
        queue: QueueAddress,
        lease: LeaseRef,
        timeout_ms: u64,
        progress: Progress,
    ) -> Result<(), Failure> {
        let outcome = self.shared().enter(|Entry { partition, now_ms, .. }| {
            partition.report_progress(now_ms, queue, lease, timeout_ms, progress)
        });
        outcome.await?.await??;
        Ok(())
    }

    /// How far the holders of these messages are; `None` where nobody holds a message, or its holder has not said.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn progress(&self, of: Vec<MessageKey>) -> Result<Vec<Option<Progress>>, Unavailable> {
        if of.is_empty() {
            return Ok(Vec::new());
        }
        self.shared().enter(|Entry { partition, now_ms, .. }| partition.progress(now_ms, &of)).await?.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_brought_into_its_bounds_and_a_long_text_cut_between_characters() {
        let long = "é".repeat(200);
        for (fraction, text, expected) in [
            (0.4, "resized", Some((0.4, "resized"))),
            (0.0, "", Some((0.0, ""))),
            (-0.1, "", Some((0.0, ""))),
            (1.000_000_1, "", Some((1.0, ""))),
            (f64::NAN, "0 of 0", None),
            (f64::INFINITY, "", None),
            (1.0, long.as_str(), Some((1.0, &long[..256]))),
            (1.0, &format!("a{long}"), Some((1.0, &*format!("a{}", &long[..254])))),
        ] {
            let progress = Progress::new(fraction, text);
            assert_eq!(progress.as_ref().map(|progress| (progress.fraction(), progress.text())), expected, "{text}");
        }
    }
}

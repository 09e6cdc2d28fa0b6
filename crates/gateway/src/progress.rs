//! A message's progress as `/jobs` and a peek show it.

use afterward_broker::Progress;
use serde::Serialize;

/// How far the holder of a message is: a fraction from 0 to 1, and words about it, perhaps none.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Shown {
    fraction: f64,
    text: String,
}

impl Shown {
    pub(crate) fn of(progress: &Progress) -> Shown {
        Shown { fraction: progress.fraction(), text: progress.text().to_owned() }
    }
}

//! Why something could not be measured, in words for the person at the terminal.

use crate::{ledger::Proof, sqs::ActionError};
use std::{fmt, io};

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble(String);

impl Trouble {
    /// In these words.
    pub fn new(text: impl Into<String>) -> Trouble {
        Trouble(text.into())
    }

    /// `what` failed because of `error`.
    pub(crate) fn because(what: impl fmt::Display) -> impl FnOnce(io::Error) -> Trouble {
        move |error| Trouble(format!("{what}: {error}"))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Trouble {}

impl From<ActionError> for Trouble {
    fn from(error: ActionError) -> Trouble {
        Trouble(error.to_string())
    }
}

impl Proof {
    /// Nothing, if a figure may be quoted.
    ///
    /// # Errors
    /// When anything was lost, doubled, damaged or refused: a figure of such a run is worth nothing.
    pub fn check(&self) -> Result<(), Trouble> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let Proof { acked, received, faults } = self;
        Err(Trouble(format!("not verified: {} ({acked} acknowledged, {received} received)", faults.join("; "))))
    }
}

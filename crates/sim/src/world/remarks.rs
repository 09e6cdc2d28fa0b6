//! What is shown of the progress of those who hold messages.

use super::{World, violation};
use crate::checker::Violation;

impl World {
    /// All is durable and told: what is shown of progress was said by who holds the message now, and nobody's is missing.
    pub(super) fn check_progress(&mut self) -> Result<(), Violation> {
        let now_ms = self.system.now_ms();
        let Some(shown) = self.system.progress(now_ms).map_err(violation)? else { return Ok(()) };
        self.tally.progress_shown += shown.len() as u64;
        self.checker.progress_seen(now_ms, &shown)
    }
}

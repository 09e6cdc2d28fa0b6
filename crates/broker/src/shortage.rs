//! What is refused while the log's room runs out.
//!
//! What makes the log longer and gives nothing back is refused before it is decided: sends, new queues, tags, redrives,
//! schedules and their runs.
//! Receives, deletes and visibility changes go on in the room that is left, and so does compaction; once messages have
//! been deleted, or there is room again for another reason, sends are taken as before.

use crate::{Unavailable, shared::Shared};
use afterward_machine::{Command, State};
use std::sync::atomic::Ordering::Relaxed;

impl Shared {
    /// Why nothing can be taken in that makes the log longer; `None` mostly.
    pub(crate) fn shortage(&self) -> Option<Unavailable> {
        let Some(shortage) = self.log.shortage() else {
            if self.short_of_room.load(Relaxed) && self.short_of_room.swap(false, Relaxed) {
                tracing::info!("there is room again: messages are taken");
            }
            return None;
        };
        let reason = format!(
            "the disk is full: {}. Messages can be received and deleted, which makes room, and are taken again when \
             there is some",
            shortage.reason
        );
        if !self.short_of_room.swap(true, Relaxed) {
            tracing::warn!(room_bytes = shortage.room_bytes, "no messages are taken: {reason}");
        }
        // Perhaps a pass of compaction pays now.
        self.nudge();
        Some(Unavailable::because(reason))
    }
}

/// Whether `command` may be one that is refused.
pub(crate) fn may_grow(command: &Command) -> bool {
    matches!(
        command,
        Command::Send(_)
            | Command::CreateQueue(_)
            | Command::Tag { .. }
            | Command::StartMove(_)
            | Command::CreateScheduleGroup { .. }
            | Command::TagScheduleGroup { .. }
    )
}

/// Whether `command` makes the log longer, and gives nothing back. A queue that is there is answered with.
pub(crate) fn grows(state: &State, command: &Command) -> bool {
    match command {
        Command::CreateQueue(create) => state.queue_at(&create.queue).is_none(),
        command => may_grow(command),
    }
}

//! What happens by itself, and when.

use crate::QueueId;
use std::collections::{BTreeMap, BTreeSet};

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    /// The oldest message of this queue has been kept long enough.
    Retention(QueueId),
    /// The delay or the lease of the message in this slot ends.
    Visible(u32),
}

/// All that is due some time.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    /// By (when, order).
    visible: BTreeMap<(u64, u64), u32>,
    /// One per queue that has messages: when its oldest ends.
    retention: BTreeSet<(u64, QueueId)>,
}

impl Timers {
    pub(crate) fn set_visible(&mut self, at_ms: u64, order: u64, slot: u32) {
        self.visible.insert((at_ms, order), slot);
    }

    pub(crate) fn unset_visible(&mut self, at_ms: u64, order: u64) {
        self.visible.remove(&(at_ms, order));
    }

    pub(crate) fn replace_retention(&mut self, queue: QueueId, before_ms: Option<u64>, after_ms: Option<u64>) {
        if let Some(at_ms) = before_ms {
            self.retention.remove(&(at_ms, queue));
        }
        if let Some(at_ms) = after_ms {
            self.retention.insert((at_ms, queue));
        }
    }

    /// What is due first. What ends by retention at the same time as a lease is not seen visible in between.
    pub(crate) fn first(&self) -> Option<(u64, Due)> {
        let visible = self.visible.first_key_value().map(|((at_ms, _), slot)| (*at_ms, Due::Visible(*slot)));
        let retention = self.retention.first().map(|(at_ms, queue)| (*at_ms, Due::Retention(*queue)));
        match (retention, visible) {
            (Some(retention), Some(visible)) => Some(if retention.0 <= visible.0 { retention } else { visible }),
            (one, other) => one.or(other),
        }
    }
}

//! What happens by itself, and when.

use crate::QueueId;
use crate::slab::{Entry, Slab};
use crate::sorted::Sorted;
use std::collections::BTreeSet;

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
    /// The delayed and the leased messages, by when that ends, then by order, which is read off their entries.
    visible: Sorted<u32>,
    /// One per queue that has messages: when its oldest ends.
    retention: BTreeSet<(u64, QueueId)>,
}

impl Timers {
    pub(crate) fn set_visible(&mut self, slot: u32, entry: &Entry, slab: &Slab) {
        self.visible.insert(slot, sooner(entry, slab));
    }

    pub(crate) fn unset_visible(&mut self, slot: u32, entry: &Entry, slab: &Slab) {
        self.visible.remove(&slot, sooner(entry, slab));
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
    pub(crate) fn first(&self, slab: &Slab) -> Option<(u64, Due)> {
        let visible = self.visible.first().map(|slot| (due(*slot, slab).0, Due::Visible(*slot)));
        let retention = self.retention.first().map(|(at_ms, queue)| (*at_ms, Due::Retention(*queue)));
        match (retention, visible) {
            (Some(retention), Some(visible)) => Some(if retention.0 <= visible.0 { retention } else { visible }),
            (one, other) => one.or(other),
        }
    }

    /// What they take on the heap; of the queues' ones, about.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.visible.heap_bytes() + self.retention.len() * size_of::<(u64, QueueId)>() * 3 / 2
    }
}

fn due(slot: u32, slab: &Slab) -> (u64, u64) {
    slab.get(slot).map_or((0, 0), |entry| (entry.due_ms, entry.order))
}

fn sooner(entry: &Entry, slab: &Slab) -> impl Fn(&u32) -> bool {
    let at = (entry.due_ms, entry.order);
    move |other| due(*other, slab) < at
}

//! Where messages have an order: a group of a FIFO queue.

use crate::{execution::Execution, target::QueueTarget};
use afterward_names::QueueAddress;

/// A group of a FIFO queue, which hands out its messages in the order in which they were sent.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Lane {
    queue: QueueAddress,
    /// Its keywords filled in, for that is the group then.
    group: String,
}

impl Lane {
    /// Where an execution's message goes; `None` for a queue that keeps no order.
    pub(crate) fn of(target: &QueueTarget, execution: &Execution) -> Option<Lane> {
        let group = target.message.group.as_ref().filter(|_| target.queue.name.is_fifo())?;
        let group = execution.placeholders(1).fill(group);
        Some(Lane { queue: target.queue.clone(), group })
    }
}

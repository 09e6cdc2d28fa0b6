//! The queue in which calls of schedules wait, as clients meet it: they may look at it, and change nothing.
//!
//! The scheduler uses it as an ordinary queue of the broker, in every account and region that has schedules. A message
//! that somebody else sent there would be taken for a call and deleted, and one that somebody else took away would be a
//! call that nobody makes. So it is in no list of queues, and whoever names it in order to change it is refused, wherever
//! a name comes in: as a URL, a name or an ARN.

use afterward_names::{QueueAddress, QueueName};
use afterward_scheduler::is_queue_of_calls;
use std::fmt;

/// The refusal of a request to change it, or to send to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ServersOwn(QueueName);

impl fmt::Display for ServersOwn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ServersOwn(name) = self;
        write!(
            f,
            "{name} is the server's own queue, where calls of schedules wait until they are made. You can look at it with \
             `afterward queue peek {name}`; nobody but the server sends to it, receives from it or changes it."
        )
    }
}

/// The queue, if a client may change it and send to it.
pub(crate) fn clients_own(queue: QueueAddress) -> Result<QueueAddress, ServersOwn> {
    if is_queue_of_calls(&queue.name) { Err(ServersOwn(queue.name)) } else { Ok(queue) }
}

/// Whether it is among the queues that clients are told of.
pub(crate) fn is_listed(queue: &QueueAddress) -> bool {
    !is_queue_of_calls(&queue.name)
}

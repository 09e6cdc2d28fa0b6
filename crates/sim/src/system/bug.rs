//! Deliberate bugs between the clients and what is tested: the checker has to find each of them.
//!
//! Each is a mistake that a broker could make, made here in the way to it or back, so that the broker itself stays what
//! it is.

use super::System;
use crate::rng::Rng;
use afterward_broker::Progress;
use afterward_machine::{Batched, Command, Dedup, Delivery, LeaseRef, MessageKey};
use afterward_names::QueueAddress;
use std::collections::BTreeMap;

/// A mistake.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // what is said of each is in `ALL`
pub enum Bug {
    LoseBatch,
    AnswerBeforeFlush,
    TakeFailureForSuccess,
    IgnoreFence,
    TrimTooMuch,
    IgnoreDelete,
    IgnorePurge,
    IgnoreQueueDeletion,
    DeleteWithStaleHandle,
    ShortenLease,
    LengthenLease,
    ReorderGroup,
    Miscount,
    MixContents,
    DeliverTwice,
    ForgetDeduplication,
    ForgetBody,
    ForgetAttempt,
    ForgetDelay,
    DeadLetterLate,
    ForgetWaiter,
    ServeWhoLeft,
    RunTwice,
    ForgetRun,
    IgnoreDeadLetter,
    DropDeadLetter,
    ForgetFailure,
    ForgetProgress,
    KeepProgress,
    ForgetBatch,
    CountUnbegun,
    TakeMoreBack,
    TakeBackInTimeOnly,
    TakeBackFromOthers,
}

impl Bug {
    /// All of them, and what each does.
    pub const ALL: [(Bug, &'static str); 34] = [
        (Bug::LoseBatch, "a batch is acknowledged, and written without its records"),
        (Bug::AnswerBeforeFlush, "answers leave before the batch that they rest on has arrived"),
        (Bug::TakeFailureForSuccess, "a failed append counts as done"),
        (Bug::IgnoreFence, "an owner that has lost its log goes on answering"),
        (Bug::TrimTooMuch, "compaction lets go of batches that are needed"),
        (Bug::IgnoreDelete, "a delete is told to be done, and is not"),
        (Bug::IgnorePurge, "so is a purge"),
        (Bug::IgnoreQueueDeletion, "so is the deletion of a queue"),
        (Bug::DeleteWithStaleHandle, "an old receipt handle deletes what somebody else holds"),
        (Bug::ShortenLease, "a lease ends before its time"),
        (Bug::LengthenLease, "a lease lasts an hour longer"),
        (Bug::ReorderGroup, "the messages of a receive come in reverse"),
        (Bug::Miscount, "one receive in ten is not counted"),
        (Bug::MixContents, "two messages of a receive have each other's contents"),
        (Bug::DeliverTwice, "a receive holds a message twice"),
        (Bug::ForgetDeduplication, "a deduplication id or an idempotency key is not remembered"),
        (Bug::ForgetBody, "an idempotency key is good for any body"),
        (Bug::ForgetAttempt, "a receive attempt is not remembered"),
        (Bug::ForgetDelay, "a message's own delay is forgotten"),
        (Bug::DeadLetterLate, "a message is dead-lettered one receive late"),
        (Bug::ForgetWaiter, "a receive that waits is not woken"),
        (Bug::ServeWhoLeft, "messages are handed to a consumer that has gone away"),
        (Bug::RunTwice, "a schedule runs for whoever has read it, changed since or not"),
        (Bug::ForgetRun, "a schedule sends what it has to, and is due as before"),
        (Bug::IgnoreDeadLetter, "a message that its holder gives up for good comes back"),
        (Bug::DropDeadLetter, "a message that its holder gives up for good is in no dead-letter queue"),
        (Bug::ForgetFailure, "why a handler failed is forgotten"),
        (Bug::ForgetProgress, "how far a holder is is not shown"),
        (Bug::KeepProgress, "how far a holder was is shown when its attempt is over"),
        (Bug::ForgetBatch, "a message does not wait for the batch that it was sent after"),
        (Bug::CountUnbegun, "a receive counts though its consumer had not begun"),
        (Bug::TakeMoreBack, "a receive does not count though its consumer had failed"),
        (Bug::TakeBackInTimeOnly, "a receive counts that nobody has seen anything of, for its lease was over"),
        (Bug::TakeBackFromOthers, "a lease that is over takes back the receive of who holds the message now"),
    ];
}

/// A bug at work: none, mostly.
#[derive(Debug, Default)]
pub(super) struct Buggy {
    pub(super) bug: Option<Bug>,
    newest_leases: BTreeMap<MessageKey, LeaseRef>,
    /// What was shown of holders' progress.
    progress: BTreeMap<MessageKey, Progress>,
    /// Receives whose clients have gone, and that nobody has told so.
    pub(super) ghosts: Vec<afterward_broker::partition::Waiting>,
}

impl Buggy {
    pub(super) fn is(&self, bug: Bug) -> bool {
        self.bug == Some(bug)
    }

    /// What becomes of a command on its way in.
    pub(super) fn command(&self, mut command: Command, random: &mut Rng) -> Command {
        let Some(bug) = self.bug else { return command };
        match (bug, &mut command) {
            (Bug::IgnoreDelete, Command::Delete { queue, .. })
            | (Bug::IgnorePurge, Command::Purge { queue, .. })
            | (Bug::IgnoreQueueDeletion, Command::DeleteQueue { queue }) => {
                return Command::Untag { queue: queue.clone(), keys: Vec::new() };
            }
            (Bug::IgnoreDeadLetter, Command::DeadLetter { queue, lease, failure }) if has_dead_letters(queue) => {
                let (queue, lease, failure) = (queue.clone(), *lease, *failure);
                return Command::ChangeVisibility { queue, lease, timeout_ms: 0, failure };
            }
            (Bug::TakeMoreBack, Command::ChangeVisibility { queue, lease, timeout_ms: 0, .. }) => {
                return Command::HandBack { queue: queue.clone(), lease: *lease, timeout_ms: 0 };
            }
            (Bug::TakeBackInTimeOnly, Command::TakeBack { queue, lease, timeout_ms }) => {
                return Command::HandBack { queue: queue.clone(), lease: *lease, timeout_ms: *timeout_ms };
            }
            (Bug::TakeBackFromOthers, Command::TakeBack { lease, .. })
            | (Bug::DeleteWithStaleHandle, Command::Delete { lease, .. }) => {
                *lease = self.newest_leases.get(&lease.message).copied().unwrap_or(*lease);
            }
            (Bug::DropDeadLetter, Command::DeadLetter { queue, lease, .. }) if has_dead_letters(queue) => {
                return Command::Delete { queue: queue.clone(), lease: *lease };
            }
            (Bug::ShortenLease, Command::Receive(receive)) => {
                receive.visibility_timeout_ms = receive.visibility_timeout_ms.map(|timeout_ms| timeout_ms / 2);
            }
            (Bug::LengthenLease, Command::Receive(receive)) => {
                receive.visibility_timeout_ms = receive.visibility_timeout_ms.map(|timeout_ms| timeout_ms + 3_600_000);
            }
            (Bug::ForgetAttempt, Command::Receive(receive)) => receive.attempt = None,
            (Bug::ForgetBatch, Command::Send(send)) if matches!(send.batch, Some(Batched::After(_))) => {
                send.batch = None
            }
            (Bug::ForgetDelay, Command::Send(send)) => send.delay_ms = send.delay_ms.map(|_| 0),
            (Bug::ForgetDeduplication, Command::Send(send)) => match &mut send.dedup {
                Some(Dedup::Fifo { id: Some(id), .. }) => id[..8].copy_from_slice(&random.bits().to_be_bytes()),
                Some(Dedup::Idempotency { key, .. }) => key[..8].copy_from_slice(&random.bits().to_be_bytes()),
                _ => {}
            },
            (Bug::ForgetBody, Command::Send(send)) => {
                if let Some(Dedup::Idempotency { fingerprint, .. }) = &mut send.dedup {
                    *fingerprint = 0;
                }
            }
            (Bug::DeadLetterLate, Command::CreateQueue(create)) => {
                if let Some(Some(redrive)) = &mut create.attributes.redrive {
                    redrive.max_receive_count += 1;
                }
            }
            _ => {}
        }
        command
    }
}

/// In the queues that have none, a refusal would be missing, which is found too easily.
fn has_dead_letters(queue: &QueueAddress) -> bool {
    matches!(queue.name.as_str(), "jobs" | "orders.fifo")
}

impl Buggy {
    /// What is shown of a holder's progress.
    pub(super) fn progress(&mut self, message: MessageKey, shown: Option<Progress>) -> Option<Progress> {
        if !self.is(Bug::KeepProgress) {
            return shown;
        }
        if let Some(shown) = shown {
            self.progress.insert(message, shown);
        }
        self.progress.get(&message).cloned()
    }
}

impl System {
    /// The same system, with this bug.
    pub fn plant(&mut self, bug: Bug) {
        self.buggy.bug = Some(bug);
    }

    /// What becomes of deliveries on their way out.
    pub fn deliver(&mut self, mut deliveries: Vec<Delivery>) -> Vec<Delivery> {
        let Some(bug) = self.buggy.bug else { return deliveries };
        for delivery in &deliveries {
            self.buggy.newest_leases.insert(delivery.message, delivery.lease);
        }
        match bug {
            Bug::ReorderGroup => deliveries.reverse(),
            Bug::Miscount if self.random.chance(100) => {
                deliveries.iter_mut().for_each(|delivery| delivery.receive_count = delivery.receive_count.max(2) - 1);
            }
            Bug::MixContents if deliveries.len() > 1 => {
                (deliveries[0].location, deliveries[1].location) = (deliveries[1].location, deliveries[0].location);
            }
            Bug::DeliverTwice => deliveries.extend(deliveries.first().cloned()),
            _ => {}
        }
        deliveries
    }

    /// A client whose receive waits goes away.
    pub fn leave(&mut self, waiting: afterward_broker::partition::Waiting) {
        if self.buggy.is(Bug::ServeWhoLeft) {
            self.buggy.ghosts.push(waiting);
        }
    }
}

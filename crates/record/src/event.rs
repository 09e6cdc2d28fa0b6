//! The fields of each kind of event: what goes in, and for each version ever released, how it comes out.

use crate::kind;
use crate::reader::{Reader, Reason};
use crate::writer::Writer;
use afterward_machine::{Event, KeptFinished, KeptMessage, MessageSent, ScheduleGroupId};

/// Why a kind or version that this release does not know is refused.
pub(crate) const UNKNOWN: Reason =
    "its kind or version is not known to this release; a newer one wrote this log, and is needed to read it";

/// The kind of an event, and the version of its layout that [`Writer::event`] writes.
pub(crate) fn kind_and_version(event: &Event) -> (u8, u8) {
    let kind = match event {
        Event::Founded { .. } => kind::FOUNDED,
        Event::QueueCreated { .. } => kind::QUEUE_CREATED,
        Event::QueueDeleted { .. } => kind::QUEUE_DELETED,
        Event::AttributesSet { .. } => kind::ATTRIBUTES_SET,
        Event::TagsSet { .. } => kind::TAGS_SET,
        Event::Purged { .. } => kind::PURGED,
        Event::Sent(_) => kind::SENT,
        Event::Leased { .. } => kind::LEASED,
        Event::Deleted { .. } => kind::DELETED,
        Event::Dropped { .. } => kind::DROPPED,
        Event::VisibilityChanged { .. } => kind::VISIBILITY_CHANGED,
        Event::HandedBack { .. } => kind::HANDED_BACK,
        Event::DeadLettered { .. } => kind::DEAD_LETTERED,
        Event::MoveStarted { .. } => kind::MOVE_STARTED,
        Event::Redriven { .. } => kind::REDRIVEN,
        Event::MoveEnded { .. } => kind::MOVE_ENDED,
        Event::Released { .. } => kind::RELEASED,
        Event::QueueKept(_) => kind::QUEUE_KEPT,
        Event::MessageKept(_) => kind::MESSAGE_KEPT,
        Event::DedupKept(_) => kind::DEDUP_KEPT,
        Event::FinishedKept(_) => kind::FINISHED_KEPT,
        Event::AttemptKept { .. } => kind::ATTEMPT_KEPT,
        Event::MoveKept { .. } => kind::MOVE_KEPT,
        Event::DeletionKept { .. } => kind::DELETION_KEPT,
        Event::CountersKept { .. } => kind::COUNTERS_KEPT,
        Event::ScheduleGroupPut(_) => kind::SCHEDULE_GROUP_PUT,
        Event::ScheduleGroupDeleted { .. } => kind::SCHEDULE_GROUP_DELETED,
        Event::SchedulePut(_) => kind::SCHEDULE_PUT,
        Event::ScheduleRan { .. } => kind::SCHEDULE_RAN,
        Event::ScheduleDeleted { .. } => kind::SCHEDULE_DELETED,
    };
    // A message that has nothing to do with a batch is written as it was before there were any; the end of a job whose queue is
    // there, and that was done, as it was before deleted queues, and drops, were told of.
    let version = match event {
        Event::Sent(sent) if sent.batch.is_some() => 2,
        Event::MessageKept(kept) if kept.batch.is_some() => 2,
        Event::FinishedKept(kept) if kept.dropped => 3,
        Event::FinishedKept(kept) if kept.gone.is_some() => 2,
        _ => 1,
    };
    (kind, version)
}

impl Writer<'_> {
    /// The event's fields, in the layout that [`kind_and_version`] names.
    pub(crate) fn event(&mut self, event: &Event) {
        match event {
            Event::Founded { secret } => self.raw(secret),
            Event::QueueCreated { queue, address, attributes, tags } => {
                self.queue(*queue);
                self.address(address);
                self.attributes(attributes);
                self.tags(tags);
            }
            Event::QueueDeleted { queue } | Event::Purged { queue } => self.queue(*queue),
            Event::AttributesSet { queue, attributes } => {
                self.queue(*queue);
                self.attributes(attributes);
            }
            Event::TagsSet { queue, tags } => {
                self.queue(*queue);
                self.tags(tags);
            }
            Event::Sent(sent) => self.sent(sent),
            Event::Leased { queue, until_ms, messages, attempt } => {
                self.queue(*queue);
                self.time(*until_ms);
                self.byte(u8::from(attempt.is_some()));
                self.raw(attempt.as_ref().map_or(&[], |attempt| attempt));
                self.leased(messages);
            }
            Event::Deleted { message } | Event::Dropped { message } => self.key(*message),
            Event::VisibilityChanged { message, until_ms, failure } => {
                self.key(*message);
                self.time(*until_ms);
                self.byte(u8::from(*failure));
            }
            Event::HandedBack { message, until_ms } => {
                self.key(*message);
                self.time(*until_ms);
            }
            Event::DeadLettered { message, to, order } => {
                self.key(*message);
                self.queue(*to);
                self.number(*order);
            }
            Event::MoveStarted { task, source, destination, max_per_s, to_move } => {
                self.number(*task);
                self.route(source, destination.as_ref(), *max_per_s);
                self.number(*to_move);
            }
            Event::Redriven { task, message, to, order } => {
                self.number(*task);
                self.key(*message);
                self.queue(*to);
                self.number(*order);
            }
            Event::MoveEnded { task, outcome } => {
                self.number(*task);
                self.outcome(outcome);
            }
            Event::Released { message, order } => {
                self.key(*message);
                self.number(*order);
            }
            Event::QueueKept(queue) => self.kept_queue(queue),
            Event::MessageKept(message) => self.kept_message(message),
            Event::DedupKept(dedup) => self.kept_dedup(dedup),
            Event::FinishedKept(finished) => self.kept_finished(finished),
            Event::AttemptKept { queue, attempt, expires_ms, messages } => {
                self.queue(*queue);
                self.raw(attempt);
                self.time(*expires_ms);
                self.leased(messages);
            }
            Event::MoveKept { task, source, destination, max_per_s, to_move, moved, started_ms, outcome } => {
                self.number(*task);
                self.route(source, destination.as_ref(), *max_per_s);
                self.number(*to_move);
                self.number(*moved);
                self.time(*started_ms);
                self.byte(u8::from(outcome.is_some()));
                if let Some(outcome) = outcome {
                    self.outcome(outcome);
                }
            }
            Event::DeletionKept { address, deleted_ms } => {
                self.address(address);
                self.time(*deleted_ms);
            }
            Event::CountersKept { queue, order, lease, task } => {
                self.number(u64::from(*queue));
                self.number(*order);
                self.number(*lease);
                self.number(*task);
            }
            Event::ScheduleGroupPut(put) => self.schedule_group_put(put),
            Event::ScheduleGroupDeleted { group } => self.number(group.0),
            Event::SchedulePut(put) => self.schedule_put(put),
            Event::ScheduleRan { schedule, next_ms } => {
                self.schedule(*schedule);
                self.next(*next_ms);
            }
            Event::ScheduleDeleted { schedule } => self.schedule(*schedule),
        }
    }
}

impl Reader<'_> {
    /// The event of this kind, laid out as this version says.
    pub(crate) fn event(&mut self, kind: u8, version: u8) -> Result<Event, Reason> {
        Ok(match (kind, version) {
            (kind::SENT, 1) => Event::Sent(self.sent()?),
            (kind::SENT, 2) => Event::Sent(MessageSent { batch: self.batched()?, ..self.sent()? }),
            (kind::LEASED, 1) => {
                let (queue, until_ms) = (self.queue()?, self.time()?);
                let attempt = self.flags(1)?.then(1, || self.array())?;
                Event::Leased { queue, until_ms, messages: self.leased()?, attempt }
            }
            (kind::DELETED, 1) => Event::Deleted { message: self.key()? },
            (kind::DROPPED, 1) => Event::Dropped { message: self.key()? },
            (kind::VISIBILITY_CHANGED, 1) => Event::VisibilityChanged {
                message: self.key()?,
                until_ms: self.time()?,
                failure: self.flags(1)?.has(1),
            },
            (kind::HANDED_BACK, 1) => Event::HandedBack { message: self.key()?, until_ms: self.time()? },
            (kind::DEAD_LETTERED, 1) => {
                Event::DeadLettered { message: self.key()?, to: self.queue()?, order: self.number()? }
            }
            (kind::REDRIVEN, 1) => {
                Event::Redriven { task: self.number()?, message: self.key()?, to: self.queue()?, order: self.number()? }
            }
            (kind::FOUNDED, 1) => Event::Founded { secret: self.array()? },
            (kind::QUEUE_CREATED, 1) => Event::QueueCreated {
                queue: self.queue()?,
                address: self.address()?,
                attributes: self.attributes()?,
                tags: self.tags()?,
            },
            (kind::QUEUE_DELETED, 1) => Event::QueueDeleted { queue: self.queue()? },
            (kind::ATTRIBUTES_SET, 1) => Event::AttributesSet { queue: self.queue()?, attributes: self.attributes()? },
            (kind::TAGS_SET, 1) => Event::TagsSet { queue: self.queue()?, tags: self.tags()? },
            (kind::PURGED, 1) => Event::Purged { queue: self.queue()? },
            (kind::MOVE_STARTED, 1) => {
                let task = self.number()?;
                let (source, destination, max_per_s) = self.route()?;
                Event::MoveStarted { task, source, destination, max_per_s, to_move: self.number()? }
            }
            (kind::MOVE_ENDED, 1) => Event::MoveEnded { task: self.number()?, outcome: self.outcome()? },
            (kind::QUEUE_KEPT, 1) => Event::QueueKept(self.kept_queue()?),
            (kind::MESSAGE_KEPT, 1) => Event::MessageKept(self.kept_message()?),
            (kind::MESSAGE_KEPT, 2) => {
                Event::MessageKept(KeptMessage { batch: self.batched()?, ..self.kept_message()? })
            }
            (kind::RELEASED, 1) => Event::Released { message: self.key()?, order: self.number()? },
            (kind::DEDUP_KEPT, 1) => Event::DedupKept(self.kept_dedup()?),
            (kind::FINISHED_KEPT, 1) => Event::FinishedKept(self.kept_finished()?),
            (kind::FINISHED_KEPT, 2) => {
                let kept = self.kept_finished()?;
                Event::FinishedKept(KeptFinished { gone: Some(self.address()?), ..kept })
            }
            (kind::FINISHED_KEPT, 3) => {
                let kept = self.kept_finished()?;
                let gone = self.flags(1)?.then(1, || self.address())?;
                Event::FinishedKept(KeptFinished { gone, dropped: true, ..kept })
            }
            (kind::ATTEMPT_KEPT, 1) => Event::AttemptKept {
                queue: self.queue()?,
                attempt: self.array()?,
                expires_ms: self.time()?,
                messages: self.leased()?,
            },
            (kind::MOVE_KEPT, 1) => {
                let task = self.number()?;
                let (source, destination, max_per_s) = self.route()?;
                let (to_move, moved, started_ms) = (self.number()?, self.number()?, self.time()?);
                let outcome = self.flags(1)?.then(1, || self.outcome())?;
                Event::MoveKept { task, source, destination, max_per_s, to_move, moved, started_ms, outcome }
            }
            (kind::DELETION_KEPT, 1) => Event::DeletionKept { address: self.address()?, deleted_ms: self.time()? },
            (kind::COUNTERS_KEPT, 1) => Event::CountersKept {
                queue: self.narrow()?,
                order: self.number()?,
                lease: self.number()?,
                task: self.number()?,
            },
            (kind::SCHEDULE_GROUP_PUT, 1) => Event::ScheduleGroupPut(self.schedule_group_put()?),
            (kind::SCHEDULE_GROUP_DELETED, 1) => Event::ScheduleGroupDeleted { group: ScheduleGroupId(self.number()?) },
            (kind::SCHEDULE_PUT, 1) => Event::SchedulePut(self.schedule_put()?),
            (kind::SCHEDULE_RAN, 1) => Event::ScheduleRan { schedule: self.schedule()?, next_ms: self.next()? },
            (kind::SCHEDULE_DELETED, 1) => Event::ScheduleDeleted { schedule: self.schedule()? },
            _ => return Err(UNKNOWN),
        })
    }
}

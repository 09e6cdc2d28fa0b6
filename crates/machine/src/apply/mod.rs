//! Making events so. Total: an event about a queue or a message that is not there changes nothing but the counters, for
//! a replay may start behind what made them.

mod kept;
mod messages;
mod moves;
mod queues;
mod schedules;

use crate::{Event, Location, State};

impl State {
    /// Makes `event` so; its record is at `at`. Total: an event about what is not there changes nothing.
    pub fn apply(&mut self, event: &Event, at: Location) {
        match event {
            Event::Founded { secret } => self.secret = Some(*secret),
            Event::QueueCreated { queue, address, attributes, tags } => {
                self.queue_created(*queue, address, attributes, tags);
            }
            Event::QueueDeleted { queue } => self.queue_deleted(*queue),
            Event::AttributesSet { queue, attributes } => self.attributes_set(*queue, attributes),
            Event::TagsSet { queue, tags } => self.tags_set(*queue, tags),
            Event::Purged { queue } => self.purged(*queue),
            Event::Sent(message) => self.sent(message, at),
            Event::Leased { queue, until_ms, messages, attempt } => self.leased(*queue, *until_ms, messages, *attempt),
            Event::Deleted { message } => self.deleted(*message, None),
            Event::Dropped { message } => self.deleted(*message, Some(at)),
            Event::VisibilityChanged { message, until_ms, failure } => {
                self.visibility_changed(*message, *until_ms, failure.then_some(at));
            }
            Event::HandedBack { message, until_ms } => self.handed_back(*message, *until_ms),
            Event::DeadLettered { message, to, order } => self.dead_lettered(*message, *to, *order),
            Event::Released { message, order } => self.released(*message, *order),
            Event::MoveStarted { task, source, destination, max_per_s, to_move } => {
                self.move_started(*task, source, destination.as_ref(), *max_per_s, *to_move);
            }
            Event::Redriven { task, message, to, order } => self.redriven(*task, *message, *to, *order),
            Event::MoveEnded { task, outcome } => self.move_ended(*task, outcome),
            Event::QueueKept(queue) => self.queue_kept(queue),
            Event::MessageKept(message) => self.message_kept(message, at),
            Event::DedupKept(kept) => self.dedup_kept(kept),
            Event::FinishedKept(kept) => self.finished_kept(kept, at),
            Event::AttemptKept { queue, attempt, expires_ms, messages } => {
                self.attempt_kept(*queue, *attempt, *expires_ms, messages);
            }
            Event::MoveKept { .. } => self.move_kept(event),
            Event::DeletionKept { address, deleted_ms } => self.deletion_kept(address, *deleted_ms),
            Event::CountersKept { queue, order, lease, task } => {
                self.last_queue = self.last_queue.max(*queue);
                self.saw_order((*order).max(*lease));
                self.last_task = self.last_task.max(*task);
            }
            Event::ScheduleGroupPut(put) => self.schedule_group_put(put),
            Event::ScheduleGroupDeleted { group } => self.schedules.delete_group(*group),
            Event::SchedulePut(put) => self.schedule_put(put, at),
            Event::ScheduleRan { schedule, next_ms } => self.schedules.set_next(*schedule, *next_ms),
            Event::ScheduleDeleted { schedule } => self.schedules.delete(*schedule),
        }
        self.fire_due(self.now_ms);
    }

    /// Orders and leases given out from now on are above `order`.
    pub(crate) fn saw_order(&mut self, order: u64) {
        self.last_order = self.last_order.max(order);
    }
}

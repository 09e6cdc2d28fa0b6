//! Writing state forward, so that the oldest part of the log can be let go.
//!
//! A replay may start at a batch of [`State::definitions`] if by then, for every record before it, what
//! [`State::forward`] asked for has been logged. Events in between about messages that the replay does not know yet
//! change nothing, for the record that brings the message says how it stands then.

use crate::decide::schedule_groups::put as group_put;
use crate::slab::{Entry, Place};
use crate::{
    Event, Forward, KeptDedup, KeptFinished, KeptMessage, KeptQueue, LeaseId, Location, MessageKey, ScheduleId,
    SchedulePut, State,
};
use afterward_names::MessageId;

impl State {
    /// What the state still needs of the record `event` at `at`: to be logged again before that record is trimmed.
    pub fn forward(&self, event: &Event, at: Location) -> Vec<Forward> {
        match event {
            Event::Sent(sent) => {
                let dedup = sent.dedup.and_then(|key| self.kept_dedup(&key.key, sent.order));
                let kept = self.kept_message(sent.id, at).into_iter().chain(dedup);
                kept.chain(self.kept_end(sent.job, sent.id)).collect()
            }
            Event::MessageKept(kept) => {
                self.kept_message(kept.id, at).into_iter().chain(self.kept_end(kept.job, kept.id)).collect()
            }
            Event::VisibilityChanged { message, failure: true, .. } => {
                self.kept_failure(*message, at).into_iter().collect()
            }
            Event::SchedulePut(put) => self.kept_schedule(put.schedule, at).into_iter().collect(),
            Event::DedupKept(kept) => self.kept_dedup(&kept.key.key, kept.order).into_iter().collect(),
            Event::Deleted { message } | Event::Dropped { message } => self.kept_finished(message.as_u64()),
            Event::FinishedKept(kept) => self.kept_finished(kept.id.key()),
            Event::Leased { queue, attempt: Some(attempt), messages, .. }
            | Event::AttemptKept { queue, attempt, messages, .. } => {
                let stands = self.attempts.get(*queue, *attempt).filter(|stands| stands.messages == *messages);
                let keep = |expires_ms| Event::AttemptKept {
                    queue: *queue,
                    attempt: *attempt,
                    expires_ms,
                    messages: messages.clone(),
                };
                stands.map(|stands| bare(keep(stands.expires_ms))).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// Where the content of this message is, if there is such a message.
    pub fn content_at(&self, message: MessageKey) -> Option<Location> {
        self.slab.find(message).map(|entry| entry.location())
    }

    /// The secret, counters, queues, move tasks and groups of schedules as events. A replay may start at a batch that holds these: later
    /// events need no earlier definition.
    pub fn definitions(&self) -> Vec<Event> {
        let founded = self.secret.map(|secret| Event::Founded { secret });
        let counters = Event::CountersKept {
            queue: self.last_queue,
            order: self.last_order,
            lease: self.last_order,
            task: self.last_task,
        };
        let queues = self.queues.values().map(|queue| {
            Event::QueueKept(KeptQueue {
                queue: queue.id,
                address: queue.address.clone(),
                attributes: (*queue.attributes).clone(),
                tags: queue.tags().clone(),
                created_ms: queue.created_ms,
                modified_ms: queue.modified_ms,
                purged_ms: queue.purged_ms,
            })
        });
        let deletions = self
            .deleted
            .iter()
            .map(|(address, deleted_ms)| Event::DeletionKept { address: address.clone(), deleted_ms });
        let moves = self.moves.iter().map(|(task, of)| Event::MoveKept {
            task,
            source: of.source.clone(),
            destination: of.destination.clone(),
            max_per_s: of.max_per_s,
            to_move: of.to_move,
            moved: of.moved,
            started_ms: of.started_ms,
            outcome: of.outcome,
        });
        let groups = self.schedules.groups.iter().map(|(id, group)| Event::ScheduleGroupPut(group_put(id, group)));
        let definitions: Vec<Event> =
            founded.into_iter().chain([counters]).chain(queues).chain(deletions).chain(moves).chain(groups).collect();
        let counted: u64 = definitions.iter().map(State::definition_bytes_of).sum();
        debug_assert_eq!(counted, self.most_definitions_bytes(), "the sum is kept up to date");
        definitions
    }

    /// Where the definition of this schedule is, if there is such a schedule.
    pub fn definition_at(&self, schedule: ScheduleId) -> Option<Location> {
        self.schedules.get(schedule).map(|entry| entry.location())
    }

    /// The schedule with this id, if its definition is still at `at`.
    fn kept_schedule(&self, schedule: ScheduleId, at: Location) -> Option<Forward> {
        let entry = self.schedules.get(schedule).filter(|entry| entry.location() == at)?;
        let put = SchedulePut {
            schedule,
            revision: entry.revision(),
            group: entry.group(),
            name: entry.name.clone(),
            created_ms: entry.created_ms(),
            modified_ms: entry.modified_ms(),
            next_ms: entry.next_ms(),
        };
        Some(Forward { event: Event::SchedulePut(put), content: Some(at), error: None })
    }

    /// The message with this id, if its content is still at `at`.
    fn kept_message(&self, id: MessageId, at: Location) -> Option<Forward> {
        let key = MessageKey::from_u64(id.key());
        let entry = self.slab.find(key).filter(|entry| entry.location() == at)?;
        Some(self.forward_message(&entry, key.slot))
    }

    /// The message whose last failure is told at `at`.
    fn kept_failure(&self, key: MessageKey, at: Location) -> Option<Forward> {
        let entry = self.slab.find(key)?;
        (self.sides.failures.get(&key.slot) == Some(&at)).then(|| self.forward_message(&entry, key.slot))
    }

    fn forward_message(&self, entry: &Entry, slot: u32) -> Forward {
        let receipt = self.sides.receipts.get(&slot);
        let failure = self.sides.failures.get(&slot).copied();
        let group = self.queues.get(&entry.queue).and_then(|queue| queue.group_name(entry.group).cloned());
        let kept = KeptMessage {
            queue: entry.queue,
            id: entry.first_id(slot),
            order: entry.order,
            sent_ms: entry.sent_ms,
            group,
            job: entry.job,
            receive_count: self.sides.receive_count(slot),
            received_elsewhere: self.sides.received_elsewhere(slot),
            first_received_ms: receipt.map_or(0, |receipt| receipt.first_received_ms),
            received_ms: receipt.map_or(0, |receipt| receipt.received_ms),
            lease: receipt.map_or(LeaseId(0), |receipt| receipt.lease),
            visible_ms: entry.due_ms,
            leased: entry.place == Place::Leased,
            source: self.sides.source(slot).cloned(),
            redrives: self.sides.redrives(slot),
            failure: failure.is_some(),
            batch: self.batches.of(slot),
        };
        Forward { event: Event::MessageKept(kept), content: Some(entry.location()), error: failure }
    }

    fn kept_dedup(&self, key: &[u8; 16], order: u64) -> Option<Forward> {
        let seen = self.dedup.get(key).filter(|seen| seen.order == order)?;
        let key = crate::KeptKey { key: *key, expires_ms: seen.expires_ms, fingerprint: seen.fingerprint };
        Some(bare(Event::DedupKept(KeptDedup { key, id: seen.id, order })))
    }

    /// How the job `id` ended, if it has. Its `Deleted` may stay in the log longer than the record that brought the
    /// message, and means nothing to a replay that starts in between.
    fn kept_end(&self, job: bool, id: MessageId) -> Vec<Forward> {
        if job { self.kept_finished(id.key()) } else { Vec::new() }
    }

    fn kept_finished(&self, key: u64) -> Vec<Forward> {
        let keep = |(id, finished): (MessageId, &crate::finished::Finished)| {
            let (receive_count, finished_ms, queue) = (finished.receive_count, finished.finished_ms, finished.queue);
            let is_gone = !self.queues.contains_key(&queue);
            let gone = if is_gone { self.finished.address(queue).cloned() } else { None };
            let error = self.finished.dropped(id);
            let dropped = error.is_some();
            let kept = KeptFinished { id, receive_count, finished_ms, queue, gone, dropped };
            Forward { event: Event::FinishedKept(kept), content: None, error }
        };
        self.finished.under(key).map(keep).collect()
    }
}

/// State that has no content.
fn bare(event: Event) -> Forward {
    Forward { event, content: None, error: None }
}

//! What a receive may show.

use super::message::{Delivered, Message};
use super::{Checker, Fate, Violation, ensure};
use crate::history::{Batch, Call, CallId, QueueIndex, Receiving, Seen};
use afterward_names::MessageId;

impl Checker {
    /// A receive was told these messages.
    pub(super) fn received(&mut self, call: CallId, receiving: &Receiving, all: &[Seen]) -> Result<(), Violation> {
        let record = &self.calls[call];
        let found = !all.is_empty() || record.waited || record.findable.is_none();
        ensure(found, || format!("#{call} found nothing, though {:?} is there", record.findable))?;
        // A repeated attempt gets all that it got, whatever it asks for now.
        ensure(all.len() <= receiving.max || receiving.attempt.is_some(), || {
            format!("#{call} asked for {} and got {}", receiving.max, all.len())
        })?;
        if receiving.attempt.is_some() {
            self.check_attempt(call, all)?;
        }
        self.check_order(call, receiving, all)?;
        for seen in all {
            self.check_seen(call, receiving, seen).map_err(|Violation { what }| Violation {
                what: format!("#{call} was shown {} ({}): {what}; {seen:?}", seen.held.id, seen.body),
            })?;
        }
        Ok(())
    }

    /// Between when and when a receive was served.
    pub(super) fn served_ms(&self, call: CallId) -> (u64, u64) {
        let record = &self.calls[call];
        (record.at_ms, if record.waited { record.ended_ms.max(record.at_ms) } else { record.at_ms })
    }

    fn check_seen(&mut self, call: CallId, receiving: &Receiving, seen: &Seen) -> Result<(), Violation> {
        let send = self.origin(seen)?;
        let id = seen.held.id;
        ensure(seen.held.queue == receiving.queue, || "it is from another queue".into())?;
        self.check_failure(call, seen)?;
        let lease = seen.held.lease.lease.0;
        if self.leases.insert(lease, id).is_some() {
            return self.check_again(call, receiving, seen);
        }

        let served_ms = self.served_ms(call);
        let delivered = Delivered {
            call,
            queue: receiving.queue,
            count: seen.receive_count,
            began_ms: served_ms,
            timeout_ms: self.lease_ms(receiving),
            first_received_ms: seen.first_received_ms,
            attempt: receiving.attempt,
            changes: Vec::new(),
        };
        let message = &self.messages[&id];
        self.check_times(send, served_ms, receiving.attempt.is_some(), seen)?;
        self.check_batch(call, send, seen)?;
        self.check_place(message, seen)?;
        self.check_leases(message, lease, &delivered)?;
        self.check_lives(id, lease, &delivered)?;
        if let Some(message) = self.messages.get_mut(&id) {
            message.deliveries.insert(lease, delivered);
        }
        self.check_deleted(id)?;
        self.check_buried(id)?;
        self.check_counts(&self.messages[&id])
    }

    /// The send that made what is seen; it is noted that it did.
    fn origin(&mut self, seen: &Seen) -> Result<CallId, Violation> {
        let (id, body) = (seen.held.id, &seen.body);
        let send = self.bodies.get(body).copied().ok_or_else(|| Violation { what: "nobody has sent it".into() })?;
        let sending = self.sending(send).cloned().ok_or_else(|| Violation { what: "nobody has sent it".into() })?;
        let record = &self.calls[send];
        ensure(record.fate != Fate::Refused, || format!("#{send}, which sent it, was refused"))?;
        let (first, lives) = (id.after_redrives(0), id.redrives());
        ensure(record.message.is_none_or(|known| known == first), || {
            format!("#{send}, which sent it, made {:?}", record.message)
        })?;
        ensure(seen.group == sending.group, || format!("it was sent in group {:?}", sending.group))?;
        let unknown = record.fate != Fate::Answered || lives > 0 && record.told == Some(first);
        match self.messages.get_mut(&id) {
            Some(message) => {
                let may = message.candidates.contains(&send);
                ensure(may, || format!("its body is that of #{send}, its id that of #{:?}", message.candidates))?;
                message.candidates = vec![send];
            }
            None => {
                ensure(unknown, || format!("#{send}, which sent it, was told another id"))?;
                self.messages.insert(id, Message::new(&sending, vec![send]));
            }
        }
        self.calls[send].message = Some(first);
        Ok(send)
    }

    fn check_times(&self, send: CallId, served_ms: (u64, u64), is_attempt: bool, seen: &Seen) -> Result<(), Violation> {
        let Call::Send(sending) = &self.calls[send].call else { return Ok(()) };
        let (at_ms, shape) = (self.calls[send].at_ms, &self.shapes[sending.queue]);
        let again = seen.source.is_some() || seen.held.id.redrives() > 0;
        let waited = matches!(sending.batch, Some(Batch::After(_)));
        // Dead letters of FIFO queues, what comes back from the dead, and what a batch held are as newly sent.
        let anew = seen.held.id.redrives() > 0 || again && self.queues[sending.queue].is_fifo() || waited;
        ensure(seen.sent_ms == at_ms || anew && seen.sent_ms > at_ms, || format!("it was sent at {at_ms}"))?;
        let visible_ms = at_ms + sending.delay_ms.unwrap_or(shape.delay_ms.least);
        ensure(visible_ms <= served_ms.1, || format!("it is delayed until {visible_ms}"))?;
        let sent_ms = if waited { seen.sent_ms } else { at_ms };
        let expires_ms = sent_ms + shape.retention_ms.most;
        ensure(again || served_ms.0 < expires_ms, || format!("it was kept until {expires_ms} only"))?;
        let first_ms = seen.first_received_ms;
        ensure((at_ms..=served_ms.1).contains(&first_ms), || format!("it can't be first received at {first_ms}"))?;
        // An attempt may repeat one whose answer was lost.
        let is_first = seen.receive_count == 1 && !is_attempt;
        ensure(!is_first || first_ms >= served_ms.0, || format!("it is now first received, not at {first_ms}"))
    }

    /// It is at home until it was received too often, then in the dead-letter queue for good.
    fn check_place(&self, message: &Message, seen: &Seen) -> Result<(), Violation> {
        let (queue, count) = (seen.held.queue, seen.receive_count);
        if queue == message.home {
            ensure(seen.source.is_none(), || "it comes from its own queue, and names a source".into())?;
            let waits = self.perhaps_waits(message);
            ensure(message.order.is_none_or(|order| order == seen.order || waits && order < seen.order), || {
                format!("its place in line is {:?}", message.order)
            })?;
            let max = self.shapes[queue].max_receive_count.most;
            let dead =
                self.queues[queue].dead_letter.is_some_and(|(dead, _)| count > max && !self.perhaps_removed_ever(dead));
            return ensure(!dead, || "it was received too often to be here still".into());
        }
        let from: Option<(QueueIndex, u32)> = self.queues[message.home].dead_letter.filter(|(dead, _)| *dead == queue);
        ensure(from.is_some(), || format!("it was sent to queue {}", message.home))?;
        ensure(seen.source == Some(message.home), || format!("it came here from queue {}", message.home))?;
        let least = if self.perhaps_buried(message) { 1 } else { self.shapes[message.home].max_receive_count.least };
        ensure(count > least, || "it was not received often enough to be here".into())
    }

    /// Nobody else holds it, and it does not come back from the dead.
    fn check_leases(&self, message: &Message, lease: u64, delivered: &Delivered) -> Result<(), Violation> {
        for (&other, earlier) in &message.deliveries {
            let ((before, after), gap) = match other < lease {
                true => ((earlier, delivered), (other, lease)),
                false => ((delivered, earlier), (lease, other)),
            };
            let (ends_ms, begins_ms) = (self.ends_ms(before).0, after.began_ms.1);
            ensure(ends_ms <= begins_ms, || {
                format!("lease {} lasts until {ends_ms}, and lease {} begins at {begins_ms}", gap.0, gap.1)
            })?;
            let back = after.queue == message.home && before.queue != message.home;
            ensure(!back, || "it was dead-lettered, and is back".into())?;
            self.check_first_received(message, gap, (before, after))?;
        }
        Ok(())
    }

    /// Nobody gets what has certainly been deleted.
    pub(super) fn check_deleted(&self, id: MessageId) -> Result<(), Violation> {
        let message = &self.messages[&id];
        let Some(by) = self.certainly_deleted(message) else { return Ok(()) };
        let after = |(lease, delivered): &(&u64, &Delivered)| match by.lease {
            Some(by) => **lease > by,
            None => delivered.call > by.call,
        };
        let again = message.deliveries.iter().find(after).map(|(lease, _)| lease);
        ensure(again.is_none(), || {
            format!(
                "{id} was deleted by #{} with lease {:?}, and delivered again with lease {again:?}",
                by.call, by.lease
            )
        })
    }

    /// The receives from a queue whose outcome is not known.
    pub(super) fn uncertain_receives(&self, queue: QueueIndex) -> impl Iterator<Item = CallId> {
        self.uncertain.get(&queue).into_iter().flatten().copied()
    }
}

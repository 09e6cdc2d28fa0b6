//! Answers on their way to clients and to the checker.

use super::{World, violation};
use crate::checker::{Violation, ensure};
use crate::client::Pending;
use crate::history::{Answer, Call, CallId, Held, QueueIndex, Seen};
use crate::system::content;
use afterward_broker::Unavailable;
use afterward_broker::partition::Found;
use afterward_machine::{Delivery, Refusal, Reply};

impl World {
    /// Hands answers that are ready to their clients.
    pub(super) fn poll(&mut self) -> Result<(), Violation> {
        for who in 0..self.clients.len() {
            let Some(pending) = self.clients[who].pending.take() else { continue };
            let waits = match pending {
                Pending::Sends(calls, gated) => match gated.try_open() {
                    Ok(replies) => self.sent(who, &calls, replies).map(|()| None)?,
                    Err(gated) => Some(Pending::Sends(calls, gated)),
                },
                Pending::Act(call, gated) => match gated.try_open() {
                    Ok(reply) => self.acted(who, call, reply).map(|()| None)?,
                    Err(gated) => Some(Pending::Act(call, gated)),
                },
                Pending::Found(call, gated) => match gated.try_open() {
                    Ok(found) => self.found(who, call, found).map(|()| None)?,
                    Err(gated) => Some(Pending::Found(call, gated)),
                },
                Pending::Waiting(call, waiting) => match waiting.try_open() {
                    Ok(found) => self.found(who, call, found).map(|()| None)?,
                    Err(waiting) => Some(Pending::Waiting(call, waiting)),
                },
            };
            self.clients[who].pending = waits;
        }
        Ok(())
    }

    fn answer(&mut self, who: usize, call: CallId, answer: &Answer) -> Result<(), Violation> {
        if let Some(number) = self.clients[who].at {
            return self.answer_by_deposed(who, number, call, answer);
        }
        // Of an owner that is gone, the time is known that it had at most.
        let now_ms = match answer {
            Answer::Unavailable => self.latest_ms,
            _ if self.system.partition().is_none() => self.latest_ms,
            _ => self.system.now_ms(),
        };
        self.tally.taken_back_late += u64::from(self.checker.is_taken_back_late(call) && *answer == Answer::Done);
        self.tally.dead_lettered += u64::from(self.checker.is_dead_lettering(call) && *answer == Answer::Done);
        let (landed, gate) = (self.system.landed(), self.clients[who].gate);
        ensure(*answer == Answer::Unavailable || landed >= gate, || {
            format!("#{call} is told {answer:?} after {landed} batches, though it rests on {gate}")
        })?;
        self.tally.unavailable += u64::from(*answer == Answer::Unavailable);
        self.trace.line(format!("{now_ms} #{call} client {who} is told {answer:?}"));
        self.checker.answered(now_ms, call, answer)
    }

    fn sent(
        &mut self,
        who: usize,
        calls: &[CallId],
        replies: Result<Vec<Result<Reply, Refusal>>, Unavailable>,
    ) -> Result<(), Violation> {
        let Ok(replies) = replies else {
            for call in calls {
                self.answer(who, *call, &Answer::Unavailable)?;
            }
            // Whoever has a deduplication id can safely send again.
            let again = calls.first().and_then(|call| self.checker.sending(*call)).filter(|it| it.dedup.is_some());
            self.clients[who].retry = again.cloned();
            return Ok(());
        };
        ensure(replies.len() == calls.len(), || format!("{} sends got {} replies", calls.len(), replies.len()))?;
        for (call, reply) in calls.iter().zip(replies) {
            let answer = match reply {
                Ok(Reply::Sent { id, order, .. }) => Answer::Sent { id, order },
                Ok(other) => return Err(violation(format!("#{call}, a send, was told {other:?}"))),
                Err(refusal) => Answer::Refused(refusal),
            };
            self.answer(who, *call, &answer)?;
        }
        Ok(())
    }

    fn acted(
        &mut self,
        who: usize,
        call: CallId,
        reply: Result<Result<Reply, Refusal>, Unavailable>,
    ) -> Result<(), Violation> {
        let answer = match reply {
            Ok(Ok(Reply::MoveStarted { task })) => {
                self.supply.tasks.push(task);
                Answer::Done
            }
            Ok(Ok(Reply::Done | Reply::Queue(_) | Reply::Schedule(_) | Reply::MoveCancelled { .. })) => Answer::Done,
            Ok(Ok(other)) => return Err(violation(format!("#{call} was told {other:?}"))),
            Ok(Err(refusal)) => Answer::Refused(refusal),
            Err(Unavailable { .. }) => Answer::Unavailable,
        };
        self.answer(who, call, &answer)
    }

    fn found(&mut self, who: usize, call: CallId, found: Result<Found, Unavailable>) -> Result<(), Violation> {
        let answer = match found {
            Ok(Ok(deliveries)) => {
                let deliveries = self.system.deliver(deliveries);
                let Some(Call::Receive(receiving)) = self.checker.call(call) else { return Ok(()) };
                let (queue, is_attempt) = (receiving.queue, receiving.attempt.is_some());
                let mut all = Vec::new();
                for delivery in &deliveries {
                    let seen = self.seen(queue, delivery)?;
                    if seen.is_none() && !self.system.is_gone(delivery) {
                        // Compaction moves the content, and nobody is there to say where to, or it isn't there yet.
                        return self.answer(who, call, &Answer::Unavailable);
                    }
                    all.extend(seen);
                }
                if all.len() < deliveries.len() && (all.is_empty() || is_attempt) {
                    // All that it took has reached the end of its retention meanwhile. The broker answers with nothing,
                    // which says nothing of what else is in the queue.
                    return self.answer(who, call, &Answer::Unavailable);
                }
                self.tally.deliveries += all.len() as u64;
                let again = all.iter().filter(|seen| is_attempt && self.checker.knows(seen.held.lease.lease.0)).count();
                self.tally.deliveries_again += again as u64;
                let held = all.iter().filter(|seen| self.checker.has_waited(seen)).count();
                self.tally.held_for_batches += held as u64;
                all.iter().for_each(|seen| self.hold(who, seen.held));
                Answer::Received(all)
            }
            Ok(Err(refusal)) => Answer::Refused(refusal),
            Err(Unavailable { .. }) => Answer::Unavailable,
        };
        self.answer(who, call, &answer)
    }

    /// A consumer keeps what it holds, and sometimes passes it on: then two of them delete at about the same time.
    fn hold(&mut self, who: usize, held: Held) {
        self.clients[who].hold(held);
        if self.clients.len() > 1 && self.rng.chance(300) {
            let other = (who + 1) % self.clients.len();
            self.clients[other].hold(held);
        }
    }

    /// A message as the consumer sees it, its content read back from the log and compared with what was sent.
    fn seen(&self, queue: QueueIndex, delivery: &Delivery) -> Result<Option<Seen>, Violation> {
        let Some(stored) = self.system.content(delivery).map_err(violation)? else { return Ok(None) };
        let body = String::from_utf8_lossy(&stored.body).into_owned();
        let Some(sending) = self.checker.sending_of(&body) else {
            return Err(violation(format!("nobody has sent what {delivery:?} says: {stored:?}")));
        };
        ensure(stored == content(sending), || format!("{sending:?} reads back as {stored:?}"))?;
        let source = match &delivery.source {
            Some(source) => Some(
                self.system
                    .index(&source.0)
                    .ok_or_else(|| violation(format!("{delivery:?} names a source that does not exist")))?,
            ),
            None => None,
        };
        Ok(Some(Seen {
            held: Held { queue, lease: delivery.lease, id: delivery.id },
            group: sending.group,
            body,
            order: delivery.order,
            sent_ms: delivery.sent_ms,
            first_received_ms: delivery.first_received_ms,
            receive_count: delivery.receive_count,
            source,
            failure: self.system.failure(delivery).map_err(violation)?,
        }))
    }
}

//! Judges a history of calls and answers: is it one that a queue may show?
//!
//! The checker sees calls in the order in which the broker took them, and answers as clients get them. A call that was
//! told [`Answer::Unavailable`] has perhaps happened, and so has one without an answer yet. So of each message the
//! checker knows what is certain and what is possible, and complains only where no outcome of the uncertain calls
//! explains what was seen. It is its own, second description of the rules: it never looks into the broker.
//!
//! What it checks, and where:
//! - nothing is invented, contents come back whole, counts, times and dead-letter moves add up (`seen`);
//! - nobody gets a message that is certainly deleted or certainly leased to another (`seen`);
//! - a group's messages come in the order of their sequence numbers (`order`);
//! - a deduplication id makes one message within its window, and another one after it (`sent`);
//! - what was sent after a batch comes when all of it has left (`batches`);
//! - a receive attempt gives the same messages again while it stands, and no others (`attempt`);
//! - a queue is there, and set, as clients were told (`shape`);
//! - a purged queue is empty, and a dead letter comes back only by a move task (`swept`);
//! - a live lease can delete, change and give up, an ended one can't change or give up, nor delete in a FIFO queue (`lease`);
//! - what was given up is in the dead-letter queue, and nowhere else (`buried`);
//! - a receive that was taken back does not count, and only the last one can be (`unbegun`);
//! - why a message failed stays with it, and how far its holder is goes with the attempt (`remarks`);
//! - a schedule is as its calls leave it, is found when it is due, and runs once each time (`schedules`);
//! - a receive, waiting or not, finds what is certainly there (`receivable`);
//! - what an owner did that had lost its log shows nowhere ([`Checker::called_in_vain`]);
//! - what was acknowledged is never lost ([`Checker::finish`]).

mod attempt;
mod batches;
mod buried;
mod lease;
mod message;
mod order;
mod receivable;
mod remarks;
mod schedules;
mod seen;
mod sent;
mod shape;
mod swept;
#[cfg(test)]
mod tests;
mod unbegun;

use crate::history::{Answer, Call, CallId, QueueIndex, Receiving, Remark, SCHEDULES, Sending};
use crate::scenario::QueueSpec;
use afterward_machine::Refusal;
use afterward_names::MessageId;
use message::Message;
use schedules::Timeline;
use shape::Shape;
use std::collections::{BTreeMap, BTreeSet};
use thiserror::Error;

/// The history is not one that a queue may show.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}")]
pub struct Violation {
    /// What is wrong.
    pub what: String,
}

/// `Ok` if `holds`, else the violation.
pub(crate) fn ensure(holds: bool, what: impl FnOnce() -> String) -> Result<(), Violation> {
    if holds { Ok(()) } else { Err(Violation { what: what() }) }
}

/// What has become of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// No answer yet: it has been taken, and may be lost.
    Open,
    /// It has happened.
    Answered,
    /// It has not happened.
    Refused,
    /// Nobody will ever know, but by its effects.
    Maybe,
}

#[derive(Debug)]
struct Record {
    call: Call,
    /// The broker's time when it took the call.
    at_ms: u64,
    fate: Fate,
    /// Of an ended call: the broker's time then.
    ended_ms: u64,
    /// Whether it was not answered at once: the broker served it some time between `at_ms` and `ended_ms`.
    waited: bool,
    /// Of a receive: a message that it certainly can find.
    findable: Option<MessageId>,
    /// Of a send: the message that carries its body, as its id was at first.
    message: Option<MessageId>,
    /// Of a send: the message whose id it was told.
    told: Option<MessageId>,
    /// Of a receive: the leases that it was shown.
    shown: Vec<u64>,
    /// Of a receive attempt: the leases that it certainly gets again.
    again: Option<Vec<u64>>,
    /// When the owner lost its log that had taken the call: nothing of it happened later.
    deposed_ms: Option<u64>,
}

/// The judge of one run.
#[derive(Debug)]
pub struct Checker {
    queues: Vec<QueueSpec>,
    /// How each queue may be set.
    shapes: Vec<Shape>,
    calls: Vec<Record>,
    bodies: BTreeMap<String, CallId>,
    messages: BTreeMap<MessageId, Message>,
    /// All leases ever seen.
    leases: BTreeMap<u64, MessageId>,
    /// The calls without an answer.
    open: BTreeSet<CallId>,
    /// The receives from each queue whose outcome is not known: they may have leased anything.
    uncertain: BTreeMap<QueueIndex, BTreeSet<CallId>>,
    /// The purges of each queue, and the move tasks of each dead-letter queue.
    purges: BTreeMap<QueueIndex, Vec<CallId>>,
    moves: BTreeMap<QueueIndex, Vec<CallId>>,
    /// The sends of each group.
    groups: BTreeMap<(QueueIndex, u8), Vec<CallId>>,
    /// The sends with each deduplication id.
    same_id: BTreeMap<(QueueIndex, u32), Vec<CallId>>,
    /// The receives with each attempt id.
    attempts: BTreeMap<(QueueIndex, u32), Vec<CallId>>,
    /// What may have become of each schedule.
    timelines: Vec<Timeline>,
    /// The first call that the owner may have taken who has the log now.
    first_of_owner: CallId,
    /// The runs of each definition of a schedule, by when it was due.
    ticks: BTreeMap<(CallId, Option<u64>), Vec<CallId>>,
}

impl Checker {
    /// Of a run with these queues.
    pub fn new(queues: Vec<QueueSpec>) -> Checker {
        let shapes = queues.iter().map(|queue| Shape::new(&queue.settings())).collect();
        Checker {
            queues,
            shapes,
            calls: Vec::new(),
            bodies: BTreeMap::new(),
            messages: BTreeMap::new(),
            leases: BTreeMap::new(),
            open: BTreeSet::new(),
            uncertain: BTreeMap::new(),
            purges: BTreeMap::new(),
            moves: BTreeMap::new(),
            groups: BTreeMap::new(),
            same_id: BTreeMap::new(),
            attempts: BTreeMap::new(),
            timelines: (0..SCHEDULES).map(|_| Timeline::default()).collect(),
            first_of_owner: 0,
            ticks: BTreeMap::new(),
        }
    }

    /// The broker is about to take a call, at `now_ms`.
    pub fn called(&mut self, now_ms: u64, call: Call) -> CallId {
        let id = self.calls.len();
        let findable = match &call {
            Call::Receive(receiving) => self.receivable(receiving.queue, now_ms, false),
            _ => None,
        };
        let again = match &call {
            Call::Receive(receiving) => self.attempting(id, now_ms, receiving),
            _ => None,
        };
        match &call {
            Call::Send(sending) => self.sending_now(id, sending),
            Call::Delete(held) => self.deleting(id, now_ms, held),
            Call::Change(held, timeout_ms, remark) => {
                self.changing(id, now_ms, held, self.away_ms(now_ms, held, *timeout_ms, *remark));
                self.remarking(id, held, *remark);
            }
            Call::DeadLetter(held, says_why) => {
                self.changing(id, now_ms, held, 0);
                self.burying(id, held);
                self.remarking(id, held, if *says_why { Remark::Failed } else { Remark::Nothing });
            }
            Call::Purge(queue) => self.purging(id, *queue),
            Call::Move(queue, _) => self.moves.entry(*queue).or_default().push(id),
            Call::Receive(receiving) => {
                self.uncertain.entry(receiving.queue).or_default().insert(id);
            }
            Call::Set(queue, settings) => self.shapes[*queue].may_be(settings),
            Call::Remove(queue) => {
                self.purging(id, *queue);
                self.shapes[*queue].removed.push(id);
            }
            Call::Create(queue) => self.shapes[*queue].created.push(id),
            Call::Cancel(_) | Call::Schedule(..) => {}
        }
        self.scheduling(id, &call);
        self.open.insert(id);
        self.calls.push(Record { findable, again, ..Record::new(call, now_ms, Fate::Open) });
        id
    }

    /// A call that an owner takes which has lost its log: nothing of it ever happens.
    pub fn called_in_vain(&mut self, now_ms: u64, call: Call) -> CallId {
        let id = self.calls.len();
        if let Call::Send(sending) = &call {
            self.bodies.insert(sending.body.clone(), id);
        }
        self.calls.push(Record::new(call, now_ms, Fate::Refused));
        id
    }

    /// The owner that has taken this call has lost its log at `at_ms`, and does not know it: no answer for a while.
    pub fn deposed(&mut self, at_ms: u64, call: CallId) {
        self.calls[call].deposed_ms = Some(at_ms);
    }

    /// The client of a receive that waits has gone away. `at_rest`: nothing was under way,
    /// so it had got nothing.
    pub fn left(&mut self, now_ms: u64, call: CallId, at_rest: bool) {
        self.open.remove(&call);
        let record = &mut self.calls[call];
        record.fate = if at_rest { Fate::Refused } else { Fate::Maybe };
        record.ended_ms = now_ms;
        if let (Call::Receive(receiving), true) = (&record.call, at_rest) {
            self.uncertain.entry(receiving.queue).or_default().remove(&call);
        }
    }

    fn sending_now(&mut self, id: CallId, sending: &Sending) {
        self.bodies.insert(sending.body.clone(), id);
        if let Some(group) = sending.group {
            self.groups.entry((sending.queue, group)).or_default().push(id);
        }
        if let Some(dedup) = sending.dedup {
            self.same_id.entry((sending.queue, dedup)).or_default().push(id);
        }
    }

    /// The broker lets a receive wait.
    pub fn waits(&mut self, call: CallId) {
        self.calls[call].waited = true;
    }

    /// A client has been told this, the broker's time being `now_ms`.
    ///
    /// # Errors
    /// [`Violation`] where the answer can't be.
    pub fn answered(&mut self, now_ms: u64, call: CallId, answer: &Answer) -> Result<(), Violation> {
        let record = &mut self.calls[call];
        record.ended_ms = record.deposed_ms.map_or(now_ms, |at_ms| at_ms.min(now_ms));
        record.fate = match answer {
            Answer::Refused(_) => Fate::Refused,
            Answer::Unavailable => Fate::Maybe,
            Answer::Sent { .. } | Answer::Received(_) | Answer::Done => Fate::Answered,
        };
        self.open.remove(&call);
        if let (Call::Receive(receiving), true) = (&record.call, record.fate != Fate::Maybe) {
            self.uncertain.entry(receiving.queue).or_default().remove(&call);
        }
        self.schedule_answered(call, answer)?;
        match (self.calls[call].call.clone(), answer) {
            (_, Answer::Unavailable) => Ok(()),
            (Call::Schedule(..), Answer::Done | Answer::Refused(_)) => Ok(()),
            (Call::Send(Sending { tick: Some(_), .. }), Answer::Refused(Refusal::StaleRun)) => Ok(()),
            (asked, Answer::Refused(Refusal::NoSuchQueue)) => self.refused_queue(call, &asked),
            (Call::Send(sending), Answer::Sent { id, order }) => {
                self.check_there(call, sending.queue)?;
                self.sent(call, &sending, *id, *order)
            }
            (Call::Send(sending), Answer::Refused(Refusal::IdempotencyConflict)) => self.conflicts(call, &sending),
            (Call::Receive(receiving), Answer::Received(seen)) => {
                self.check_there(call, receiving.queue)?;
                self.received(call, &receiving, seen)
            }
            (Call::DeadLetter(held, _), Answer::Done) => self.buried(call, &held),
            (Call::DeadLetter(held, _), Answer::Refused(Refusal::NoSuchDestination)) => {
                self.nowhere_to_bury(call, &held)
            }
            (Call::Delete(held) | Call::Change(held, ..), Answer::Done) => self.lease_obeyed(call, &held),
            (Call::Delete(held) | Call::Change(held, ..) | Call::DeadLetter(held, _), Answer::Refused(why)) => {
                self.lease_refused(call, &held, why)
            }
            (Call::Purge(queue) | Call::Remove(queue) | Call::Set(queue, _), Answer::Done) => {
                self.check_there(call, queue)
            }
            (Call::Move(..) | Call::Create(_) | Call::Cancel(_), Answer::Done) => Ok(()),
            (Call::Move(..), Answer::Refused(Refusal::MoveRunning)) => Ok(()),
            (Call::Cancel(_), Answer::Refused(Refusal::MoveNotRunning | Refusal::NoSuchMove)) => Ok(()),
            (asked, Answer::Refused(why)) => self.refused_shape(call, &asked, why),
            (asked, told) => Err(Violation { what: format!("#{call}: {asked:?} was told {told:?}") }),
        }
    }

    /// Everything is durable and told, and time stands at `now_ms`: whoever still waits must have reason to.
    ///
    /// # Errors
    /// [`Violation`] where a receive waits although it should have been answered.
    pub fn quiet(&self, now_ms: u64) -> Result<(), Violation> {
        for id in &self.open {
            let record = &self.calls[*id];
            if record.deposed_ms.is_some() {
                continue;
            }
            ensure(record.waited, || format!("#{id} has no answer, though nothing is under way: {:?}", record.call))?;
            let Call::Receive(Receiving { queue, wait_ms, .. }) = &record.call else { continue };
            let deadline_ms = record.at_ms + wait_ms;
            ensure(now_ms < deadline_ms, || {
                format!("#{id} still waits at {now_ms}, though its wait ended at {deadline_ms}")
            })?;
            let there = self.receivable(*queue, now_ms, true);
            ensure(there.is_none(), || format!("#{id} waits at {now_ms}, though {there:?} is there for it"))?;
        }
        Ok(())
    }

    /// Everything that could be received has been received and deleted by `now_ms`.
    ///
    /// # Errors
    /// [`Violation`] where an acknowledged message was never seen again.
    pub fn finish(&self, now_ms: u64) -> Result<(), Violation> {
        for (id, message) in &self.messages {
            let expires_ms = self.expires_ms(message);
            let mut lives = self.messages.iter().filter(|(life, _)| life.after_redrives(0) == *id);
            let gone = lives.any(|(_, life)| self.perhaps_removed(life)) || expires_ms <= now_ms;
            ensure(!message.acknowledged || gone, || {
                format!("{id} was acknowledged by #{:?}, and is lost: {message:?}", message.candidates)
            })?;
            self.check_buried_found(*id, message, now_ms)?;
        }
        self.check_runs()
    }

    /// Clients have gone away, and with them their calls without an answer: those may have happened until `now_ms`.
    pub fn forget_waits(&mut self, now_ms: u64) {
        for call in std::mem::take(&mut self.open) {
            let record = &mut self.calls[call];
            (record.fate, record.ended_ms) = (Fate::Maybe, now_ms);
        }
    }

    /// A call.
    pub fn call(&self, call: CallId) -> Option<&Call> {
        self.calls.get(call).map(|record| &record.call)
    }

    /// Whether a lease was seen before.
    pub fn knows(&self, lease: u64) -> bool {
        self.leases.contains_key(&lease)
    }

    /// The messages that were seen or acknowledged.
    pub fn ids(&self) -> Vec<MessageId> {
        self.messages.keys().copied().collect()
    }

    /// The send that had this body.
    pub fn sending_of(&self, body: &str) -> Option<&Sending> {
        self.sending(*self.bodies.get(body)?)
    }

    /// A call, if it is a send.
    pub fn sending(&self, call: CallId) -> Option<&Sending> {
        match &self.calls.get(call)?.call {
            Call::Send(sending) => Some(sending),
            _ => None,
        }
    }

    /// How long the lease of a receive lasts: between these.
    fn lease_ms(&self, receiving: &Receiving) -> (u64, u64) {
        let of_queue = self.shapes[receiving.queue].visibility_ms;
        receiving.visibility_ms.map_or((of_queue.least, of_queue.most), |own_ms| (own_ms, own_ms))
    }
}

impl Record {
    fn new(call: Call, at_ms: u64, fate: Fate) -> Record {
        Record {
            call,
            at_ms,
            fate,
            ended_ms: 0,
            waited: false,
            findable: None,
            message: None,
            told: None,
            shown: Vec::new(),
            again: None,
            deposed_ms: None,
        }
    }
}

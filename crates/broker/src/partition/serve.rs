//! Serving those who wait, and what time brings.

use super::{Partition, waiters::Found};
use afterward_machine::{Command, Delivery, QueueId, Refusal, Reply};
use afterward_record::Beside;
use std::mem;

/// How long move tasks rest that are held, or said they were due and then did nothing.
const IDLE_MOVES_MS: u64 = 1_000;

/// Adds `queue` to a short list, once.
pub(super) fn note(queues: &mut Vec<QueueId>, queue: QueueId) {
    if !queues.contains(&queue) {
        queues.push(queue);
    }
}

/// What came of trying the first waiter of a queue.
enum Tried {
    /// It has its answer.
    Served,
    /// Nothing for it.
    Nothing,
}

impl Partition {
    /// Moves the state's time, and serves those whom this brings something before anybody else gets at it.
    pub(super) fn advance(&mut self, now_ms: u64) {
        self.state.advance(now_ms);
        self.serve();
    }

    /// Serves waiters wherever a message has become visible since the last call, in the batch that is pending.
    pub(super) fn serve(&mut self) {
        for queue in mem::take(&mut self.over_limit) {
            self.serve_queue(queue);
        }
        loop {
            self.release_held();
            // Dead-lettering on the way may wake further queues.
            let woken = self.state.take_woken();
            if woken.is_empty() {
                break;
            }
            for queue in woken {
                if self.state.is_receivable(queue) {
                    self.serve_queue(queue);
                }
            }
        }
        self.tell_due();
    }

    /// Lets go of what batches held whose last message has left. Were it too much for one round, [`Self::on_time`] goes on.
    fn release_held(&mut self) {
        if self.state.has_held_to_release() {
            // It is never refused.
            let _released = self.act(&Command::ReleaseHeld, 0, Beside::Nothing);
        }
    }

    /// Goes on where a receive had stopped at its bound of work.
    pub(super) fn go_on(&mut self) {
        for queue in mem::take(&mut self.unfinished) {
            self.serve_queue(queue);
        }
        self.serve();
    }

    fn serve_queue(&mut self, queue: QueueId) {
        while matches!(self.try_first(queue), Tried::Served) {
            if !self.state.is_receivable(queue) {
                break;
            }
        }
    }

    fn try_first(&mut self, queue: QueueId) -> Tried {
        let Some(command) = self.waiters.first(queue).map(|waiter| waiter.command.clone()) else {
            return Tried::Nothing;
        };
        let found = match self.act(&command, 0, Beside::Nothing) {
            Ok(Reply::Received { deliveries, .. }) if !deliveries.is_empty() => Ok(deliveries),
            Ok(Reply::Received { more: true, .. }) => {
                note(&mut self.unfinished, queue);
                return Tried::Nothing;
            }
            Ok(_) => return Tried::Nothing,
            Err(Refusal::OverLimit) => {
                note(&mut self.over_limit, queue);
                return Tried::Nothing;
            }
            Err(refusal) => Err(refusal),
        };
        self.answer_first(queue, found);
        Tried::Served
    }

    /// Answers the first waiter. If they have gone meanwhile, what was leased to them is there again for the next one.
    fn answer_first(&mut self, queue: QueueId, found: Found) {
        let answer = self.gated(found);
        let Some(waiter) = self.waiters.pop(queue) else { return };
        if let Err(unserved) = waiter.serve(answer)
            && let Some(Ok(deliveries)) = unserved.unseen()
            && let Command::Receive(receive) = &waiter.command
        {
            for Delivery { lease, .. } in deliveries {
                let back = Command::HandBack { queue: receive.queue.clone(), lease, timeout_ms: 0 };
                // It was leased a moment ago, and nobody else has the lease: it is not refused.
                let _handed_back = self.act(&back, 0, Beside::Nothing);
            }
        }
    }

    /// The queue is gone: nobody gets anything there any more.
    pub(super) fn refuse_waiters(&mut self, queue: QueueId) {
        while self.waiters.first(queue).is_some() {
            self.answer_first(queue, Err(Refusal::NoSuchQueue));
        }
    }

    /// One bounded round of the move tasks, if they are due.
    pub(super) fn run_moves(&mut self) {
        let now_ms = self.state.now_ms();
        let due = self.state.next_move_ms().is_some_and(|due_ms| due_ms <= now_ms);
        if !due || now_ms < self.moves_rest_until_ms {
            return;
        }
        if self.is_short {
            self.moves_rest_until_ms = now_ms + IDLE_MOVES_MS;
            return;
        }
        let before = self.commit.mark();
        let refused = self.act(&Command::RunMoves, 0, Beside::Nothing).is_err();
        if refused || self.commit.mark() == before {
            // It should not have been due. A rest, so that this can't become a spin.
            self.moves_rest_until_ms = now_ms + IDLE_MOVES_MS;
        }
        self.serve();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Content, open::open, partition::Receiving};
    use afterward_log::memory::MemoryLog;
    use afterward_machine::{
        AttributeChanges, CreateQueue, Event, MessageKey, Receive, RedrivePolicy, Send, SetAttributes, StartMove,
    };
    use afterward_names::{QueueAddress, QueueArn};
    use std::collections::BTreeMap;

    const NOW_MS: u64 = 1_700_000_000_000;

    fn receive(partition: &mut Partition, queue: &QueueAddress, wait_ms: u64) -> Receiving {
        let receive = Receive { queue: queue.clone(), max: 10, visibility_timeout_ms: None, attempt: None };
        partition.receive(partition.state.now_ms(), &receive, Some(wait_ms))
    }

    fn found(receiving: Receiving, partition: &mut Partition) -> Vec<afterward_machine::Delivery> {
        if let Some(outgoing) = partition.take_batch() {
            partition.committed(outgoing.expected + 1).unwrap().open();
        }
        match receiving {
            Receiving::Answered(answer) => answer.try_open().unwrap().unwrap().unwrap(),
            Receiving::Waiting(waiting) => waiting.try_open().unwrap().unwrap().unwrap(),
            Receiving::Again => panic!("it was little work"),
        }
    }

    /// A partition with a queue, and a message in it that is visible in a second.
    fn with_a_delayed_message() -> (Partition, QueueAddress) {
        let mut partition = open(&MemoryLog::default(), NOW_MS, [7; 32], Default::default()).unwrap();
        let queue = QueueAddress {
            account: "000000000000".parse().unwrap(),
            region: "us-east-1".parse().unwrap(),
            name: "q".parse().unwrap(),
        };
        let attributes = AttributeChanges::default();
        let create = CreateQueue { queue: queue.clone(), attributes, tags: BTreeMap::new(), cooldown: false };
        let _created = partition.submit(NOW_MS, 0, &Command::CreateQueue(create), Beside::Nothing);
        let send = Send {
            queue: queue.clone(),
            size_bytes: 1,
            delay_ms: Some(1_000),
            group: None,
            dedup: None,
            job: false,
            batch: None,
        };
        let content = Content {
            body: "x".into(),
            body_md5: [1; 16],
            attributes: Vec::new(),
            sender: "AIDTEST".into(),
            deduplication_id: None,
            trace_header: None,
        };
        let _sent = partition.submit(NOW_MS, 0, &Command::Send(send), Beside::Content(&content));
        (partition, queue)
    }

    /// The bug: while a flush hung, round after round was logged, and the thread never slept.
    #[test]
    fn moves_wait_while_too_much_is_pending_and_go_on_when_it_is_taken() {
        let (mut partition, queue) = with_a_delayed_message();
        let mut run = |command: Command| partition.act(&command, 0, Beside::Nothing).unwrap();
        let dead = QueueAddress { name: "dead".parse().unwrap(), ..queue.clone() };
        let create =
            |attributes| CreateQueue { queue: dead.clone(), attributes, tags: BTreeMap::new(), cooldown: false };
        run(Command::CreateQueue(create(AttributeChanges::default())));
        let redrive = RedrivePolicy { dead_letter_queue: QueueArn(dead.clone()), max_receive_count: 1 };
        let attributes = AttributeChanges { redrive: Some(Some(redrive)), ..AttributeChanges::default() };
        run(Command::SetAttributes(SetAttributes { queue: queue.clone(), attributes, expected_policy: None }));
        let send = Send {
            queue: dead.clone(),
            size_bytes: 1,
            delay_ms: None,
            group: None,
            dedup: None,
            job: false,
            batch: None,
        };
        run(Command::Send(send));
        run(Command::StartMove(StartMove { source: QueueArn(dead), destination: None, max_per_s: None }));
        let hangs = partition.take_batch().unwrap();
        let error = "e".repeat(1 << 20);
        while partition.room().is_none() {
            let failed =
                Event::VisibilityChanged { message: MessageKey::from_u64(u64::MAX), until_ms: 0, failure: true };
            partition.log(&failed, Beside::Error(&error));
        }
        let full = partition.commit.mark();
        for _ in 0..3 {
            partition.on_time(NOW_MS);
            assert_eq!(partition.commit.mark(), full);
            assert!(partition.next_wake_ms().is_none_or(|wake_ms| wake_ms > NOW_MS), "the thread sleeps");
        }
        partition.committed(hangs.expected + 1).unwrap().open();
        drop(partition.take_batch());
        assert_eq!(partition.next_wake_ms(), Some(NOW_MS));
        let before = partition.commit.mark();
        partition.on_time(NOW_MS);
        assert_ne!(partition.commit.mark(), before);
    }

    /// Connections are dropped on other threads, and without the partition's lock: also between the moment that a waiter is
    /// seen to be there and the one that its answer is handed over.
    #[test]
    fn what_is_leased_to_one_who_leaves_meanwhile_goes_to_the_next_as_never_received() {
        for others in [0, 1] {
            let (mut partition, queue) = with_a_delayed_message();
            let leaving = receive(&mut partition, &queue, 20_000);
            let id = partition.state.queue_at(&queue).unwrap().id;
            let next = (others > 0).then(|| receive(&mut partition, &queue, 20_000));
            // `advance`, with somebody who leaves in the middle of it.
            partition.state.advance(NOW_MS + 1_000);
            assert_eq!(partition.state.take_woken(), [id]);
            let command = partition.waiters.first(id).map(|waiter| waiter.command.clone()).unwrap();
            let Ok(Reply::Received { deliveries, .. }) = partition.act(&command, 0, Beside::Nothing) else { panic!() };
            assert_eq!(deliveries.len(), 1);
            drop(leaving);
            partition.answer_first(id, Ok(deliveries));
            partition.serve();

            let next = next.unwrap_or_else(|| receive(&mut partition, &queue, 0));
            let found = found(next, &mut partition);
            assert_eq!(found.len(), 1, "{others} others");
            assert_eq!(found[0].receive_count, 1, "{others} others");
        }
    }
}

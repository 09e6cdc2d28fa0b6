//! Serving those who wait, and what time brings.

use super::{Partition, waiters::Found};
use afterward_machine::{Command, QueueId, Refusal, Reply};
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

    fn answer_first(&mut self, queue: QueueId, found: Found) {
        let answer = self.gated(found);
        if let Some(waiter) = self.waiters.pop(queue) {
            waiter.serve(answer);
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
        if self.moves_are_held {
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

//! What a receipt handle can do. `queue` is where its lease was given, `at` where it is used.

use super::{Finished, HOUR_MS, Message, Model, Place, Told};
use afterward_machine::Refusal;
use afterward_names::QueueAddress;

impl Message {
    /// It is as if this lease had not been given.
    fn uncount(&mut self, lease: usize) {
        self.uncounted.push(lease);
        self.receive_count -= 1;
        if self.receive_count == 0 {
            self.first_received_ms = None;
        }
    }
}

impl Model {
    /// `done`: by one who has done what it asks for.
    pub(crate) fn delete(&mut self, at: &QueueAddress, queue: u32, lease: usize, done: bool) -> Result<Told, Refusal> {
        let Some(message) = self.of_lease(at, queue, lease)? else { return Ok(Told::Done) };
        match message.place {
            Place::Leased { lease: holder, .. } if holder == Some(lease) => {}
            _ if self.queue(queue).is_fifo() => return Err(Refusal::LeaseExpired),
            // Somebody else holds it, or it was handed back for later.
            Place::Leased { .. } => return Ok(Told::Done),
            Place::Visible { .. } | Place::Delayed { .. } | Place::Held { .. } => {}
        }
        if message.job && message.source.is_none() {
            let (receive_count, finished_ms) = (message.receive_count, self.now_ms);
            self.finished.push(Finished { message: message.number, receive_count, finished_ms, queue, done });
        }
        self.remove(message.number);
        Ok(Told::Done)
    }

    pub(crate) fn change(
        &mut self,
        at: &QueueAddress,
        queue: u32,
        lease: usize,
        timeout_ms: u64,
        failure: bool,
    ) -> Result<Told, Refusal> {
        let message = self.held(at, queue, lease)?;
        let until_ms = self.now_ms + timeout_ms;
        if until_ms - message.received_ms > 12 * HOUR_MS {
            return Err(Refusal::LeaseTooLong);
        }
        self.attempts.retain(|attempt| !attempt.leases.contains(&lease));
        let message = self.message_mut(message.number);
        message.failed |= failure;
        message.place = Place::Leased { until_ms, lease: Some(lease) };
        Ok(Told::Done)
    }

    /// A change of visibility by one that has not begun the message: it is as if it had not been received by this lease.
    pub(crate) fn hand_back(
        &mut self,
        at: &QueueAddress,
        queue: u32,
        lease: usize,
        timeout_ms: u64,
    ) -> Result<Told, Refusal> {
        let told = self.change(at, queue, lease, timeout_ms, false)?;
        let (number, until_ms) = (self.held(at, queue, lease)?.number, self.now_ms + timeout_ms);
        let message = self.message_mut(number);
        message.place = Place::Leased { until_ms, lease: None };
        message.uncount(lease);
        Ok(told)
    }

    /// The same by one who could not give the message to anybody: also when the lease is over, as long as there is no other.
    pub(crate) fn take_back(
        &mut self,
        at: &QueueAddress,
        queue: u32,
        lease: usize,
        timeout_ms: u64,
    ) -> Result<Told, Refusal> {
        let told = self.hand_back(at, queue, lease, timeout_ms);
        if matches!(told, Err(Refusal::NotInFlight | Refusal::LeaseExpired))
            && let Some(message) = self.of_lease(at, queue, lease)?
            && matches!(message.place, Place::Visible { .. })
            && message.leases.last() == Some(&lease)
            && !message.uncounted.contains(&lease)
        {
            self.message_mut(message.number).uncount(lease);
            return Ok(Told::Done);
        }
        told
    }

    /// Whoever holds it gives it up, however often it was received.
    pub(crate) fn dead_letter(
        &mut self,
        at: &QueueAddress,
        queue: u32,
        lease: usize,
        failure: bool,
    ) -> Result<Told, Refusal> {
        let number = self.held(at, queue, lease)?.number;
        let from = self.known(at)?;
        let (dead, _) = self.dead_letters_of(&from).ok_or(Refusal::NoSuchDestination)?;
        self.end_lease(number, self.now_ms);
        self.message_mut(number).failed |= failure;
        self.bury(&from, number, dead);
        Ok(Told::Done)
    }

    /// The message that a lease holds.
    fn held(&self, at: &QueueAddress, queue: u32, lease: usize) -> Result<Message, Refusal> {
        let message = self.of_lease(at, queue, lease)?.ok_or(Refusal::NotInFlight)?;
        match message.place {
            Place::Leased { lease: holder, .. } if holder == Some(lease) => Ok(message),
            _ if self.queue(queue).is_fifo() => Err(Refusal::LeaseExpired),
            _ => Err(Refusal::NotInFlight),
        }
    }

    /// The message that a lease was given on, if it is still where it was then.
    fn of_lease(&self, at: &QueueAddress, queue: u32, lease: usize) -> Result<Option<Message>, Refusal> {
        if self.known(at)?.number != queue {
            return Err(Refusal::LeaseOfAnotherQueue);
        }
        Ok(self.messages.iter().find(|message| message.leases.contains(&lease)).cloned())
    }
}

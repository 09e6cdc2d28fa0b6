//! One receiver that waits and one sender that sends now and then, only while the receiver waits: how long after the
//! sender began is the message there?

use super::{Load, Reading, Times};
use crate::sqs::Expect;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

/// From one send to the next.
const REST: Duration = Duration::from_millis(5);

/// What the two know of each other.
#[derive(Default)]
struct Meeting {
    waiting: Cell<bool>,
    /// When the send of each message began, by its number.
    began: RefCell<Vec<Option<Instant>>>,
    sending: Cell<bool>,
}

impl Load {
    /// Delivers for a window of time. A delivery's time runs from the beginning of its send to its arrival; `before` is
    /// how long the sends took until they were acknowledged.
    pub async fn long_poll(&self, times: Times) -> Reading {
        let meeting = Rc::new(Meeting { sending: Cell::new(true), ..Meeting::default() });
        let worker = |at| {
            let (load, meeting) = (self.clone(), meeting.clone());
            async move {
                match at {
                    0 => load.waiter(&meeting).await,
                    _ => load.occasional_sender(&meeting).await,
                }
            }
        };
        self.window(times, (0..2).map(worker)).await
    }

    async fn waiter(self, meeting: &Meeting) {
        let mut client = self.client();
        client.receives(1, 2, None);
        let mut delivered = Vec::new();
        while meeting.sending.get() || self.outstanding() > 0 && !self.gives_up() {
            meeting.waiting.set(true);
            let received = client.receive(self.ledger(), &mut delivered).await;
            let now = Instant::now();
            meeting.waiting.set(false);
            if let Err(error) = received {
                self.failed(&error);
                continue;
            }
            for message in &delivered {
                let number = message.number.map_or(usize::MAX, |number| number as usize);
                if let Some(Some(began)) = meeting.began.borrow().get(number) {
                    self.count(1, now - *began);
                }
                if let Err(error) = client.delete(&message.receipt).await {
                    self.failed(&error);
                }
            }
        }
    }

    fn gives_up(&self) -> bool {
        self.ledger().borrow().failures() >= super::ENOUGH_FAILURES
    }

    async fn occasional_sender(self, meeting: &Meeting) {
        let mut client = self.client();
        while !self.is_over() {
            tokio::time::sleep(REST).await;
            if !meeting.waiting.get() {
                continue;
            }
            let began = Instant::now();
            // Entered before the send: the message may be there before its acknowledgement.
            meeting.began.borrow_mut().resize(self.ledger().borrow().next_number() as usize + 1, Some(began));
            match client.send(self.ledger(), Expect::Broker).await {
                Ok(_) => self.0.before.borrow_mut().add(began.elapsed()),
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
        meeting.sending.set(false);
    }
}

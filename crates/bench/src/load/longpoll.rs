//! One receiver that waits and one sender that sends now and then, only while the receiver waits: how long after its
//! acknowledgement is a message there? And the same sender where nobody waits, to hold that against.
//!
//! An acknowledgement counts from when the sender has its response, a delivery from when the receiver has its own. Which
//! of the two comes first is the server's choice: a message that is there before its acknowledgement took no time.

use super::{Load, Phase, Reading, Times};
use crate::{latency::Latency, sqs::Expect};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    time::{Duration, Instant},
};

/// From one send to the next.
pub const REST: Duration = Duration::from_millis(5);
/// How long the receiver's request is under way before it is taken to wait.
const SETTLED: Duration = Duration::from_millis(2);

/// What the two know of each other.
struct Meeting {
    /// Since when the receiver waits, if it does.
    waiting: Cell<Option<Instant>>,
    /// The course of each message, by its number.
    courses: RefCell<Vec<Course>>,
    is_sending: Cell<bool>,
}

/// What became of a message, and when.
#[derive(Debug, Clone, Copy, Default)]
struct Course {
    /// When its send began, if that was within the counted time.
    began: Option<Instant>,
    acknowledged: Option<Instant>,
    delivered: Option<Instant>,
}

/// What a window of such sends showed.
#[derive(Debug, Clone)]
pub struct Deliveries {
    /// The sends: how long each took until its acknowledgement.
    pub sends: Reading,
    /// From the acknowledgement to the delivery; 0 where the delivery was first.
    pub after: Latency,
    /// From the beginning of the send to the delivery.
    pub whole: Latency,
}

impl Meeting {
    fn new() -> Meeting {
        Meeting { waiting: Cell::new(None), courses: RefCell::default(), is_sending: Cell::new(true) }
    }

    fn waits(&self) -> bool {
        self.waiting.get().is_some_and(|since| since.elapsed() >= SETTLED)
    }

    fn note(&self, number: u32, enter: impl FnOnce(&mut Course)) {
        let (mut courses, at) = (self.courses.borrow_mut(), number as usize);
        if courses.len() <= at {
            courses.resize(at + 1, Course::default());
        }
        enter(&mut courses[at]);
    }

    fn deliveries(&self, sends: Reading) -> Deliveries {
        let mut deliveries = Deliveries { sends, after: Latency::default(), whole: Latency::default() };
        for course in self.courses.borrow().iter() {
            if let Course { began: Some(began), acknowledged: Some(acknowledged), delivered: Some(delivered) } = course
            {
                deliveries.after.add(delivered.saturating_duration_since(*acknowledged));
                deliveries.whole.add(delivered.saturating_duration_since(*began));
            }
        }
        deliveries
    }
}

impl Load {
    /// Delivers for a window of time.
    pub async fn long_poll(&self, times: Times) -> Deliveries {
        let meeting = Rc::new(Meeting::new());
        let worker = |at| {
            let (load, meeting) = (self.clone(), meeting.clone());
            async move {
                match at {
                    0 => load.waiter(&meeting).await,
                    _ => load.occasional_sender(&meeting).await,
                }
            }
        };
        let sends = self.window(times, (0..2).map(worker)).await;
        meeting.deliveries(sends)
    }

    /// Sends as [`Load::long_poll`] does, to a queue where nobody waits.
    pub async fn occasional_sends(&self, times: Times) -> Deliveries {
        let meeting = Rc::new(Meeting::new());
        meeting.waiting.set(Some(Instant::now()));
        let (load, its) = (self.clone(), meeting.clone());
        let sends = self.window(times, [async move { load.occasional_sender(&its).await }]).await;
        meeting.deliveries(sends)
    }

    async fn waiter(self, meeting: &Meeting) {
        let mut client = self.client();
        client.receives(1, 2, None);
        let mut delivered = Vec::new();
        while meeting.is_sending.get() || self.outstanding() > 0 && !self.gives_up() {
            meeting.waiting.set(Some(Instant::now()));
            let received = client.receive(self.ledger(), &mut delivered).await;
            let now = Instant::now();
            meeting.waiting.set(None);
            if let Err(error) = received {
                self.failed(&error);
                continue;
            }
            for message in &delivered {
                if let Some(number) = message.number {
                    meeting.note(number, |course| course.delivered = Some(now));
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
            if !meeting.waits() {
                continue;
            }
            let is_counted = self.0.phase.get() == Phase::Counted;
            let began = Instant::now();
            match client.send(self.ledger(), Expect::Broker).await {
                Ok(number) => {
                    let acknowledged = Instant::now();
                    self.count(1, acknowledged - began);
                    meeting.note(number, |course| {
                        course.began = is_counted.then_some(began);
                        course.acknowledged = Some(acknowledged);
                    });
                }
                Err(error) => {
                    self.failed(&error);
                }
            }
        }
        meeting.is_sending.set(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_counts_from_its_acknowledgement_and_never_less_than_nothing() {
        let (meeting, start) = (Meeting::new(), Instant::now());
        let at = |ms| Some(start + Duration::from_millis(ms));
        for (number, began, acknowledged, delivered) in [
            (0, at(0), at(10), at(13)),
            (1, at(0), at(10), at(4)),
            // Sent while nothing was counted, and never delivered.
            (2, None, at(10), at(90)),
            (3, at(0), at(10), None),
        ] {
            meeting.note(number, |course| *course = Course { began, acknowledged, delivered });
        }
        let deliveries = meeting.deliveries(Reading::default());
        let near = |ms: f64, expected: f64| assert!((ms - expected).abs() <= expected * 0.02, "{ms} for {expected}");
        assert_eq!((deliveries.after.count(), deliveries.whole.count()), (2, 2));
        near(deliveries.after.quantile_ms(0.5), 0.0);
        near(deliveries.after.quantile_ms(1.0), 3.0);
        near(deliveries.whole.quantile_ms(0.5), 4.0);
        near(deliveries.whole.quantile_ms(1.0), 13.0);
    }
}

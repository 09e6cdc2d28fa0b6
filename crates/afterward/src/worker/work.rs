//! The worker's loop: begin what the floor admits, receive while there is room, until the end.
//!
//! Invariants:
//! - A message is received only while a slot is free. Those that have to wait for something else give their slots back
//!   ([`floor`](super::floor)).
//! - A stop begins no further receive. Those under way get [`LAST_RECEIVE`] to bring what the queue is handing out just
//!   then, which is handled; after that they are dropped, and what is given back stays out of their reach
//!   ([`reach`](super::reach)).

use super::{
    Summary,
    empty::Search,
    floor::{Ask, Entry, GiveBack, ToDo},
    run::Running,
    stop::Wishes,
    summary::Ended,
};
use crate::{Delivery, Receive, Source, SourceError, pass::pass, sqs::retry::Backoff};
use std::{pin::Pin, time::Duration};
use tokio::{
    sync::watch,
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until},
};
use tracing::Instrument;

/// How long a receive waits: SQS's own limit.
const WAIT: Duration = Duration::from_secs(20);
/// The waits between receives while the source is away.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(10);
/// How long receives may go on after a stop: a busy queue answers by then, and an idle one has nothing to lose.
const LAST_RECEIVE: Duration = Duration::from_millis(500);
/// A stop that may take longer may take for ever.
const LONGEST_STOP: Duration = Duration::from_secs(365 * 86_400);
/// How long handing back may take after the deadline of a stop.
const HAND_BACK: Duration = Duration::from_secs(5);

/// What a receive came to.
type Received = (Ask, Result<Vec<Entry>, SourceError>);

/// A worker at work.
pub(super) struct Work<'a, S> {
    running: &'a Running<S>,
    lease: Duration,
    wishes: watch::Receiver<Wishes>,
    receives: JoinSet<Received>,
    attempts: JoinSet<Option<Ended>>,
    ended: Summary,
    backoff: Backoff,
    /// Before this, the source is left alone.
    receive_from: Option<Instant>,
    /// The source has answered once: what it refuses now, it may grant again.
    answered: bool,
    refused: Option<SourceError>,
    /// For a worker that stops when its queue is empty.
    search: Option<Search>,
    phase: Phase,
}

/// How far the end is.
#[derive(Clone, Copy)]
enum Phase {
    Working,
    /// Messages in hand come to their end, until the deadline; receives until before.
    Stopping {
        receives_until: Instant,
        deadline: Instant,
    },
    /// What is in hand is given back.
    HandingBack {
        until: Instant,
    },
    Over,
}

impl<'a, S: Source> Work<'a, S> {
    pub(super) fn new(running: &'a Running<S>, lease: Duration, wishes: watch::Receiver<Wishes>) -> Work<'a, S> {
        let mut work = Work {
            running,
            lease,
            wishes,
            receives: JoinSet::new(),
            attempts: JoinSet::new(),
            ended: Summary::default(),
            backoff: Backoff::new(RETRY_FIRST, RETRY_LONGEST),
            receive_from: None,
            answered: false,
            refused: None,
            search: running.until_empty.then(Search::default),
            phase: Phase::Working,
        };
        work.obey();
        work
    }

    pub(super) async fn until(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) {
        loop {
            self.begin_admitted();
            // Attempts that end together should be refilled together.
            pass().await;
            if self.is_working() && is_ready(stop.as_mut()).await {
                self.stop();
            }
            while let Some(ended) = self.attempts.try_join_next() {
                self.count(ended);
            }
            self.begin_receives();
            if self.is_working() && self.has_seen_all_while_paused() {
                self.stop();
            }
            let working = self.is_working();
            if !working && self.is_over() {
                return;
            }
            let timer = self.next_timer();
            tokio::select! {
                biased;
                () = &mut stop, if working => self.stop(),
                // Before what was received: what is paused begins nothing more.
                Ok(()) = self.wishes.changed(), if working => self.obey(),
                Some(received) = self.receives.join_next() => self.received(received),
                () = self.running.floor.changed() => {}
                () = self.running.shared.keeper.lost() => self.running.floor.let_go_of_lost(),
                Some(ended) = self.attempts.join_next(), if !working || self.search.is_some() => self.count(ended),
                () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => self.tick().await,
            }
        }
    }

    /// How the attempts ended, and what the source refused if the worker could not work at all.
    pub(super) fn outcome(self) -> (Summary, Option<SourceError>) {
        (self.ended, self.refused)
    }

    fn is_working(&self) -> bool {
        matches!(self.phase, Phase::Working)
    }

    fn count(&mut self, ended: Result<Option<Ended>, JoinError>) {
        if let Some(search) = &mut self.search {
            search.ended();
        }
        match ended {
            Ok(Some(ended)) => self.ended.count(Some(ended)),
            Ok(None) => {}
            Err(_) => self.ended.count(None),
        }
    }

    fn is_over(&self) -> bool {
        let nothing_left = self.receives.is_empty() && !self.is_busy();
        nothing_left || matches!(self.phase, Phase::Over)
    }

    /// Whether something is in hand.
    fn is_busy(&self) -> bool {
        !(self.attempts.is_empty() && self.running.floor.is_clear())
    }

    /// Whether something is in hand that comes to its end by itself.
    fn is_in_motion(&self) -> bool {
        !(self.attempts.is_empty() && self.running.floor.is_still())
    }

    /// Whether a worker that stops when its queue is empty is paused and has nothing in hand: it looks no more.
    fn has_seen_all_while_paused(&self) -> bool {
        let idle = self.receives.is_empty() && !self.is_busy();
        self.search.is_some() && idle && self.running.floor.is_paused()
    }

    /// Begins what may be begun, and gives back what can't wait here.
    fn begin_admitted(&mut self) {
        let ToDo { begin, give_back } = self.running.floor.to_do();
        for admitted in begin {
            let shared = self.running.shared.clone();
            let span = shared.span(admitted.hand());
            let attempt = async move { shared.attempt(admitted).await };
            self.attempts.spawn(attempt.instrument(span));
        }
        for GiveBack { entry, away } in give_back {
            let shared = self.running.shared.clone();
            let span = shared.span(&entry.hand);
            let giving = async move { shared.give_back(&entry.hand, away).await };
            self.attempts.spawn(giving.instrument(span));
        }
    }

    /// Begins as many receives as there is room for.
    fn begin_receives(&mut self) {
        if self.receive_from.is_some_and(|from| Instant::now() < from) {
            return;
        }
        self.receive_from = None;
        // Whoever looks whether a queue is empty does not wait for messages.
        let wait = if self.search.is_some() { Duration::ZERO } else { WAIT };
        while self.may_look()
            && let Some(asked) = self.running.floor.ask()
        {
            let busy = self.is_in_motion();
            if let Some(search) = &mut self.search {
                search.look(busy);
            }
            self.running.shared.reach.begin(wait);
            let (shared, lease) = (self.running.shared.clone(), self.lease);
            let ask = Receive::new(asked.count, wait, lease);
            self.receives.spawn(async move {
                let received = shared.source.receive(ask).await;
                let now = Instant::now();
                let in_hand = |deliveries: Vec<Delivery>| {
                    deliveries.into_iter().map(|delivery| shared.entry(delivery, now, lease)).collect()
                };
                (asked, received.map(in_hand))
            });
        }
    }

    fn may_look(&self) -> bool {
        self.search.as_ref().is_none_or(|search| search.may_look(!self.receives.is_empty()))
    }

    /// A receive has ended.
    fn received(&mut self, received: Result<Received, JoinError>) {
        let reach = &self.running.shared.reach;
        let (asked, received) = match received {
            Ok(received) => received,
            Err(dropped) => {
                if dropped.is_panic() {
                    reach.break_off();
                    self.failed_to_receive(SourceError::Unavailable("the receive panicked".into()));
                }
                return;
            }
        };
        match received {
            Ok(entries) => {
                reach.end();
                self.answered = true;
                self.backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
                let found = !entries.is_empty();
                asked.answered(entries);
                let busy = self.is_in_motion();
                if self.search.as_mut().is_some_and(|search| search.looked(found, busy)) && self.is_working() {
                    self.stop();
                }
            }
            Err(error) => {
                if matches!(error, SourceError::Unavailable(_)) {
                    reach.break_off()
                } else {
                    reach.end()
                }
                drop(asked);
                self.failed_to_receive(error);
            }
        }
    }

    fn failed_to_receive(&mut self, error: SourceError) {
        if matches!(error, SourceError::Refused(_)) && !self.answered {
            self.refused = Some(error);
            return self.stop();
        }
        // Receives that fail together count as one.
        if self.receive_from.is_none() {
            let wait = self.backoff.wait();
            tracing::warn!(queue = %self.running.shared.surroundings.queue, %error, ?wait, "nothing received: trying again");
            self.receive_from = Some(Instant::now() + wait);
        }
    }

    /// Does what handles have asked for.
    fn obey(&mut self) {
        let wishes = self.wishes.borrow_and_update();
        let Running { shared, floor, .. } = self.running;
        for name in wishes.paused_types.iter().filter(|name| shared.router.place_of(name).is_none()) {
            shared.warn_once(name, || {
                tracing::warn!(name, "to be paused, but no handler is for messages of this type alone")
            });
        }
        let places = wishes.paused_types.iter().filter_map(|name| shared.router.place_of(name)).collect();
        if wishes.pause {
            shared.reach.close()
        } else {
            shared.reach.open()
        }
        floor.set_paused(wishes.pause, &places);
    }

    fn stop(&mut self) {
        let (now, within) = (Instant::now(), self.running.stop_within);
        let deadline = now.checked_add(within).unwrap_or(now + LONGEST_STOP);
        self.phase = Phase::Stopping { receives_until: now + LAST_RECEIVE.min(within), deadline };
        self.running.shared.reach.close();
        self.running.floor.stop(deadline);
    }

    fn next_timer(&self) -> Option<Instant> {
        let own = match self.phase {
            Phase::Working => self.receive_from,
            Phase::Stopping { receives_until, .. } if !self.receives.is_empty() => Some(receives_until),
            Phase::Stopping { deadline, .. } => Some(deadline),
            Phase::HandingBack { until } => Some(until),
            Phase::Over => None,
        };
        [own, self.running.floor.next_timer()].into_iter().flatten().min()
    }

    async fn tick(&mut self) {
        let now = Instant::now();
        match self.phase {
            Phase::Stopping { receives_until, .. } if now >= receives_until && !self.receives.is_empty() => {
                self.receives.abort_all();
                while let Some(received) = self.receives.join_next().await {
                    self.received(received);
                }
            }
            Phase::Stopping { deadline, .. } if now >= deadline => {
                let messages = self.running.shared.keeper.hands().len();
                tracing::warn!(messages, "the deadline has passed: handing back what is not done");
                self.phase = Phase::HandingBack { until: now + HAND_BACK };
                self.running.floor.clear();
                for hand in self.running.shared.keeper.hands() {
                    hand.interrupt();
                }
            }
            Phase::HandingBack { until } if now >= until => {
                let messages = self.attempts.len();
                tracing::warn!(messages, "gave up handing back: these come again when their leases end");
                self.phase = Phase::Over;
            }
            _ => {}
        }
    }
}

/// Whether a future is ready by now.
async fn is_ready(mut future: Pin<&mut impl Future<Output = ()>>) -> bool {
    std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready())).await
}

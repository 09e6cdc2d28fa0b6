//! The worker's loop: begin what the floor admits, receive while there is room, until the end.
//!
//! Invariants:
//! - A message is received only into a slot that is free. Those that have to wait for something else give their slots back
//!   ([`floor`](super::floor)).
//! - A stop begins no further receive. Those under way get [`LAST_RECEIVE`] to bring what the queue is handing out just
//!   then, which is handled; after that they are dropped, and what is given back stays out of their reach ([`Reach`]).

use super::{
    Event, JobInfo, Policy, Route, Summary, Unknown,
    attempt::{fetch, work},
    context::Surroundings,
    empty::Search,
    event::Hooks,
    floor::{Admitted, Entry, Floor, GiveBack, ToDo},
    hand::Hand,
    handler::Peek,
    keeper::Keeper,
    lease::Lease,
    limit::{Key, Limit},
    reach::Reach,
    redrive,
    router::{Destination, Router},
    schedule::Registered,
    settle::Settling,
    stop::{Stop, Wishes},
    summary::Ended,
};
use crate::{Delivery, Error, Receive, Redrive, Source, SourceError, sqs::retry::Backoff};
use std::{
    collections::BTreeSet,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
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
/// How long handing back may take after the deadline of a stop.
const HAND_BACK: Duration = Duration::from_secs(5);
/// The lease to ask for from a queue that gives none (a visibility timeout of 0).
const LEASE_OF_NONE: Duration = Duration::from_secs(30);

/// What all attempts of a worker have in common.
pub(super) struct Shared<S> {
    pub(super) source: Arc<S>,
    pub(super) surroundings: Arc<Surroundings>,
    pub(super) keeper: Arc<Keeper>,
    pub(super) router: Router,
    pub(super) schedules: Registered,
    /// The way to all handlers, through the layers around them.
    pub(super) route: Route,
    /// How each place's messages are treated, and what limits them, by the limits' numbers.
    pub(super) policies: Vec<Policy>,
    /// How messages are treated that don't get as far as to a handler.
    pub(super) policy: Policy,
    pub(super) limits: Vec<Limit>,
    pub(super) limits_of: Vec<Vec<usize>>,
    pub(super) unknown: Unknown,
    pub(super) hooks: Hooks,
    pub(super) reach: Reach,
    pub(super) known_redrive: redrive::Known,
    pub(super) warned: Mutex<BTreeSet<String>>,
}

/// A worker about to work.
pub(super) struct Running<S> {
    pub(super) shared: Arc<Shared<S>>,
    pub(super) floor: Arc<Floor>,
    pub(super) visibility_timeout: Option<Duration>,
    pub(super) stop_within: Duration,
    /// Stops when the queue has nothing more to hand out.
    pub(super) until_empty: bool,
}

impl<S: Source> Shared<S> {
    pub(super) async fn redrive(&self) -> Option<Redrive> {
        self.known_redrive.get(&*self.source).await
    }

    pub(super) fn info(&self, hand: &Hand) -> JobInfo {
        JobInfo {
            queue: self.surroundings.queue.as_ref().to_owned(),
            message_id: hand.delivery.id.clone(),
            message_type: hand.message_type().map(str::to_owned),
            attempt: hand.delivery.receive_count,
            group: hand.delivery.group.clone(),
        }
    }

    /// Warns of something the first time.
    pub(super) fn warn_once(&self, of: &str, warn: impl FnOnce()) {
        /// More kinds of warnings than this are not remembered, nor given.
        const KINDS: usize = 1000;
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() < KINDS && warned.insert(of.to_owned()) {
            warn();
        }
    }

    /// Takes a delivery in hand.
    fn entry(&self, delivery: Delivery, received_at: Instant, lease: Duration) -> Entry {
        let whole = self.source.is_whole(&delivery);
        let hand = Arc::new(Hand::new(delivery, Lease::new(received_at, lease)));
        self.keeper.keep(hand.clone());
        if !whole {
            return Entry::new(hand, Destination::Unread, Vec::new());
        }
        hand.read(None);
        let (destination, claims) = self.way(&hand);
        Entry::new(hand, destination, claims)
    }

    /// Where a message goes that has been read, and what limits it.
    fn way(&self, hand: &Hand) -> (Destination, Vec<(usize, Key)>) {
        let destination = self.router.destination(hand, &self.schedules);
        let Destination::Handler(place) = destination else { return (destination, Vec::new()) };
        let claim = |number: &usize| (*number, self.limits[*number].key(&Peek(hand)));
        (destination, self.limits_of[place].iter().map(claim).collect())
    }

    /// Makes an attempt at a message, and settles it; `None`, when it has only been read.
    async fn attempt(&self, mut admitted: Admitted) -> Option<Ended> {
        let (hand, destination) = (admitted.hand().clone(), admitted.destination());
        let settling = Settling { shared: self, hand: &hand };
        let ended = match destination {
            Destination::Handler(place) => match self.missed(&hand, place).await {
                Some(why) => settling.missed(&why).await,
                None => settling.after(work(self, &hand, place).await, &self.policies[place]).await,
            },
            Destination::Orphan => settling.orphan().await,
            Destination::Nobody => settling.nobodys().await,
            Destination::Later => settling.for_later_versions().await,
            Destination::Unread => match fetch(self, &hand).await {
                Ok(body) => {
                    hand.read(body);
                    let (destination, claims) = self.way(&hand);
                    admitted.read(destination, claims);
                    return None;
                }
                Err(ending) => settling.after(ending, &self.policy).await,
            },
        };
        self.keeper.release(&hand);
        if ended.is_gone() {
            admitted.is_gone();
        }
        Some(ended)
    }

    /// Why the message is a tick that is not to be run, if it is one.
    async fn missed(&self, hand: &Hand, place: usize) -> Option<String> {
        let schedule = self.schedules.at(place)?;
        // Not to know the time is no reason to run late what would be skipped, nor the other way round: then it runs.
        let now = self.source.now().await.ok()?;
        self.schedules.missed(hand, schedule, now)
    }

    /// Has the ticks of this worker's schedules sent for as long as it works.
    async fn keep_schedules(self: Arc<Self>) {
        let failed = |schedule: &str, error: &SourceError| {
            tracing::warn!(schedule, %error, "a tick could not be sent");
            self.hooks.tell(&Event::ScheduleFailed { schedule: schedule.to_owned(), error: error.to_string() });
        };
        self.source.keep_schedules(self.schedules.all(), failed).await;
    }

    async fn give_back(&self, hand: &Hand, limited: bool) -> Option<Ended> {
        let settling = Settling { shared: self, hand };
        let ended = if limited { settling.hand_back_limited().await } else { settling.hand_back().await };
        self.keeper.release(hand);
        Some(ended)
    }

    fn span(&self, hand: &Hand) -> tracing::Span {
        tracing::info_span!(
            "message",
            queue = %self.surroundings.queue,
            message_id = %hand.delivery.id,
            message_type = hand.message_type(),
            attempt = hand.delivery.receive_count,
        )
    }
}

impl<S: Source> Running<S> {
    /// Works until asked to stop, then sees the messages in hand to their end.
    pub(super) async fn until(self, stop: Stop) -> Result<Summary, Error> {
        let wishes = stop.wishes();
        let mut stop = pin!(stop.requested());
        let lease = tokio::select! {
            biased;
            () = &mut stop => return Ok(Summary::default()),
            lease = self.begin() => lease?,
        };
        self.floor.set_max_receives(self.shared.redrive().await.map(|redrive| redrive.max_receive_count));
        let queue = &self.shared.surroundings.queue;
        tracing::info!(%queue, ?lease, "the worker has started");
        let mut keepers = JoinSet::new();
        keepers.spawn(self.shared.keeper.clone().run(self.shared.source.clone()));
        if !self.shared.schedules.all().is_empty() {
            keepers.spawn(self.shared.clone().keep_schedules());
        }
        let mut work = Work::new(&self, lease, wishes);
        work.until(stop).await;
        let summary = work.ended;
        tracing::info!(%queue, ?summary, "the worker has stopped");
        work.refused.map_or(Ok(summary), |refusal| Err(refusal.into()))
    }

    /// Learns how long leases are, and puts the schedules in their place.
    async fn begin(&self) -> Result<Duration, SourceError> {
        let lease = match self.visibility_timeout {
            Some(set) => set,
            None => self.insist(|| self.shared.source.visibility_timeout()).await?,
        };
        let schedules = self.shared.schedules.all();
        if !schedules.is_empty() {
            self.insist(|| self.shared.source.put_schedules(schedules)).await?;
        }
        Ok(if lease.is_zero() { LEASE_OF_NONE } else { lease })
    }

    /// Asks the source until it answers.
    async fn insist<T, F: Future<Output = Result<T, SourceError>>>(
        &self,
        ask: impl Fn() -> F,
    ) -> Result<T, SourceError> {
        let mut backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
        loop {
            match ask().await {
                Err(error @ SourceError::Unavailable(_)) => {
                    let wait = backoff.wait();
                    let queue = &self.shared.surroundings.queue;
                    tracing::warn!(%queue, %error, ?wait, "the queue does not answer: trying again");
                    tokio::time::sleep(wait).await;
                }
                answer => return answer,
            }
        }
    }
}

/// What a receive that asked for so many came to.
type Received = (usize, Result<Vec<Entry>, SourceError>);

/// A worker at work.
struct Work<'a, S> {
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
    fn new(running: &'a Running<S>, lease: Duration, wishes: watch::Receiver<Wishes>) -> Work<'a, S> {
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

    async fn until(&mut self, mut stop: Pin<&mut impl Future<Output = ()>>) {
        loop {
            self.begin_admitted();
            // Attempts that end together should be refilled together.
            tokio::task::yield_now().await;
            if self.is_working() && is_ready(stop.as_mut()).await {
                self.stop();
            }
            while let Some(ended) = self.attempts.try_join_next() {
                self.count(ended);
            }
            self.begin_receives();
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
                Some(received) = self.receives.join_next() => self.received(received.ok()),
                () = self.running.floor.changed() => {}
                Some(ended) = self.attempts.join_next(), if !working || self.search.is_some() => self.count(ended),
                () = sleep_until(timer.unwrap_or_else(Instant::now)), if timer.is_some() => self.tick().await,
            }
        }
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

    /// Begins what may be begun, and gives back what can't wait here.
    fn begin_admitted(&mut self) {
        let ToDo { begin, give_back } = self.running.floor.to_do();
        for admitted in begin {
            let shared = self.running.shared.clone();
            let span = shared.span(admitted.hand());
            let attempt = async move { shared.attempt(admitted).await };
            self.attempts.spawn(attempt.instrument(span));
        }
        for GiveBack { entry, limited } in give_back {
            let shared = self.running.shared.clone();
            let span = shared.span(&entry.hand);
            let giving = async move { shared.give_back(&entry.hand, limited).await };
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
            && let Some(count) = self.running.floor.ask()
        {
            let busy = self.is_busy();
            if let Some(search) = &mut self.search {
                search.look(busy);
            }
            self.running.shared.reach.begin(wait);
            let (shared, lease) = (self.running.shared.clone(), self.lease);
            let ask = Receive::new(count, wait, lease);
            self.receives.spawn(async move {
                let received = shared.source.receive(ask).await;
                let now = Instant::now();
                let in_hand = |deliveries: Vec<Delivery>| {
                    deliveries.into_iter().map(|delivery| shared.entry(delivery, now, lease)).collect()
                };
                (count, received.map(in_hand))
            });
        }
    }

    fn may_look(&self) -> bool {
        self.search.as_ref().is_none_or(|search| search.may_look(!self.receives.is_empty()))
    }

    /// A receive has ended; `None`: it was dropped.
    fn received(&mut self, received: Option<Received>) {
        let Some((asked, received)) = received else { return };
        let (floor, reach) = (&self.running.floor, &self.running.shared.reach);
        match received {
            Ok(entries) => {
                reach.end();
                self.answered = true;
                self.backoff = Backoff::new(RETRY_FIRST, RETRY_LONGEST);
                let found = !entries.is_empty();
                floor.received(asked, entries);
                let busy = self.is_busy();
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
                floor.received(asked, Vec::new());
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
        self.phase = Phase::Stopping { receives_until: now + LAST_RECEIVE.min(within), deadline: now + within };
        self.running.shared.reach.close();
        self.running.floor.stop();
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
                    self.received(received.ok());
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

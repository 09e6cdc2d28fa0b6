//! What all attempts of a worker have in common, and what becomes of a delivery in its hands.
//!
//! A delivery is taken in hand, found its way to a handler, attempted and settled. Who begins which attempt when is the
//! [`work`](super::work)'s and the [`floor`](super::floor)'s.

use super::{
    Event, JobInfo, Policy, Route, Unknown,
    attempt::{Ending, fetch, work},
    context::Surroundings,
    event::Hooks,
    floor::{Admitted, Entry},
    hand::Hand,
    handler::Peek,
    keeper::Keeper,
    lease::Lease,
    limit::{Key, Limit},
    reach::Reach,
    redrive,
    router::{Destination, Router},
    schedule::{Registered, TICK, Tick},
    settle::Settling,
    summary::Ended,
};
use crate::{Delivery, Redrive, Source, SourceError, envelope::Envelope};
use std::{
    collections::BTreeSet,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

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
    /// Whether receive counts are attempts ([`Source::counts_attempts`]).
    pub(super) counts_attempts: AtomicBool,
    pub(super) warned: Mutex<BTreeSet<String>>,
}

impl<S: Source> Shared<S> {
    pub(super) async fn redrive(&self) -> Option<Redrive> {
        self.known_redrive.get(&*self.source).await
    }

    pub(super) fn info(&self, hand: &Hand) -> JobInfo {
        JobInfo {
            queue: self.surroundings.queue.as_ref().to_owned(),
            message_id: hand.delivery.id.clone(),
            message_type: hand.message_type().map(str::to_owned).or_else(|| type_of_unread(hand)),
            attempt: hand.delivery.receive_count,
            group: hand.delivery.group.clone(),
            schedule: schedule_of(hand),
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
    pub(super) fn entry(&self, delivery: Delivery, received_at: Instant, lease: Duration) -> Entry {
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

    /// Makes an attempt at a message, and settles it; `None`, when it has only been read. In a place of its own: a task that is
    /// begun is moved about a few times, with all that is in it.
    pub(super) fn attempt(&self, admitted: Admitted) -> Pin<Box<impl Future<Output = Option<Ended>> + Send>> {
        Box::pin(self.attempt_at(admitted))
    }

    async fn attempt_at(&self, mut admitted: Admitted) -> Option<Ended> {
        let (hand, destination) = (admitted.hand().clone(), admitted.destination());
        let holding = self.keeper.holding(&hand);
        let settling = Settling { shared: self, hand: &hand };
        if hand.lease().lost {
            // While it waited here. Whoever has it now works on it.
            return Some(Ended::HandedBack);
        }
        // Every message has a future of this one's size: what few of them need is put elsewhere.
        let ended = match destination {
            Destination::Handler(place) => self.handle(&settling, &mut admitted, place).await,
            Destination::Orphan => Box::pin(settling.orphan()).await,
            Destination::Nobody => Box::pin(settling.nobodys()).await,
            Destination::Later => Box::pin(settling.for_later_versions()).await,
            Destination::Unread => match Box::pin(fetch(self, &hand)).await {
                Ok(body) => {
                    hand.read(body);
                    let (destination, claims) = self.way(&hand);
                    admitted.read(destination, claims);
                    holding.goes_on();
                    return None;
                }
                Err(Ending::GivenUp) => Box::pin(settling.hand_back()).await,
                Err(ending) => Box::pin(settling.after(ending, &self.policy)).await,
            },
        };
        if ended.is_gone() {
            admitted.is_gone();
        }
        Some(ended)
    }

    async fn handle(&self, settling: &Settling<'_, S>, admitted: &mut Admitted, place: usize) -> Ended {
        let hand = admitted.hand().clone();
        if self.schedules.at(place).is_some()
            && let Some(why) = Box::pin(self.missed(&hand, place)).await
        {
            return Box::pin(settling.missed(&why)).await;
        }
        self.keeper.begin(&hand);
        let policy = &self.policies[place];
        let had = hand.delivery.receive_count.saturating_sub(1);
        if self.counts_attempts.load(Ordering::Relaxed) && policy.max_attempts.is_some_and(|most| had >= most) {
            return Box::pin(settling.cut_short(policy)).await;
        }
        let ending = work(self, &hand, place).await;
        if matches!(ending, Ending::Done) {
            admitted.finish();
        }
        settling.after(ending, policy).await
    }

    /// Why the message is a tick that is not to be run, if it is one.
    async fn missed(&self, hand: &Hand, place: usize) -> Option<String> {
        let schedule = self.schedules.at(place)?;
        // Not to know the time is no reason to run late what would be skipped, nor the other way round: then it runs.
        let now = self.source.now().await.ok()?;
        self.schedules.missed(hand, schedule, now)
    }

    /// Has the ticks of this worker's schedules sent for as long as it works.
    pub(super) async fn keep_schedules(self: Arc<Self>) {
        let failed = |schedule: &str, error: &SourceError| {
            tracing::warn!(schedule, %error, "a tick could not be sent");
            self.hooks.tell(&Event::ScheduleFailed { schedule: schedule.to_owned(), error: error.to_string() });
        };
        self.source.keep_schedules(self.schedules.all(), failed).await;
    }

    /// Gives a message back that was not begun; `away`: it should not come again sooner.
    pub(super) async fn give_back(&self, hand: &Hand, away: Option<Duration>) -> Option<Ended> {
        let _holding = self.keeper.holding(hand);
        let settling = Settling { shared: self, hand };
        Some(match away {
            Some(wait) => settling.send_away(wait).await,
            None => settling.hand_back().await,
        })
    }

    pub(super) fn span(&self, hand: &Hand) -> tracing::Span {
        // Of the level of the gravest event in it: where warnings are all that is logged, they still say what they are about.
        tracing::error_span!(
            "message",
            queue = %self.surroundings.queue,
            message_id = %hand.delivery.id,
            message_type = hand.message_type(),
            attempt = hand.delivery.receive_count,
        )
    }
}

/// What a message is that could not be read whole, as far as its body says.
fn type_of_unread(hand: &Hand) -> Option<String> {
    Envelope::open(&hand.delivery.body).map(|envelope| envelope.message_type.to_string())
}

/// The name of the schedule whose tick a message is, if it is one.
pub(super) fn schedule_of(hand: &Hand) -> Option<String> {
    let is_tick = hand.message_type() == Some(TICK);
    is_tick.then(|| hand.payload().and_then(Tick::read)).flatten().map(|tick| tick.name)
}

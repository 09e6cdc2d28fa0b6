//! What callers and the partition's thread share: the partition under its lock, and the signals between them.

use crate::{
    OpenError, Settings, Unavailable, assist,
    clock::SteadyClock,
    contents::Recent,
    metrics::Counters,
    partition::{Gate, Gated, Partition},
    random::Random,
};
use afterward_log::{Epoch, Log};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::AtomicBool},
    time::Duration,
};

pub(crate) struct Shared {
    pub(crate) log: Arc<dyn Log>,
    pub(crate) clock: SteadyClock,
    pub(crate) settings: Settings,
    pub(crate) counters: Arc<Counters>,
    pub(crate) recent: Mutex<Recent>,
    /// Opens when the partition's thread has ended.
    pub(crate) ended: Gate,
    pub(crate) inner: Mutex<Inner>,
    /// What the thread parks on.
    pub(crate) wake: Condvar,
    /// The log's room runs out, and somebody has been told so.
    pub(crate) short_of_room: AtomicBool,
}

/// What is under the lock.
pub(crate) struct Inner {
    pub(crate) status: Status,
    pub(crate) random: Random,
    pub(crate) ending: Option<Ending>,
    /// Receives don't wait any more.
    pub(crate) no_waits: bool,
    /// Set while the thread is parked: until when, at the longest.
    pub(crate) parked_until_ms: Option<u64>,
    /// The thread compacts, and shares the log between that and the batches: nobody else appends.
    pub(crate) compacting: bool,
    /// The thread waits for the batch of somebody else to land.
    pub(crate) tell_landing: bool,
    /// What is pending is the thread's to commit: no assistant will come for it, or one has left it.
    pub(crate) due: bool,
    /// The last append took long.
    pub(crate) is_slow: bool,
    /// How many have called since the last batch was taken.
    pub(crate) calls: u32,
    /// How many had called for that one.
    pub(crate) last_calls: u32,
    /// What assistants have appended since the thread last looked.
    pub(crate) assisted_bytes: u64,
    /// What was live when it looked.
    pub(crate) looked_live_bytes: u64,
    /// Opens when a partition that is down serves again, or never will: for those who wait for that, if anybody does.
    pub(crate) back: Option<Gate>,
    /// How soon a failed partition is brought back: sooner again once something was appended.
    pub(crate) retry: Duration,
}

pub(crate) enum Status {
    Serving(Box<Partition>),
    /// Until it is replayed, or for good.
    Down {
        why: Unavailable,
        for_good: bool,
    },
}

/// How the thread shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Once everything pending is durable.
    Flushed,
    /// Now: nobody is left to tell.
    AtOnce,
}

/// What a call works with while it has the lock.
pub(crate) struct Entry<'a> {
    pub(crate) partition: &'a mut Partition,
    pub(crate) random: &'a mut Random,
    pub(crate) now_ms: u64,
    pub(crate) may_wait: bool,
}

/// How an attempt to enter went.
enum Entered<T, F> {
    Done(T),
    /// Wait here, then try again.
    Full(F, Gated<()>),
}

impl Shared {
    /// The lock. A call that panicked under it may have left half a change: then the partition is dropped and
    /// replayed, as after a failed append.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(|poisoned| {
            self.inner.clear_poison();
            let mut inner = poisoned.into_inner();
            let why =
                Unavailable::because("a call failed half-way because of a bug in Afterward; the state is rebuilt");
            tracing::error!(reason = %why, "the partition is dropped and replayed");
            if let Some(partition) = inner.go_down(why.clone(), false) {
                partition.failed(why).open();
            }
            inner.parked_until_ms = None;
            self.wake.notify_one();
            inner
        })
    }

    /// Runs `call` under the lock, as soon as there is room for what it may log.
    pub(crate) async fn enter<T>(&self, call: impl FnOnce(Entry<'_>) -> T) -> Result<T, Unavailable> {
        let mut call = call;
        loop {
            match self.try_enter(call)? {
                Entered::Done(value) => return Ok(value),
                Entered::Full(again, room) => {
                    call = again;
                    room.await?;
                }
            }
        }
    }

    fn try_enter<T, F: FnOnce(Entry<'_>) -> T>(&self, call: F) -> Result<Entered<T, F>, Unavailable> {
        let mut inner = self.lock();
        let Inner { status, random, ending, no_waits, calls, .. } = &mut *inner;
        if ending.is_some() {
            return Err(Unavailable::because("the server is stopping"));
        }
        let partition = match status {
            Status::Serving(partition) => partition,
            Status::Down { why, .. } => return Err(why.clone()),
        };
        let entered = match partition.room() {
            Some(room) => Entered::Full(call, room),
            None => {
                *calls += 1;
                let now_ms = self.clock.now_ms();
                Entered::Done(call(Entry { partition, random, now_ms, may_wait: !*no_waits }))
            }
        };
        let wake = inner.thread_has_to_know(self);
        drop(inner);
        if wake {
            self.wake.notify_one();
        }
        Ok(entered)
    }

    /// Gets the thread to look again.
    pub(crate) fn nudge(&self) {
        self.lock().parked_until_ms = None;
        self.wake.notify_one();
    }

    /// Waits until the partition serves.
    pub(crate) async fn serving(&self) -> Result<(), Unavailable> {
        let back = {
            let mut inner = self.lock();
            match &inner.status {
                _ if inner.ending.is_some() => return Err(Unavailable::because("the server is stopping")),
                Status::Serving(_) => return Ok(()),
                Status::Down { why, for_good: true } => return Err(why.clone()),
                Status::Down { for_good: false, .. } => inner.back.get_or_insert_default().clone(),
            }
        };
        Gated::new((), Some(back)).await
    }

    /// Takes the partition down because the log's bytes are wrong: for good, and loudly.
    pub(crate) fn corrupt(&self, error: &OpenError) -> Unavailable {
        let why = Unavailable::because(error.to_string());
        tracing::error!(reason = %why, "the partition is stopped, because its log is damaged");
        self.fail(why.clone(), true);
        why
    }

    /// Drops the partition; everybody who waits is told `why`.
    pub(crate) fn fail(&self, why: Unavailable, for_good: bool) {
        let dropped = {
            let mut inner = self.lock();
            if for_good {
                inner.tell_back(Err(why.clone()));
            }
            inner.go_down(why.clone(), for_good)
        };
        self.drop_partition(dropped, why);
    }

    /// Drops the partition of `epoch`, for it to be replayed; one that came after it stays.
    pub(crate) fn fail_epoch(&self, epoch: Epoch, why: Unavailable) {
        let dropped = {
            let mut inner = self.lock();
            match &inner.status {
                Status::Serving(partition) if partition.epoch() == epoch => inner.go_down(why.clone(), false),
                _ => return,
            }
        };
        tracing::warn!(reason = %why, "the partition is dropped and replayed");
        self.drop_partition(dropped, why);
    }

    /// A large state takes a while to drop: not under the lock.
    fn drop_partition(&self, dropped: Option<Box<Partition>>, why: Unavailable) {
        if let Some(partition) = dropped {
            partition.failed(why).open();
        }
        self.recent().clear();
        self.nudge();
    }

    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Takes the partition out.
    pub(crate) fn go_down(&mut self, why: Unavailable, for_good: bool) -> Option<Box<Partition>> {
        let for_good = for_good || matches!(self.status, Status::Down { for_good: true, .. });
        match std::mem::replace(&mut self.status, Status::Down { why, for_good }) {
            Status::Serving(partition) => Some(partition),
            Status::Down { .. } => None,
        }
    }

    /// Tells those who wait for the partition to serve again how that went.
    pub(crate) fn tell_back(&mut self, outcome: Result<(), Unavailable>) {
        if let Some(back) = self.back.take() {
            back.open(outcome);
        }
    }

    /// Whether the thread is parked for longer than the partition can wait. Once told, it isn't told again.
    fn thread_has_to_know(&mut self, shared: &Shared) -> bool {
        let Status::Serving(partition) = &self.status else { return false };
        if partition.is_pending() && (self.compacting || !assist::call(shared)) {
            self.due = true;
        }
        let Some(until_ms) = self.parked_until_ms else { return false };
        let tell = self.due || partition.next_wake_ms().is_some_and(|wake_ms| wake_ms < until_ms);
        if tell {
            self.parked_until_ms = None;
        }
        tell
    }
}

//! The partition's thread: it flushes, fires timers, compacts, and brings the partition back after a failed append.
//!
//! Group commit needs no waiting and no tuning: while one batch is being flushed, the next gathers, and is taken the
//! moment the flush returns. The lock is held only to decide what to do next; appending, reading and waking callers
//! happen without it.

use crate::{
    OpenError, Unavailable,
    contents::traced,
    open::open,
    partition::{Outgoing, Release, compact::Compactor},
    shared::{Ending, Inner, Shared, Status},
};
use afterward_log::Epoch;
use std::{
    mem,
    sync::{Arc, MutexGuard, atomic::Ordering::Relaxed},
    time::Duration,
};

/// How soon a failed partition is brought back, at first and at the most.
pub(crate) const FIRST_RETRY: Duration = Duration::from_millis(100);
const LAST_RETRY: Duration = Duration::from_secs(5);
/// The longest sleep before a planned wake-up: a clock that is set forward is noticed within this time.
const LONGEST_NAP: Duration = Duration::from_secs(5);
/// How much compaction looks at while it runs, for each byte that others append: the log grows by a third of itself, at the
/// most, before the pass is through. It is paid with each batch, and is little for a small one, that nobody waits for long.
const COMPACT_PER_BYTE: u64 = 3;
const COMPACT_PER_BATCH_BYTES: u64 = 16 << 10;
/// How much it looks at for each byte by which less is live: a pass starts when a third is, and is half through before a tenth
/// is. A batch that deletes much pays for no more than this, for others wait meanwhile.
const COMPACT_PER_FREED_BYTE: u64 = 6;
const MOST_COMPACTED_PER_BATCH_BYTES: u64 = 8 << 20;

/// What to do next, without the lock.
enum Work {
    Append(Epoch, Outgoing),
    Compact,
    Reopen,
    /// Let callers go, then look again.
    Release,
}

struct Worker<'a> {
    shared: &'a Shared,
    compactor: Compactor,
    /// How much compaction has to look at before the next batch is taken.
    compact_first_bytes: u64,
    /// What was live when the last batch was taken, and by how much that was less than at the one before.
    live_bytes: u64,
    freed_bytes: u64,
    /// Callers to let go as soon as the lock is free.
    release: Release,
}

/// Runs until the broker stops or is dropped.
pub(crate) fn run(shared: &Arc<Shared>) {
    let _farewell = Farewell(shared);
    let compactor = Compactor::new(shared.settings.clone());
    let mut worker = Worker {
        shared,
        compactor,
        compact_first_bytes: 0,
        live_bytes: 0,
        freed_bytes: 0,
        release: Release::default(),
    };
    while let Some(work) = worker.next() {
        mem::take(&mut worker.release).open();
        match work {
            Work::Append(epoch, outgoing) => worker.append(epoch, outgoing),
            Work::Compact => worker.compact(),
            Work::Reopen => worker.reopen(),
            Work::Release => {}
        }
    }
    worker.release.open();
}

/// Sleeps until `wake_ms`, or until somebody has something.
fn park<'a>(shared: &'a Shared, mut inner: MutexGuard<'a, Inner>, wake_ms: Option<u64>) -> MutexGuard<'a, Inner> {
    inner.parked_until_ms = Some(wake_ms.unwrap_or(u64::MAX));
    let woken = match wake_ms.and_then(|wake_ms| shared.clock.until(wake_ms)) {
        Some(nap) => shared.wake.wait_timeout(inner, nap.min(LONGEST_NAP)).map(|(inner, _)| inner).ok(),
        None => shared.wake.wait(inner).ok(),
    };
    // Poisoned: a call panicked meanwhile. Locking anew deals with that.
    woken.unwrap_or_else(|| shared.lock())
}

/// Tells everybody that the thread has ended, however it did.
struct Farewell<'a>(&'a Shared);

impl Drop for Farewell<'_> {
    fn drop(&mut self) {
        let reason = match std::thread::panicking() {
            true => "the partition's thread has ended because of a bug in Afterward; restart the server",
            false => "the server has stopped",
        };
        self.0.fail(Unavailable::because(reason), true);
        self.0.ended.open(Ok(()));
    }
}

impl Worker<'_> {
    /// Decides what to do; parks while there is nothing. `None`: end.
    fn next(&mut self) -> Option<Work> {
        let shared = self.shared;
        let mut inner = shared.lock();
        loop {
            inner.parked_until_ms = None;
            inner.compacting = self.compactor.is_running();
            inner.assisted_bytes = 0;
            let Inner { status, ending, compacting, tell_landing, due, calls, last_calls, looked_live_bytes, .. } =
                &mut *inner;
            let ending = *ending;
            let partition = match status {
                _ if ending == Some(Ending::AtOnce) => return None,
                Status::Serving(partition) => partition,
                Status::Down { .. } if ending.is_some() => return None,
                Status::Down { for_good: false, .. } => return Some(Work::Reopen),
                Status::Down { for_good: true, .. } => {
                    inner = park(shared, inner, None);
                    continue;
                }
            };
            *looked_live_bytes = partition.live_bytes();
            partition.run_short(shared.log.shortage().is_some());
            let now_ms = shared.clock.now_ms();
            if partition.next_wake_ms().is_some_and(|wake_ms| wake_ms <= now_ms) {
                partition.on_time(now_ms);
                *due |= partition.is_pending();
            }
            if partition.is_in_flight() && (ending.is_some() || *compacting) {
                if !self.release.is_empty() {
                    return Some(Work::Release);
                }
                *tell_landing = true;
                inner = park(shared, inner, None);
                continue;
            }
            // What compaction writes would be pending in its turn: an end does not wait for a pass.
            if ending.is_none() && self.compact_first_bytes > 0 && self.compactor.has_work() {
                return Some(Work::Compact);
            }
            // What else gathers is the assistants'.
            if (*due || *compacting || ending.is_some())
                && let Some(outgoing) = partition.take_batch()
            {
                // Taking it may have written definitions, for which nobody calls.
                (*due, *last_calls) = (partition.is_pending(), mem::take(calls));
                let live_bytes = partition.live_bytes();
                self.freed_bytes = mem::replace(&mut self.live_bytes, live_bytes).saturating_sub(live_bytes);
                if ending.is_none() {
                    *compacting = self.compactor.start_if_due(partition, &*self.shared.log);
                }
                return Some(Work::Append(partition.epoch(), outgoing));
            }
            if ending.is_some() {
                return None;
            }
            if !self.release.is_empty() {
                return Some(Work::Release);
            }
            if self.compactor.is_running() {
                return Some(Work::Compact);
            }
            if self.compactor.start_if_due(partition, &*self.shared.log) {
                continue;
            }
            let wake_ms = partition.next_wake_ms();
            inner = park(shared, inner, wake_ms);
        }
    }

    fn append(&mut self, epoch: Epoch, outgoing: Outgoing) {
        let bytes = outgoing.batch.payload.len() as u64;
        if let Some(landed) = self.shared.append(epoch, outgoing) {
            if self.compactor.is_running() {
                let by_others = bytes.saturating_sub(self.compactor.take_written_bytes());
                let for_freed = (COMPACT_PER_FREED_BYTE * self.freed_bytes).min(MOST_COMPACTED_PER_BATCH_BYTES);
                self.compact_first_bytes = COMPACT_PER_BATCH_BYTES.max(COMPACT_PER_BYTE * by_others).max(for_freed);
            }
            self.release = landed;
        }
    }

    /// One step of compaction.
    fn compact(&mut self) {
        if let Err(error) = self.compact_step() {
            self.compactor.abandon();
            if let Status::Serving(partition) = &self.shared.lock().status {
                self.compactor.put_off(partition);
            }
            let error = traced(&*self.shared.log, error);
            if error.is_corruption() {
                self.shared.corrupt(&error);
            } else {
                tracing::warn!(%error, "compaction is put off, because the log could not be read");
            }
        }
    }

    fn compact_step(&mut self) -> Result<(), OpenError> {
        let log = &*self.shared.log;
        self.compactor.prepare(log)?;
        let (epoch, trim) = {
            let mut inner = self.shared.lock();
            let Status::Serving(partition) = &mut inner.status else { return Ok(()) };
            let now_ms = self.shared.clock.now_ms();
            // While nobody waits, it goes on by whole steps.
            let most_bytes = if self.compact_first_bytes > 0 { self.compact_first_bytes } else { u64::MAX };
            let looked_at = self.compactor.forward_up_to(partition, now_ms, most_bytes)?;
            self.compact_first_bytes = self.compact_first_bytes.saturating_sub(looked_at.max(1));
            (partition.epoch(), self.compactor.trim(partition))
        };
        if let Some(up_to) = trim
            && let Err(error) = log.trim(epoch, up_to)
        {
            self.shared.append_failed(epoch, &error);
            return Ok(());
        }
        if let Status::Serving(partition) = &self.shared.lock().status {
            self.compactor.finish(partition, log);
        }
        Ok(())
    }

    /// Waits a while, then replays the log; if that fails, the next time waits longer.
    fn reopen(&mut self) {
        let compacted = self.compactor.is_running();
        self.compactor = Compactor::new(self.shared.settings.clone());
        let retry = self.shared.lock().retry;
        self.rest(retry);
        let secret = {
            let mut inner = self.shared.lock();
            inner.retry = (retry * 2).min(LAST_RETRY);
            if inner.ending.is_some() {
                return;
            }
            inner.random.block()
        };
        let Shared { log, clock, counters, .. } = self.shared;
        match open(&**log, clock.now_ms(), secret, counters.clone()) {
            Ok(partition) => {
                clock.not_before(partition.state().now_ms());
                if compacted {
                    // Perhaps it was what it wrote that could not be appended.
                    self.compactor.put_off(&partition);
                }
                let mut inner = self.shared.lock();
                if matches!(inner.status, Status::Down { for_good: true, .. }) {
                    // Meanwhile somebody has read what is damaged.
                    return;
                }
                counters.reopened.fetch_add(1, Relaxed);
                inner.status = Status::Serving(Box::new(partition));
                inner.tell_back(Ok(()));
                drop(inner);
                tracing::info!("the partition is back");
            }
            Err(error) if error.is_corruption() => {
                self.shared.corrupt(&error);
            }
            Err(error) => {
                let reason = format!("{error}. Calls are refused until the log can be written again");
                tracing::warn!(reason, "the partition could not be brought back yet");
                self.shared.lock().go_down(Unavailable::because(reason), false);
            }
        }
    }

    /// Sleeps in real time, whatever the clock, unless the broker ends.
    fn rest(&self, rest: Duration) {
        let inner = self.shared.lock();
        let slept = self.shared.wake.wait_timeout_while(inner, rest, |inner| inner.ending.is_none());
        drop(slept);
    }
}

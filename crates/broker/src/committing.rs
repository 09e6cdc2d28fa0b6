//! Committing: a batch is taken, appended without the lock, and landed, by the partition's thread or by an assistant.

use crate::{
    Unavailable,
    partition::{Outgoing, Release},
    shared::{Inner, Shared, Status},
    thread::FIRST_RETRY,
};
use afterward_log::{AppendError, Epoch};
use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

/// For the sake of so many calls, in this batch and the one before, a thread interrupts serving others to flush. One batch
/// alone does not tell: where several callers keep coming, a flush here for the first two makes all of the others wait for
/// it, and then has them come by twos, too.
const FEW_CALLS: u32 = 2;

/// From a disk that took longer for its last flush, the next one is not waited for on a thread that serves.
const SLOW: Duration = Duration::from_millis(2);

/// After so much appended by others, or let go of, the partition's thread looks whether there is something to compact.
const LOOK_EVERY_BYTES: u64 = 4 << 20;

impl Shared {
    /// The turn of an assistant: everybody who was ready has done what they came for. A batch of few is committed here
    /// and now, for handing it over would take longer than the flush; a batch of many by the partition's thread, while
    /// more of them come in here.
    pub(crate) fn assist(&self) {
        let outgoing = {
            let mut inner = self.lock();
            let Inner { status, calls, last_calls, compacting, due, parked_until_ms, is_slow, .. } = &mut *inner;
            let Status::Serving(partition) = status else { return };
            if !partition.is_pending() {
                return;
            }
            let here = *calls + *last_calls <= FEW_CALLS && !*is_slow && !*compacting;
            if !here || partition.is_in_flight() {
                *due = true;
                let parked = !partition.is_in_flight() && parked_until_ms.take().is_some();
                drop(inner);
                if parked {
                    self.wake.notify_one();
                }
                return;
            }
            *last_calls = std::mem::take(calls);
            partition.run_short(self.log.shortage().is_some());
            let outgoing = partition.take_batch().map(|outgoing| (partition.epoch(), outgoing));
            // Taking it may have written definitions, for which no assistant is called.
            *due |= partition.is_pending();
            outgoing
        };
        let Some((epoch, outgoing)) = outgoing else { return };
        let panicking = Unfinished(self, epoch);
        let bytes = outgoing.batch.payload.len() as u64;
        let landed = self.append(epoch, outgoing);
        std::mem::forget(panicking);
        if let Some(release) = landed {
            release.open();
            self.count_assisted(bytes);
        }
    }

    /// Appends a batch that was taken; `None` if that failed, and the partition with it. Where the partition has been dropped
    /// meanwhile, everybody who waits for this batch has been told, and the one that came after is not concerned: it has an
    /// epoch of its own.
    pub(crate) fn append(&self, epoch: Epoch, Outgoing { expected, batch }: Outgoing) -> Option<Release> {
        let payload = batch.payload.clone();
        let began = Instant::now();
        let position = match self.log.append(epoch, expected, batch) {
            Ok(position) => position,
            Err(error) => {
                self.append_failed(epoch, &error);
                return None;
            }
        };
        let is_slow = began.elapsed() > SLOW;
        // Before anybody can ask for what is in it. It is what the log has there, whoever owns it by now.
        self.recent().push(position, payload);
        self.counters.batches.fetch_add(1, Relaxed);
        let mut inner = self.lock();
        let Inner { status, retry, is_slow: was_slow, tell_landing, due, parked_until_ms, .. } = &mut *inner;
        let partition = match status {
            Status::Serving(partition) if partition.epoch() == epoch => partition,
            _ => return None,
        };
        (*retry, *was_slow) = (FIRST_RETRY, is_slow);
        let tell = (std::mem::take(tell_landing) || *due) && parked_until_ms.take().is_some();
        let landed = partition.committed(position);
        drop(inner);
        if tell {
            self.wake.notify_one();
        }
        landed.map_err(|why| self.fail_epoch(epoch, why)).ok()
    }

    pub(crate) fn append_failed(&self, epoch: Epoch, error: &AppendError) {
        let reason = format!("{error}. Calls are refused until the log can be written again");
        self.fail_epoch(epoch, Unavailable::because(reason));
    }

    fn count_assisted(&self, bytes: u64) {
        let mut inner = self.lock();
        inner.assisted_bytes += bytes;
        let live_bytes = match &inner.status {
            Status::Serving(partition) => partition.live_bytes(),
            Status::Down { .. } => return,
        };
        let freed_bytes = inner.looked_live_bytes.saturating_sub(live_bytes);
        // Where room runs out, every delete may be the one that makes a pass pay.
        if inner.assisted_bytes + freed_bytes < LOOK_EVERY_BYTES && self.log.shortage().is_none() {
            return;
        }
        drop(inner);
        self.nudge();
    }
}

/// Dropped when an append panics: nobody knows then what of the batch is durable.
struct Unfinished<'a>(&'a Shared, Epoch);

impl Drop for Unfinished<'_> {
    fn drop(&mut self) {
        let reason = "an append failed half-way because of a bug in Afterward; the state is rebuilt";
        self.0.fail_epoch(self.1, Unavailable::because(reason));
    }
}

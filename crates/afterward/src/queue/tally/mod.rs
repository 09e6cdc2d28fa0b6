//! Batches with a completion message where the endpoint knows none: kept by the library itself, in a FIFO queue beside the work
//! queue, the *tally queue*.
//!
//! The messages there are [tallies](record): each says of one batch, which is their message group, which jobs there are
//! (*announced*), which are over (*ended*), and which messages wait for it. Knowledge only grows, and to unite it is idempotent
//! and commutative; so tallies may be repeated, reordered and merged at will.
//!
//! - **Who enqueues** jobs announces them first, by a tally that is acknowledged before the jobs are sent. `then` sends a tally
//!   with the completion, and once more with all that its `Batch` has announced.
//! - **A worker** that is finished with a job for good tells its end, with all that the job's handler has announced, before it
//!   deletes the job; if it can't, it does not delete it.
//! - **Workers of the queue** [look after](rounds) the tally queue: they [merge](step) what they receive, and when all that was
//!   announced has ended, they send what waits and delete the tallies.
//!
//! Why a completion does not come too early, however the tally queue cuts and turns what it hands out: say that some tallies
//! seem to be over, and yet a job of the batch is not. Then it is announced in none of them; take the first such job by the time
//! of its announcement. Was it enqueued beside the `Batch` whose completion is among them, then that completion tells of it. Was
//! it enqueued in a handler of a job of the batch, then that job was announced before, so it is among the tallies, has ended, and
//! its end tells of the other. Either way it is announced in them, and merging forgets nothing.
//!
//! What the argument leaves out has only the order of a FIFO group on its side, and that all which a worker knows goes once
//! round the group before the batch is over: jobs that other
//! programs put into the batch, that a handler enqueues in a task of its own, or that were enqueued by an attempt which was
//! killed before its job was over. And a job comes again whose worker is killed after it told the end and before it deleted the
//! job: the batch may be over by then.
//!
//! The tallies of a batch that is over are gone. What waits for jobs of it nevertheless, because it was told later, is sent by a
//! worker that [saw](past) them end; once none is left that did, it waits as if one of the jobs never ended.
//!
//! What is announced and never comes to its end (its sender was killed before sending it, or it was purged, moved by Amazon's
//! redrive policy, or has expired) delays the completion until nothing has become known of the batch for longer than the work
//! queue keeps messages: then none of its jobs can be there.
//!
//! A tally queue belongs to one work queue: workers need no permission, then, beyond their own queue, and who may send to the
//! tally queue can't have them send elsewhere. Each tally names its queue, and those of others are left alone.

#[cfg(test)]
mod dice;
mod found;
mod member;
#[cfg(test)]
mod model;
mod notes;
mod outgoing;
mod past;
mod ranges;
mod record;
mod rounds;
mod step;
mod telling;

pub(in crate::queue) use member::Member;
pub(crate) use notes::within;
pub(in crate::queue) use notes::{Notes, attempt};
pub(in crate::queue) use outgoing::{LARGEST_COMPLETION_BYTES, Tallied};
pub(in crate::queue) use telling::same;

use super::{Queue, later::marks, outgoing::new_id, receipt, ticks::of_call};
use crate::{Error, SourceError, sqs, sqs::service::now_ms};
use member::Members;
use past::Past;
use record::Tally;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use step::{Known, Received};
use telling::Telling;
use tokio::sync::OnceCell;

/// Which job of which batch a message is: an attribute.
pub(in crate::queue) const BATCH: &str = "afterward.batch";
/// The batch that a message was sent after: an attribute.
pub(in crate::queue) const COMPLETES: &str = "afterward.completes";

/// The most batches whose numbers are remembered, and the most attempts whose announcements are: more than a worker has at a time.
const MOST: usize = 10_000;

/// What one queue's tallies need.
#[derive(Default)]
pub(super) struct Tallies {
    queue: OnceCell<Option<Queue>>,
    telling: Telling,
    /// By batch: this process's origin there, and the next number.
    numbers: Mutex<HashMap<String, (String, u64)>>,
    /// By batch: what this process has put into the tally queue lately, or left there.
    known: Mutex<HashMap<String, Vec<Known>>>,
    past: Mutex<Past>,
    /// By receipt: since when an attempt that is not settled yet announces jobs, and which.
    announced: Mutex<HashMap<Arc<str>, (u64, Members)>>,
    is_warned: AtomicBool,
}

impl Tallies {
    /// A key that no other job of this batch has.
    fn number(&self, batch: &str) -> Result<Member, Error> {
        let mut numbers = locked(&self.numbers);
        if numbers.len() >= MOST && !numbers.contains_key(batch) {
            // Who comes back begins anew, with another origin.
            numbers.clear();
        }
        let (origin, next) = match numbers.get_mut(batch) {
            Some(known) => known,
            None => numbers.entry(batch.to_owned()).or_insert((new_origin()?, 0)),
        };
        *next += 1;
        Ok(Member { batch: batch.to_owned(), origin: origin.clone(), index: *next - 1 })
    }

    /// What is known of a batch when these have been received.
    fn known(&self, batch: &str, received: &[Received]) -> Vec<Known> {
        let mut all = locked(&self.known);
        let Some(known) = all.get_mut(batch) else { return Vec::new() };
        received.iter().for_each(|one| Known::learn(known, &one.tally));
        known.clone()
    }

    /// The jobs under this name that this process has seen to be over.
    fn past(&self, batch: &str) -> Members {
        locked(&self.past).of(batch)
    }

    /// Notes what is in the tally queue of this batch, or was over, and forgets what nobody can make use of any more.
    fn know(&self, batch: &str, new: Vec<Known>, now_ms: u64) {
        let mut past = locked(&self.past);
        new.iter().for_each(|new| past.note(batch, &new.tally, now_ms));
        let mut all = locked(&self.known);
        all.retain(|_, known| {
            known.retain(|known| known.is_of_use(now_ms));
            !known.is_empty()
        });
        if all.len() >= MOST && !all.contains_key(batch) {
            let since_ms = |known: &[Known]| known.first().map_or(0, |known| known.since_ms);
            let oldest = all.iter().min_by_key(|(_, known)| since_ms(known)).map(|(batch, _)| batch.clone());
            oldest.and_then(|oldest| all.remove(&oldest));
        }
        Known::note(all.entry(batch.to_owned()).or_default(), new);
    }

    /// Notes what an attempt has announced.
    fn note(&self, receipt: &Arc<str>, member: &Member) {
        let mut announced = locked(&self.announced);
        let now_ms = now_ms();
        if announced.len() >= MOST && !announced.contains_key(receipt) {
            // The oldest is of an attempt that nobody has settled: its lease was lost, or its end was not told.
            let oldest =
                announced.iter().min_by_key(|(_, (since_ms, _))| *since_ms).map(|(receipt, _)| receipt.clone());
            oldest.and_then(|oldest| announced.remove(&oldest));
        }
        announced.entry(receipt.clone()).or_insert_with(|| (now_ms, Members::default())).1.add(member);
    }

    /// Forgets what was announced in an attempt that has failed: the next one has a receipt of its own.
    pub(super) fn forget(&self, receipt: &str) {
        locked(&self.announced).remove(receipt);
    }
}

fn new_origin() -> Result<String, Error> {
    Ok(new_id()?[..12].to_owned())
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Queue {
    /// Sends a tally.
    async fn tell_tally(&self, batch: &str, tally: Tally) -> Result<(), Error> {
        let Some(tallies) = self.tally_queue().await? else {
            return Err(Error::Refused(format!("`{}` has no tally queue any more", self.name())));
        };
        let most_bytes = self.most_tally_bytes().await;
        let is_short = tally.text().is_ok_and(|text| text.len() <= most_bytes);
        let portions = if is_short { vec![tally] } else { tally.portions(most_bytes, new_origin()?) };
        for (place, portion) in portions.into_iter().enumerate() {
            let told = self.0.tallies.telling.tell(tallies, batch, portion, most_bytes).await;
            told.map_err(|error| match error {
                Error::Sqs(error) => error.after(place > 0).into(),
                other => other,
            })?;
        }
        Ok(())
    }

    /// Announces jobs, a call for each batch. Told is why those of some batches could not be.
    pub(super) async fn announce<'a>(&self, jobs: impl IntoIterator<Item = &'a Tallied>) -> BTreeMap<String, Error> {
        let mut batches: BTreeMap<&str, (Tally, Vec<&Tallied>)> = BTreeMap::new();
        for job in jobs {
            if let Some(member) = job.member() {
                let new = || (Tally::of(self.name(), now_ms()), Vec::new());
                let (tally, of_batch) = batches.entry(&member.batch).or_insert_with(new);
                tally.announced.add(member);
                of_batch.push(job);
            }
        }
        let mut failed = BTreeMap::new();
        for (batch, (tally, of_batch)) in batches {
            match self.tell_tally(batch, tally).await {
                Ok(()) => of_batch.into_iter().for_each(|job| job.note(&self.0.tallies)),
                Err(error) => drop(failed.insert(batch.to_owned(), error)),
            }
        }
        failed
    }

    /// Tells that a job is over, whose message this is the receipt of, if it is one of a batch.
    pub(super) async fn tell_end(&self, receipt: &str) -> Result<(), SourceError> {
        let Some(member) = receipt::member(receipt) else { return Ok(()) };
        if self.tally_queue().await.map_err(of_settlement)?.is_none() {
            if !self.0.tallies.is_warned.swap(true, Ordering::Relaxed) {
                tracing::error!(
                    queue = self.name(),
                    batch = member.batch,
                    "a job of a batch is over, and this worker has no tally queue to tell it (AFTERWARD_TALLY_QUEUE_URL, \
                     Queue::tally): the batch's completion will be days late"
                );
            }
            return Ok(());
        }
        let mut tally = Tally::of(self.name(), now_ms());
        tally.ended.add_ended(&member);
        if let Some((_, announced)) = locked(&self.0.tallies.announced).get(receipt) {
            tally.announced.unite(announced);
        }
        self.tell_tally(&member.batch, tally).await.map_err(of_settlement)?;
        self.0.tallies.forget(receipt);
        Ok(())
    }

    /// Takes an announcement back, of a job that was not sent after all. Not waited for: it is told with others.
    pub(super) fn take_back(&self, member: Member) {
        let (queue, mut tally) = (self.clone(), Tally::of(self.name(), now_ms()));
        // Only this one: under the same id another one may be announced, and sent.
        tally.ended.add(&member);
        tokio::spawn(async move {
            if let Err(error) = queue.tell_tally(&member.batch, tally).await {
                let batch = member.batch;
                tracing::warn!(batch, %error, "a job was announced and not sent, and that could not be told: its batch's completion will be late");
            }
        });
    }
}

/// An error of what comes before a job is deleted: what is not the service's own is tried again, as with the delete itself.
fn of_settlement(error: Error) -> SourceError {
    match error {
        Error::Sqs(error) if error.is_of_another() => SourceError::Unavailable(error.into()),
        other => of_call(other),
    }
}

/// Whether this is the receipt of a job of that batch.
pub(super) fn is_of(receipt: &str, batch: &str) -> bool {
    receipt::member(receipt).is_some_and(|member| member.batch == batch)
}

/// Takes from a received message's attributes which job of which batch it is: one that goes elsewhere, as a dead letter, is none
/// of the batch.
pub(super) fn take_member(attributes: &mut BTreeMap<String, sqs::MessageAttributeValue>) -> Option<Member> {
    if !attributes.contains_key(BATCH) {
        return None;
    }
    attributes.remove(BATCH)?.string_value?.parse().ok()
}

/// The batch that a received message was sent after.
pub(super) fn completes(attributes: &BTreeMap<String, sqs::MessageAttributeValue>) -> Option<String> {
    attributes.get(COMPLETES)?.string_value.clone()
}

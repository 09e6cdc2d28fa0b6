//! Batches with a completion message: many jobs, and one that comes when all of them are done.
//!
//! An Afterward server keeps the membership, told by one of two headers of a send: whether the message is of the batch, or
//! is to be held until nothing of the batch is left in the queue. Elsewhere it is kept by [tallies](super::tally), where the user
//! names a queue for them, and else refused before anything is sent. A job that would wait outside of the queue, as a schedule, is refused too: the batch would be over
//! without it.

use super::{
    Enqueue, EnqueueAll, Queue, ToEnqueue,
    tally::{self, Notes},
};
use crate::{Error, Message, claim::hex};
use afterward_names::BatchId;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;

/// The batch that the message is one of.
const BATCH: HeaderName = HeaderName::from_static("x-afterward-batch");
/// The batch that the message waits for.
const AFTER: HeaderName = HeaderName::from_static("x-afterward-after");

/// Jobs that one message waits for; see [`Queue::batch`].
#[derive(Debug, Clone)]
pub struct Batch {
    queue: Queue,
    id: String,
    notes: Notes,
}

impl Batch {
    /// The batch's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Puts a message into the queue as one of the batch, as [`Queue::enqueue`] does. It is one of the batch while it is in
    /// the queue: until it is deleted (done, or dropped), goes to the dead-letter queue, or is older than the queue keeps
    /// messages. A delay of more than 15 minutes, or any on a FIFO queue, is refused: such a message is not in the queue yet.
    pub fn enqueue<M: Message>(&self, message: &M) -> Enqueue {
        self.queue.enqueue(message).tied(self.job())
    }

    /// Puts many messages into the queue as some of the batch, as [`Queue::enqueue_all`] does.
    pub fn enqueue_all<T: ToEnqueue>(&self, messages: impl IntoIterator<Item = T>) -> EnqueueAll {
        let tied = |message: T| message.to_enqueue(&self.queue).tied(self.job());
        self.queue.enqueue_all(messages.into_iter().map(tied))
    }

    /// Puts a message into the queue that nobody receives before all of the batch have left it, whatever became of them.
    /// There may be several. If nothing of the batch is in the queue, it waits for nothing: enqueue the jobs first.
    ///
    /// Its retention begins, and its delay if it has one, when the batch is over. Deleting or purging the queue removes it; where the
    /// library keeps the batch, it lies in the [tally queue](Queue::tally), and what happens to that one counts.
    pub fn then<M: Message>(&self, message: &M) -> Enqueue {
        let tie = Tie::After(self.id.clone());
        self.queue.enqueue(message).tied(Tied { tie, notes: self.notes.clone(), attempt: None })
    }

    fn job(&self) -> Tied {
        let attempt = tally::attempt().filter(|receipt| tally::is_of(receipt, &self.id));
        Tied { tie: Tie::In(self.id.clone()), notes: self.notes.clone(), attempt }
    }
}

impl Queue {
    /// The batch of this name in this queue: jobs, and a message that comes when all of them are done. The name has 1 to 128
    /// letters, digits and `-_.:`. A batch is no more than the jobs of its name that are in the queue; with the last of them it
    /// is over, and the name is free.
    ///
    /// An Afterward server keeps batches itself. Elsewhere, on Amazon for one, the library does, in a queue that you name with
    /// [`Queue::tally`] or `AFTERWARD_TALLY_QUEUE_URL`; without one, batches are refused before anything is sent. What differs there:
    ///
    /// - Each call that enqueues jobs makes one more, which announces them: [`enqueue_all`](Batch::enqueue_all) makes that one for all
    ///   of them. Workers make some calls for the jobs that are over, and some each few seconds for a batch that waits.
    /// - The completion comes a second or two after the last job, up to ten seconds where nothing has happened for a while, and up
    ///   to a minute where [`then`](Batch::then) is called long after the last of the jobs.
    /// - It comes at least once on a standard queue, as everything does there; once on a FIFO queue.
    /// - A job whose end nobody saw (its sender was killed before sending it, it has expired, was purged, or moved by the queue's own
    ///   redrive policy) is waited for until nothing has happened in the batch for as long as the queue keeps messages.
    /// - A job comes again, without its batch waiting for it, if its worker is killed just before it deletes it.
    /// - A handler enqueues into its job's batch itself, and not in a task that it spawns: what such tasks enqueue may be missed.
    /// - A completion is 64 KiB at most, or in a store ([`Queue::claim_check_at`]). One that the queue refuses for good when the batch is
    ///   over is dropped, with an error in the worker's log.
    /// - A job of a FIFO queue is known by its group and its deduplication id: those that the queue took for one and the same within five minutes
    ///   are one job. One that it takes for a duplicate of a message outside of the batch is waited for like one whose end nobody saw.
    /// - What is known of a batch has to fit into the ten tallies that one receive brings: that is some tens of thousands of
    ///   jobs of a FIFO queue, where each has an id, and millions of a standard queue that end in about the order in which they were
    ///   enqueued. Beyond that the completion is days late.
    /// - Who drops an [`Enqueue`](crate::Enqueue) half-way has the jobs sent nevertheless, once they are announced.
    /// - Handlers and their worker need the same [`Queue`], or clones of it, and so do the parts of a program that share a
    ///   [`Batch`]: it remembers what was announced in the attempts that are under way.
    /// - A completion that the same [`Batch`] sends when it is over is sent within a minute or so by a worker that saw it end, which
    ///   workers remember for an hour. If none of those is at work any more, it waits for as long as the queue keeps messages.
    ///
    /// ```no_run
    /// # use afterward::{Context, Message, Queue, State};
    /// # use serde::{Deserialize, Serialize};
    /// # #[derive(Serialize, Deserialize, Message)] #[message(type = "import:row")] struct Row { line: String }
    /// # #[derive(Serialize, Deserialize, Message)] #[message(type = "import:done")] struct ImportDone { file: String }
    /// async fn import(queue: &Queue, file: String, rows: &[Row]) -> Result<(), afterward::Error> {
    ///     let batch = queue.new_batch()?; // or queue.batch("import-42")
    ///     batch.enqueue_all(rows).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    ///     batch.then(&ImportDone { file }).await?;
    ///     Ok(())
    /// }
    ///
    /// // A handler may add to the batch that its job is one of: its own job keeps it open.
    /// async fn row(row: Row, cx: Context, State(queue): State<Queue>) -> Result<(), afterward::Error> {
    ///     if let (Some(batch), Some((first, rest))) = (cx.batch(), row.line.split_once('\n')) {
    ///         println!("{first}");
    ///         queue.batch(batch).enqueue(&Row { line: rest.to_owned() }).await?;
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub fn batch(&self, id: impl Into<String>) -> Batch {
        Batch { queue: self.clone(), id: id.into(), notes: Notes::default() }
    }

    /// A batch that nobody else knows the name of.
    ///
    /// # Errors
    /// The system has no randomness to name it with.
    pub fn new_batch(&self) -> Result<Batch, Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)
            .map_err(|error| Error::Refused(format!("no randomness to name a batch with: {error}")))?;
        Ok(self.batch(hex(&bytes)))
    }
}

/// What a message that is sent has to do with a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tie {
    In(String),
    After(String),
}

/// The same, with what the way of tallies needs to know.
#[derive(Debug, Clone)]
pub(super) struct Tied {
    pub(super) tie: Tie,
    /// What the same [`Batch`] has announced.
    pub(super) notes: Notes,
    /// The receipt of the job of the same batch in whose handler it is enqueued.
    pub(super) attempt: Option<Arc<str>>,
}

impl Tied {
    /// Whether `queue` is one whose batches are kept by tallies, and not by the server.
    pub(super) async fn check(&self, queue: &Queue) -> Result<bool, Error> {
        let id = self.tie.id();
        id.parse::<BatchId>().map_err(|why| Error::Refused(format!("the batch `{id}`: {why}")))?;
        if queue.is_afterward().await? {
            return Ok(false);
        }
        if queue.tally_queue().await?.is_some() {
            queue.check_tallies_last().await?;
            return Ok(true);
        }
        Err(Error::Refused(format!(
            "`{}` at {} knows no batches, and would hand out a message that has to wait for one at once: that needs an Afterward \
             server, or a tally queue, which is a FIFO queue that workers keep batches in (AFTERWARD_TALLY_QUEUE_URL, or \
             Queue::tally)",
            queue.name(),
            queue.client().endpoint()
        )))
    }
}

impl Tie {
    fn id(&self) -> &str {
        match self {
            Tie::In(id) | Tie::After(id) => id,
        }
    }

    /// Why a message of it can't be delayed beyond what the queue itself keeps.
    pub(super) fn too_late(&self, queue: &Queue) -> Error {
        let why = match self {
            Tie::In(_) => "would be a schedule and not in the queue, so the batch would be over without it",
            Tie::After(_) => "would be a schedule and not in the queue, and not wait for the batch when it comes",
        };
        Error::Refused(format!(
            "a message that is delayed so long in `{}` {why}: leave out the delay, or delay a message on a standard queue by 15 \
             minutes at most",
            queue.name()
        ))
    }

    /// How the server is told.
    pub(super) fn headers(&self) -> HeaderMap {
        let name = match self {
            Tie::In(_) => BATCH,
            Tie::After(_) => AFTER,
        };
        // A checked name is always a header's value.
        HeaderValue::from_str(self.id()).ok().map(|id| (name, id)).into_iter().collect()
    }
}

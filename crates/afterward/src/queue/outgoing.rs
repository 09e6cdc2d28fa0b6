//! A message on its way: checked, marked with what it has to carry, its payload stored where it is too large, and then sent
//! in the way that its delay asks for.

use super::{
    Enqueue, MessageId, Queue,
    attributes::Attributes,
    batch::{self, Parcel},
    completion::Tie,
    fitting,
    later::{Later, Schedules, Unscheduled, marks, would_be_taken},
    tally::Tallied,
    unique::Told,
};
use crate::{
    Error, SourceError,
    claim::{self, Claims, Key},
    sqs::{self, service::now_ms},
};
use http::HeaderMap;
use std::{sync::Arc, time::Duration};
use tracing::Instrument;

/// The longest delay that a standard queue keeps itself: 15 minutes.
const LONGEST_DELAY_MS: u64 = 900_000;

/// A message that only has to be sent. Lists of them are moved about: what few of them have is put elsewhere.
pub(super) struct Outgoing {
    pub(super) queue: Queue,
    pub(super) request: sqs::SendMessageRequest,
    batch: Option<Tie>,
    /// What it has to do with a batch that is kept by tallies.
    tallied: Option<Box<Tallied>>,
    pub(super) way: Way,
    /// The payload that was stored for it.
    pub(super) claim: Option<Box<(Claims, Key)>>,
}

/// How it is sent.
pub(super) enum Way {
    /// As it is.
    Plain,
    /// With headers that an Afterward server understands.
    With(Box<HeaderMap>),
    /// As a schedule, under an id of our own.
    Scheduled { schedules: Arc<Schedules>, id: String, due_ms: u64, settings: Box<Attributes> },
}

impl Outgoing {
    /// Does all that has to be done before a message can be sent. Nothing is in the queue after an error.
    pub(super) async fn prepare(enqueue: Enqueue) -> Result<Outgoing, Error> {
        if enqueue.is_plain() {
            return Outgoing::plain(enqueue);
        }
        Box::pin(Outgoing::prepare_as_said(enqueue)).await
    }

    /// The same for a message that is [plain](Enqueue::is_plain), as most are: there is nothing to wait for.
    pub(super) fn plain(enqueue: Enqueue) -> Result<Outgoing, Error> {
        let (queue, request) = (enqueue.queue.clone(), enqueue.into_request()?);
        Ok(Outgoing { queue, request, batch: None, tallied: None, way: Way::Plain, claim: None })
    }

    async fn prepare_as_said(enqueue: Enqueue) -> Result<Outgoing, Error> {
        let (queue, message_type) = (enqueue.queue.clone(), enqueue.message_type);
        let now_ms = enqueue.now_ms().await;
        let (unique, due_ms) = (enqueue.unique.clone(), enqueue.due_ms(now_ms));
        let delay_seconds = enqueue.delay_seconds(now_ms);
        let (delay, batch) = (enqueue.delay_asked(), enqueue.batch.clone());
        let mut request = enqueue.into_request()?;
        let is_tallied = match &batch {
            Some(tied) => tied.check(&queue).await?,
            None => false,
        };
        let mut way = Way::Plain;
        if let Some(unique) = unique {
            match unique.told(&queue, message_type, &request.message_body).await? {
                Told::DeduplicationId(id) => request.message_deduplication_id = Some(id),
                Told::Headers(headers) => way = Way::With(Box::new(headers)),
            }
        }
        let tallied = batch.as_ref().filter(|_| is_tallied).map(|tied| Tallied::new(&queue, tied, &request));
        let tallied = tallied.transpose()?.map(Box::new);
        if let Some(tallied) = &tallied {
            tallied.mark(&mut request.message_attributes);
        }
        match due_ms {
            Some(due_ms) if queue.is_fifo() || due_ms > now_ms + LONGEST_DELAY_MS => {
                if let Way::With(_) = way {
                    return Err(unique_and_late(&queue));
                }
                if let Some(tied) = &batch {
                    return Err(tied.tie.too_late(&queue));
                }
                let due_ms = match delay {
                    Some(delay) => queue.end_of(delay).await?,
                    None => due_ms,
                };
                way = wait(&queue, &mut request, due_ms).await?;
            }
            _ if queue.is_fifo() => {}
            _ => request.delay_seconds = delay_seconds,
        }
        // Only a server that keeps batches itself is told of one.
        let batch = if tallied.is_some() { None } else { batch.map(|tied| tied.tie) };
        let mut outgoing = Outgoing { queue, request, batch, tallied, way, claim: None };
        outgoing.fit(message_type).await?;
        Ok(outgoing)
    }

    /// Whether it is sent by a scheduler, when it is due: in no order with what is sent now.
    pub(super) fn is_scheduled(&self) -> bool {
        matches!(self.way, Way::Scheduled { .. })
    }

    /// Its message group.
    pub(super) fn group(&self) -> Option<&String> {
        self.request.message_group_id.as_ref()
    }

    /// Whether it is sent by a call that takes others along.
    pub(super) fn may_share_a_call(&self) -> bool {
        matches!(self.way, Way::Plain) && !self.is_completion()
    }

    /// Whether it goes to the tally queue first.
    pub(super) fn is_completion(&self) -> bool {
        self.tallied().is_some_and(Tallied::is_completion)
    }

    pub(super) fn tallied(&self) -> Option<&Tallied> {
        self.tallied.as_deref()
    }

    /// The batch that it is a job of, where that is kept by tallies.
    pub(super) fn batch(&self) -> Option<&str> {
        Some(&self.tallied()?.member()?.batch)
    }

    /// Sends it, and announces it before that if it is a job of such a batch. What was announced is sent, or taken back: a caller
    /// that is dropped leaves that to a task.
    pub(super) async fn send(self) -> Result<MessageId, Error> {
        if self.tallied.is_none() {
            return self.send_it().await;
        }
        uninterrupted(async move {
            match self.queue.announce(self.tallied()).await.into_values().next() {
                None => self.send_it().await,
                Some(error) => self.not_announced(error).await,
            }
        })
        .await?
    }

    /// What becomes of a job that could not be announced: it is not sent.
    pub(super) async fn not_announced(self, error: Error) -> Result<MessageId, Error> {
        if !is_certainly_undone(&error)
            && let Some(member) = self.tallied().and_then(Tallied::member)
        {
            // It may be in the tally queue. If it is not, an end by itself does no harm.
            self.queue.take_back(member.clone());
        }
        Outgoing { tallied: None, ..self }.settle(Err(error)).await
    }

    /// What goes over the wire in such a call; the rest waits for how that ends.
    pub(super) fn take_parcel(&mut self) -> Parcel {
        Parcel { request: std::mem::take(&mut self.request), batch: self.batch.clone() }
    }

    /// Sends it, announced as it is if it has to be.
    pub(super) async fn send_it(mut self) -> Result<MessageId, Error> {
        let request = std::mem::take(&mut self.request);
        let outcome = match &self.way {
            _ if let Some(Tallied::Completion { batch, id, notes }) = self.tallied() => {
                self.queue.tell_completion((batch, id, notes), request).await
            }
            Way::Plain => self.call(request, HeaderMap::new()).await,
            Way::With(headers) => self.call(request, (**headers).clone()).await,
            Way::Scheduled { schedules, id, due_ms, settings } => {
                self.schedule(schedules, (id, *due_ms), settings, request).await
            }
        };
        self.settle(outcome).await
    }

    /// Removes the payload again if the message was certainly not taken: one that stays behind does no harm, and a message
    /// without its payload is lost.
    pub(super) async fn settle(self, outcome: Result<MessageId, Error>) -> Result<MessageId, Error> {
        let is_undone = outcome.as_ref().is_err_and(is_certainly_undone);
        if let (true, Some((claims, key))) = (is_undone, self.claim.as_deref())
            && let Err(error) = claims.remove(key).await
        {
            tracing::warn!(%key, %error, "the payload of a message that was not taken could not be removed");
        }
        if let (true, Some(member)) = (is_undone, self.tallied().and_then(Tallied::member)) {
            self.queue.take_back(member.clone());
        }
        outcome
    }

    async fn call(&self, request: sqs::SendMessageRequest, mut headers: HeaderMap) -> Result<MessageId, Error> {
        headers.extend(batch::headers_of(self.batch.as_ref()));
        let response = self.queue.client().call(&sqs::Request::SendMessage(request), headers).await?;
        let sqs::Response::SendMessage(result) = response else {
            return self.queue.id_of(None);
        };
        self.queue.id_of(result.message_id)
    }

    async fn schedule(
        &self,
        schedules: &Schedules,
        (id, due_ms): (&str, u64),
        settings: &Attributes,
        mut request: sqs::SendMessageRequest,
    ) -> Result<MessageId, Error> {
        // It is sent when nobody waits for the answer any more: what the queue would refuse then is refused now.
        would_be_taken(&self.queue, &request, settings)?;
        match schedules.create(id, request.clone(), due_ms, settings).await {
            Ok(()) => return Ok(MessageId::new(id.to_owned())),
            Err(Unscheduled::Failed(error)) => return Err(error.into()),
            Err(Unscheduled::NoScheduler) => {
                self.queue.has_no_schedules();
            }
            Err(Unscheduled::Unfit) => {}
        }
        wait_in_queue(&self.queue, &mut request, due_ms).await?;
        fitting::check_count(request.message_attributes.len())?;
        // It carries the id already.
        self.call(request, HeaderMap::new()).await.map(|_| MessageId::new(id.to_owned()))
    }
}

impl Queue {
    /// The id that the service gave a message.
    pub(super) fn id_of(&self, id: Option<String>) -> Result<MessageId, Error> {
        let unsaid = || {
            let why = "a message was taken, and it does not say under which id";
            sqs::Error::of_reply(self.client().endpoint(), "SendMessage", self.name(), why).into()
        };
        id.map(MessageId::new).ok_or_else(unsaid)
    }
}

/// Whether what failed so was certainly not done.
fn is_certainly_undone(error: &Error) -> bool {
    match error {
        Error::Sqs(error) => error.is_certainly_undone(),
        // A task ended with its runtime, and nobody knows how far it came.
        Error::Source(_) => false,
        _ => true,
    }
}

/// Goes on with something to its end, also if the caller is dropped.
pub(super) async fn uninterrupted<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Error> {
    let ended = tokio::spawn(work.in_current_span()).await;
    ended
        .map_err(|error| Error::Source(SourceError::Unavailable(format!("it was not sent to its end: {error}").into())))
}

/// Has the message wait in the way that its endpoint has for it.
async fn wait(queue: &Queue, request: &mut sqs::SendMessageRequest, due_ms: u64) -> Result<Way, Error> {
    match queue.later().await? {
        Later::Schedules(schedules) => {
            let (id, settings) = (new_id()?, queue.attributes_or_why_not().await?);
            marks::set_text(&mut request.message_attributes, marks::ID, id.clone());
            // The id that the queue would make of it, or would ask for: the body may be written another way on its way, and the
            // queue's setting may change.
            if queue.is_fifo() && request.message_deduplication_id.is_none() {
                if settings.known && !settings.content_deduplication {
                    return Err(without_deduplication_id(queue));
                }
                request.message_deduplication_id = Some(claim::sha256(request.message_body.as_bytes()));
            }
            Ok(Way::Scheduled { schedules, id, due_ms, settings: Box::new(settings) })
        }
        Later::SendOn => wait_in_queue(queue, request, due_ms).await.map(|()| Way::Plain),
    }
}

/// Marks the message as one that workers send on until it is due.
async fn wait_in_queue(queue: &Queue, request: &mut sqs::SendMessageRequest, due_ms: u64) -> Result<(), Error> {
    let settings = queue.attributes().await;
    marks::set_number(&mut request.message_attributes, marks::DUE, due_ms);
    if !queue.is_fifo() {
        let left = Duration::from_millis(due_ms.saturating_sub(now_ms()));
        request.delay_seconds = Some(super::later::delay_seconds(left, settings.retention));
        return Ok(());
    }
    if settings.max_receive_count == Some(1) {
        return Err(Error::Refused(format!(
            "`{}` gives up a message after one receive (maxReceiveCount 1), and one that waits in a FIFO queue is received \
             twice: allow 2 receives, or leave out the delay",
            queue.name()
        )));
    }
    if let Some(group) = request.message_group_id.take() {
        let id = request.message_deduplication_id.as_deref();
        request.message_group_id = Some(super::later::waiting_group(&group, id, &request.message_body, due_ms));
        marks::set_text(&mut request.message_attributes, marks::GROUP, group);
    }
    Ok(())
}

fn unique_and_late(queue: &Queue) -> Error {
    Error::Refused(format!(
        "`{}` can't keep a job both unique and from its workers for so long: leave out .unique(…), or delay a message on a standard \
         queue by 15 minutes at most",
        queue.name()
    ))
}

fn without_deduplication_id(queue: &Queue) -> Error {
    Error::Refused(format!(
        "`{}` is a FIFO queue that does not deduplicate by content: add .dedup(…), or .unique(…)",
        queue.name()
    ))
}

/// An id for a message that has none from the service yet.
pub(super) fn new_id() -> Result<String, Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Refused(format!("no randomness to name a message with: {error}")))?;
    Ok(claim::hex(&bytes))
}

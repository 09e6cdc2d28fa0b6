//! Which queue the tallies are in, and whether it can keep them.

use crate::{
    Error,
    queue::Queue,
    sqs::{self, SettingsError},
};

/// What is left free of a message's limit, for what is beside its body.
const BESIDE_BYTES: usize = 1024;

impl Queue {
    /// Keeps batches with a completion message where the endpoint knows none, as Amazon does, by means of this *tally queue*:
    /// a FIFO queue, named by its URL or its name, at the same endpoint. Unless set, it is `AFTERWARD_TALLY_QUEUE_URL`. Producers
    /// and workers of this queue need the same one, and no other queue may have it. An Afterward server needs none.
    ///
    /// It must have no redrive policy, for what is in there may be received any number of times, and its retention must be no shorter
    /// than this queue's, or a batch whose jobs lie there with nobody at work could be forgotten: with a shorter one, batches are
    /// refused where they are enqueued. Sends nothing: the queue is looked up when it is needed. What differs from a batch on an
    /// Afterward server is said at [`Queue::batch`].
    ///
    /// # Errors
    /// It is not a FIFO queue, by its name, or it is this very queue.
    pub fn tally(self, queue: impl Into<String>) -> Result<Queue, Error> {
        let named = queue.into();
        check_name(&named, &self)?;
        Ok(self.with_tally(named))
    }

    /// The queue with the tallies of this one, if there is one.
    pub(in crate::queue) async fn tally_queue(&self) -> Result<Option<&Queue>, Error> {
        let found = self.0.tallies.queue.get_or_try_init(|| async {
            match self.tally_setting() {
                Some(named) => self.found_tally_queue(&named).await.map(Some),
                None => Ok(None),
            }
        });
        Ok(found.await?.as_ref())
    }

    async fn found_tally_queue(&self, named: &str) -> Result<Queue, Error> {
        check_name(named, self)?;
        let url = if named.contains("://") {
            named.to_owned()
        } else {
            let lookup = sqs::GetQueueUrlRequest { queue_name: named.to_owned(), ..Default::default() };
            self.client().get_queue_url(lookup).await?.queue_url.unwrap_or_default()
        };
        let tallies = Queue::with_client(self.client().clone(), url);
        if tallies.attributes_or_why_not().await?.max_receive_count.is_some() {
            return Err(SettingsError(format!(
                "the tally queue `{}` has a redrive policy: a tally that waits is received again and again, and would end as a dead \
                 letter. Remove the policy",
                tallies.name()
            ))
            .into());
        }
        Ok(tallies)
    }

    /// What is known of a batch has to last for as long as its jobs may lie in the queue with nobody at work.
    pub(in crate::queue) async fn check_tallies_last(&self) -> Result<(), Error> {
        let Some(tallies) = self.tally_queue().await? else { return Ok(()) };
        let (jobs, kept) = (self.attributes().await, tallies.attributes().await);
        if jobs.known && kept.known && kept.retention < jobs.retention {
            return Err(SettingsError(format!(
                "the tally queue `{}` keeps messages for {:?}, and `{}` for {:?}: what is known of a batch could be gone before its jobs \
                 are, and its completion with it. Raise the tally queue's MessageRetentionPeriod to {} or more",
                tallies.name(),
                kept.retention,
                self.name(),
                jobs.retention,
                jobs.retention.as_secs()
            ))
            .into());
        }
        Ok(())
    }

    /// The longest text of a tally.
    pub(super) async fn most_tally_bytes(&self) -> usize {
        match self.tally_queue().await {
            Ok(Some(tallies)) => tallies.attributes().await.maximum_message_bytes.saturating_sub(BESIDE_BYTES),
            _ => 0,
        }
    }
}

fn check_name(named: &str, of: &Queue) -> Result<(), Error> {
    let name = named.trim_end_matches('/').rsplit('/').next().unwrap_or(named);
    if !name.ends_with(".fifo") {
        return Err(SettingsError(format!(
            "the tally queue `{named}` is no FIFO queue, whose name ends in `.fifo`: only in those does one worker at a time see \
             what is known of a batch"
        ))
        .into());
    }
    if name == of.name() {
        return Err(SettingsError(format!(
            "`{name}` can't be its own tally queue: workers would take tallies for jobs"
        ))
        .into());
    }
    Ok(())
}

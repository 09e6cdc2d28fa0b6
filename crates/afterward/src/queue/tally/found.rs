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
    /// It must have no redrive policy, for what is in there may be received any number of times, and it keeps nothing for longer
    /// than this queue keeps jobs. Sends nothing: the queue is looked up when it is needed. What differs from a batch on an
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
        if tallies.attributes().await.max_receive_count.is_some() {
            return Err(SettingsError(format!(
                "the tally queue `{}` has a redrive policy: a tally that waits is received again and again, and would end as a dead \
                 letter. Remove the policy",
                tallies.name()
            ))
            .into());
        }
        Ok(tallies)
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

//! One of the requests at once: receives a batch, delivers it, and again.

use super::{
    batch::{self, Taken},
    endpoint::Endpoint,
    reach::Reach,
    source::Source,
};
use crate::{failure::Failure, output};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// How long to leave an SQS that is away in peace, beyond the client's own retries.
const PAUSE: Duration = Duration::from_secs(1);

/// What a lane works with.
pub(super) struct Lane {
    pub(super) source: Arc<Source>,
    pub(super) endpoint: Endpoint,
    pub(super) reach: Arc<Reach>,
    pub(super) stopped: watch::Receiver<bool>,
}

impl Lane {
    /// Delivers batches until it is told to stop; a batch that it holds then it still delivers.
    pub(super) async fn run(self) -> Result<(), Failure> {
        let mut stopped = self.stopped.clone();
        let mut taken = Taken::No;
        loop {
            let messages = tokio::select! {
                biased;
                _ = stopped.wait_for(|stopped| *stopped) => return Ok(()),
                messages = self.next_batch(taken) => messages?,
            };
            if !messages.is_empty() {
                taken = batch::deliver(&messages, &self.source, &self.endpoint).await?;
            }
        }
    }

    /// The next batch, once the endpoint can be reached; empty where none came.
    async fn next_batch(&self, taken: Taken) -> Result<Vec<afterward::sqs::Message>, Failure> {
        if taken == Taken::No {
            self.reach.wait().await;
        }
        match self.source.receive().await {
            Ok(messages) => Ok(messages),
            Err(error) if error.is_transient() => {
                output::complain(&format!("{error}; trying again"));
                tokio::time::sleep(PAUSE).await;
                Ok(Vec::new())
            }
            Err(error) => Err(error.into()),
        }
    }
}

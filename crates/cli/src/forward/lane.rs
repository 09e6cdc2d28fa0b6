//! One of the requests at once: receives a batch, delivers it, and again.

use super::{
    batch::Batch,
    endpoint::{Endpoint, Silence},
    reach::Reach,
    source::Source,
    verdict::Verdict,
};
use crate::{failure::Failure, output, units};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::watch;

/// How long to leave an SQS that is away in peace, beyond the client's own retries.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a receive under way may still bring messages at a stop: what it brings to nobody is out of sight for a lease.
const LAST_RECEIVE: Duration = Duration::from_secs(1);

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
        while let Some(batch) = self.next_batch().await? {
            if !batch.is_empty() {
                self.deliver(batch).await?;
            }
        }
        Ok(())
    }

    /// The next batch, once the endpoint can be reached; empty where none came, and none at a stop.
    async fn next_batch(&self) -> Result<Option<Batch>, Failure> {
        tokio::select! {
            biased;
            () = self.stop() => return Ok(None),
            () = self.reach.wait() => {}
        }
        let mut receive = std::pin::pin!(self.source.receive());
        let received = tokio::select! {
            biased;
            received = &mut receive => received,
            () = self.stop() => match tokio::time::timeout(LAST_RECEIVE, receive).await {
                Ok(received) => received,
                Err(_) => return Ok(None),
            },
        };
        match received {
            Ok(batch) => Ok(Some(batch)),
            Err(error) if error.is_transient() => {
                output::complain(&format!("{error}; trying again"));
                tokio::select! {
                    () = self.stop() => {}
                    () = tokio::time::sleep(PAUSE) => {}
                }
                Ok(Some(Batch::default()))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Posts a batch, again and again as long as it does not get there, and does what the answer says.
    async fn deliver(&self, mut batch: Batch) -> Result<(), Failure> {
        while !batch.is_empty() {
            let begun = Instant::now();
            let (answer, verdict) = match self.endpoint.post(batch.event(self.source.origin())?).await {
                Ok(answer) => {
                    let told = format!("{} in {}", answer.status(), units::took(begun.elapsed()));
                    (told, Verdict::of(&answer, &batch.ids()))
                }
                Err(Silence::Broken(why)) => (why.clone(), Verdict::None(why)),
                Err(Silence::Away(why)) => {
                    self.reach.lost(&why);
                    self.hold(&mut batch).await;
                    continue;
                }
            };
            self.reach.reached();
            batch.settle(&verdict, &self.source).await.tell(&answer);
            return Ok(());
        }
        Ok(())
    }

    /// Keeps a batch out of sight until the endpoint can be reached; what is left of it then is ours for a whole lease.
    /// At a stop nothing is: it goes back.
    async fn hold(&self, batch: &mut Batch) {
        loop {
            tokio::select! {
                biased;
                () = self.stop() => return batch.hand_back(&self.source).await,
                () = self.reach.wait() => return batch.extend(&self.source).await,
                () = tokio::time::sleep(self.source.lease() / 3) => batch.extend(&self.source).await,
            }
            if batch.is_empty() {
                return;
            }
        }
    }

    /// Returns when the lane is to stop.
    async fn stop(&self) {
        let mut stopped = self.stopped.clone();
        // That nobody can tell it any more is a reason, too.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    }
}

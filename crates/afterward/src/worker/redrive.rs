//! What is known of the queue's redrive policy, not more than a minute old.

use crate::{Redrive, Source};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How long what was learnt is believed.
const FRESH: Duration = Duration::from_secs(60);

#[derive(Default)]
pub(super) struct Known(Mutex<Option<(Instant, Option<Redrive>)>>);

impl Known {
    /// The policy; asks the source where what is known is old, and believes the old where the source can't tell.
    pub(super) async fn get(&self, source: &impl Source) -> Option<Redrive> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let old = match known {
            Some((learnt, redrive)) if learnt.elapsed() < FRESH => return redrive,
            Some((_, redrive)) => redrive,
            None => None,
        };
        match source.redrive().await {
            Ok(redrive) => {
                *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), redrive.clone()));
                redrive
            }
            Err(error) => {
                tracing::warn!(%error, "the queue did not say its redrive policy");
                old
            }
        }
    }
}

//! Tallies that are told at the same time travel together.
//!
//! One call is under way at a time; what comes up meanwhile is united by batch, and the next call takes all of it. So a worker
//! with many jobs in hand makes one call for the ends of many.

use super::record::Tally;
use crate::{
    Error, SourceError,
    queue::{
        Queue,
        batch::{self, Parcel},
        outgoing::new_id,
    },
    sqs::{self, SettingsError},
};
use std::{
    collections::BTreeMap,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

type Outcome = Result<(), Error>;

#[derive(Default)]
pub(super) struct Telling {
    waiting: Mutex<BTreeMap<String, Waiting>>,
    line: tokio::sync::Mutex<()>,
}

/// What is to be told of one batch, and to whom it matters.
struct Waiting {
    tally: Tally,
    told: Vec<oneshot::Sender<Outcome>>,
}

impl Telling {
    /// Sends a tally of this batch, with whatever else is to be told.
    pub(super) async fn tell(&self, tallies: &Queue, batch: &str, tally: Tally) -> Outcome {
        let mut news = self.enter(batch, tally);
        let turn = tokio::select! {
            biased;
            said = &mut news => return said.unwrap_or_else(|_| Err(interrupted())),
            turn = self.line.lock() => turn,
        };
        if let Ok(said) = news.try_recv() {
            return said;
        }
        // Others that are ready to run may have more to tell of.
        tokio::task::yield_now().await;
        let taken = mem::take(&mut *self.waiting());
        for (waiting, outcome) in send(tallies, taken).await {
            for told in waiting.told {
                // One that has gone does not want to know.
                drop(told.send(outcome.as_ref().copied().map_err(same)));
            }
        }
        drop(turn);
        news.await.unwrap_or_else(|_| Err(interrupted()))
    }

    fn enter(&self, batch: &str, tally: Tally) -> oneshot::Receiver<Outcome> {
        let (told, news) = oneshot::channel();
        let mut waiting = self.waiting();
        match waiting.get_mut(batch) {
            Some(others) => {
                others.tally.unite(&tally);
                others.told.push(told);
            }
            None => drop(waiting.insert(batch.to_owned(), Waiting { tally, told: vec![told] })),
        }
        news
    }

    fn waiting(&self) -> MutexGuard<'_, BTreeMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn send(tallies: &Queue, taken: BTreeMap<String, Waiting>) -> Vec<(Waiting, Outcome)> {
    let (mut sent, mut outcomes, mut parcels) = (Vec::new(), Vec::new(), Vec::new());
    for (batch, waiting) in taken {
        match request(tallies, &batch, &waiting.tally) {
            Ok(request) => {
                sent.push(waiting);
                parcels.push(Parcel::plain(request));
            }
            Err(error) => outcomes.push((waiting, Err(error))),
        }
    }
    let told = batch::send_all(tallies, parcels).await.into_iter().map(|outcome| outcome.map(drop));
    outcomes.extend(sent.into_iter().zip(told));
    outcomes
}

/// A tally as a message of its batch's group.
pub(super) fn request(tallies: &Queue, batch: &str, tally: &Tally) -> Result<sqs::SendMessageRequest, Error> {
    let body = tally.text().map_err(|error| Error::Refused(format!("a tally can't be written: {error}")))?;
    Ok(sqs::SendMessageRequest {
        queue_url: tallies.url().to_owned(),
        message_body: body,
        message_group_id: Some(batch.to_owned()),
        message_deduplication_id: Some(new_id()?),
        ..Default::default()
    })
}

/// The one who told for others has gone in the midst of it.
fn interrupted() -> Error {
    Error::Source(SourceError::Unavailable("telling the tally queue was interrupted".into()))
}

/// The same error, for another one whom it concerns.
pub(in crate::queue) fn same(error: &Error) -> Error {
    match error {
        Error::Sqs(error) => error.for_another().into(),
        Error::Settings(error) => SettingsError(error.to_string()).into(),
        Error::Refused(why) => Error::Refused(why.clone()),
        other => Error::Source(SourceError::Unavailable(other.to_string().into())),
    }
}

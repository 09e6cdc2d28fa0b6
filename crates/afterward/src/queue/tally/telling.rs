//! Tallies that are told at the same time travel together.
//!
//! One call is under way at a time; what comes up meanwhile is united by batch, as far as it fits into one tally, and the next
//! call takes all of it. So a worker with many jobs in hand makes one call for the ends of many. The calls are made by a task of
//! its own: a caller that is dropped takes nothing with it, neither its own tally nor those of others.

use super::record::Tally;
use crate::{
    Error, SourceError,
    pass::pass,
    queue::{
        Queue,
        batch::{self, Parcel},
        outgoing::new_id,
    },
    sqs::{self, SettingsError},
};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

type Outcome = Result<(), Error>;

#[derive(Default, Clone)]
pub(super) struct Telling(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    waiting: Vec<Waiting>,
    is_under_way: bool,
}

/// What is to be told of one batch in one tally, and to whom it matters.
struct Waiting {
    batch: String,
    tally: Tally,
    /// No less than the tally's text.
    bytes: usize,
    told: Vec<oneshot::Sender<Outcome>>,
}

/// The calls, as long as their task lives and somebody waits.
struct Calls {
    telling: Telling,
    is_over: bool,
}

impl Drop for Calls {
    fn drop(&mut self) {
        if !self.is_over {
            // Ended with its runtime: nobody is to wait for the next one to come by.
            *self.telling.state() = State::default();
        }
    }
}

impl Telling {
    /// Sends a tally of this batch, with whatever else is to be told, in tallies of so many bytes at the most.
    pub(super) async fn tell(&self, tallies: &Queue, batch: &str, tally: Tally, most_bytes: usize) -> Outcome {
        let (news, is_first) = self.enter(batch, tally, most_bytes)?;
        if is_first {
            let calls = Calls { telling: self.clone(), is_over: false };
            tokio::spawn(calls.make(tallies.clone()));
        }
        news.await.unwrap_or_else(|_| Err(interrupted()))
    }

    /// Joins those who wait; told is whether nobody makes calls for them.
    fn enter(&self, batch: &str, tally: Tally, most_bytes: usize) -> Result<(oneshot::Receiver<Outcome>, bool), Error> {
        let bytes = tally.text().map_err(unwritten)?.len();
        let (told, news) = oneshot::channel();
        let mut state = self.state();
        // Only the last of a batch: what is told later is not to come before what was told earlier.
        let last = state.waiting.iter_mut().rev().find(|waiting| waiting.batch == batch);
        match last.filter(|last| last.bytes + bytes <= most_bytes) {
            Some(last) => {
                last.tally.unite(&tally);
                last.bytes += bytes;
                last.told.push(told);
            }
            None => state.waiting.push(Waiting { batch: batch.to_owned(), tally, bytes, told: vec![told] }),
        }
        let is_first = !mem::replace(&mut state.is_under_way, true);
        Ok((news, is_first))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Calls {
    async fn make(mut self, tallies: Queue) {
        loop {
            // Others that are ready to run may have more to tell of.
            pass().await;
            let taken = {
                let mut state = self.telling.state();
                state.is_under_way = !state.waiting.is_empty();
                // Before anybody else can come and rely on it.
                self.is_over = !state.is_under_way;
                mem::take(&mut state.waiting)
            };
            if taken.is_empty() {
                return;
            }
            for (waiting, outcome) in send(&tallies, taken).await {
                for told in waiting.told {
                    // One that has gone does not want to know.
                    drop(told.send(outcome.as_ref().copied().map_err(same)));
                }
            }
        }
    }
}

async fn send(tallies: &Queue, taken: Vec<Waiting>) -> Vec<(Waiting, Outcome)> {
    let (mut sent, mut outcomes, mut parcels) = (Vec::new(), Vec::new(), Vec::new());
    for waiting in taken {
        match request(tallies, &waiting.batch, &waiting.tally) {
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
    Ok(sqs::SendMessageRequest {
        queue_url: tallies.url().to_owned(),
        message_body: tally.text().map_err(unwritten)?,
        message_group_id: Some(batch.to_owned()),
        message_deduplication_id: Some(new_id()?),
        ..Default::default()
    })
}

fn unwritten(error: serde_json::Error) -> Error {
    Error::Refused(format!("a tally can't be written: {error}"))
}

/// The task that makes the calls has ended with its runtime.
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

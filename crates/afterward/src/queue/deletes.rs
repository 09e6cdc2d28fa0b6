//! Deletes that happen at the same time travel together.
//!
//! A delete waits for nobody: it goes out at once while fewer than [`CALLS`] are under way, and takes along whichever
//! others have come up by then. Only when all calls are busy do deletes gather, as many to a call as its
//! [list](super::lists) may have. There is no timer
//! and no background task: one of the waiting callers makes the call for all of them, and passes its turn on.
//!
//! Invariants:
//! - A caller is woken when its delete is done, or when it is to make a call, and for nothing else.
//! - At most one caller gathers others at a time, so that they don't end up in several calls.
//! - While deletes wait, somebody gathers or all calls are under way: a caller that is dropped passes its turn on, too.

use super::{
    entries::Refusals,
    lists::{self, Lists},
    source::{of_entry, of_lease},
};
use crate::{SourceError, pass::pass, sqs};
use afterward_aws::sqs::delete_batch_json;
use std::{
    collections::VecDeque,
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Delete calls under way at a time.
const CALLS: usize = 4;

/// The deletes of one queue.
pub(super) struct Deletes {
    client: sqs::Client,
    queue_url: String,
    lists: Lists,
    line: Line,
}

/// Who waits for a call.
#[derive(Debug, Clone, Default)]
struct Line(Arc<Mutex<Queued>>);

#[derive(Debug, Default)]
struct Queued {
    waiting: VecDeque<Waiting>,
    /// Turns that somebody has.
    turns: usize,
    /// Somebody has a turn and has yet to see who else wants to come.
    gathering: bool,
}

#[derive(Debug)]
struct Waiting {
    receipt: String,
    told: oneshot::Sender<Told>,
}

/// What one who waits is told.
#[derive(Debug)]
enum Told {
    Done(Result<(), SourceError>),
    YourTurn(Turn),
}

/// The right to make one call, for oneself and others. Dropped, it is passed on.
#[derive(Debug)]
struct Turn {
    line: Line,
    gathering: bool,
}

impl Line {
    fn queued(&self) -> MutexGuard<'_, Queued> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A turn for one who does not wait yet, if it need not wait; else its place behind the others.
    fn enter(&self, receipt: &str) -> Result<Turn, oneshot::Receiver<Told>> {
        let mut queued = self.queued();
        if !queued.gathering && queued.turns < CALLS {
            queued.turns += 1;
            queued.gathering = true;
            return Ok(Turn { line: self.clone(), gathering: true });
        }
        let (told, news) = oneshot::channel();
        queued.waiting.push_back(Waiting { receipt: receipt.to_owned(), told });
        Err(news)
    }

    /// Gives those who wait a turn, if there is one.
    fn call_up(&self) {
        let next = {
            let mut queued = self.queued();
            if queued.gathering || queued.turns >= CALLS {
                return;
            }
            // One that has gone has no use for a turn; its message comes again.
            let next = std::iter::from_fn(|| queued.waiting.pop_front()).find(|one| !one.told.is_closed());
            if next.is_some() {
                queued.turns += 1;
                queued.gathering = true;
            }
            next
        };
        if let Some(next) = next {
            // Not taken, the turn is dropped here, and passed on.
            drop(next.told.send(Told::YourTurn(Turn { line: self.clone(), gathering: true })));
        }
    }
}

impl Turn {
    /// Whether as many wait as there is room for.
    fn is_full(&self, room: usize) -> bool {
        self.line.queued().waiting.len() >= room
    }

    /// Who comes along. Those that don't fit get a call of their own, if one is free.
    fn gather(&mut self, room: usize) -> Vec<Waiting> {
        let mut queued = self.line.queued();
        let count = queued.waiting.len().min(room);
        let others = queued.waiting.drain(..count).collect();
        queued.gathering = false;
        drop(queued);
        self.gathering = false;
        self.line.call_up();
        others
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut queued = self.line.queued();
        queued.turns -= 1;
        if self.gathering {
            queued.gathering = false;
        }
        drop(queued);
        self.line.call_up();
    }
}

impl Deletes {
    pub(super) fn new(client: sqs::Client, queue_url: String, lists: Lists) -> Deletes {
        Deletes { client, queue_url, lists, line: Line::default() }
    }

    /// Deletes a message.
    pub(super) async fn delete(&self, receipt: &str) -> Result<(), SourceError> {
        let turn = match self.line.enter(receipt) {
            Ok(turn) => turn,
            Err(news) => match news.await {
                Ok(Told::Done(outcome)) => return outcome,
                Ok(Told::YourTurn(turn)) => turn,
                // Whoever had this delete in its call was dropped with it.
                Err(_) => return Box::pin(self.call_one(receipt.to_owned())).await.map_err(|error| of_lease(&error)),
            },
        };
        // Most deletes make no call, and need no place for one.
        Box::pin(self.delete_with_others(turn, receipt)).await
    }

    /// Deletes several, in as few calls as it takes; the outcomes are in the order of the receipts.
    pub(super) async fn delete_all(&self, mut receipts: Vec<String>) -> Vec<Result<(), SourceError>> {
        let mut outcomes = Vec::with_capacity(receipts.len());
        while !receipts.is_empty() {
            let rest = receipts.split_off(receipts.len().min(self.lists.longest()));
            outcomes.append(&mut self.call(mem::replace(&mut receipts, rest)).await);
        }
        outcomes
    }

    async fn delete_with_others(&self, mut turn: Turn, receipt: &str) -> Result<(), SourceError> {
        let room = self.lists.longest() - 1;
        if !turn.is_full(room) {
            // Others that are ready to run may have deletes to add, and that costs less than a call of their own.
            pass().await;
        }
        let (others, told): (Vec<_>, Vec<_>) = turn.gather(room).into_iter().map(|one| (one.receipt, one.told)).unzip();
        let receipts = std::iter::once(receipt.to_owned()).chain(others).collect();
        let mut outcomes = self.call(receipts).await.into_iter();
        let own = outcomes.next().unwrap_or(Ok(()));
        for (told, outcome) in told.into_iter().zip(outcomes) {
            // A caller that has gone does not want to know.
            drop(told.send(Told::Done(outcome)));
        }
        own
    }

    /// Deletes these in one call; the outcomes are in the order of the receipts.
    async fn call(&self, receipts: Vec<String>) -> Vec<Result<(), SourceError>> {
        let count = receipts.len();
        let outcome = match <[String; 1]>::try_from(receipts) {
            Ok([receipt_handle]) => self.call_one(receipt_handle).await.map(|()| vec![Ok(())]),
            Err(receipts) => self.call_batch(receipts).await,
        };
        outcome.unwrap_or_else(|error| (0..count).map(|_| Err(of_lease(&error))).collect())
    }

    async fn call_one(&self, receipt_handle: String) -> Result<(), sqs::Error> {
        let request = sqs::DeleteMessageRequest { queue_url: self.queue_url.clone(), receipt_handle };
        self.client.delete_message(request).await
    }

    /// Deletes several in one call, or in a few where the server takes less at once than it said.
    async fn call_batch(&self, receipts: Vec<String>) -> Result<Vec<Result<(), SourceError>>, sqs::Error> {
        let mut outcomes: Vec<Result<(), SourceError>> = receipts.iter().map(|_| Ok(())).collect();
        // Each with the place of its first.
        let mut calls = vec![(0, &receipts[..])];
        while let Some((first, receipts)) = calls.pop() {
            let (count, body) = (receipts.len(), delete_batch_json(&self.queue_url, receipts));
            let called = self.client.call_json("DeleteMessageBatch", body, lists::headers(count)).await;
            let Refusals { failed } = match called {
                Ok(refusals) => refusals,
                Err(error) if self.lists.were_refused(count, &error) => {
                    let longest = self.lists.longest();
                    let places = (first..).step_by(longest);
                    calls.extend(places.zip(receipts.chunks(longest)));
                    continue;
                }
                Err(error) => return Err(error),
            };
            for refused in failed {
                let place = refused.id.parse().ok().filter(|id| *id < count);
                if let Some(outcome) = place.and_then(|id: usize| outcomes.get_mut(first + id)) {
                    *outcome = Err(of_entry(refused));
                }
            }
        }
        Ok(outcomes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type News = oneshot::Receiver<Told>;

    fn enter(line: &Line, count: usize) -> Vec<Result<Turn, News>> {
        (0..count).map(|number| line.enter(&number.to_string())).collect()
    }

    fn told(news: &mut News) -> Option<Turn> {
        match news.try_recv().ok()? {
            Told::YourTurn(turn) => Some(turn),
            Told::Done(_) => None,
        }
    }

    #[test]
    fn who_comes_while_somebody_gathers_travels_along() {
        let line = Line::default();
        let mut entered = enter(&line, 25).into_iter();
        let mut first = entered.next().unwrap().unwrap();
        let mut waiting: Vec<News> = entered.map(Result::unwrap_err).collect();
        assert_eq!(first.gather(9).len(), 9);
        let turn = |waiting: &mut [News]| waiting.iter_mut().enumerate().find_map(|(at, news)| Some((at, told(news)?)));
        // Those that did not fit have a call of their own at once, led by the first of them.
        let (at, mut second) = turn(&mut waiting).unwrap();
        assert_eq!((at, second.gather(9).len()), (9, 9));
        let (at, mut third) = turn(&mut waiting).unwrap();
        assert_eq!((at, third.gather(9).len()), (19, 4));
        assert!(turn(&mut waiting).is_none());
    }

    #[test]
    fn when_all_calls_are_under_way_the_first_that_ends_calls_up_who_waits() {
        let line = Line::default();
        let alone = || {
            let mut turn = line.enter("").unwrap();
            assert!(turn.gather(9).is_empty());
            turn
        };
        let mut calls: Vec<Turn> = (0..CALLS).map(|_| alone()).collect();
        let mut waiting: Vec<News> = enter(&line, 3).into_iter().map(Result::unwrap_err).collect();
        assert!(waiting.iter_mut().all(|news| told(news).is_none()));
        calls.pop();
        let mut turn = told(&mut waiting[0]).unwrap();
        assert_eq!(turn.gather(9).len(), 2);
    }

    #[test]
    fn a_turn_of_one_who_has_gone_is_not_lost() {
        let line = Line::default();
        let first = line.enter("").unwrap();
        let mut waiting: Vec<News> = enter(&line, 4).into_iter().map(Result::unwrap_err).collect();
        // One has gone before its turn; the next one is told of its turn and goes without having looked.
        drop(waiting.remove(0));
        drop(first);
        drop(waiting.remove(0));
        let turn = told(&mut waiting[0]).unwrap();
        drop(turn);
        assert!(told(&mut waiting[1]).is_some());
        assert_eq!(line.queued().turns, 0);
        assert!(line.enter("").is_ok());
    }
}

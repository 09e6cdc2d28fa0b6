//! The broker: one partition, shared by everybody who asks something of it.

use crate::{Clock, Content, Receipts};
use afterward_log::{Log, ReadError};
use afterward_machine::{Command, Delivery, Location, Receive, Refusal, Reply, Send, State};
use std::{sync::Arc, time::Duration};
use thiserror::Error;

/// How a broker runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Write state forward and trim when the log holds this many times what is live …
    pub compact_at_ratio: f64,
    /// … and at least this much.
    pub compact_at_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { compact_at_ratio: 3.0, compact_at_bytes: 256 << 20 }
    }
}

/// One partition at work. Cheap to clone.
#[derive(Clone)]
pub struct Broker {}

/// Why the partition could not be opened.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub enum OpenError {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Claim(#[from] afterward_log::ClaimError),
    #[error("batch {position}: {reason}")]
    Record { position: u64, reason: String },
}

/// The partition can't take the call now; nothing of it has happened for certain. HTTP 503.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Unavailable {
    /// What is wrong and what to do, for people.
    pub reason: String,
}

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The state says no.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The partition can't answer.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// A message as it lies in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredMessage {
    /// What the sender said.
    pub content: Content,
    /// Its group.
    pub group: Option<afterward_names::GroupId>,
}

/// A message received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Its lease, id, counts and times.
    pub delivery: Delivery,
    /// Its content and group.
    pub message: StoredMessage,
}

/// What the broker has counted since it was opened, and how things stand.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Metrics {
    pub sent: u64,
    pub delivered: u64,
    pub deleted: u64,
    pub dead_lettered: u64,
    pub batches: u64,
    pub flushes: u64,
    pub waiting_receives: u64,
    pub queues: u64,
    pub messages: u64,
    pub log_allocated_bytes: u64,
    pub log_retained_bytes: u64,
    pub reopened: u64,
}

#[allow(clippy::todo, unused_variables, clippy::unused_async)]
impl Broker {
    /// Replays `log`, claims it, and starts the partition's thread.
    ///
    /// # Errors
    /// When the log can't be read or claimed.
    pub fn open(log: Arc<dyn Log>, clock: Arc<dyn Clock>, settings: Settings) -> Result<Broker, OpenError> {
        todo!()
    }

    /// One command; its reply, or refusal, once everything that it rests on is durable. For `Send` and `Receive` use
    /// [`Self::send`] and [`Self::receive`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn execute(&self, command: Command) -> Result<Reply, Failure> {
        todo!()
    }

    /// Several commands under one flush, each with its own outcome: batches of deletes and visibility changes. The
    /// second of a pair is the error text of a `ChangeVisibility` with `failure`.
    ///
    /// # Errors
    /// [`Unavailable`] for all.
    pub async fn execute_all(
        &self,
        commands: Vec<(Command, Option<String>)>,
    ) -> Result<Vec<Result<Reply, Refusal>>, Unavailable> {
        todo!()
    }

    /// Several sends under one flush, each with its own outcome ([`Reply::Sent`]).
    ///
    /// # Errors
    /// [`Unavailable`] for all: perhaps stored, perhaps not.
    pub async fn send(&self, sends: Vec<(Send, Content)>) -> Result<Vec<Result<Reply, Refusal>>, Unavailable> {
        todo!()
    }

    /// Receives, waiting up to `wait` (`None`: the queue's own wait) for a message to become visible. Dropping the
    /// future ends the wait.
    ///
    /// # Errors
    /// See [`Failure`].
    pub async fn receive(&self, receive: Receive, wait: Option<Duration>) -> Result<Vec<Received>, Failure> {
        todo!()
    }

    /// Reads the state, advanced to now; the answer is given once all that it rests on is durable.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn read<T: std::marker::Send + 'static>(
        &self,
        read: impl FnOnce(&State) -> T + std::marker::Send + 'static,
    ) -> Result<T, Unavailable> {
        todo!()
    }

    /// The contents of messages, `None` for those that are gone by now.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn contents(
        &self,
        of: Vec<(afterward_machine::MessageKey, Location)>,
    ) -> Result<Vec<Option<StoredMessage>>, Unavailable> {
        todo!()
    }

    /// The texts of last failures, by the locations that [`afterward_machine::MessageView::failure`] gives.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn failures(&self, of: Vec<Location>) -> Result<Vec<Option<String>>, Unavailable> {
        todo!()
    }

    /// The maker of receipt handles.
    pub fn receipts(&self) -> &Receipts {
        todo!()
    }

    /// The broker's time.
    pub fn now_ms(&self) -> u64 {
        todo!()
    }

    /// Why the partition can't take calls now, if it can't.
    pub fn trouble(&self) -> Option<String> {
        todo!()
    }

    /// Counters and gauges.
    pub fn metrics(&self) -> Metrics {
        todo!()
    }

    /// Ends every waiting receive with nothing; new ones don't wait any more. The first step of a graceful stop.
    pub fn end_waits(&self) {
        todo!()
    }

    /// Flushes and stops: later calls are [`Unavailable`]. Returns when the partition's thread has ended.
    pub async fn stop(&self) {
        todo!()
    }
}

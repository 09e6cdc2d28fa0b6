//! Delays that the queue itself can't keep: more than 15 minutes, and any on a FIFO queue.
//!
//! Two ways:
//!
//! - **A one-time schedule**, where the endpoint has the EventBridge Scheduler API and runs what is scheduled: the message
//!   comes into being when it is due ([`schedule`]). An Afterward server is recognised and asked for it; Amazon needs a role
//!   that its scheduler may assume, so there it is the user's choice ([`Scheduler`]).
//! - **Sending on**, everywhere else: the message travels with the time that it is due ([`marks`]), and a worker that
//!   receives it early sends it on its way again, with what the queue can keep of what is left ([`sending_on`]).
//!
//! Why sent on rather than hidden by its visibility timeout: each receive counts towards the redrive policy, and a hidden
//! message still grows old; a new one has no receives and its whole retention period before it.

mod check;
pub(super) mod marks;
mod schedule;
mod sending_on;

pub(super) use check::would_be_taken;
pub(super) use schedule::{Schedules, Unscheduled};
pub(super) use sending_on::{SendingOn, delay_seconds, waiting_group};

use super::Queue;
use crate::{
    Error,
    scheduler::Client,
    sqs::{ErrorKind, service::now_ms},
};
use serde::Deserialize;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// The page by which an Afterward server is known.
const CLOCK: &str = "/_afterward/clock";
/// The role that an Afterward server is given, which has no roles: a request must name one.
pub(super) const NO_ROLE: &str = "arn:aws:iam::000000000000:role/afterward";

/// Where delays wait that the queue itself can't keep: more than 15 minutes, and any on a FIFO queue.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Scheduler {
    /// As one-time schedules on an Afterward server. Elsewhere in the queue: workers send on what they receive early. That
    /// is also what a queue does unless `AFTERWARD_SCHEDULER_ROLE` is set.
    #[default]
    Detect,
    /// As one-time schedules at EventBridge Scheduler (or whatever `AWS_ENDPOINT_URL_SCHEDULER` names), which assumes the
    /// role with this ARN to send the message: it needs `sqs:SendMessage`, for the queue and for its dead-letter queue. Amazon's
    /// schedules are kept to the minute.
    Role(String),
    /// In the queue, wherever it is. All its consumers must be Afterward workers: others take early messages for due ones.
    None,
}

/// The two ways.
#[derive(Clone)]
pub(super) enum Later {
    Schedules(Arc<Schedules>),
    SendOn,
}

/// What is known of the endpoint, once it was needed.
#[derive(Default)]
pub(super) struct Known {
    later: Mutex<Option<Later>>,
    house: tokio::sync::OnceCell<House>,
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum House {
    Other,
    Afterward { moved_by_hand: bool },
}

impl Known {
    fn later(&self) -> Option<Later> {
        self.later.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn learn(&self, later: Later) -> Later {
        *self.later.lock().unwrap_or_else(PoisonError::into_inner) = Some(later.clone());
        later
    }
}

impl Queue {
    /// How this queue's long delays are kept.
    pub(super) async fn later(&self) -> Result<Later, Error> {
        if let Some(known) = self.0.known.later() {
            return Ok(known);
        }
        let later = match self.scheduler_setting() {
            Scheduler::None => Later::SendOn,
            Scheduler::Role(role) => schedules(Client::beside(self.client())?, role),
            Scheduler::Detect if self.is_afterward().await? => {
                schedules(Client::at(self.client(), self.client().endpoint().clone())?, NO_ROLE.to_owned())
            }
            Scheduler::Detect => Later::SendOn,
        };
        Ok(self.0.known.learn(later))
    }

    /// Notes that there are no schedules after all.
    pub(super) fn has_no_schedules(&self) -> Later {
        self.0.known.learn(Later::SendOn)
    }

    pub(super) fn scheduler_setting(&self) -> Scheduler {
        let from_env = || std::env::var("AFTERWARD_SCHEDULER_ROLE").ok().filter(|role| !role.is_empty());
        match &self.0.settings.scheduler {
            Scheduler::Detect => from_env().map_or(Scheduler::Detect, Scheduler::Role),
            set => set.clone(),
        }
    }

    /// Whether an Afterward server answers here: it has a page that nobody else has. Amazon is not asked.
    pub(super) async fn is_afterward(&self) -> Result<bool, Error> {
        Ok(self.house().await? != House::Other)
    }

    /// The same without asking; `None`: nobody has asked so far.
    pub(super) fn is_known_as_afterward(&self) -> Option<bool> {
        if self.client().endpoint().is_amazon() {
            return Some(false);
        }
        self.0.known.house.get().map(|house| *house != House::Other)
    }

    /// When a delay that begins now is over, by the clock that will end it.
    pub(super) async fn end_of(&self, delay: Duration) -> Result<u64, Error> {
        let now_ms = self.clock_ms().await?;
        Ok(now_ms.saturating_add(u64::try_from(delay.as_millis()).unwrap_or(u64::MAX)))
    }

    /// What time it is by the clock that ends delays: this machine's, but for a server whose clock a test moves.
    pub(super) async fn clock_ms(&self) -> Result<u64, Error> {
        match self.house().await? {
            House::Other | House::Afterward { moved_by_hand: false } => Ok(now_ms()),
            House::Afterward { moved_by_hand: true } => {
                let reply = self.client().get(CLOCK).await?;
                Ok(clock_of(reply.body()).map_or_else(now_ms, |clock| clock.now_ms))
            }
        }
    }

    async fn house(&self) -> Result<House, Error> {
        if self.client().endpoint().is_amazon() {
            return Ok(House::Other);
        }
        let known = self.0.known.house.get_or_try_init(|| async {
            match self.client().get(CLOCK).await {
                Ok(reply) => Ok(clock_of(reply.body()).map_or(House::Other, |clock| {
                    self.0.lists.learn(clock.entries);
                    House::Afterward { moved_by_hand: clock.clock == "manual" }
                })),
                Err(error) if says_that_there_is_none(error.kind()) => Ok(House::Other),
                // Remembered, one bad moment of a proxy would be believed for as long as the process lives.
                Err(error) => Err(error),
            }
        });
        Ok(*known.await?)
    }
}

/// Whether an answer is definite: there is no such page here. A refusal of the caller is not, for the page may be behind it,
/// unless it is written as SQS writes errors: an Afterward server's is not, for this page.
fn says_that_there_is_none(kind: &ErrorKind) -> bool {
    match kind {
        _ if kind.is_transient() => false,
        ErrorKind::Service { status: 401 | 403 | 407, message, .. } => {
            message.contains("\"__type\"") || message.contains("<Error")
        }
        ErrorKind::Service { status, .. } => (400..500).contains(status) && *status != 408,
        _ => false,
    }
}

fn schedules(client: Client, role: String) -> Later {
    Later::Schedules(Arc::new(Schedules::new(client, role)))
}

/// What an Afterward server's clock says, and how long lists it takes: earlier versions, which don't say, ten.
#[derive(Deserialize)]
struct ServersClock {
    clock: String,
    now_ms: u64,
    #[serde(default)]
    entries: usize,
}

fn clock_of(page: &[u8]) -> Option<ServersClock> {
    serde_json::from_slice(page).ok()
}

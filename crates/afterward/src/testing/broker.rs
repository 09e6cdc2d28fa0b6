//! The server in this process, and its clock.

use super::NewQueue;
use crate::{
    Source, Summary, Worker,
    sqs::{Client, Credential},
};
use afterward_server::{
    Config, Running, Server,
    config::{Clock, Durability, Jobs},
};
use http::HeaderMap;
use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A server in this process, on a free port of this machine, whose clock stands still until it is moved. It ends, and its data
/// is gone, when this is dropped.
///
/// Time is the broker's alone: what a program reads off the machine's clock (the times that [`enqueue(…).at`](crate::Enqueue::at)
/// is given, a token's end) does not follow. Tests give times as `broker.now() + …`.
pub struct Broker {
    server: Running,
    client: Client,
}

impl Broker {
    /// Starts one, at the machine's present time, in whole seconds: schedules, and with them long delays, go by these, and
    /// `advance(delay)` brings exactly to their end.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn start() -> Broker {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Broker::start_at(UNIX_EPOCH + Duration::from_secs(now.as_secs())).await
    }

    /// Starts one whose time begins here: where a date matters, such as a change to daylight saving.
    ///
    /// # Panics
    /// When it can't be started.
    pub async fn start_at(time: SystemTime) -> Broker {
        let from_ms = whole_ms(time.duration_since(UNIX_EPOCH).unwrap_or_default());
        let config = Config {
            clock: Clock::Manual { from_ms: Some(from_ms) },
            // Nothing is read after the end of the process.
            durability: Durability::Os,
            // The queues of a test are those that it makes.
            jobs: Jobs { create: false, ..Jobs::default() },
            ..Config::ephemeral()
        };
        let server = Server::start(config).await.unwrap_or_else(|error| panic!("the broker did not start: {error}"));
        let credential = Credential {
            access_key_id: "afterward".to_owned(),
            secret_access_key: "afterward".to_owned(),
            session_token: None,
        };
        let client = Client::builder().endpoint(server.url()).region("us-east-1").credentials(credential).build();
        let client = client.unwrap_or_else(|error| panic!("the broker at {} can't be used: {error}", server.url()));
        Broker { server, client }
    }

    /// Where it listens, such as `http://127.0.0.1:41233`: for programs under test that are told where their queues are.
    pub fn url(&self) -> String {
        self.server.url()
    }

    /// A client of it.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// A queue of it, which is made if it is not there: with a dead-letter queue, unless told otherwise. Awaited, this gives a
    /// [`Queue`](crate::Queue).
    pub fn queue(&self, name: impl Into<String>) -> NewQueue {
        NewQueue::new(self.client.clone(), name.into())
    }

    /// What time it is there.
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.server.broker().now_ms())
    }

    /// Lets time pass. When this returns, what became due has happened: delays and leases have ended, and schedules have sent
    /// what they send.
    ///
    /// # Panics
    /// When the clock can't be moved so far.
    pub async fn advance(&self, by: Duration) {
        let body = format!(r#"{{"advance_ms":{}}}"#, whole_ms(by));
        if let Err(error) = self.client.post("/_afterward/clock", HeaderMap::new(), body).await {
            panic!("the clock could not be moved by {by:?}: {error}");
        }
    }

    /// Stops it in order. Dropping it ends it as well, in the middle of what it does.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl fmt::Debug for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Broker").field("url", &self.url()).field("now", &self.now()).finish()
    }
}

/// Runs a worker until its queue has nothing more that could be handled now, and returns how its attempts ended.
///
/// - Left in the queue is what is delayed, and what waits for its next attempt: move the clock and drain again.
/// - What waits for others to end, under [`concurrency`](crate::Handling::concurrency) or
///   [`limit_by`](crate::Handling::limit_by), is handled, however much of it there is.
/// - No time passes for a [`rate`](crate::Handling::rate): a drain handles as many as the rate lets through at once, and leaves
///   the others in the queue. The next drain is another moment, with a worker that has begun none yet.
/// - Types that a [`Handle`](crate::Handle) has paused are left, and of a worker that is paused itself, everything.
///
/// What was received and is left counts as [handed back](Summary::handed_back), and has lost no attempt.
///
/// ```
/// # use afterward::{Raw, Worker, testing::{self, Broker}};
/// # async fn handler(_: Raw) {}
/// # async fn test() {
/// let broker = Broker::start().await;
/// let jobs = broker.queue("jobs").await;
/// let summary = testing::drain(Worker::new(jobs).otherwise(handler)).await;
/// assert_eq!(summary.succeeded, 0);
/// # }
/// # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test());
/// ```
///
/// # Panics
/// Where [`Worker::run`] has an error.
pub async fn drain<S: Source>(worker: Worker<S>) -> Summary {
    worker.drain().await.unwrap_or_else(|error| panic!("the worker could not work: {error}"))
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

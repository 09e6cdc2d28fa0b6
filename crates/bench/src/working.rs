//! A worker of the library whose handler does nothing: what a job costs beside its work.
//!
//! It is a process of its own, which says in lines what it does: that it begins, that it has handled all jobs that it was told
//! to expect, when each was handed to the handler, and how its attempts ended.

use afterward::{Error, Message, Queue, Worker, sqs};
use serde::{Deserialize, Serialize};
use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::Notify;

/// How many jobs are in hand at once: enough for several receives of ten and their deletes under way.
const CONCURRENCY: usize = 80;

/// A job of which nothing has to be done.
#[derive(Debug, Serialize, Deserialize, Message)]
#[message(type = "noop")]
pub struct Noop {
    /// Which one it is, from 0.
    pub number: u32,
}

/// The queue with this URL on the server at `address`, for the library.
///
/// # Errors
/// When the address makes no sense.
pub fn queue(address: SocketAddr, url: &str) -> Result<Queue, Error> {
    let credential = sqs::Credential {
        access_key_id: "afterward".into(),
        secret_access_key: "afterward".into(),
        session_token: None,
    };
    let client = sqs::Client::builder().endpoint(format!("http://{address}")).credentials(credential).build()?;
    Ok(Queue::with_client(client, url))
}

/// Nanoseconds since 1970, by the clock that all processes of a machine share.
pub fn now_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

/// Works until `jobs` jobs were handled, saying each of these lines: `working`; `handled`, at the last of them; for each job
/// `NUMBER NANOSECONDS`, when its handler was entered; and `done SUCCEEDED`.
///
/// # Errors
/// When the queue can't be worked from.
pub async fn run(
    address: SocketAddr,
    url: &str,
    jobs: u64,
    say: impl Fn(String) + Send + Sync + 'static,
) -> Result<(), Error> {
    let entered: Arc<Mutex<Vec<(u32, u64)>>> = Arc::default();
    let (count, enough, say) = (Arc::new(AtomicU64::new(0)), Arc::new(Notify::new()), Arc::new(say));
    let (notes, told, last) = (entered.clone(), enough.clone(), say.clone());
    let worker = Worker::new(queue(address, url)?).concurrency(CONCURRENCY).on(move |Noop { number }: Noop| {
        notes.lock().unwrap_or_else(PoisonError::into_inner).push((number, now_ns()));
        if count.fetch_add(1, Ordering::Relaxed) + 1 == jobs {
            last("handled".to_owned());
            told.notify_one();
        }
        std::future::ready(())
    });
    say("working".to_owned());
    let summary = worker.stop_on(async move { enough.notified().await }).run().await?;
    for (number, ns) in entered.lock().unwrap_or_else(PoisonError::into_inner).drain(..) {
        say(format!("{number} {ns}"));
    }
    say(format!("done {}", summary.succeeded));
    Ok(())
}

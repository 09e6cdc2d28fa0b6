//! Unique jobs: one message of a key within a while, whoever sends it.
//!
//! A FIFO queue does this by its deduplication id, for five minutes. An Afterward server does it on every queue and for as
//! long as asked, told by two headers of SendMessage. Nobody else can, so there it is refused.

use super::Queue;
use crate::{Error, claim::sha256};
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

/// The key's digest.
const UNIQUE: HeaderName = HeaderName::from_static("x-afterward-unique");
/// For how many seconds.
const UNIQUE_SECONDS: HeaderName = HeaderName::from_static("x-afterward-unique-seconds");
/// How long a FIFO queue remembers a deduplication id, and every queue a unique key unless told otherwise.
const USUAL: Duration = Duration::from_secs(300);
/// What an Afterward server remembers at most.
const LONGEST: Duration = Duration::from_secs(7 * 86_400);

/// What makes a message the same as another.
#[derive(Debug, Clone, Default)]
pub(super) struct Unique {
    /// Unless set, the payload itself.
    pub(super) key: Option<String>,
    pub(super) window: Option<Duration>,
}

/// How a queue is told.
#[derive(Debug)]
pub(super) enum Told {
    DeduplicationId(String),
    Headers(HeaderMap),
}

impl Unique {
    /// How `queue` is to be told that a message is unique.
    pub(super) async fn told(&self, queue: &Queue, message_type: &str, body: &str) -> Result<Told, Error> {
        let (name, window) = (queue.name(), self.window.unwrap_or(USUAL));
        // Types keep their keys apart; a body begins with its type anyway.
        let digest = match &self.key {
            Some(key) => sha256(format!("key\0{message_type}\0{key}").as_bytes()),
            None => sha256(format!("body\0{body}").as_bytes()),
        };
        if queue.is_fifo() && window == USUAL {
            return Ok(Told::DeduplicationId(digest));
        }
        if window > LONGEST || window < Duration::from_secs(1) {
            return Err(Error::Refused(format!("unique for {window:?}: it can be from a second to seven days")));
        }
        if queue.is_afterward().await? {
            return Ok(Told::Headers(headers(&digest, window)));
        }
        Err(Error::Refused(if queue.is_fifo() {
            format!(
                "`{name}` at {} remembers deduplication ids for five minutes, neither more nor less: leave out .unique_for(…), \
                 or use an Afterward server",
                queue.client().endpoint()
            )
        } else {
            format!(
                "`{name}` at {} is a standard queue, which knows no unique messages: that needs a FIFO queue or an Afterward \
                 server",
                queue.client().endpoint()
            )
        }))
    }
}

fn headers(digest: &str, window: Duration) -> HeaderMap {
    let seconds = window.as_secs() + u64::from(window.subsec_nanos() > 0);
    // Hex digits are always a header's value.
    let digest = HeaderValue::from_str(digest).ok().map(|digest| (UNIQUE, digest));
    digest.into_iter().chain([(UNIQUE_SECONDS, HeaderValue::from(seconds))]).collect()
}

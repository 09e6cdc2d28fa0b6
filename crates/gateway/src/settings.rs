//! How the gateway is set up.

use afterward_broker::ManualClock;
use afterward_names::{AccountId, QueueAddress};
use afterward_scheduler::Runner;
use std::{fmt, sync::Arc, time::Duration};

/// How the gateway is set up.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Who may call; empty: everybody, whoever they say they are.
    pub credentials: Vec<Credential>,
    /// Whether a purged queue can't be purged, and a deleted one not created, again for 60 seconds.
    pub cooldowns: bool,
    /// The front door.
    pub jobs: Jobs,
    /// What a client may ask for.
    pub limits: Limits,
    /// How many threads serve connections; at least one.
    pub threads: usize,
    /// The broker's clock, where a test is to move it: by `/_afterward/clock`. `None`: nobody moves the time.
    pub clock: Option<Arc<ManualClock>>,
    /// What runs the broker's schedules: it runs one by hand, and says what targets may be called. `None`: nothing does.
    pub runner: Option<Runner>,
}

/// An access key that may call.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// Its id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: String,
    /// Whose it is; `None`: what the id says ([`AccountId::of_access_key`]).
    pub account: Option<AccountId>,
}

impl fmt::Debug for Credential {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("access_key_id", &self.access_key_id)
            .field("account", &self.account)
            .finish_non_exhaustive()
    }
}

/// The front door.
#[derive(Debug, Clone)]
pub struct Jobs {
    /// The queue that takes the jobs; a standard queue.
    pub queue: QueueAddress,
    /// How long a job waits at first, unless its request says; `None`: the queue's own delay.
    pub delay_ms: Option<u64>,
    /// The origins whose pages may call; `*` is all.
    pub cors_origins: Vec<String>,
    /// Whether jobs are taken without a signature although there are credentials.
    pub public: bool,
}

/// What a client may ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body.
    pub body_bytes: usize,
    /// How much all request bodies of more than 64 KiB may take together, from their announcement until they have been
    /// answered. One body may always be read, however large.
    pub bodies_bytes: usize,
    /// How much all replies of more than 64 KiB may take together, until the system has their last bytes; messages, from
    /// before they are read. One reply may always be given, however large.
    pub replies_bytes: usize,
    /// How long a request's head may take from its first byte on.
    pub header: Duration,
    /// How long a request's body may take, and how long a client may take for a reply, or for each mebibyte of a larger
    /// one. Half as long, a large body may wait for room, and messages for room in a reply.
    pub body: Duration,
    /// How long a connection may stay open between requests.
    pub idle: Duration,
    /// How many connections may be open at a time.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            body_bytes: 8 << 20,
            bodies_bytes: 256 << 20,
            replies_bytes: 256 << 20,
            header: Duration::from_secs(10),
            body: Duration::from_secs(60),
            idle: Duration::from_secs(120),
            connections: 16_384,
        }
    }
}

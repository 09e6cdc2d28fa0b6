//! A broker on a log in memory and a clock in our hand, and short words for what callers do.

use afterward_broker::{
    Broker, Content, Failure, ManualClock, Received, Settings, StoredMessage,
    machine::{
        AttributeChanges, Command, CreateQueue, Dedup, LeaseRef, QueueId, Receive, RedrivePolicy, Refusal, Reply, Send,
    },
};
use afterward_log::{
    Log,
    memory::{Fencing, MemoryLog},
};
use afterward_names::{MessageId, QueueAddress, QueueArn};
use bytes::Bytes;
use std::{
    collections::BTreeMap,
    future::Future,
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};
use tokio::task::JoinHandle;

/// When the tests begin.
pub(crate) const START_MS: u64 = 1_700_000_000_000;

pub(crate) struct Rig {
    pub(crate) broker: Broker,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) log: Arc<MemoryLog>,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        Rig::with(Settings::default())
    }

    pub(crate) fn with(settings: Settings) -> Rig {
        let log = Arc::new(MemoryLog::new(Fencing::ByStore));
        let clock = Arc::new(ManualClock::at(START_MS));
        let broker = Broker::open(log.clone(), clock.clone(), settings).unwrap();
        Rig { broker, clock, log }
    }

    /// Drops the broker as a kill would, and opens another one on the same log.
    pub(crate) fn kill_and_reopen(self) -> Rig {
        let Rig { broker, clock, log } = self;
        drop(broker);
        let log = Arc::new(log.another());
        let broker = Broker::open(log.clone(), clock.clone(), Settings::default()).unwrap();
        Rig { broker, clock, log }
    }
}

/// The calls, on any broker.
pub(crate) trait Calls {
    fn broker(&self) -> &Broker;

    async fn create(&self, name: &str, attributes: AttributeChanges) -> QueueAddress {
        let queue = address(name);
        let create = CreateQueue { queue: queue.clone(), attributes, tags: BTreeMap::new(), cooldown: false };
        self.broker().execute(Command::CreateQueue(create)).await.unwrap();
        queue
    }

    async fn standard(&self, name: &str) -> QueueAddress {
        self.create(name, AttributeChanges::default()).await
    }

    async fn fifo(&self, name: &str) -> QueueAddress {
        self.create(name, AttributeChanges { fifo: Some(true), ..Default::default() }).await
    }

    /// A queue of the kind that its name says, which gives each message one receive where it has a dead-letter queue.
    async fn create_any(&self, name: &str, dead: Option<&QueueAddress>) -> QueueAddress {
        let redrive =
            dead.map(|dead| RedrivePolicy { dead_letter_queue: QueueArn(dead.clone()), max_receive_count: 1 });
        let fifo = name.ends_with(".fifo").then_some(true);
        self.create(name, AttributeChanges { fifo, redrive: redrive.map(Some), ..Default::default() }).await
    }

    /// A queue and its dead-letter queue; one receive, and the next one moves the message.
    async fn with_dead_letters(&self, name: &str) -> (QueueAddress, QueueAddress) {
        let dead = self.standard(&format!("{name}-dlq")).await;
        (self.create_any(name, Some(&dead)).await, dead)
    }

    async fn put(&self, queue: &QueueAddress, body: &str) -> MessageId {
        match self.try_send(a_send(queue), body).await.unwrap() {
            Reply::Sent { id, .. } => id,
            other => panic!("{other:?}"),
        }
    }

    async fn send_in_group(&self, queue: &QueueAddress, group: &str, body: &str) {
        let digest = std::array::from_fn(|at| body.as_bytes().get(at).copied().unwrap_or(0));
        let dedup = Some(Dedup::Fifo { id: Some(digest), body: None });
        let send = Send { group: Some(group.parse().unwrap()), dedup, ..a_send(queue) };
        self.try_send(send, body).await.unwrap();
    }

    /// Sends to a queue of either kind.
    async fn put_any(&self, queue: &QueueAddress, body: &str) {
        match queue.name.is_fifo() {
            true => self.send_in_group(queue, "g", body).await,
            false => drop(self.put(queue, body).await),
        }
    }

    async fn try_send(&self, send: Send, body: &str) -> Result<Reply, Failure> {
        Ok(self.broker().send_one(send, content(body)).await??)
    }

    async fn take(&self, queue: &QueueAddress, max: usize, wait_s: u64) -> Vec<Received> {
        self.try_receive(queue, max, wait_s).await.unwrap()
    }

    async fn try_receive(&self, queue: &QueueAddress, max: usize, wait_s: u64) -> Result<Vec<Received>, Failure> {
        self.broker().receive(a_receive(queue, max), Some(Duration::from_secs(wait_s))).await
    }

    async fn delete(&self, queue: &QueueAddress, lease: LeaseRef) -> Result<Reply, Failure> {
        self.broker().execute(Command::Delete { queue: queue.clone(), lease }).await
    }

    /// Gives a message back, after `timeout_s` more.
    async fn release(&self, queue: &QueueAddress, lease: LeaseRef, timeout_s: u64) {
        let command = change(queue, lease, timeout_s);
        self.broker().execute(command).await.unwrap();
    }

    /// Starts a receive on a task of its own, and comes back when it waits.
    async fn waiting(&self, queue: &QueueAddress, max: usize) -> JoinHandle<Result<Vec<Received>, Failure>> {
        let before = self.broker().metrics().waiting_receives;
        let (broker, receive) = (self.broker().clone(), a_receive(queue, max));
        let task = tokio::spawn(async move { broker.receive(receive, Some(Duration::from_secs(20))).await });
        until("the receive waits", || self.broker().metrics().waiting_receives > before).await;
        task
    }
}

impl Calls for Rig {
    fn broker(&self) -> &Broker {
        &self.broker
    }
}

impl Calls for Broker {
    fn broker(&self) -> &Broker {
        self
    }
}

pub(crate) fn address(name: &str) -> QueueAddress {
    QueueAddress {
        account: "000000000000".parse().unwrap(),
        region: "us-east-1".parse().unwrap(),
        name: name.parse().unwrap(),
    }
}

pub(crate) fn a_send(queue: &QueueAddress) -> Send {
    Send { queue: queue.clone(), size_bytes: 1, delay_ms: None, group: None, dedup: None, job: false, batch: None }
}

pub(crate) fn a_receive(queue: &QueueAddress, max: usize) -> Receive {
    Receive { queue: queue.clone(), max, visibility_timeout_ms: None, attempt: None }
}

pub(crate) fn change(queue: &QueueAddress, lease: LeaseRef, timeout_s: u64) -> Command {
    Command::ChangeVisibility { queue: queue.clone(), lease, timeout_ms: timeout_s * 1000, failure: false }
}

pub(crate) fn content(body: &str) -> Content {
    Content {
        body: Bytes::copy_from_slice(body.as_bytes()),
        body_md5: [1; 16],
        attributes: Vec::new(),
        sender: "AIDTEST".into(),
        deduplication_id: None,
        trace_header: None,
    }
}

pub(crate) fn body(message: &StoredMessage) -> String {
    String::from_utf8(message.content.body.to_vec()).unwrap()
}

pub(crate) fn bodies(received: &[Received]) -> Vec<String> {
    received.iter().map(|received| body(&received.message)).collect()
}

pub(crate) fn sent(outcome: Result<Reply, Failure>) -> bool {
    matches!(outcome, Ok(Reply::Sent { .. }))
}

pub(crate) fn refused(outcome: Result<Reply, Failure>) -> Option<Refusal> {
    match outcome {
        Err(Failure::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

pub(crate) async fn queue_id(broker: &Broker, queue: &QueueAddress) -> QueueId {
    let queue = queue.clone();
    broker.read(move |state| state.queue_at(&queue).map(|queue| queue.id)).await.unwrap().unwrap()
}

/// Waits until `true_now`, or fails with `what` after a while.
pub(crate) async fn until(what: &str, mut true_now: impl FnMut() -> bool) {
    let began = Instant::now();
    while !true_now() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came about that {what}");
        // Only how often the condition is looked at.
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// What `call` answers, asked again until the partition is back from a failure.
pub(crate) async fn once_back<T>(broker: &Broker, call: impl AsyncFn(&Broker) -> T) -> T {
    until("the partition is back", || broker.trouble().is_none()).await;
    call(broker).await
}

/// The answer of a call that must be ready at once.
pub(crate) fn now<T>(call: impl Future<Output = T>) -> Option<T> {
    match pin!(call).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

/// Waits until `count` appends are being held back by `log`.
pub(crate) async fn held(log: &Arc<MemoryLog>, count: usize) {
    let log = log.clone();
    tokio::task::spawn_blocking(move || log.wait_until_held(count)).await.unwrap();
}

/// How much of a log is kept.
pub(crate) fn retained(log: &dyn Log) -> u64 {
    log.usage().retained_bytes
}

/// Attributes with something set.
pub(crate) fn attributes(set: impl FnOnce(&mut AttributeChanges)) -> AttributeChanges {
    let mut attributes = AttributeChanges::default();
    set(&mut attributes);
    attributes
}

impl Rig {
    /// Receives until there is nothing more.
    pub(crate) async fn receive_all(&self, queue: &QueueAddress) -> Vec<Received> {
        let mut all = Vec::new();
        loop {
            let some = self.take(queue, 10, 0).await;
            if some.is_empty() {
                return all;
            }
            all.extend(some);
        }
    }
}

//! Threads that commit what they have done themselves, beside the partition's thread.

use crate::rig::{Calls, Rig, a_send, bodies, now, once_back, sent};
use afterward_broker::{Broker, Settings, SystemClock};
use afterward_log::{
    AppendError, Batch, Bounds, ClaimError, Epoch, Log, Page, Position, ReadError, Slice, Usage,
    memory::{Fault, Fencing, MemoryLog},
};
use bytes::Bytes;
use std::{
    sync::{Arc, Mutex},
    thread,
};
use tokio::{runtime::Builder, task::JoinSet};

/// A log that remembers which threads appended.
struct Signed {
    log: MemoryLog,
    by: Mutex<Vec<String>>,
}

impl Signed {
    fn new() -> Arc<Signed> {
        Arc::new(Signed { log: MemoryLog::new(Fencing::ByStore), by: Mutex::default() })
    }

    /// Who appended since this was last asked.
    fn by(&self) -> Vec<String> {
        std::mem::take(&mut self.by.lock().unwrap())
    }
}

impl Log for Signed {
    fn bounds(&self) -> Result<Bounds, ReadError> {
        self.log.bounds()
    }

    fn claim(&self, expected: Position, batch: Batch) -> Result<(Epoch, Position), ClaimError> {
        self.log.claim(expected, batch)
    }

    fn append(&self, epoch: Epoch, expected: Position, batch: Batch) -> Result<Position, AppendError> {
        self.by.lock().unwrap().push(thread::current().name().unwrap_or_default().to_owned());
        self.log.append(epoch, expected, batch)
    }

    fn read(&self, from: Position, max_bytes: usize) -> Result<Page, ReadError> {
        self.log.read(from, max_bytes)
    }

    fn fetch(&self, slices: &[Slice]) -> Result<Vec<Bytes>, ReadError> {
        self.log.fetch(slices)
    }

    fn trim(&self, epoch: Epoch, up_to: Position) -> Result<(), AppendError> {
        self.log.trim(epoch, up_to)
    }

    fn usage(&self) -> Usage {
        self.log.usage()
    }
}

fn open(log: Arc<dyn Log>) -> Broker {
    Broker::open(log, Arc::new(SystemClock), Settings::default()).unwrap()
}

/// Runs `story` on a thread called `serving`, beside an assistant.
fn serving<F: Future<Output = ()>>(broker: &Broker, story: impl FnOnce(Broker) -> F + Send + 'static) {
    let broker = broker.clone();
    let serving = thread::Builder::new().name("serving".to_owned()).spawn(move || {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let assist = broker.assist();
        runtime.spawn(async move { match assist.await {} });
        runtime.block_on(async {
            // The assistant's first turn.
            tokio::task::yield_now().await;
            story(broker).await;
        });
    });
    serving.unwrap().join().unwrap();
}

async fn send_at_once(broker: &Broker, queue: &afterward_names::QueueAddress, count: usize) {
    let mut sends = JoinSet::new();
    for number in 0..count {
        let (broker, send) = (broker.clone(), a_send(queue));
        sends.spawn(async move { broker.try_send(send, &number.to_string()).await });
    }
    while let Some(outcome) = sends.join_next().await {
        assert!(sent(outcome.unwrap()));
    }
}

#[test]
fn few_are_committed_where_they_are_and_many_at_once_by_the_partitions_thread() {
    let log = Signed::new();
    serving(&open(log.clone()), move |broker| async move {
        let queue = broker.standard("q").await;
        log.by();
        send_at_once(&broker, &queue, 1).await;
        assert_eq!(log.by(), ["serving"]);
        send_at_once(&broker, &queue, 20).await;
        assert_eq!(log.by(), ["partition"]);
    });
}

#[test]
fn an_append_that_fails_on_a_serving_thread_is_told_and_the_partition_comes_back() {
    let log = Arc::new(MemoryLog::new(Fencing::ByStore));
    let of_story = log.clone();
    serving(&open(log), |broker| async move {
        let queue = broker.standard("q").await;
        broker.put(&queue, "before").await;
        of_story.fail_next(Fault::UnknownLost);
        assert!(broker.try_send(a_send(&queue), "lost").await.is_err());
        once_back(&broker, async |broker| broker.try_send(a_send(&queue), "after").await).await.unwrap();
        assert_eq!(bodies(&broker.take(&queue, 10, 0).await), ["before", "after"]);
    });
}

#[test]
fn what_a_serving_thread_leaves_behind_when_it_ends_is_committed_all_the_same() {
    let rig = Rig::new();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let queue = runtime.block_on(rig.standard("q"));
    for number in 0..50 {
        let of_thread = queue.clone();
        serving(&rig.broker, move |broker| async move {
            // Asked once: the change is made. The thread ends before its assistant's turn comes.
            let body = number.to_string();
            // Where the partition's thread is quicker than that, it has its answer already.
            if let Some(answer) = now(broker.try_send(a_send(&of_thread), &body)) {
                answer.unwrap();
            }
        });
    }
    // Answered when it is durable, and with it all before.
    runtime.block_on(rig.put(&queue, "last"));
    let reopened = rig.kill_and_reopen();
    let left = runtime.block_on(reopened.broker.read(|state| state.message_count())).unwrap();
    assert_eq!(left, 51);
}

#[test]
fn many_threads_with_and_without_assistants_all_get_their_answers() {
    const CALLERS: usize = 8;
    const EACH: usize = 100;
    let log = Signed::new();
    let broker = open(log.clone());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let queue = runtime.block_on(broker.standard("q"));
    thread::scope(|scope| {
        for _ in 0..3 {
            let (broker, queue) = (&broker, queue.clone());
            scope.spawn(move || serving(broker, move |broker| chatter(broker, queue)));
        }
        runtime.block_on(chatter(broker.clone(), queue.clone()));
    });
    let left = runtime.block_on(broker.read(|state| state.message_count())).unwrap();
    assert_eq!(left as usize, 4 * CALLERS * EACH);

    /// Each caller sends one after the other; all callers at the same time.
    async fn chatter(broker: Broker, queue: afterward_names::QueueAddress) {
        let mut callers = JoinSet::new();
        for _ in 0..CALLERS {
            let (broker, queue) = (broker.clone(), queue.clone());
            callers.spawn(async move {
                for number in 0..EACH {
                    broker.put(&queue, &number.to_string()).await;
                }
            });
        }
        while let Some(outcome) = callers.join_next().await {
            outcome.unwrap();
        }
    }
}

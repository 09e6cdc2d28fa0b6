//! Threads that commit what they have done themselves, beside the partition's thread.

use crate::{
    rig::{Calls, Rig, a_send, bodies, now, once_back, sent},
    watched::{SERVING, Watched, serving},
};
use afterward_broker::{Broker, Settings, SystemClock};
use afterward_log::{
    Log,
    memory::{Fault, Fencing, MemoryLog},
};
use std::sync::Arc;
use tokio::{runtime::Builder, task::JoinSet};

fn in_memory() -> Arc<MemoryLog> {
    Arc::new(MemoryLog::new(Fencing::ByStore))
}

fn open(log: Arc<dyn Log>) -> Broker {
    Broker::open(log, Arc::new(SystemClock), Settings::default()).unwrap()
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
    let log = Watched::new(in_memory());
    let story = serving(&open(log.clone()), move |broker| async move {
        let queue = broker.standard("q").await;
        // Where the machine stops for some milliseconds in the midst of an append, the log looks slow, and what comes next is
        // left to the partition's thread: not ten times in a row.
        let mut by = Vec::new();
        for _ in 0..10 {
            log.by();
            send_at_once(&broker, &queue, 1).await;
            by = log.by();
            if by == [SERVING] {
                break;
            }
        }
        assert_eq!(by, [SERVING]);
        send_at_once(&broker, &queue, 20).await;
        assert_eq!(log.by(), ["partition"]);
    });
    story.join().unwrap();
}

#[test]
fn an_append_that_fails_on_a_serving_thread_is_told_and_the_partition_comes_back() {
    let log = in_memory();
    let of_story = log.clone();
    let story = serving(&open(log), |broker| async move {
        let queue = broker.standard("q").await;
        broker.put(&queue, "before").await;
        of_story.fail_next(Fault::UnknownLost);
        assert!(broker.try_send(a_send(&queue), "lost").await.is_err());
        once_back(&broker, async |broker| broker.try_send(a_send(&queue), "after").await).await.unwrap();
        assert_eq!(bodies(&broker.take(&queue, 10, 0).await), ["before", "after"]);
    });
    story.join().unwrap();
}

#[test]
fn what_a_serving_thread_leaves_behind_when_it_ends_is_committed_all_the_same() {
    let rig = Rig::new();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let queue = runtime.block_on(rig.standard("q"));
    for number in 0..50 {
        let of_thread = queue.clone();
        let story = serving(&rig.broker, move |broker| async move {
            // Asked once: the change is made. The thread ends before its assistant's turn comes.
            let body = number.to_string();
            // Where the partition's thread is quicker than that, it has its answer already.
            if let Some(answer) = now(broker.try_send(a_send(&of_thread), &body)) {
                answer.unwrap();
            }
        });
        story.join().unwrap();
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
    let broker = open(in_memory());
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let queue = runtime.block_on(broker.standard("q"));
    let stories = [(); 3].map(|()| {
        let queue = queue.clone();
        serving(&broker, move |broker| chatter(broker, queue))
    });
    runtime.block_on(chatter(broker.clone(), queue.clone()));
    for story in stories {
        story.join().unwrap();
    }
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

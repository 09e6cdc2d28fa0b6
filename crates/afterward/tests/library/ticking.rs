//! What workers' schedules do, told against a real service.

use afterward::{Handle, Queue, Scheduler, Summary, Tick, Worker, handler, sqs};
use std::{
    future::{Ready, ready},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::time::{sleep, timeout};

/// How long to wait for what has to come, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

/// The ticks that were handled, by all workers.
#[derive(Clone, Default)]
pub(crate) struct Ticks(Arc<Mutex<Vec<Tick>>>);

impl Ticks {
    /// A handler that notes its ticks here.
    pub(crate) fn noting(&self) -> impl Fn(Tick) -> Ready<()> + Send + Sync + 'static {
        let ticks = self.0.clone();
        move |tick| {
            ticks.lock().unwrap().push(tick);
            ready(())
        }
    }

    pub(crate) fn seen(&self) -> Vec<Tick> {
        self.0.lock().unwrap().clone()
    }

    /// Waits until so many were handled.
    pub(crate) async fn reach(&self, count: usize) {
        until(async || self.seen().len() >= count).await;
    }
}

pub(crate) async fn until(holds: impl AsyncFn() -> bool) {
    let waiting = async {
        while !holds().await {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, waiting).await.expect("it never came to that");
}

pub(crate) fn count(summaries: &[Summary], of: impl Fn(&Summary) -> u64) -> u64 {
    summaries.iter().map(of).sum()
}

/// A FIFO queue without a scheduler.
async fn fifo(client: &sqs::Client, name: &str) -> Queue {
    let attributes = [("FifoQueue".to_owned(), "true".to_owned())].into();
    let create = sqs::CreateQueueRequest { queue_name: name.to_owned(), attributes, ..Default::default() };
    let url = client.create_queue(create).await.unwrap().queue_url.unwrap();
    Queue::with_client(client.clone(), url).scheduler(Scheduler::None)
}

/// Workers of processes of their own: they share nothing but the queue.
fn start(queue: &Queue, ticks: &Ticks, expression: &str) -> (Handle, tokio::task::JoinHandle<Summary>) {
    let alone = Queue::with_client(queue.client().clone(), queue.url()).scheduler(Scheduler::None);
    let worker = Worker::new(alone).every(expression, handler(ticks.noting()).name("often"));
    let handle = worker.handle();
    (handle, tokio::spawn(async move { worker.run().await.unwrap() }))
}

/// Two workers that come back after two periods find one run to make up for.
pub(crate) async fn what_was_missed_is_sent_once(client: &sqs::Client, period: Duration) {
    let queue = fifo(client, "story-missed.fifo").await;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    // On a server whose clock is a test's, long ago is before all of its times, too.
    let until_ms = (now - Duration::from_secs(365 * 86_400)).as_millis();
    let tags = [("afterward:tick:often".to_owned(), until_ms.to_string())].into();
    client.tag_queue(sqs::TagQueueRequest { queue_url: queue.url().to_owned(), tags }).await.unwrap();
    let ticks = Ticks::default();
    let expression = format!("rate({} minutes)", period.as_secs() / 60);
    let workers = [start(&queue, &ticks, &expression), start(&queue, &ticks, &expression)];
    ticks.reach(1).await;
    let tags = || async {
        let list = sqs::ListQueueTagsRequest { queue_url: queue.url().to_owned() };
        client.list_queue_tags(list).await.unwrap().tags["afterward:tick:often"].clone()
    };
    until(async || tags().await != until_ms.to_string()).await;
    let mut summaries = Vec::new();
    for (handle, running) in workers {
        handle.stop();
        summaries.push(running.await.unwrap());
    }
    assert_eq!(count(&summaries, |summary| summary.succeeded), 1, "{summaries:?}");
    assert_eq!(ticks.seen().len(), 1);
}

/// Two workers, each with a timer of its own, and a real minute.
pub(crate) async fn a_minute_comes_once(client: &sqs::Client) {
    let queue = fifo(client, "story-minute.fifo").await;
    let ticks = Ticks::default();
    let workers = [start(&queue, &ticks, "rate(1 minute)"), start(&queue, &ticks, "rate(1 minute)")];
    ticks.reach(1).await;
    let mut summaries = Vec::new();
    for (handle, running) in workers {
        handle.stop();
        summaries.push(running.await.unwrap());
    }
    let times: Vec<SystemTime> = ticks.seen().into_iter().map(|tick| tick.scheduled_at).collect();
    let mut once = times.clone();
    once.dedup();
    assert_eq!(times, once, "{summaries:?}");
    let receive = sqs::ReceiveMessageRequest {
        queue_url: queue.url().to_owned(),
        wait_time_seconds: Some(2),
        ..Default::default()
    };
    let left = client.receive_message(receive).await.unwrap().messages;
    assert!(left.is_empty(), "the other worker's tick was taken as well: {left:?}");
}

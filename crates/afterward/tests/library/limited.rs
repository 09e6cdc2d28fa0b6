//! Limited and paused types with a backlog of many times what a worker lets wait: it is worked on without a pause, every job at
//! its first attempt, and nobody else waits behind it. Told against any service; leases last so long that nobody can have waited
//! for the end of one.

use crate::story::{attributes, create};
use afterward::{Context, Message, Queue, Worker, handler, sqs};
use serde::{Deserialize, Serialize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::{Duration, Instant},
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};

const BACKLOG: usize = 200;
const ROOM: usize = 20;
/// How long to wait for what has to come, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Serialize, Deserialize, Message)]
#[message(type = "copy")]
struct Copy {
    tenant: String,
}

#[derive(Serialize, Deserialize, Message)]
#[message(type = "urgent")]
struct Urgent;

/// What happened so far.
#[derive(Clone)]
struct Office {
    /// Copies wait for this.
    opened: watch::Sender<bool>,
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    copied: watch::Sender<usize>,
    urgent: watch::Sender<usize>,
}

impl Office {
    fn new(is_open: bool) -> Office {
        Office {
            opened: watch::Sender::new(is_open),
            running: Arc::default(),
            most: Arc::default(),
            copied: watch::Sender::new(0),
            urgent: watch::Sender::new(0),
        }
    }

    async fn copy(self, cx: Context) {
        assert_eq!(cx.attempt(), 1, "no receive was in vain");
        self.most.fetch_max(self.running.fetch_add(1, SeqCst) + 1, SeqCst);
        let _ = self.opened.subscribe().wait_for(|is_open| *is_open).await;
        sleep(Duration::from_millis(5)).await; // the work
        self.running.fetch_sub(1, SeqCst);
        self.copied.send_modify(|copied| *copied += 1);
    }

    async fn until_urgent(&self) {
        let mut urgent = self.urgent.subscribe();
        let done = timeout(PATIENCE, urgent.wait_for(|urgent| *urgent == 1)).await;
        done.expect("the urgent job waits behind the others").unwrap();
    }

    async fn until_copied(&self, count: usize) {
        let mut copied = self.copied.subscribe();
        let done = timeout(PATIENCE, copied.wait_for(|copied| *copied >= count)).await;
        done.unwrap_or_else(|_| panic!("{} of {count} were copied", *self.copied.borrow())).unwrap();
    }
}

/// A queue with a backlog, and behind it an urgent job; nothing may be received more than twice.
async fn queue_with_backlog(client: &sqs::Client, name: &str) -> (Queue, Queue) {
    let fifo: &[(&str, &str)] = if name.ends_with(".fifo") { &[("FifoQueue", "true")] } else { &[] };
    let dead = create(client, &format!("story-dead-{name}"), fifo).await;
    let arn = attributes(&dead).await["QueueArn"].clone();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":2}}"#);
    let own = [("VisibilityTimeout", "600"), ("RedrivePolicy", &*policy)];
    let jobs = create(client, &format!("story-{name}"), &[&own, fifo].concat()).await;
    let copies: Vec<Copy> = (0..BACKLOG).map(|_| Copy { tenant: "busy".to_owned() }).collect();
    if fifo.is_empty() {
        for outcome in jobs.enqueue_all(&copies).await {
            outcome.unwrap();
        }
        jobs.enqueue(&Urgent).await.unwrap();
    } else {
        for (number, copy) in copies.iter().enumerate() {
            jobs.enqueue(copy).group(number.to_string()).dedup(number.to_string()).await.unwrap();
        }
        jobs.enqueue(&Urgent).group("urgent").dedup("urgent").await.unwrap();
    }
    (jobs, dead)
}

fn worker(jobs: &Queue, office: &Office) -> Worker<Queue> {
    let urgent = office.urgent.clone();
    Worker::new(jobs.clone()).waiting_room(ROOM).on(move |_: Urgent| {
        urgent.send_modify(|urgent| *urgent += 1);
        async {}
    })
}

/// The handler of copies, to be limited.
macro_rules! copying {
    ($office:expr) => {{
        let office = $office.clone();
        handler(move |_: Copy, cx: Context| office.clone().copy(cx))
    }};
}

/// The first two copies take until the urgent job behind all of them is done.
async fn two_at_a_time(
    client: &sqs::Client,
    name: &str,
    limited: impl FnOnce(&Office, Worker<Queue>) -> Worker<Queue>,
) {
    let (jobs, dead) = queue_with_backlog(client, name).await;
    let office = Office::new(false);
    let worker = limited(&office, worker(&jobs, &office));
    let at_work = office.clone();
    let end = async move {
        at_work.until_urgent().await;
        at_work.opened.send_replace(true);
        at_work.until_copied(BACKLOG).await;
    };
    let summary = worker.stop_on(end).run().await.unwrap();
    assert_eq!((summary.succeeded, summary.failed, summary.undeleted), (BACKLOG as u64 + 1, 0, 0), "{name}");
    assert_eq!(office.most.load(SeqCst), 2, "{name}");
    assert_eq!(attributes(&dead).await["ApproximateNumberOfMessages"], "0", "{name}");
}

pub(crate) async fn a_limited_type_with_a_backlog_holds_up_nobody(client: &sqs::Client) {
    for name in ["limited-type", "limited-type.fifo"] {
        let limited = |office: &Office, worker: Worker<Queue>| worker.on(copying!(office).concurrency(2));
        two_at_a_time(client, name, limited).await;
    }
}

pub(crate) async fn a_limited_key_with_a_backlog_holds_up_nobody(client: &sqs::Client) {
    let limited =
        |office: &Office, worker: Worker<Queue>| worker.on(copying!(office).limit_by(|copy| copy.tenant.clone(), 2));
    two_at_a_time(client, "limited-key", limited).await;
}

pub(crate) async fn a_rate_is_kept_to_and_holds_up_nobody(client: &sqs::Client) {
    const RATE: usize = 25;
    let (jobs, dead) = queue_with_backlog(client, "limited-rate").await;
    let office = Office::new(true);
    let second = Duration::from_secs(1);
    let at_work = office.clone();
    let start = Instant::now();
    let end = async move {
        at_work.until_urgent().await;
        // More than those that came into the room at first.
        at_work.until_copied(4 * RATE).await;
    };
    let worker = worker(&jobs, &office).on(copying!(office).rate(RATE, second));
    let summary = worker.stop_on(end).run().await.unwrap();
    assert_eq!((summary.failed, summary.undeleted), (0, 0));
    let seconds = usize::try_from(start.elapsed().as_secs()).unwrap() + 1;
    assert!(*office.copied.borrow() <= RATE * seconds, "{} in {seconds} s", *office.copied.borrow());
    assert_eq!(attributes(&dead).await["ApproximateNumberOfMessages"], "0");
}

pub(crate) async fn a_paused_type_with_a_backlog_holds_up_nobody(client: &sqs::Client) {
    let (jobs, dead) = queue_with_backlog(client, "limited-paused").await;
    let office = Office::new(true);
    let worker = worker(&jobs, &office).on(copying!(office));
    let handle = worker.handle();
    handle.pause_type(Copy::TYPE);
    let at_work = office.clone();
    let end = async move {
        at_work.until_urgent().await;
        assert_eq!(*at_work.copied.borrow(), 0, "paused");
        handle.resume_type(Copy::TYPE);
        at_work.until_copied(BACKLOG).await;
    };
    let summary = worker.stop_on(end).run().await.unwrap();
    assert_eq!((summary.succeeded, summary.failed, summary.undeleted), (BACKLOG as u64 + 1, 0, 0));
    assert_eq!(attributes(&dead).await["ApproximateNumberOfMessages"], "0");
}

/// What could begin only long after the stop's deadline does not keep the worker until then.
pub(crate) async fn a_stop_waits_for_nobody_who_waits_for_a_limit(client: &sqs::Client) {
    let jobs = create(client, "story-limited-stop", &[]).await;
    for _ in 0..4 {
        jobs.enqueue(&Copy { tenant: "busy".to_owned() }).await.unwrap();
    }
    let office = Office::new(true);
    let worker = Worker::new(jobs.clone()).on(copying!(office).rate(1, Duration::from_secs(3600)));
    let worker = worker.stop_within(PATIENCE);
    let (at_work, stopped) = (office.clone(), Arc::new(std::sync::OnceLock::new()));
    let stopping = stopped.clone();
    let end = async move {
        at_work.until_copied(1).await;
        while attributes(&jobs).await["ApproximateNumberOfMessagesNotVisible"] != "3" {
            sleep(Duration::from_millis(50)).await;
        }
        stopping.get_or_init(Instant::now);
    };
    let summary = worker.stop_on(end).run().await.unwrap();
    assert_eq!((summary.succeeded, summary.handed_back), (1, 3));
    assert!(stopped.get().unwrap().elapsed() < PATIENCE / 2, "{:?}", stopped.get().unwrap().elapsed());
}

/// Makes a test of each story.
macro_rules! each_story {
    ($make:ident) => {
        $make! {
            a_limited_type_with_a_backlog_holds_up_nobody
            a_limited_key_with_a_backlog_holds_up_nobody
            a_rate_is_kept_to_and_holds_up_nobody
            a_paused_type_with_a_backlog_holds_up_nobody
            a_stop_waits_for_nobody_who_waits_for_a_limit
        }
    };
}
pub(crate) use each_story;

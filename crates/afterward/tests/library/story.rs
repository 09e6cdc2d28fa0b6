//! What a program does with queue and worker, told against a real service.

use afterward::{Context, Message, Queue, Raw, Worker, sqs};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// What leases last in the first story: long enough that a machine may stop for seconds and half of one is left.
const LEASE: Duration = Duration::from_secs(10);
/// How long to wait for what has to come, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    number: u32,
}

/// Takes longer than its queue's visibility timeout.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "report")]
struct Report;

#[derive(Serialize, Deserialize, Message)]
#[message(type = "broken")]
struct Broken {
    panics: bool,
}

/// What handlers saw, in the order they saw it.
#[derive(Clone, Default)]
struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    fn note(&self, entry: impl Into<String>) {
        self.0.lock().unwrap().push(entry.into());
    }

    fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }

    fn count(&self, entry: &str) -> usize {
        self.entries().iter().filter(|known| *known == entry).count()
    }

    async fn until(&self, enough: impl Fn(&Diary) -> bool) {
        let waiting = async {
            while !enough(self) {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{:?}", self.entries()));
    }
}

/// A client of a server in this process.
pub(crate) fn client(url: &str) -> sqs::Client {
    let credential =
        sqs::Credential { access_key_id: "any".into(), secret_access_key: "thing".into(), session_token: None };
    sqs::Client::builder().endpoint(url).credentials(credential).build().expect("a loopback address can be used")
}

pub(crate) async fn create(client: &sqs::Client, name: &str, attributes: &[(&str, &str)]) -> Queue {
    let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let request = sqs::CreateQueueRequest { queue_name: name.to_owned(), attributes, ..Default::default() };
    let url = client.create_queue(request).await.unwrap().queue_url.unwrap();
    Queue::with_client(client.clone(), url)
}

pub(crate) async fn attributes(queue: &Queue) -> BTreeMap<String, String> {
    let request = sqs::GetQueueAttributesRequest { queue_url: queue.url().into(), attribute_names: vec!["All".into()] };
    queue.client().get_queue_attributes(request).await.unwrap().attributes
}

/// A queue whose messages go to a dead-letter queue after two receives, and are out of sight for a lease.
async fn jobs_and_dead(client: &sqs::Client) -> (Queue, Queue) {
    let dead = create(client, "story-dead", &[]).await;
    let arn = attributes(&dead).await["QueueArn"].clone();
    let policy = format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":2}}"#);
    let lease = LEASE.as_secs().to_string();
    let jobs = create(client, "story-jobs", &[("VisibilityTimeout", &lease), ("RedrivePolicy", &policy)]).await;
    (jobs, dead)
}

fn clerk(jobs: Queue, diary: &Diary) -> Worker<Queue> {
    let (orders, reports, failures, others) = (diary.clone(), diary.clone(), diary.clone(), diary.clone());
    Worker::new(jobs)
        .concurrency(8)
        .retry(Duration::ZERO)
        .on(move |order: OrderNew| {
            orders.note(format!("order {}", order.number));
            async { Ok::<_, String>(()) }
        })
        .on(move |_: Report, cx: Context| {
            let reports = reports.clone();
            async move {
                reports.note(format!("report begun, attempt {}", cx.attempt()));
                sleep(LEASE + Duration::from_secs(2)).await; // longer than a lease: what is tested
                reports.note("report done");
                Ok::<_, String>(())
            }
        })
        .on(move |Broken { panics }: Broken, cx: Context| {
            failures.note(format!("broken, attempt {}", cx.attempt()));
            async move { if panics { panic!("out of paper") } else { Err("out of ink") } }
        })
        .otherwise(move |raw: Raw| {
            others.note(raw.body);
            async { Ok::<_, String>(()) }
        })
}

/// A day at the office: orders, a long report, two broken jobs, a bare one.
pub(crate) async fn jobs_are_done_once_and_broken_ones_end_in_the_dead_letter_queue(client: &sqs::Client) {
    let (jobs, dead) = jobs_and_dead(client).await;
    for number in 0..40 {
        jobs.enqueue(&OrderNew { number }).attribute("number", number).await.unwrap();
    }
    jobs.enqueue(&Report).await.unwrap();
    for panics in [false, true] {
        jobs.enqueue(&Broken { panics }).await.unwrap();
    }
    let bare = r#"{"task":"bare"}"#;
    let send =
        sqs::SendMessageRequest { queue_url: jobs.url().into(), message_body: bare.into(), ..Default::default() };
    client.send_message(send).await.unwrap();

    let diary = Diary::default();
    let worker = clerk(jobs.clone(), &diary);
    let handle = worker.handle();
    let running = tokio::spawn(worker.run());
    diary.until(|diary| diary.count("report done") == 1 && diary.count("broken, attempt 2") == 2).await;
    dead_letters(&dead, 2).await;
    handle.stop();
    let summary = running.await.unwrap().unwrap();

    let once: Vec<String> = (0..40).map(|number| format!("order {number}")).chain([bare.to_owned()]).collect();
    for entry in &once {
        assert_eq!(diary.count(entry), 1, "{entry}");
    }
    assert_eq!(diary.count("report begun, attempt 1"), 1);
    assert_eq!(diary.entries().len(), once.len() + 2 + 4, "nothing else was seen: {:?}", diary.entries());
    assert_eq!((summary.succeeded, summary.undeleted, summary.handed_back), (42, 0, 0));
    assert_eq!((summary.failed, summary.dead_lettered), (2, 2), "the second and last attempts put them there");
    let left = attributes(&jobs).await;
    assert_eq!((&*left["ApproximateNumberOfMessages"], &*left["ApproximateNumberOfMessagesNotVisible"]), ("0", "0"));
}

async fn dead_letters(dead: &Queue, count: usize) {
    let arrive = async {
        while attributes(dead).await["ApproximateNumberOfMessages"] != count.to_string() {
            sleep(Duration::from_millis(100)).await;
        }
    };
    timeout(PATIENCE, arrive).await.expect("the broken jobs never reached the dead-letter queue");
}

/// Three groups, five messages each, eight at a time: each group in order.
pub(crate) async fn groups_keep_their_order(client: &sqs::Client) {
    let fifo = create(client, "story.fifo", &[("FifoQueue", "true")]).await;
    for number in 0..15_u32 {
        let enqueue = fifo.enqueue(&OrderNew { number }).group(format!("group-{}", number % 3));
        enqueue.dedup(number.to_string()).await.unwrap();
        // Sent again, as after a broken connection: taken once.
        let again = fifo.enqueue(&OrderNew { number }).group(format!("group-{}", number % 3));
        again.dedup(number.to_string()).await.unwrap();
    }
    let diary = Diary::default();
    let notes = diary.clone();
    let worker = Worker::new(fifo).concurrency(8).on(move |order: OrderNew, cx: Context| {
        let notes = notes.clone();
        async move {
            // The earlier take longer, so that they would be overtaken.
            sleep(Duration::from_millis(u64::from(15 - order.number) * 5)).await;
            notes.note(format!("{} of {}", order.number, cx.group().unwrap_or_default()));
            Ok::<_, String>(())
        }
    });
    let done = diary.clone();
    worker.stop_on(async move { done.until(|diary| diary.entries().len() >= 15).await }).run().await.unwrap();
    for group in 0..3 {
        let name = format!("group-{group}");
        let seen: Vec<String> = diary.entries().into_iter().filter(|entry| entry.ends_with(&name)).collect();
        let expected: Vec<String> = (0..15).filter(|n| n % 3 == group).map(|n| format!("{n} of {name}")).collect();
        assert_eq!(seen, expected);
    }
}

/// A worker that must stop in the middle of its work hands it to the next: at once, where it was receiving nothing, else when
/// the receive that it cut off can take nothing any more.
pub(crate) async fn unfinished_work_is_handed_to_the_next_worker(client: &sqs::Client) {
    tokio::join!(hand_over(client, "story-handover-busy", 1), hand_over(client, "story-handover-receiving", 10));
}

/// One message, from a worker with so many slots to another. A lease lasts so long that nobody waits for its end.
async fn hand_over(client: &sqs::Client, name: &str, slots: usize) {
    let jobs = create(client, name, &[("VisibilityTimeout", "600")]).await;
    jobs.enqueue(&Report).await.unwrap();
    let (begun, diary) = (Diary::default(), Diary::default());
    let (notes, seen) = (begun.clone(), begun.clone());
    let first = Worker::new(jobs.clone()).concurrency(slots).stop_within(Duration::ZERO).on(move |_: Report| {
        notes.note("begun");
        std::future::pending::<Result<(), String>>()
    });
    let first = first.stop_on(async move { seen.until(|diary| diary.count("begun") == 1).await });
    assert_eq!(first.run().await.unwrap().handed_back, 1);

    let (notes, done) = (diary.clone(), diary.clone());
    let second = Worker::new(jobs).on(move |_: Report, cx: Context| {
        notes.note(format!("attempt {}", cx.attempt()));
        async { Ok::<_, String>(()) }
    });
    let second = second.stop_on(async move { done.until(|diary| diary.count("attempt 2") == 1).await });
    assert_eq!(second.run().await.unwrap().succeeded, 1);
}

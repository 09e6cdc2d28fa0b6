//! Enqueueing against an Afterward server in this very process, and what only such a server does.

use crate::{enqueueing, story::client};
use afterward::{Message, Queue, Worker, sqs::Client, testing};
use afterward_server::{Config, Running, Server, config::Clock};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

async fn start(config: Config) -> (Running, Client) {
    let server = Server::start(config).await.expect("the server starts");
    let client = client(&server.url());
    (server, client)
}

/// Tests of one story each, against a server of its own.
macro_rules! stories {
    ($($story:ident)*) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $story() {
            let (server, client) = start(Config::ephemeral()).await;
            enqueueing::$story(&client).await;
            server.stop().await;
        }
    )*};
}

enqueueing::each_story! { stories }

#[derive(Serialize, Deserialize, Message)]
#[message(type = "report")]
struct Report {
    title: String,
}

fn report(title: &str) -> Report {
    Report { title: title.to_owned() }
}

async fn advance(client: &Client, by: Duration) {
    let body = json!({"advance_ms": by.as_millis() as u64}).to_string();
    client.post("/_afterward/clock", HeaderMap::new(), body).await.unwrap();
}

/// How many messages can be received.
async fn visible(queue: &Queue) -> Value {
    let path = format!("/_afterward/queues/{}/messages?state=ready", queue.name());
    let page: Value = serde_json::from_slice(queue.client().get(&path).await.unwrap().body()).unwrap();
    page["messages"].as_array().unwrap().len().into()
}

#[tokio::test(flavor = "multi_thread")]
async fn long_delays_are_schedules_and_follow_the_clock_that_a_test_moves() {
    let config = Config { clock: Clock::Manual { from_ms: Some(1_767_225_600_000) }, ..Config::ephemeral() };
    let (server, client) = start(config).await;
    let jobs = Queue::named("jobs").client(client.clone()).create_if_missing().await.unwrap();
    let fifo = Queue::named("jobs.fifo").client(client.clone()).create_if_missing().await.unwrap();
    let title = "what <aws.scheduler.scheduled-time> is not";
    let hours = Duration::from_secs(3600);
    let id = jobs.enqueue(&report(title)).attribute("tenant", "acme").delay(30 * 24 * hours).await.unwrap();
    fifo.enqueue(&report(title)).group("g").dedup("d").delay(hours / 2).await.unwrap();

    let told = async || {
        let reply = client.get(&format!("/jobs/{id}")).await.ok()?;
        let job: Value = serde_json::from_slice(reply.body()).unwrap();
        Some([job["status"].clone(), job["queue"].clone(), job["due_at"].clone()])
    };
    assert_eq!(told().await, Some(["delayed".into(), "jobs".into(), "2026-01-31T00:00:00.000Z".into()]));

    // What came on the first day has expired when the second is due.
    for (passing, expected) in [(hours / 2, (0, 1)), (29 * 24 * hours, (0, 0)), (24 * hours, (1, 0))] {
        advance(&client, passing).await;
        assert_eq!((visible(&jobs).await, visible(&fifo).await), (expected.0.into(), expected.1.into()));
    }
    let seen: Arc<Mutex<Vec<Value>>> = Arc::default();
    let notes = seen.clone();
    let worker = Worker::new(jobs).on(move |report: Report, cx: afterward::Context| {
        let tenant = cx.attribute("tenant").and_then(|tenant| tenant.as_text().map(str::to_owned));
        notes.lock().unwrap().push(json!([cx.message_id(), report.title, tenant]));
        async { Ok::<_, String>(()) }
    });
    let done = seen.clone();
    let enough = async move {
        while done.lock().unwrap().is_empty() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let ended = tokio::time::timeout(Duration::from_secs(120), worker.stop_on(enough).run()).await;
    ended.expect("the report is handled").unwrap();
    assert_eq!(*seen.lock().unwrap(), [json!([id.as_str(), title, "acme"])]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_unique_on_a_standard_queue_for_as_long_as_asked() {
    let config = Config { clock: Clock::Manual { from_ms: None }, ..Config::ephemeral() };
    let (server, client) = start(config).await;
    let jobs = Queue::named("jobs").client(client.clone()).create_if_missing().await.unwrap();
    let nightly = || jobs.enqueue(&report("nightly")).unique_for(Duration::from_secs(20 * 3600));
    let first = nightly().await.unwrap();
    assert_eq!(nightly().await.unwrap(), first);
    let together = jobs.enqueue_all([nightly(), jobs.enqueue(&report("other")), nightly()]).await;
    let ids: Vec<_> = together.into_iter().map(Result::unwrap).collect();
    assert_eq!((&ids[0], &ids[2]), (&first, &first));
    advance(&client, Duration::from_secs(20 * 3600)).await;
    assert_ne!(nightly().await.unwrap(), first);
    assert_eq!(visible(&jobs).await, 3);

    server.stop().await;
}

#[derive(Serialize, Deserialize, Message)]
#[message(type = "entry")]
struct Entry(usize);

/// What is due at the same time in the order of enqueueing, also over an outage; each group by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_group_gets_what_was_delayed_in_the_order_in_which_it_is_due() {
    let second = Duration::from_secs(1);
    for (story, delay, between, at_once) in [
        ("one by one", 3 * second, Duration::ZERO, false),
        ("all at once", 3 * second, Duration::ZERO, true),
        ("two seconds apart, and the server was away", 60 * second, 2 * second, false),
    ] {
        let broker = testing::Broker::start().await;
        let queue = broker.queue("ledger.fifo").await;
        let group = |number: usize| ["a", "b"][number % 2];
        let entry =
            |number: usize| queue.enqueue(&Entry(number)).group(group(number)).dedup(number.to_string()).delay(delay);
        if at_once {
            for outcome in queue.enqueue_all((0..40).map(entry)).await {
                outcome.unwrap();
            }
        } else {
            for number in 0..20 {
                entry(number).await.unwrap();
                broker.advance(between).await;
            }
        }
        broker.advance(100 * second).await;
        let handled: Arc<Mutex<[Vec<usize>; 2]>> = Arc::default();
        let notes = handled.clone();
        let worker = Worker::new(queue.clone()).on(move |Entry(number): Entry| {
            notes.lock().unwrap()[number % 2].push(number);
            async { Ok::<_, String>(()) }
        });
        testing::drain(worker).await;
        let count = if at_once { 40 } else { 20 };
        let meant = [0, 1].map(|group| (group..count).step_by(2).collect::<Vec<_>>());
        assert_eq!(*handled.lock().unwrap(), meant, "{story}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_delayed_overtakes_one_of_its_group_that_was_refused() {
    let broker = testing::Broker::start().await;
    let queue = broker.queue("ledger.fifo").await;
    let given = [("a", "1", true), ("a", "not an id", false), ("b", "3", true), ("a", "4", false)];
    let entries = given.iter().enumerate().map(|(number, (group, id, _))| {
        queue.enqueue(&Entry(number)).group(*group).dedup(*id).delay(Duration::from_secs(60))
    });
    let taken: Vec<_> = queue.enqueue_all(entries).await.iter().map(Result::is_ok).collect();
    assert_eq!(taken, given.map(|(_, _, taken)| taken));
    assert_eq!(testing::everything(&queue).await.len(), 2);
}

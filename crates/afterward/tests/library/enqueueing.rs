//! What a program does to put work into a queue, told against a real service.

use afterward::{
    Context, Message, Queue, Scheduler, Tick, Worker, handler,
    scheduler::{self, GetScheduleInput, GetScheduleOutput, ListSchedulesInput, Request, Response},
    sqs,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::{sleep, timeout},
};

/// Hands the stories' names to a macro that makes a test of each.
macro_rules! each_story {
    ($tests:ident) => {
        $tests! {
            many_go_at_once
            a_fifo_message_waits_without_blocking_its_group
            an_early_message_is_sent_on_until_it_is_due
            a_large_payload_is_claimed_back
            a_queue_is_found_by_its_tag
            a_queue_is_made_with_a_dead_letter_queue
            a_unique_job_is_done_once_on_a_fifo_queue
            with_a_role_the_scheduler_keeps_long_delays_and_ticks
        }
    };
}
pub(crate) use each_story;

/// How long to wait for what has to come, on a machine that has other things to do.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    number: usize,
    text: String,
}

fn order(number: usize, bytes: usize) -> OrderNew {
    OrderNew { number, text: "x".repeat(bytes) }
}

/// What was handled: number, message id, size, and when.
type Handled = (usize, String, usize, Instant);

async fn create(client: &sqs::Client, name: &str, attributes: &[(&str, &str)], tags: &[(&str, &str)]) -> Queue {
    let map = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let request = sqs::CreateQueueRequest { queue_name: name.to_owned(), attributes: map(attributes), tags: map(tags) };
    Queue::with_client(client.clone(), client.create_queue(request).await.unwrap().queue_url.unwrap())
}

/// Works until so many messages were handled, and tells which.
async fn handle(queue: &Queue, count: usize) -> Vec<Handled> {
    let handled: Arc<Mutex<Vec<Handled>>> = Arc::default();
    let (notes, seen) = (handled.clone(), handled.clone());
    let worker = Worker::new(queue.clone()).on(move |order: OrderNew, cx: Context| {
        notes.lock().unwrap().push((order.number, cx.message_id().to_owned(), order.text.len(), Instant::now()));
        async { Ok::<_, String>(()) }
    });
    let enough = async move {
        while seen.lock().unwrap().len() < count {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, worker.stop_on(enough).run()).await.expect("all were handled").unwrap();
    let handled = handled.lock().unwrap().clone();
    assert_eq!(handled.len(), count, "and nothing else was: {handled:?}");
    handled
}

/// What a worker gives up goes to the queue that was made beside its own.
pub(crate) async fn a_queue_is_made_with_a_dead_letter_queue(client: &sqs::Client) {
    for (name, dead) in [("story-made", "story-made-dlq"), ("story-made.fifo", "story-made-dlq.fifo")] {
        let open = || Queue::named(name).client(client.clone()).create_with_dead_letters(3);
        let queue = open().await.unwrap();
        let wanted = vec!["QueueArn".to_owned(), "RedrivePolicy".to_owned()];
        let of = |queue: &Queue| sqs::GetQueueAttributesRequest {
            queue_url: queue.url().to_owned(),
            attribute_names: wanted.clone(),
        };
        let policy = &client.get_queue_attributes(of(&queue)).await.unwrap().attributes["RedrivePolicy"];
        let policy: serde_json::Value = serde_json::from_str(policy).unwrap();
        let dead = Queue::named(dead).client(client.clone()).await.unwrap();
        let arn = &client.get_queue_attributes(of(&dead)).await.unwrap().attributes["QueueArn"];
        assert_eq!(policy["deadLetterTargetArn"], arn.as_str());
        // Some servers tell the number as a text.
        assert_eq!(policy["maxReceiveCount"].to_string().trim_matches('"'), "3");
        assert_eq!(open().await.unwrap().url(), queue.url());
    }
}

/// Messages of all sizes, in few calls.
pub(crate) async fn many_go_at_once(client: &sqs::Client) {
    let queue = create(client, "story-many", &[], &[]).await;
    let orders: Vec<OrderNew> = (0..120).map(|n| order(n, if n % 20 == 0 { 60_000 } else { n })).collect();
    let outcomes = queue.enqueue_all(&orders).await;
    let ids: Vec<String> = outcomes.into_iter().map(|outcome| outcome.unwrap().to_string()).collect();
    let mut handled = handle(&queue, 120).await;
    handled.sort();
    for (order, (number, id, bytes, _)) in orders.iter().zip(handled) {
        assert_eq!((number, &id, bytes), (order.number, &ids[order.number], order.text.len()));
    }
}

/// A delay on a FIFO queue that nobody schedules: the message waits, and what is behind it does not.
pub(crate) async fn a_fifo_message_waits_without_blocking_its_group(client: &sqs::Client) {
    let queue = create(client, "story-later.fifo", &[("FifoQueue", "true"), ("VisibilityTimeout", "60")], &[]).await;
    let queue = queue.scheduler(Scheduler::None);
    for seconds in [4, 40] {
        let began = Instant::now();
        let delay = Duration::from_secs(seconds);
        let enqueue = |number: usize| queue.enqueue(&order(number, 1)).group("g").dedup(format!("{number}-{seconds}"));
        let later = enqueue(1).delay(delay).await.unwrap();
        // Taken once; not every server says so by its id.
        enqueue(1).delay(delay).await.unwrap();
        let now = enqueue(2).await.unwrap();
        let handled = handle(&queue, 2).await;
        // Where the machine stops for so long that both are due when the worker comes, their order says nothing.
        if handled[0].3 - began < delay {
            let ids: Vec<&str> = handled.iter().map(|(_, id, ..)| &**id).collect();
            assert_eq!(ids, [now.as_str(), later.as_str()]);
            assert!(handled[1].3 - began >= delay, "{:?}", handled[1].3 - began);
            return;
        }
    }
    panic!("each time, both were due before either was handled");
}

/// A message that comes early, as from the last hop but one of a delay of hours: it waits for its time, and keeps its name.
pub(crate) async fn an_early_message_is_sent_on_until_it_is_due(client: &sqs::Client) {
    let queue = create(client, "story-early", &[("VisibilityTimeout", "60")], &[]).await;
    let (began, left) = (Instant::now(), Duration::from_secs(4));
    let due = (SystemTime::now() + left).duration_since(UNIX_EPOCH).unwrap().as_millis().to_string();
    let attribute = |data_type: &str, value: &str| sqs::MessageAttributeValue {
        data_type: data_type.into(),
        string_value: Some(value.into()),
        ..Default::default()
    };
    let send = sqs::SendMessageRequest {
        queue_url: queue.url().into(),
        message_body: r#"{"type":"order:new","payload":{"number":1,"text":""}}"#.into(),
        message_attributes: [("afterward.due".to_owned(), attribute("Number", &due))].into(),
        ..Default::default()
    };
    let id = client.send_message(send).await.unwrap().message_id.unwrap();
    let [(_, handled, _, at)] = &handle(&queue, 1).await[..] else { panic!() };
    assert_eq!(handled, &id);
    // The clocks of two programs on one machine are the same but for their resolution.
    assert!(*at - began + Duration::from_millis(50) >= left, "{:?}", *at - began);
}

/// A payload that the queue does not take, by way of a directory.
pub(crate) async fn a_large_payload_is_claimed_back(client: &sqs::Client) {
    let directory = tempfile::tempdir().unwrap();
    let kept = async || std::fs::read_dir(directory.path()).unwrap().count();
    claimed_back(client, "story-large", &format!("file://{}", directory.path().display()), kept).await;
}

/// The same by way of a bucket of somebody else's S3, at the address of the queues.
pub(crate) async fn a_large_payload_is_claimed_back_from_a_bucket(client: &sqs::Client, address: &str) {
    let bucket = format!("{address}/story-claims");
    http("PUT", &bucket).await;
    let kept = async || http("GET", &bucket).await.matches("<Key>").count();
    claimed_back(client, "story-large-objects", &format!("{bucket}/large"), kept).await;
}

async fn claimed_back(client: &sqs::Client, name: &str, store: &str, kept: impl AsyncFn() -> usize) {
    let queue = create(client, name, &[("MaximumMessageSize", "2048")], &[]).await;
    let queue = queue.claim_check_at(store).unwrap();
    for outcome in queue.enqueue_all(&[order(1, 700_000), order(2, 10), order(3, 2000)]).await {
        outcome.unwrap();
    }
    assert_eq!(kept().await, 2);
    let mut handled: Vec<(usize, usize)> =
        handle(&queue, 3).await.into_iter().map(|(n, _, bytes, _)| (n, bytes)).collect();
    handled.sort_unstable();
    assert_eq!(handled, [(1, 700_000), (2, 10), (3, 2000)]);
    assert_eq!(kept().await, 0, "they are gone with their messages");
}

/// A request without a body; told is the reply's body.
async fn http(method: &str, url: &str) -> String {
    let (host, path) = url.strip_prefix("http://").and_then(|rest| rest.split_once('/')).unwrap();
    let mut stream = TcpStream::connect(host).await.unwrap();
    let head = format!("{method} /{path} HTTP/1.0\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let (head, body) = reply.split_once("\r\n\r\n").unwrap();
    assert_eq!(head.split(' ').nth(1), Some("200"), "{method} {url}: {reply}");
    body.to_owned()
}

/// The queue of a deployment, by its tag.
pub(crate) async fn a_queue_is_found_by_its_tag(client: &sqs::Client) {
    create(client, "story-tag-a", &[], &[("StoryDeployment", "test")]).await;
    let main = create(client, "story-tag-b", &[], &[("StoryDeployment", "main")]).await;
    let find = || Queue::tagged("StoryDeployment", "main").prefix("story-tag-").client(client.clone());
    assert_eq!(find().await.unwrap().url(), main.url());
    create(client, "story-tag-c", &[], &[("StoryDeployment", "main")]).await;
    let error = find().await.unwrap_err().to_string();
    assert!(error.contains("story-tag-b") && error.contains("story-tag-c"), "{error}");
}

/// One job of a key, however often it is enqueued.
pub(crate) async fn a_unique_job_is_done_once_on_a_fifo_queue(client: &sqs::Client) {
    let queue = create(client, "story-unique.fifo", &[("FifoQueue", "true")], &[]).await;
    for number in 1..=3 {
        queue.enqueue(&order(number, 1)).group("g").unique("nightly").await.unwrap();
    }
    queue.enqueue(&order(4, 1)).group("g").unique("other").await.unwrap();
    let numbers: Vec<usize> = handle(&queue, 2).await.into_iter().map(|(number, ..)| number).collect();
    assert_eq!(numbers, [1, 4]);
}

/// The role that a user gives is told to the scheduler beside the queues, with each delay that the queue can't keep and with
/// each of a worker's schedules. Where there is none, the message stays in the queue, or is refused: some servers answer anything
/// there.
pub(crate) async fn with_a_role_the_scheduler_keeps_long_delays_and_ticks(client: &sqs::Client) {
    let role = "arn:aws:iam::123456789012:role/sends-later";
    let queue = create(client, "story-role", &[], &[]).await.scheduler(Scheduler::Role(role.to_owned()));
    let beside = scheduler::Client::beside(client).unwrap();
    let later = queue.enqueue(&order(1, 1)).delay(Duration::from_secs(86_400)).await;
    if beside.call(&Request::ListSchedules(ListSchedulesInput::default())).await.is_err() {
        let delayed = crate::story::attributes(&queue).await["ApproximateNumberOfMessagesDelayed"].clone();
        assert_eq!(delayed, if later.is_ok() { "1" } else { "0" }, "{later:?}");
        return;
    }
    let id = later.unwrap();
    let nightly = handler(async |_: Tick, _: Context| {}).name("nightly");
    let worker = Worker::new(queue.clone()).every("rate(1 day)", nightly);
    let put = timeout(PATIENCE, async {
        loop {
            if let Some(put) = scheduled(&beside, "tick.story-role.nightly").await {
                return put;
            }
            sleep(Duration::from_millis(20)).await;
        }
    });
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let running = tokio::spawn(worker.stop_on(async { drop(stopped.await) }).run());
    let put = put.await.expect("a worker puts its schedule in place");
    stop.send(()).unwrap();
    running.await.unwrap().unwrap();
    let later = scheduled(&beside, &format!("afterward-{id}")).await.expect("a delay of a day is a schedule");
    assert!(later.schedule_expression.as_ref().is_some_and(|at| at.starts_with("at(")), "{later:?}");
    assert_eq!(put.schedule_expression.as_deref(), Some("rate(1 day)"));
    for schedule in [later, put] {
        let target = schedule.target.unwrap();
        assert_eq!((&*target.role_arn, &*target.arn), (role, "arn:aws:scheduler:::aws-sdk:sqs:sendMessage"));
        let input: serde_json::Value = serde_json::from_str(&target.input.unwrap()).unwrap();
        assert_eq!(input["QueueUrl"], queue.url());
    }
}

async fn scheduled(client: &scheduler::Client, name: &str) -> Option<GetScheduleOutput> {
    let get = GetScheduleInput { name: name.to_owned(), ..Default::default() };
    match client.call(&Request::GetSchedule(get)).await {
        Ok(Response::GetSchedule(found)) => Some(found),
        Err(error) if error.status() == Some(404) => None,
        other => panic!("{other:?}"),
    }
}

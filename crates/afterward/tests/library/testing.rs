//! What the testing helpers promise, and how their failures read.

use afterward::{
    Attribute, Cancelled, Cause, Context, Exhausted, Extension, Fail, Message, Raw, Retry, State, Unknown, Worker,
    handler,
    testing::{self, Broker, Ending, Standing},
};
use serde::{Deserialize, Serialize};
use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex},
    time::{Duration, UNIX_EPOCH},
};

const HOUR: Duration = Duration::from_secs(3600);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    number: u32,
}

#[derive(Debug, Serialize, Deserialize, Message)]
#[message(type = "follow-up")]
struct FollowUp {
    of: u32,
}

fn order(number: u32) -> OrderNew {
    OrderNew { number }
}

/// The text of the panic that a future ends in.
async fn panic_of<T>(future: impl Future<Output = T>) -> String {
    let mut future = std::pin::pin!(AssertUnwindSafe(future));
    let outcome =
        std::future::poll_fn(|cx| match std::panic::catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(std::task::Poll::Pending) => std::task::Poll::Pending,
            Ok(std::task::Poll::Ready(_)) => std::task::Poll::Ready(None),
            Err(panic) => std::task::Poll::Ready(panic.downcast::<String>().ok()),
        });
    *outcome.await.expect("it panics with a text")
}

#[tokio::test]
async fn what_was_enqueued_is_found_however_it_waits() {
    let broker = Broker::start_at(UNIX_EPOCH + Duration::from_secs(1_767_225_600)).await;
    let (jobs, fifo) = (broker.queue("jobs").await, broker.queue("jobs.fifo").await);
    testing::assert_empty(&jobs).await;
    let id = jobs.enqueue(&order(1)).attribute("tenant", "acme").attribute("weight", 7).await.unwrap();
    jobs.enqueue(&order(2)).delay(Duration::from_secs(60)).await.unwrap();
    jobs.enqueue(&order(3)).delay(48 * HOUR).await.unwrap();
    jobs.enqueue(&FollowUp { of: 1 }).await.unwrap();
    for number in [4, 5] {
        fifo.enqueue(&order(number)).group("g").dedup(number.to_string()).await.unwrap();
    }

    let found = testing::assert_enqueued::<OrderNew>(&jobs, |order| order.number == 1).await;
    assert_eq!((&*found.message_id, found.standing, found.attempts), (id.as_str(), Standing::Ready, 0));
    let attributes = [("tenant".to_owned(), Attribute::from("acme")), ("weight".to_owned(), Attribute::from(7))];
    assert_eq!(found.attributes, attributes.into());
    let until: Vec<_> = testing::enqueued::<OrderNew>(&jobs).await.iter().map(|order| order.delayed_until()).collect();
    assert_eq!(until, [None, Some(broker.now() + Duration::from_secs(60)), Some(broker.now() + 48 * HOUR)]);
    let last = testing::assert_enqueued::<OrderNew>(&fifo, |order| order.number == 5).await;
    assert_eq!((last.standing, last.group.as_deref()), (Standing::Ready, Some("g")));
    assert_eq!(testing::everything(&jobs).await.len(), 4);

    // Looking is not receiving.
    let summary = testing::drain(Worker::new(jobs.clone()).otherwise(async |_: Raw| {})).await;
    assert_eq!(summary.succeeded, 2);
    broker.advance(48 * HOUR).await;
    assert_eq!(testing::drain(Worker::new(jobs.clone()).otherwise(async |_: Raw| {})).await.succeeded, 2);
    testing::assert_empty(&jobs).await;
}

#[tokio::test]
async fn a_delayed_message_is_kept_though_its_queue_takes_it_no_more_when_it_is_due() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").await;
    let text = "x".repeat(3000);
    jobs.enqueue(&order(1)).attribute("text", text.clone()).delay(HOUR).await.unwrap();
    let smaller = afterward::sqs::SetQueueAttributesRequest {
        queue_url: jobs.url().to_owned(),
        attributes: [("MaximumMessageSize".to_owned(), "2048".to_owned())].into(),
    };
    broker.client().set_queue_attributes(smaller).await.unwrap();
    broker.advance(HOUR).await;
    let letters = testing::dead_letters(&jobs).await;
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert!(letter.message.body.contains(&text), "the whole request: {letter:?}");
    assert!(matches!(letter.attributes.get("ERROR_CODE"), Some(Attribute::Text(_))), "{letter:?}");
}

#[tokio::test]
async fn a_time_is_one_of_the_clock_that_the_test_moves() {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    for year in [2001, 2101] {
        let broker = Broker::start_at(UNIX_EPOCH + Duration::from_secs((year - 1970) * 31_557_600)).await;
        for queue in [broker.queue("jobs").await, broker.queue("jobs.fifo").await] {
            for (number, wait) in [(1, minutes(10)), (2, minutes(40))] {
                let enqueue = queue.enqueue(&order(number)).group("g").at(broker.now() + wait);
                let enqueue = if queue.is_fifo() { enqueue.dedup(number.to_string()) } else { enqueue };
                enqueue.await.unwrap();
            }
            let drained = async || {
                let worker = Worker::new(queue.clone()).on(async |_: OrderNew| {});
                testing::drain(worker).await.succeeded
            };
            let mut done = vec![drained().await];
            for wait in [9, 1, 29, 1] {
                broker.advance(minutes(wait)).await;
                done.push(drained().await);
            }
            assert_eq!(done, [0, 0, 1, 0, 1], "{year} {}", queue.name());
        }
    }
}

#[tokio::test]
async fn what_becomes_of_a_job_is_told_under_the_id_that_enqueue_returned() {
    let broker = Broker::start().await;
    let jobs = broker.queue("elsewhere-than-at-the-front-door").await;
    let one = jobs.enqueue(&order(1)).await.unwrap();
    let others = jobs.enqueue_all(&[order(2), order(3)]).await;
    let ids: Vec<String> =
        std::iter::once(one).chain(others.into_iter().map(Result::unwrap)).map(|id| id.to_string()).collect();
    let told = async || {
        let mut told = Vec::new();
        for id in &ids {
            let reply = broker.client().get(&format!("/jobs/{id}")).await.unwrap();
            let job: serde_json::Value = serde_json::from_slice(reply.body()).unwrap();
            told.push((job["status"].as_str().unwrap().to_owned(), job["attempts"].as_u64().unwrap()));
        }
        told
    };
    assert_eq!(told().await, vec![("waiting".to_owned(), 0); 3]);
    let worker = Worker::new(jobs.clone()).on(async |order: OrderNew| match order.number {
        3 => Err(Fail::new("out of paper")),
        _ => Ok(()),
    });
    testing::drain(worker).await;
    let ended = [("succeeded".to_owned(), 1), ("succeeded".to_owned(), 1), ("dead".to_owned(), 1)];
    assert_eq!(told().await, ended);
}

#[tokio::test]
async fn a_failed_assertion_says_where_it_stands_and_what_is_there() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").await;
    let text = panic_of(testing::assert_enqueued::<OrderNew>(&jobs, |_| true)).await;
    assert!(text.contains("tests/library/testing.rs:"), "{text}");
    assert!(text.ends_with("no `order:new` is enqueued. The queue `jobs` is empty."), "{text}");

    jobs.enqueue(&order(1)).await.unwrap();
    jobs.enqueue(&FollowUp { of: 1 }).delay(HOUR).await.unwrap();
    for (text, says) in [
        (
            panic_of(testing::assert_enqueued::<OrderNew>(&jobs, |order| order.number == 2)).await,
            "no `order:new` that is wanted",
        ),
        (panic_of(testing::assert_not_enqueued::<OrderNew>(&jobs)).await, "a `order:new` is enqueued"),
        (panic_of(testing::assert_empty(&jobs)).await, "the queue is not empty"),
    ] {
        assert!(text.contains(says), "{text}");
        assert!(text.contains("`jobs` holds 2:\n    `order:new` "), "{text}");
        assert!(
            text.contains(
                r#"ready
      {"type":"order:new","payload":{"number":1}}"#
            ),
            "{text}"
        );
        assert!(text.contains("`follow-up` ") && text.contains(", delayed until 2"), "{text}");
    }
    let bare = broker.queue("bare").without_dead_letters().await;
    assert_eq!(panic_of(testing::dead_letters(&bare)).await, "the queue `bare` has no dead-letter queue");
}

#[tokio::test]
async fn draining_follows_what_handlers_enqueue_and_leaves_what_waits_for_its_time() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").await;
    let own = jobs.clone();
    let worker = || {
        Worker::new(jobs.clone())
            .concurrency(25)
            .state(own.clone())
            .on(async |order: OrderNew, State(jobs): State<afterward::Queue>| {
                // Long enough for a receive to find nothing meanwhile.
                tokio::time::sleep(Duration::from_millis(u64::from(order.number))).await;
                if order.number > 0 {
                    jobs.enqueue(&OrderNew { number: order.number - 1 }).await?;
                    jobs.enqueue(&FollowUp { of: order.number }).delay(HOUR).await?;
                }
                Ok::<_, afterward::Error>(())
            })
            .on(async |_: FollowUp| {})
    };
    for _ in 0..12 {
        jobs.enqueue(&order(5)).await.unwrap();
    }
    assert_eq!(testing::drain(worker()).await.succeeded, 12 * 6);
    assert_eq!(testing::enqueued::<FollowUp>(&jobs).await.len(), 12 * 5);
    testing::assert_not_enqueued::<OrderNew>(&jobs).await;
    broker.advance(HOUR).await;
    assert_eq!(testing::drain(worker()).await.succeeded, 12 * 5);
    testing::assert_empty(&jobs).await;
}

/// How many are still to be received, and how many are done for now.
async fn left<M: Message>(jobs: &afterward::Queue) -> (usize, usize) {
    let all = testing::enqueued::<M>(jobs).await;
    let ready = all.iter().filter(|message| message.standing == Standing::Ready).count();
    (ready, all.len() - ready)
}

/// Does not wait for ever for a drain that does not come back.
async fn drained(worker: Worker<afterward::Queue>) -> afterward::Summary {
    let within = tokio::time::timeout(Duration::from_secs(30), testing::drain(worker));
    within.await.expect("the worker comes back from a queue that has nothing more for it")
}

#[tokio::test]
async fn draining_handles_all_that_waits_for_a_limit_and_what_a_rate_allows_at_once() {
    type Limited = fn(Worker<afterward::Queue>) -> Worker<afterward::Queue>;
    async fn slow(_: OrderNew) {
        tokio::time::sleep(Duration::from_millis(3)).await; // the work
    }
    const ALL: u32 = 60;
    // What each of two drains handles.
    let cases: [(&str, Limited, u32, u32); 5] = [
        ("a key at a time", |worker| worker.on(handler(slow).limit_by(|order| order.number % 2, 1)), ALL, 0),
        ("one at a time", |worker| worker.on(handler(slow).concurrency(1)), ALL, 0),
        ("a rate that is not reached", |worker| worker.on(handler(slow).rate(100, HOUR)), ALL, 0),
        ("a rate", |worker| worker.on(handler(slow).rate(25, Duration::from_millis(5))), 25, 25),
        ("a key's rate", |worker| worker.on(handler(slow).rate_by(|order| order.number % 2, 10, HOUR)), 20, 20),
    ];
    for (name, limited, first, second) in cases {
        let broker = Broker::start().await;
        let jobs = broker.queue("jobs").await;
        for outcome in jobs.enqueue_all(&(0..ALL).map(order).collect::<Vec<_>>()).await {
            outcome.unwrap();
        }
        let worker = || limited(Worker::new(jobs.clone()).waiting_room(2)).on(async |_: FollowUp| {});
        assert_eq!(drained(worker()).await.succeeded, u64::from(first), "{name}");
        // It is in the queue again at once, and has lost no attempt.
        assert_eq!(left::<OrderNew>(&jobs).await, ((ALL - first) as usize, 0), "{name}");
        assert!(testing::enqueued::<OrderNew>(&jobs).await.iter().all(|order| order.attempts == 0), "{name}");
        assert_eq!(drained(worker()).await.succeeded, u64::from(second), "{name}");
    }
}

#[tokio::test]
async fn draining_comes_back_from_what_is_paused_and_leaves_it() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").await;
    let worker = || Worker::new(jobs.clone()).waiting_room(2).on(async |_: OrderNew| {}).on(async |_: FollowUp| {});
    for number in 0..15 {
        jobs.enqueue(&order(number)).await.unwrap();
        jobs.enqueue(&FollowUp { of: number }).await.unwrap();
    }
    let paused = worker();
    paused.handle().pause();
    assert_eq!(drained(paused).await, afterward::Summary::default());
    assert_eq!((left::<OrderNew>(&jobs).await, left::<FollowUp>(&jobs).await), ((15, 0), (15, 0)));

    let paused = worker();
    paused.handle().pause_type(OrderNew::TYPE);
    assert_eq!(drained(paused).await.succeeded, 15);
    assert_eq!((left::<OrderNew>(&jobs).await, left::<FollowUp>(&jobs).await), ((15, 0), (0, 0)));

    // Paused by a handler in the middle of it.
    let pausing = Worker::new(jobs.clone()).concurrency(1);
    let handle = pausing.handle();
    let pausing = pausing.on(move |_: OrderNew| {
        handle.pause();
        async {}
    });
    assert_eq!(drained(pausing).await.succeeded, 1);
    assert_eq!(left::<OrderNew>(&jobs).await, (14, 0));
    assert_eq!(drained(worker()).await.succeeded, 14);
}

#[tokio::test]
async fn what_fails_comes_again_by_the_brokers_clock_and_ends_as_a_dead_letter() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs").max_receives(2).visibility_timeout(Duration::from_secs(90)).await;
    jobs.enqueue(&order(1)).await.unwrap();
    let worker = || Worker::new(jobs.clone()).on(async |_: OrderNew| Err::<(), _>("out of paper"));
    assert_eq!(testing::drain(worker()).await.failed, 1);
    let found = testing::assert_enqueued::<OrderNew>(&jobs, |_| true).await;
    assert_eq!(found.standing, Standing::Leased { until: broker.now() + Duration::from_secs(90) });
    assert_eq!((found.attempts, found.last_error.as_deref()), (1, Some("out of paper")));

    // Not yet, and then.
    assert_eq!(testing::drain(worker()).await.failed, 0);
    broker.advance(Duration::from_secs(90)).await;
    let summary = testing::drain(worker()).await;
    broker.advance(Duration::from_secs(90)).await;
    testing::drain(worker()).await;
    let dead = testing::dead_letters(&jobs).await;
    assert_eq!(dead.len(), 1, "{summary:?}");
    assert_eq!(dead[0].message.message_type.as_deref(), Some("order:new"));
    assert_eq!(dead[0].last_error.as_deref(), Some("out of paper"));
    testing::assert_empty(&jobs).await;
}

#[tokio::test]
async fn a_job_that_a_policy_drops_is_not_told_to_have_succeeded() {
    type Dropping = fn(Worker<afterward::Queue>) -> Worker<afterward::Queue>;
    let cases: [(Dropping, &str); 2] = [
        (
            |worker| {
                let failing = handler(async |_: OrderNew| Err::<(), _>("out of paper"));
                worker.on(failing.max_attempts(1).exhausted(Exhausted::drop("orders are cheap")))
            },
            "out of paper (dropped: orders are cheap)",
        ),
        (
            |worker| worker.on(async |_: FollowUp| {}).unknown(Unknown::Ignore),
            "no handler for messages of type `order:new` in this worker, which handles `follow-up` (dropped: messages that \
             no handler is for are ignored)",
        ),
    ];
    for (dropping, why) in cases {
        let broker = Broker::start().await;
        let jobs = broker.queue("jobs").await;
        let id = jobs.enqueue(&order(1)).await.unwrap();
        assert_eq!(testing::drain(dropping(Worker::new(jobs.clone()))).await.dropped, 1, "{why}");
        testing::assert_empty(&jobs).await;
        assert!(testing::dead_letters(&jobs).await.is_empty(), "{why}");
        let told = broker.client().get(&format!("/jobs/{id}")).await.unwrap();
        let told: serde_json::Value = serde_json::from_slice(told.body()).unwrap();
        assert_eq!((&told["status"], &told["last_error"]), (&"dropped".into(), &why.into()), "{told}");
    }
}

#[tokio::test]
async fn a_fifo_groups_failed_head_holds_up_its_group_alone() {
    let broker = Broker::start().await;
    let jobs = broker.queue("jobs.fifo").await;
    for (group, number) in [("a", 1), ("a", 2), ("b", 3)] {
        jobs.enqueue(&order(number)).group(group).dedup(number.to_string()).await.unwrap();
    }
    let worker =
        Worker::new(jobs.clone()).on(async |order: OrderNew, cx: Context| match (order.number, cx.attempt()) {
            (1, 1) => Err(Retry::after(Duration::from_secs(5)).because("busy")),
            _ => Ok(()),
        });
    let summary = testing::drain(worker).await;
    assert_eq!((summary.succeeded, summary.failed), (1, 1));
    let standing: Vec<_> = testing::enqueued::<OrderNew>(&jobs).await.into_iter().map(|order| order.standing).collect();
    assert_eq!(standing, [Standing::Leased { until: broker.now() + Duration::from_secs(5) }, Standing::BehindGroup]);
}

#[derive(Clone)]
struct Till(u32);

async fn clerk(
    order: OrderNew,
    cx: Context,
    State(till): State<Till>,
    shift: Option<Extension<Till>>,
) -> Result<(), Cause> {
    cx.progress(0.25, "begun");
    match order.number {
        0 => Err(Fail::new("there is no order 0"))?,
        1 => Err(Retry::after(Duration::from_secs(9)).because("the till is shut"))?,
        2 => Err("out of paper")?,
        3 => panic!("out of ink"),
        4 if cx.cancellation() == Some(Cancelled::Stopping) => Err("stopped")?,
        _ => {}
    }
    let number = till.0 + shift.map_or(0, |shift| shift.0.0);
    cx.progress(1.0, format_args!("{number} {:?} {:?} {}", cx.group(), cx.attribute("tenant"), cx.queue()));
    Ok(())
}

#[tokio::test]
async fn a_handler_is_tried_without_a_broker() {
    let error = |text: &str| text.to_owned();
    for (number, ending) in [
        (0, Ending::Fail { error: error("there is no order 0") }),
        (1, Ending::Retry { after: Some(Duration::from_secs(9)), error: error("the till is shut") }),
        (2, Ending::Retry { after: None, error: error("out of paper") }),
        (3, Ending::Retry { after: None, error: error("the handler panicked: out of ink") }),
        (4, Ending::Retry { after: None, error: error("stopped") }),
        (5, Ending::Ok),
    ] {
        let trial = testing::job(&order(number)).state(Till(1)).cancelled(Cancelled::Stopping);
        let tried = trial.run(clerk).await;
        assert_eq!(tried.ending(), &ending, "{number}");
        if number < 5 {
            assert_eq!(tried.progress(), Some((0.25, error("begun"))));
        }
    }
    let trial = testing::job(&order(5)).state(Till(1)).extension(Till(6)).group("g").attribute("tenant", "acme");
    let tried = trial.queue("till").run(handler(clerk).max_attempts(1)).await;
    tried.assert_ok();
    assert_eq!(tried.progress(), Some((1.0, error(r#"7 Some("g") Some(Text("acme")) till"#))));
    assert_eq!(testing::job(&order(0)).state(Till(1)).run(clerk).await.assert_failed(), "there is no order 0");
    assert_eq!(testing::job(&order(2)).state(Till(1)).run(clerk).await.assert_retries(), "out of paper");

    let raw = testing::raw("hello").run(async |raw: Raw| if raw.body == "hello" { Ok(()) } else { Err("what?") });
    raw.await.assert_ok();
    assert_eq!(testing::job(&order(5)).attempt(4).context().attempt(), 4);
}

#[tokio::test]
async fn a_trial_that_no_worker_would_make_is_refused_where_the_test_stands() {
    let raw = |body: &str| testing::raw(body).state(Till(1)).run(clerk);
    let lacking = panic_of(async { testing::job(&order(5)).run(clerk).await }).await;
    assert!(lacking.contains("no state of type") && lacking.contains("Till"), "{lacking}");
    let bare = panic_of(async { raw("nonsense").await }).await;
    assert!(bare.contains("its body has no envelope") && bare.contains("`order:new`"), "{bare}");
    let other = panic_of(async { raw(r#"{"type":"other","payload":{"number":1}}"#).await }).await;
    assert!(other.ends_with("it is of type `other`, and the handler is for `order:new`"), "{other}");
    let without = raw(r#"{"type":"order:new"}"#).await;
    assert!(without.assert_retries().starts_with("this message of type `order:new` has no payload"), "{without:?}");

    let (place, usual, here) = (Arc::new(Mutex::new(None)), std::panic::take_hook(), std::thread::current().id());
    let kept = place.clone();
    std::panic::set_hook(Box::new(move |panic| match std::thread::current().id() == here {
        true => *kept.lock().unwrap() = panic.location().map(|at| at.file().to_owned()),
        false => usual(panic),
    }));
    panic_of(async { testing::job(&order(5)).run(clerk).await }).await;
    drop(std::panic::take_hook());
    assert_eq!(place.lock().unwrap().as_deref(), Some(file!()));
}

//! How failures end: again, in the dead-letter queue, dropped.

use super::stage::{message, refused};
use super::*;
use crate::{Backoff, Cause, Event, Exhausted, Fail, Retry, Unknown, handler};
use std::sync::{Arc, Mutex};

/// Fails as it says.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "trouble")]
enum Trouble {
    Plain,
    Later(u64),
    Never,
    Panic,
    Hang,
}

async fn trouble(trouble: Trouble) -> Result<(), Cause> {
    match trouble {
        Trouble::Plain => Err("out of paper".into()),
        Trouble::Later(seconds) => Err(Retry::after(Duration::from_secs(seconds)).because("busy").into()),
        Trouble::Never => Err(Fail::new("no such tray"))?,
        Trouble::Panic => panic!("paper jam"),
        Trouble::Hang => std::future::pending().await,
    }
}

fn failed(id: &str, after_s: u64, error: &str) -> Deed {
    changed(id, 0, after_s, Some(error))
}

#[tokio::test(start_paused = true)]
async fn a_failed_message_comes_again_when_its_policy_or_its_handler_says() {
    let backoff = || Backoff::exponential(Duration::from_secs(2)..=Duration::from_secs(10));
    for (trouble_is, attempt, policy, expected) in [
        (Trouble::Plain, 1, None, failed("1", 30, "out of paper")),
        (Trouble::Plain, 1, Some(backoff()), failed("1", 2, "out of paper")),
        (Trouble::Plain, 3, Some(backoff()), failed("1", 8, "out of paper")),
        (Trouble::Plain, 9, Some(backoff()), failed("1", 10, "out of paper")),
        (Trouble::Plain, 4, Some(Backoff::fixed(Duration::from_secs(7))), failed("1", 7, "out of paper")),
        (Trouble::Panic, 2, Some(backoff()), failed("1", 4, "the handler panicked: paper jam")),
        (Trouble::Later(77), 3, Some(backoff()), failed("1", 77, "busy")),
        // SQS holds a message for twelve hours, and no longer.
        (Trouble::Later(90_000), 1, None, failed("1", 12 * 3600 - 60, "busy")),
        // A policy that breaks is as if there was none.
        (Trouble::Plain, 1, Some(Backoff::custom(|_, _| panic!("no idea"))), failed("1", 30, "out of paper")),
        (
            Trouble::Plain,
            2,
            Some(Backoff::custom(|attempt, error| {
                Duration::from_secs(u64::from(attempt) * u64::try_from(error.to_string().len()).unwrap())
            })),
            failed("1", 24, "out of paper"),
        ),
    ] {
        let stage = Stage::new([received("1", &body("trouble", &trouble_is), attempt)]);
        let mut trouble = handler(trouble);
        if let Some(policy) = policy {
            trouble = trouble.retry(policy);
        }
        let summary = work(&stage, Worker::new(stage.clone()).on(trouble), 1).await.unwrap();
        assert_eq!((summary, stage.deeds()), (Summary { failed: 1, ..Summary::default() }, vec![expected]));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_that_has_had_its_attempts_ends_as_its_policy_says() {
    let dead = |error: &str| dead_lettered("1", 0, error);
    // (what it does, attempt, the handler's most, the queue's most, how it ends)
    for (trouble_is, attempt, most, queues_most, expected) in [
        (Trouble::Plain, 3, Some(3), 9, dead("out of paper")),
        (Trouble::Plain, 2, Some(3), 9, failed("1", 30, "out of paper")),
        (Trouble::Plain, 3, Some(9), 3, dead("out of paper")),
        (Trouble::Plain, 3, None, 3, dead("out of paper")),
        (Trouble::Later(5), 3, Some(3), 9, dead("busy")),
        (Trouble::Later(5), 2, Some(3), 9, failed("1", 5, "busy")),
        (Trouble::Never, 1, Some(3), 9, dead("no such tray")),
        (Trouble::Panic, 7, Some(3), 9, dead("the handler panicked: paper jam")),
    ] {
        let stage = Stage::new([received("1", &body("trouble", &trouble_is), attempt)]);
        stage.set_redrive(queues_most);
        let mut trouble = handler(trouble);
        if let Some(most) = most {
            trouble = trouble.max_attempts(most);
        }
        work(&stage, Worker::new(stage.clone()).on(trouble), 1).await.unwrap();
        assert_eq!(stage.deeds(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_handler_says_goes_before_what_its_worker_says() {
    let stage = Stage::new([message("a", &body("trouble", Trouble::Plain)), message("b", &body("fail", 0))]);
    let worker = Worker::new(stage.clone())
        .on(handler(trouble).max_attempts(1).exhausted(Exhausted::drop("nobody misses it")))
        .on(fail)
        .max_attempts(7)
        .retry(Duration::from_secs(5));
    let summary = work(&stage, worker, 2).await.unwrap();
    assert_eq!(summary, Summary { dropped: 1, failed: 1, ..Summary::default() });
    assert_eq!(stage.deeds(), [deleted("a", 0), failed("b", 5, "out of paper")]);
}

#[tokio::test(start_paused = true)]
async fn without_a_dead_letter_queue_nothing_is_lost() {
    let stage = Stage::new([received("1", &body("trouble", Trouble::Never), 40)]);
    let worker = Worker::new(stage.clone()).on(handler(trouble).max_attempts(3));
    let summary = work(&stage, worker, 1).await.unwrap();
    assert_eq!((summary.failed, stage.deeds()), (1, vec![failed("1", 900, "no such tray")]));
}

#[tokio::test(start_paused = true)]
async fn a_message_that_can_t_be_moved_is_left_to_the_queue() {
    let stage = Stage::new([received("1", &body("trouble", Trouble::Never), 1)]);
    stage.set_redrive(3);
    stage.fail_dead_letters([refused()]);
    let summary = work(&stage, Worker::new(stage.clone()).on(trouble), 1).await.unwrap();
    assert_eq!((summary.failed, stage.deeds()), (1, vec![failed("1", 30, "no such tray")]));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_dropped_and_its_lease_no_longer_extended() {
    let stage = Stage::new([message("1", &body("trouble", Trouble::Hang))]);
    let worker = Worker::new(stage.clone()).on(handler(trouble).timeout(Duration::from_secs(20)));
    work(&stage, worker, 2).await.unwrap();
    let reason = "the handler took longer than its 20s";
    assert_eq!(stage.deeds(), [changed("1", 15, 30, None), changed("1", 20, 25, Some(reason))]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_handler_that_blocks_past_its_timeout_loses_its_lease_to_others() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));
    let worker = Worker::new(stage.clone()).visibility_timeout(Duration::from_secs(4)).on(handler(
        move |_: Nap, cx: Context| {
            let wait = wait.clone();
            async move {
                // Holds its thread until told otherwise.
                wait.lock().unwrap().recv().unwrap();
                assert_eq!(cx.cancellation(), None, "nobody could tell it yet");
                tokio::task::yield_now().await;
                Ok::<_, String>(())
            }
        },
    )
    .timeout(Duration::from_millis(500)));
    let stop = worker.handle();
    let running = tokio::spawn(worker.run());
    // Longer than the lease lasts: it would have been extended twice.
    sleep(Duration::from_secs(5)).await;
    assert_eq!(stage.deeds(), [], "not extended");
    go.send(()).unwrap();
    stage.done(1).await;
    stop.stop();
    running.await.unwrap().unwrap();
    let deeds = stage.deeds();
    assert!(matches!(&deeds[..], [Deed::Changed { error: Some(_), .. }]), "{deeds:?}");
}

#[tokio::test(start_paused = true)]
async fn messages_that_no_handler_is_for_go_where_the_worker_says() {
    for (unknown, expected, summary) in [
        (
            None,
            dead_lettered("1", 0, "no handler for messages of type `gone` in this worker, which handles `nap`"),
            Summary { dead_lettered: 1, ..Summary::default() },
        ),
        (
            Some(Unknown::Retry),
            failed("1", 30, "no handler for messages of type `gone` in this worker, which handles `nap`"),
            Summary { failed: 1, ..Summary::default() },
        ),
        (Some(Unknown::Ignore), deleted("1", 0), Summary { dropped: 1, ..Summary::default() }),
    ] {
        let stage = Stage::new([message("1", r#"{"type":"gone"}"#)]);
        stage.set_redrive(3);
        let mut worker = Worker::new(stage.clone()).on(nap);
        if let Some(unknown) = unknown {
            worker = worker.unknown(unknown);
        }
        assert_eq!(work(&stage, worker, 1).await.unwrap(), summary);
        assert_eq!(stage.deeds(), [expected]);
    }
}

/// By the worker's own policy, for there is no handler's.
#[tokio::test(start_paused = true)]
async fn an_unknown_message_that_is_to_come_again_fails_like_any_other() {
    let why = "no handler for messages of type `gone` in this worker, which handles `nap`";
    type Set = fn(Worker<Stage>) -> Worker<Stage>;
    let retrying: Set = |worker| worker.retry(Duration::from_secs(7));
    let backing_off: Set =
        |worker| worker.retry(Backoff::exponential(Duration::from_secs(2)..=Duration::from_secs(10)));
    for (attempt, set, expected) in [
        (1, retrying, failed("1", 7, why)),
        (3, backing_off, failed("1", 8, why)),
        (1, |worker| worker.retry(Backoff::custom(|_, _| panic!("no idea"))), failed("1", 30, why)),
        (1, |worker| worker.max_attempts(2), failed("1", 30, why)),
        (2, |worker| worker.max_attempts(2), dead_lettered("1", 0, why)),
        (2, |worker| worker.max_attempts(2).exhausted(Exhausted::drop("nobody misses it")), deleted("1", 0)),
        (9, |worker| worker, dead_lettered("1", 0, why)),
    ] {
        let stage = Stage::new([received("1", r#"{"type":"gone"}"#, attempt)]);
        stage.set_redrive(9);
        let worker = set(Worker::new(stage.clone()).on(nap).unknown(Unknown::Retry));
        work(&stage, worker, 1).await.unwrap();
        assert_eq!(stage.deeds(), [expected]);
    }
}

#[tokio::test(start_paused = true)]
async fn internal_messages_of_later_versions_are_left_to_those() {
    let stage = Stage::new([message("1", r#"{"type":"afterward:tomorrow"}"#)]);
    stage.set_redrive(3);
    let worker = Worker::new(stage.clone()).otherwise(|_: crate::Raw| async { Ok::<_, String>(()) });
    assert_eq!(work(&stage, worker, 1).await.unwrap(), Summary { handed_back: 1, ..Summary::default() });
    assert_eq!(stage.deeds(), [changed("1", 0, 60, None)]);
}

#[tokio::test(start_paused = true)]
async fn hooks_hear_of_failures_and_their_ends() {
    let stage = Stage::new([
        received("again", &body("trouble", Trouble::Plain), 1),
        received("dead", &body("trouble", Trouble::Plain), 3),
        received("dropped", &body("fail", 0), 1),
    ]);
    stage.set_redrive(3);
    let events = Arc::new(Mutex::new(Vec::new()));
    let told = events.clone();
    let worker = Worker::new(stage.clone())
        .on(trouble)
        .on(handler(fail).max_attempts(1).exhausted(Exhausted::drop("nobody misses it")))
        .on_event(move |event: &Event| told.lock().unwrap().push(event.to_string()));
    work(&stage, worker, 3).await.unwrap();
    let mut events = events.lock().unwrap().clone();
    events.sort();
    assert_eq!(
        events,
        [
            "`fail` dropped of `stage` was dropped at attempt 1 (nobody misses it): out of paper",
            "`trouble` again of `stage` failed at attempt 1, again in 30s: out of paper",
            "`trouble` dead of `stage` was moved to `dead` at attempt 3: out of paper",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn after_a_dead_letter_its_group_goes_on() {
    let stage = Stage::new([ordered("a1", "a", &body("trouble", Trouble::Never)), ordered("a2", "a", &body("nap", 1))]);
    stage.set_redrive(3);
    let summary = work(&stage, Worker::new(stage.clone()).on(trouble).on(nap), 2).await.unwrap();
    assert_eq!(summary, Summary { dead_lettered: 1, succeeded: 1, ..Summary::default() });
    assert_eq!(stage.deeds(), [dead_lettered("a1", 0, "no such tray"), deleted("a2", 1)]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_elsewhere_is_fetched_before_its_handler_is_known() {
    let nap_of = |seconds: u64| format!("elsewhere:{}", body("nap", seconds));
    let stage = Stage::new([
        ordered("a1", "a", &nap_of(2)),
        ordered("a2", "a", &nap_of(2)),
        message("gone", "elsewhere:gone"),
        message("huge", &nap_of(20)),
    ]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let bodies = seen.clone();
    let worker = Worker::new(stage.clone()).on(handler(move |task: Nap, cx: Context| {
        bodies.lock().unwrap().push(cx.body().to_owned());
        nap(task)
    })
    .concurrency(1));
    let summary = work(&stage, worker, 6).await.unwrap();
    assert_eq!(summary, Summary { succeeded: 3, failed: 1, ..Summary::default() });
    // Three seconds each to fetch; "huge" waits for "a1", and "a2" for "huge".
    assert_eq!(
        stage.deeds(),
        [
            changed("gone", 3, 27, Some("no such object")),
            deleted("a1", 5),
            changed("a2", 15, 30, None),
            changed("huge", 15, 30, None),
            deleted("huge", 25),
            deleted("a2", 27),
        ]
    );
    assert!(seen.lock().unwrap().iter().all(|body| body.starts_with('{')));
}

/// Keeps the spans that warnings are told in, where nothing below a warning is logged.
#[derive(Clone, Default)]
struct Told(Arc<Mutex<Spans>>);

#[derive(Default)]
struct Spans {
    /// Their fields, by their ids, which count from 1.
    made: Vec<String>,
    entered: Vec<u64>,
    of_events: Vec<String>,
}

impl tracing::Subscriber for Told {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().starts_with("afterward::worker") && *metadata.level() <= tracing::Level::WARN
    }

    fn new_span(&self, span: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        let fields: Vec<_> = span.metadata().fields().iter().map(|field| field.name()).collect();
        let mut told = self.0.lock().unwrap();
        told.made.push(fields.join(" "));
        tracing::span::Id::from_u64(told.made.len() as u64)
    }

    fn event(&self, _: &tracing::Event<'_>) {
        let mut told = self.0.lock().unwrap();
        let inside = told.entered.last().map(|id| told.made[*id as usize - 1].clone());
        told.of_events.push(inside.unwrap_or_default());
    }

    fn enter(&self, span: &tracing::span::Id) {
        self.0.lock().unwrap().entered.push(span.into_u64());
    }

    fn exit(&self, _: &tracing::span::Id) {
        self.0.lock().unwrap().entered.pop();
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn warnings_say_what_they_are_about_where_nothing_else_is_logged() {
    let told = Told::default();
    let _guard = tracing::subscriber::set_default(told.clone());
    let stage = Stage::new([message("1", &body("fail", 0))]);
    work(&stage, Worker::new(stage.clone()).on(fail), 1).await.unwrap();
    let spans_of_warnings = told.0.lock().unwrap().of_events.clone();
    assert_eq!(spans_of_warnings, ["queue message_id message_type attempt"]);
}

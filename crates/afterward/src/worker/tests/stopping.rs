use super::stage::message;
use super::*;
use crate::{Cancelled, Delivery, Receive, Source, SourceError};
use std::sync::{Arc, Mutex};

#[tokio::test(start_paused = true)]
async fn a_stop_lets_handlers_finish_and_receives_nothing_more() {
    let stage = Stage::new([message("1", &body("nap", 12))]);
    let worker = Worker::new(stage.clone()).on(nap);
    let (handle, late) = (worker.handle(), stage.clone());
    tokio::spawn(async move {
        sleep(Duration::from_secs(3)).await;
        handle.stop();
        sleep(Duration::from_secs(1)).await;
        late.add(message("2", &body("nap", 0)));
    });
    let summary = worker.run().await.unwrap();
    assert_eq!(summary, Summary { succeeded: 1, ..Summary::default() });
    assert_eq!((stage.deeds(), stage.seconds()), (vec![deleted("1", 12)], 12));
}

#[tokio::test(start_paused = true)]
async fn what_the_queue_hands_out_at_the_moment_of_the_stop_is_handled() {
    for (after_ms, handled) in [(400, 1), (600, 0)] {
        let stage = Stage::new([]);
        let late = stage.clone();
        tokio::spawn(async move {
            sleep(Duration::from_millis(3_000 + after_ms)).await;
            late.add(message("1", &body("nap", 2)));
        });
        let worker = Worker::new(stage.clone()).on(nap).stop_on(sleep(Duration::from_secs(3)));
        assert_eq!(worker.run().await.unwrap(), Summary { succeeded: handled, ..Summary::default() }, "{after_ms}");
        assert_eq!(stage.limits(), [10], "and no receive was begun after the stop");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_by_the_deadline_is_handed_back() {
    let stage = Stage::new([message("short", &body("nap", 9)), message("long", &body("nap", 600))]);
    let worker = Worker::new(stage.clone()).stop_within(Duration::from_secs(7)).on(nap);
    let summary = worker.stop_on(sleep(Duration::from_secs(4))).run().await.unwrap();
    assert_eq!(summary, Summary { succeeded: 1, handed_back: 1, ..Summary::default() });
    // A receive was under way since the start: its 20 s and the second for its way are over at 21.
    assert_eq!(stage.deeds(), [deleted("short", 9), changed("long", 11, 10, None)]);
    assert_eq!(stage.seconds(), 11);
}

#[tokio::test(start_paused = true)]
async fn what_is_given_back_stays_out_of_reach_of_the_receive_that_the_stop_cut_off() {
    // (why, slots, stop_within, when the failing one fails, how long each of the two stays out of sight)
    let table = [
        ("the long poll has 15 and 12 s left", 10, 4, 6, (15, 12)),
        ("it has been over for long", 10, 40, 30, (0, 0)),
        ("none was under way", 2, 4, 6, (0, 0)),
    ];
    for (why, slots, within, fails_at, (failed, handed_back)) in table {
        let stage = Stage::new([message("fails", &body("fail", fails_at)), message("long", &body("nap", 600))]);
        let worker = Worker::new(stage.clone()).concurrency(slots).retry(Duration::ZERO).on(nap).on(fail);
        let worker = worker.visibility_timeout(LONG).stop_within(Duration::from_secs(within));
        let worker = worker.stop_on(sleep(Duration::from_secs(5)));
        assert_eq!(worker.run().await.unwrap(), Summary { failed: 1, handed_back: 1, ..Summary::default() }, "{why}");
        let expected =
            [changed("fails", fails_at, failed, Some("out of paper")), changed("long", 5 + within, handed_back, None)];
        assert_eq!(stage.deeds(), expected, "{why}");
    }
}

/// A lease that nobody has to extend, nor waits for the end of.
const LONG: Duration = Duration::from_secs(600);

/// A source as Amazon is: a receive goes on at the queue when its caller has gone, and what it takes nobody gets.
#[derive(Clone)]
struct Remote(Stage);

impl Source for Remote {
    fn name(&self) -> &str {
        "remote"
    }

    async fn visibility_timeout(&self) -> Result<Duration, SourceError> {
        self.0.visibility_timeout().await
    }

    async fn receive(&self, ask: Receive) -> Result<Vec<Delivery>, SourceError> {
        let stage = self.0.clone();
        tokio::spawn(async move { stage.receive(ask).await }).await.unwrap()
    }

    async fn delete(&self, receipt: &str) -> Result<(), SourceError> {
        self.0.delete(receipt).await
    }

    /// The message comes again, received once more often.
    async fn change_visibility(&self, receipt: &str, after: Duration, error: Option<&str>) -> Result<(), SourceError> {
        self.0.change_visibility(receipt, after, error).await?;
        let (stage, mut again) = (self.0.clone(), message(receipt, &body("nap", 600)));
        again.receive_count = 2;
        tokio::spawn(async move {
            sleep(after).await;
            stage.add(again);
        });
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_handed_back_reaches_the_next_worker_past_the_receive_that_lives_on() {
    for within in [0, 3, 20, 25] {
        let source = Remote(Stage::new([message("1", &body("nap", 600))]));
        let first =
            Worker::new(source.clone()).visibility_timeout(LONG).stop_within(Duration::from_secs(within)).on(nap);
        let handed_back = first.stop_on(sleep(Duration::from_millis(4_700))).run().await.unwrap().handed_back;
        assert_eq!(handed_back, 1);

        let attempts = Arc::new(Mutex::new(Vec::new()));
        let tell = attempts.clone();
        let second = Worker::new(source).visibility_timeout(LONG).on(move |_: Nap, cx: Context| {
            tell.lock().unwrap().push(cx.attempt());
            async { Ok::<_, String>(()) }
        });
        second.stop_on(sleep(Duration::from_secs(60))).run().await.unwrap();
        assert_eq!(*attempts.lock().unwrap(), [2], "stopped within {within} s");
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_a_handler_left_running_learns_that_its_message_was_handed_back() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let told = Arc::new(Mutex::new(None));
    let tell = told.clone();
    let worker = Worker::new(stage.clone()).stop_within(Duration::from_secs(1)).on(move |_: Nap, cx: Context| {
        let tell = tell.clone();
        async move {
            tokio::spawn(async move { *tell.lock().unwrap() = Some(cx.cancelled().await) });
            std::future::pending::<Result<(), String>>().await
        }
    });
    worker.stop_on(sleep(Duration::from_secs(1))).run().await.unwrap();
    tokio::task::yield_now().await;
    assert_eq!(*told.lock().unwrap(), Some(Cancelled::Stopping));
}

#[tokio::test(start_paused = true)]
async fn a_worker_stopped_before_it_starts_returns() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let worker = Worker::new(stage.clone()).on(nap);
    worker.handle().stop();
    assert_eq!(worker.run().await.unwrap(), Summary::default());
    assert_eq!(stage.deeds(), []);
}

#[tokio::test(start_paused = true)]
async fn a_worker_that_is_dropped_takes_its_handlers_with_it() {
    let stage = Stage::new([message("1", &body("nap", 10))]);
    let finished = Arc::new(Mutex::new(false));
    let tell = finished.clone();
    let worker = Worker::new(stage.clone()).on(move |task: Nap| {
        let tell = tell.clone();
        async move {
            nap(task).await?;
            *tell.lock().unwrap() = true;
            Ok::<_, String>(())
        }
    });
    assert!(tokio::time::timeout(Duration::from_secs(5), worker.run()).await.is_err());
    sleep(Duration::from_secs(60)).await;
    assert!(!*finished.lock().unwrap());
    assert_eq!(stage.deeds(), []);
}

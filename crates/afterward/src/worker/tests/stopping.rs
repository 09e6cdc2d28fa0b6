use super::stage::message;
use super::*;
use crate::Cancelled;
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
    assert_eq!(stage.deeds(), [deleted("short", 9), changed("long", 11, 0, None)]);
    assert_eq!(stage.seconds(), 11);
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

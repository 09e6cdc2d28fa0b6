//! Pausing and resuming while a worker runs.

use super::stage::message;
use super::*;

#[tokio::test(start_paused = true)]
async fn a_paused_type_waits_and_others_don_t() {
    let stage =
        Stage::new([message("n1", &body("nap", 1)), message("f", &body("fail", 0)), message("n2", &body("nap", 1))]);
    let worker = Worker::new(stage.clone()).on(nap).on(fail);
    let handle = worker.handle();
    handle.pause_type(Nap::TYPE);
    handle.pause_type("nobody's");
    assert_eq!(handle.paused_types(), ["nap", "nobody's"]);
    let steering = stage.clone();
    tokio::spawn(async move {
        sleep(Duration::from_secs(10)).await;
        assert_eq!(steering.deeds(), [changed("f", 0, 30, Some("out of paper"))]);
        handle.resume_type(Nap::TYPE);
        // What runs goes on when its type is paused again.
        sleep(Duration::from_millis(500)).await;
        handle.pause_type(Nap::TYPE);
        steering.add(message("n3", &body("nap", 1)));
        sleep(Duration::from_secs(10)).await;
        handle.resume_type(Nap::TYPE);
    });
    work(&stage, worker, 4).await.unwrap();
    assert_eq!(stage.deeds()[1..], [deleted("n1", 11), deleted("n2", 11), deleted("n3", 21)]);
}

#[tokio::test(start_paused = true)]
async fn a_paused_worker_receives_and_begins_nothing() {
    let stage = Stage::new([message("1", &body("nap", 5))]);
    let worker = Worker::new(stage.clone()).on(nap);
    let (handle, steering) = (worker.handle(), stage.clone());
    tokio::spawn(async move {
        sleep(Duration::from_secs(2)).await;
        handle.pause();
        assert!(handle.is_paused());
        // The long poll that is under way brings this; nobody begins it.
        sleep(Duration::from_secs(1)).await;
        steering.add(message("2", &body("nap", 0)));
        sleep(Duration::from_secs(57)).await;
        steering.add(message("3", &body("nap", 0)));
        sleep(Duration::from_secs(60)).await;
        handle.resume();
    });
    work(&stage, worker, 3).await.unwrap();
    // Two receives at most were begun before, one of them by the first second; the next when resumed.
    assert_eq!(stage.deeds(), [changed("2", 3, 0, None), deleted("1", 5), deleted("3", 120)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_paused_is_handed_back_at_a_stop() {
    let stage = Stage::new([message("1", &body("nap", 1)), message("2", &body("nap", 1))]);
    let worker = Worker::new(stage.clone()).concurrency(2).on(nap);
    worker.handle().pause_type(Nap::TYPE);
    let summary = worker.stop_on(sleep(Duration::from_secs(3))).run().await.unwrap();
    assert_eq!(summary, Summary { handed_back: 2, ..Summary::default() });
    assert!(stage.seconds() <= 4, "at once, not at the deadline: {}", stage.seconds());
}

//! How far the work is, told on the way.

use super::stage::message;
use super::*;

fn reported(at_ms: u64, progress: &str) -> Deed {
    Deed::Reported { id: "1".into(), at_ms, after_s: 30, progress: progress.into() }
}

#[tokio::test(start_paused = true)]
async fn progress_is_told_at_once_and_then_once_a_second_the_latest() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let worker = Worker::new(stage.clone()).on(|_: Nap, cx: Context| async move {
        sleep(Duration::from_secs(2)).await;
        for percent in 0..30 {
            cx.progress(f64::from(percent) / 100.0, format!("page {percent}"));
            sleep(Duration::from_millis(100)).await;
        }
        // Silent for long: the lease is extended from the last word on.
        sleep(Duration::from_secs(20)).await;
        cx.progress(7.0, "");
        sleep(Duration::from_millis(1)).await;
    });
    work(&stage, worker, 6).await.unwrap();
    let deeds = stage.deeds();
    assert_eq!(
        deeds[..4],
        [
            reported(2000, "0 page 0"),
            reported(3000, "0.1 page 10"),
            reported(4000, "0.2 page 20"),
            reported(5000, "0.29 page 29")
        ]
    );
    assert_eq!(deeds[4..], [changed("1", 20, 30, None), reported(25_000, "1"), deleted("1", 25)]);
}

#[tokio::test(start_paused = true)]
async fn what_is_said_after_the_end_goes_nowhere() {
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let (kept, keep) = tokio::sync::oneshot::channel();
    let kept = std::sync::Mutex::new(Some(kept));
    let worker = Worker::new(stage.clone()).on(move |_: Nap, cx: Context| {
        let _ = kept.lock().unwrap().take().map(|kept| kept.send(cx));
        async {}
    });
    let handle = worker.handle();
    let running = tokio::spawn(worker.run());
    let cx = keep.await.unwrap();
    stage.done(1).await;
    cx.progress(0.5, "too late");
    sleep(Duration::from_secs(5)).await;
    handle.stop();
    running.await.unwrap().unwrap();
    assert_eq!(stage.deeds(), [deleted("1", 0)]);
}

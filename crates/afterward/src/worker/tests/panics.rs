//! What panics, or is set beyond all measure, takes nothing else with it.

use super::stage::message;
use super::*;
use crate::handler;

/// A job whose key may be missing.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "keyed")]
struct Keyed(Vec<String>);

async fn keyed(_: Keyed) {}

#[tokio::test(start_paused = true)]
async fn a_limits_key_that_panics_holds_up_nobody() {
    let of = |id: &str, keys: &[&str]| message(id, &body("keyed", keys));
    let stage = Stage::new([of("1", &["a"]), of("2", &[]), of("3", &["a"])]);
    let worker = Worker::new(stage.clone()).on(handler(keyed).limit_by(|Keyed(keys)| keys[0].clone(), 1));
    let summary = work(&stage, worker, 3).await.unwrap();
    assert_eq!(summary, Summary { succeeded: 3, ..Summary::default() });
}

/// Panics when it is dropped, as what a handler holds may.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("dropped");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_whose_attempt_breaks_off_comes_again_when_its_lease_ends() {
    let stage = Stage::new([message("1", &body("nap", 600)), message("2", &body("fail", 100))]);
    let breaking = handler(|Nap(seconds): Nap| async move {
        let _fragile = Fragile;
        sleep(Duration::from_secs(seconds)).await;
    });
    let worker = Worker::new(stage.clone()).on(breaking.timeout(Duration::from_secs(20))).on(fail);
    let summary = work(&stage, worker, 8).await.unwrap();
    assert_eq!(summary, Summary { failed: 2, ..Summary::default() });
    let of_the_first: Vec<Deed> =
        stage.deeds().into_iter().filter(|deed| matches!(deed, Deed::Changed { id, .. } if id == "1")).collect();
    assert_eq!(of_the_first, [changed("1", 15, 30, None)], "nobody extends its lease any more");
}

#[tokio::test(start_paused = true)]
async fn for_ever_is_a_time_like_others() {
    let stage = Stage::new([message("1", &body("nap", 600)), message("2", &body("nap", 1))]);
    let worker =
        Worker::new(stage.clone()).timeout(Duration::MAX).stop_within(Duration::MAX).rate(1, Duration::MAX).on(nap);
    let stop_within = worker.stop_on(sleep(Duration::from_secs(3)));
    let ended = tokio::time::timeout(Duration::from_secs(60), stop_within.run()).await;
    assert!(ended.is_err(), "the first is waited for as long as it takes");
    // The other would have had to wait for ever.
    assert_eq!(stage.deeds()[0], changed("2", 3, 18, None));
}

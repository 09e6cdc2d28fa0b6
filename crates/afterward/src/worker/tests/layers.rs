//! `tower`'s layers around handlers.

use super::stage::message;
use super::*;
use crate::{Extension, Job, handler};
use std::sync::{Arc, Mutex};
use tower::{
    ServiceBuilder,
    limit::{ConcurrencyLimitLayer, RateLimitLayer},
    timeout::TimeoutLayer,
    util::MapRequestLayer,
};

#[tokio::test(start_paused = true)]
async fn a_timeout_layer_ends_one_handler_and_not_the_others() {
    let stage = Stage::new([message("1", &body("nap", 9)), message("2", &body("fail", 9))]);
    let worker = Worker::new(stage.clone()).on(handler(nap).layer(TimeoutLayer::new(Duration::from_secs(3)))).on(fail);
    work(&stage, worker, 2).await.unwrap();
    assert_eq!(
        stage.deeds(),
        [changed("1", 3, 27, Some("request timed out")), changed("2", 9, 21, Some("out of paper"))]
    );
}

#[tokio::test(start_paused = true)]
async fn a_rate_limit_layer_is_one_limit_for_all_handlers() {
    let stage = Stage::new((0..7).map(|n| message(&n.to_string(), &body(if n % 2 == 0 { "nap" } else { "fail" }, 0))));
    let worker = Worker::new(stage.clone()).on(nap).on(fail).layer(RateLimitLayer::new(3, Duration::from_secs(10)));
    // Seven ends, and the lease of the last is extended on the way.
    work(&stage, worker, 8).await.unwrap();
    let of_end = |deed: &Deed| match deed {
        Deed::Deleted { at_s, .. } | Deed::Changed { at_s, error: Some(_), .. } => Some(*at_s),
        _ => None,
    };
    let mut at: Vec<u64> = stage.deeds().iter().filter_map(of_end).collect();
    at.sort_unstable();
    assert_eq!(at, [0, 0, 0, 10, 10, 10, 20]);
}

#[tokio::test(start_paused = true)]
async fn layers_stack_with_the_later_outside_and_hand_things_to_handlers() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let log = log.clone();
        MapRequestLayer::new(move |mut job: Job| {
            log.lock().unwrap().push(name);
            job.extensions_mut().insert(name);
            job
        })
    };
    let stage = Stage::new([message("1", &body("nap", 0))]);
    let inner = log.clone();
    let handled = handler(move |_: Nap, Extension(last): Extension<&'static str>| {
        inner.lock().unwrap().push("handler");
        async move { if last == "own" { Ok(()) } else { Err("the innermost has the last word") } }
    });
    let stack = ServiceBuilder::new().layer(note("first of stack")).layer(ConcurrencyLimitLayer::new(1));
    let worker = Worker::new(stage.clone()).on(handled.layer(note("own"))).layer(stack).layer(note("outer"));
    assert_eq!(work(&stage, worker, 1).await.unwrap().succeeded, 1);
    assert_eq!(*log.lock().unwrap(), ["outer", "first of stack", "own", "handler"]);
}

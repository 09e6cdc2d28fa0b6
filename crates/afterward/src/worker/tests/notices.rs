//! Hooks that tell people: from a worker's events to a webhook.

use super::{stage::message, *};
use crate::{
    Exhausted, handler,
    notify::{Digest, webhook},
    sqs::tests::server::{Server, ok},
};
use serde_json::json;

#[tokio::test]
async fn what_a_worker_gives_up_is_counted_for_people() {
    let server = Server::ruled(|_| ok("ok")).await;
    let digest = Digest::new(webhook(&server.url()).unwrap());
    let stage =
        Stage::new((0..5).map(|id| message(&id.to_string(), &body("fail", 0))).chain([message("5", &body("nap", 0))]));
    let worker = Worker::new(stage.clone())
        .on(handler(fail).max_attempts(1).exhausted(Exhausted::drop("nobody reads it")))
        .on(nap)
        .on_event(digest.hook());
    work(&stage, worker, 6).await.unwrap();
    digest.flush().await;
    // One notice, or on a very slow machine several.
    let counts: Vec<_> = server.bodies().into_iter().map(|body| body["counts"][0].clone()).collect();
    let total: u64 = counts.iter().filter_map(|count| count["count"].as_u64()).sum();
    assert_eq!(total, 5);
    let first = &counts[0];
    assert_eq!(
        (&first["event"], &first["name"], &first["last_error"]),
        (&json!("dropped"), &json!("fail"), &json!("out of paper"))
    );
}

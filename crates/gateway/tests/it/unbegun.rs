//! Our extension of ChangeMessageVisibility: a message that its holder has not begun, so that the receive does not count.

use crate::rig::Rig;
use serde_json::{Value, json};

async fn received(rig: &Rig, url: &str) -> Value {
    let request = json!({"QueueUrl": url, "MessageSystemAttributeNames": ["All"]});
    rig.call("ReceiveMessage", request).await["Messages"][0].clone()
}

#[tokio::test]
async fn it_takes_the_receive_back_where_nothing_else_is_said() {
    for (headers, counts) in [
        (&[("x-afterward-unbegun", "true")][..], false),
        (&[("x-afterward-unbegun", "True")], false),
        (&[], true),
        // What is no such word is ignored.
        (&[("x-afterward-unbegun", "false")], true),
        (&[("x-afterward-unbegun", "")], true),
        (&[("x-afterward-unbegun", "true"), ("x-afterward-progress", "soon")], false),
        // Whoever failed, or is somewhere, has begun.
        (&[("x-afterward-unbegun", "true"), ("x-afterward-error", "no%20paper")], true),
        (&[("x-afterward-unbegun", "true"), ("x-afterward-progress", "0.1")], true),
    ] {
        let rig = Rig::start().await;
        let url = rig.standard("jobs").await;
        let job = rig.post("/jobs", "{}").await.json();
        let message = received(&rig, &url).await;
        let reply = rig.change(&url, &message, 0, headers).await;
        assert_eq!(reply.status, 200, "{headers:?}: {}", reply.body);
        let now = rig.status(&job).await;
        assert_eq!((&now["status"], &now["attempts"]), (&json!("waiting"), &json!(u8::from(counts))), "{headers:?}");
        let peeked = rig.get("/_afterward/queues/jobs/messages").await.json()["messages"][0].clone();
        assert_eq!(peeked["receive_count"], u8::from(counts), "{headers:?}");
        assert_eq!(peeked["first_received_at"].is_string(), counts, "{headers:?}: {peeked}");
        rig.pass(5);
        let again = received(&rig, &url).await;
        let count = if counts { "2" } else { "1" };
        assert_eq!(again["Attributes"]["ApproximateReceiveCount"], count, "{headers:?}");
        let same = again["Attributes"]["ApproximateFirstReceiveTimestamp"]
            == message["Attributes"]["ApproximateFirstReceiveTimestamp"];
        assert_eq!(same, counts, "{headers:?}: {again}");
    }
}

#[tokio::test]
async fn the_message_stays_out_of_sight_as_asked_and_the_handle_is_used_up() {
    let rig = Rig::start().await;
    let url = rig.standard("jobs").await;
    rig.post("/jobs", "{}").await;
    let message = received(&rig, &url).await;
    let unbegun = [("x-afterward-unbegun", "true")];
    assert_eq!(rig.change(&url, &message, 10, &unbegun).await.status, 200);
    let again = rig.change(&url, &message, 10, &unbegun).await;
    assert_eq!(again.status, 400, "one receive is taken back once: {}", again.body);
    rig.pass(9);
    assert_eq!(received(&rig, &url).await, Value::Null);
    rig.pass(1);
    assert_eq!(received(&rig, &url).await["Attributes"]["ApproximateReceiveCount"], "1");
}

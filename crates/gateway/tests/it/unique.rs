//! Our extension of SendMessage: one message of a key within a while.

use crate::rig::{Reply, Rig};
use serde_json::{Value, json};

fn id(reply: &Reply) -> Value {
    assert_eq!(reply.status, 200, "{}", reply.body);
    reply.json()["MessageId"].clone()
}

#[tokio::test]
async fn a_key_is_taken_once_while_it_is_remembered_on_queues_of_either_kind() {
    let rig = Rig::start().await;
    for url in [rig.standard("chores").await, rig.fifo("chores.fifo").await] {
        let hour = [("x-afterward-unique", "report"), ("x-afterward-unique-seconds", "3600")];
        let first = id(&rig.send_message(&url, "one", &hour).await);
        assert_eq!(id(&rig.send_message(&url, "another body", &hour).await), first);
        let other = id(&rig.send_message(&url, "two", &[("x-afterward-unique", "else")]).await);
        assert_ne!(other, first);
        let plain = id(&rig.send_message(&url, "three", &[]).await);
        assert!(plain != first && plain != other);
        assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "3");

        rig.pass(3599);
        assert_eq!(id(&rig.send_message(&url, "one", &hour).await), first, "five minutes are not its window");
        assert_ne!(
            id(&rig.send_message(&url, "two", &[("x-afterward-unique", "else")]).await),
            other,
            "but the usual one"
        );
        rig.pass(1);
        assert_ne!(id(&rig.send_message(&url, "one", &hour).await), first);
    }
}

#[tokio::test]
async fn headers_that_mean_nothing_are_refused() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let long = "x".repeat(129);
    for (headers, words) in [
        (&[("x-afterward-unique", "")][..], "x-afterward-unique has 1 to 128"),
        (&[("x-afterward-unique", "a b")], "x-afterward-unique has 1 to 128"),
        (&[("x-afterward-unique", &*long)], "x-afterward-unique has 1 to 128"),
        (&[("x-afterward-unique", "a"), ("x-afterward-unique-seconds", "0")], "from 1 to 604800"),
        (&[("x-afterward-unique", "a"), ("x-afterward-unique-seconds", "604801")], "from 1 to 604800"),
        (&[("x-afterward-unique", "a"), ("x-afterward-unique-seconds", "soon")], "from 1 to 604800"),
    ] {
        let reply = rig.send_message(&url, "x", headers).await;
        assert_eq!(reply.status, 400, "{headers:?}");
        assert!(reply.body.contains(words), "{}", reply.body);
    }
    let batch = json!({"QueueUrl": url, "Entries": [{"Id": "a", "MessageBody": "x"}]});
    let reply = rig.json_with("SendMessageBatch", &batch, &[("x-afterward-unique", "a")]).await;
    assert!(reply.status == 400 && reply.body.contains("one message a call"), "{}", reply.body);
    assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "0");
}

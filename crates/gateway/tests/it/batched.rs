//! Our extension of SendMessage: batches with a completion message.

use crate::rig::Rig;
use serde_json::{Value, json};

async fn sent(rig: &Rig, url: &str, body: &str, headers: &[(&str, &str)]) {
    let reply = rig.send_message(url, body, headers).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
}

fn bodies(messages: &[Value]) -> Vec<&str> {
    messages.iter().map(|message| message["Body"].as_str().unwrap()).collect()
}

async fn delete(rig: &Rig, url: &str, message: &Value) {
    rig.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).await;
}

#[tokio::test]
async fn the_completion_comes_when_the_batch_is_done_on_queues_of_either_kind() {
    let rig = Rig::start().await;
    for url in [rig.standard("chores").await, rig.fifo("chores.fifo").await] {
        sent(&rig, &url, "one", &[("x-afterward-batch", "import-42")]).await;
        sent(&rig, &url, "two", &[("x-afterward-batch", "import-42")]).await;
        sent(&rig, &url, "done", &[("x-afterward-after", "import-42")]).await;
        sent(&rig, &url, "something else", &[]).await;
        assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessages").await, "3");
        assert_eq!(rig.attribute(&url, "ApproximateNumberOfMessagesDelayed").await, "1");

        let received = rig.receive(&url).await;
        assert_eq!(bodies(&received), ["one", "two", "something else"]);
        assert_eq!(received[0]["Attributes"]["AfterwardBatch"], "import-42");
        assert_eq!(received[0]["Attributes"].get("AfterwardAfter"), None);
        assert_eq!(received[2]["Attributes"].get("AfterwardBatch"), None);
        delete(&rig, &url, &received[2]).await;
        delete(&rig, &url, &received[0]).await;
        assert!(rig.receive(&url).await.is_empty());
        delete(&rig, &url, &received[1]).await;
        let done = rig.receive(&url).await;
        assert_eq!(bodies(&done), ["done"]);
        assert_eq!(done[0]["Attributes"]["AfterwardAfter"], "import-42");
        assert_eq!(done[0]["Attributes"].get("AfterwardBatch"), None);
    }
}

#[tokio::test]
async fn the_headers_of_a_send_message_batch_are_for_all_of_its_entries_and_a_receive_waits_for_what_they_hold() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let entries = |bodies: [&str; 2]| {
        let entries = bodies.map(|body| json!({"Id": body, "MessageBody": body}));
        json!({"QueueUrl": url, "Entries": entries})
    };
    let batch = [("x-afterward-batch", "b")];
    assert_eq!(rig.json_with("SendMessageBatch", &entries(["one", "two"]), &batch).await.status, 200);
    let after = [("x-afterward-after", "b")];
    assert_eq!(rig.json_with("SendMessageBatch", &entries(["tell", "tidy"]), &after).await.status, 200);
    let received = rig.receive(&url).await;
    assert_eq!(bodies(&received), ["one", "two"]);

    let wait = json!({"QueueUrl": url, "WaitTimeSeconds": 20, "MaxNumberOfMessages": 10});
    let waits = rig.call("ReceiveMessage", wait);
    let deletes = async {
        for message in &received {
            delete(&rig, &url, message).await;
        }
    };
    let (found, ()) = tokio::join!(waits, deletes);
    assert_eq!(bodies(found["Messages"].as_array().unwrap()), ["tell", "tidy"]);
}

#[tokio::test]
async fn a_peek_shows_who_waits_for_whom_and_page_by_page() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    sent(&rig, &url, "held", &[("x-afterward-batch", "first")]).await;
    sent(&rig, &url, "done", &[("x-afterward-after", "first")]).await;
    sent(&rig, &url, "last", &[]).await;
    let mut shown = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = rig.get(&format!("/_afterward/queues/chores/messages?limit=1{cursor}")).await.json();
        for message in page["messages"].as_array().unwrap() {
            let field = |name: &str| message[name].as_str().unwrap_or("-").to_owned();
            shown.push([field("body"), field("state"), field("batch"), field("after")]);
            assert_eq!(message.get("expires_at").is_none(), field("state") == "held", "{message}");
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(shown, [["held", "ready", "first", "-"], ["last", "ready", "-", "-"], ["done", "held", "-", "first"]]);
    let held = rig.get("/_afterward/queues/chores/messages?state=held").await.json();
    assert_eq!(held["messages"].as_array().unwrap().len(), 1, "{held}");
}

#[tokio::test]
async fn headers_that_mean_nothing_are_refused() {
    let rig = Rig::start().await;
    let url = rig.standard("chores").await;
    let long = "x".repeat(129);
    for (headers, words) in [
        (&[("x-afterward-batch", "")][..], "x-afterward-batch has 1 to 128"),
        (&[("x-afterward-batch", "a b")], "x-afterward-batch has 1 to 128"),
        (&[("x-afterward-after", "a;b")], "x-afterward-after has 1 to 128"),
        (&[("x-afterward-after", &*long)], "x-afterward-after has 1 to 128"),
        (&[("x-afterward-batch", "a"), ("x-afterward-after", "b")], "exclude each other"),
    ] {
        let reply = rig.send_message(&url, "x", headers).await;
        assert_eq!(reply.status, 400, "{headers:?}");
        assert!(reply.body.contains(words), "{headers:?}: {}", reply.body);
    }
    assert!(rig.receive(&url).await.is_empty());
}

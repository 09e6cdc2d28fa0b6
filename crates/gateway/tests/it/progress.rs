//! Our extension of ChangeMessageVisibility: how far the holder of a message is.

use crate::rig::Rig;
use serde_json::{Value, json};

async fn tell(rig: &Rig, url: &str, message: &Value, progress: &str) {
    let reply = rig.change(url, message, 30, &[("x-afterward-progress", progress)]).await;
    assert_eq!(reply.status, 200, "{progress}: {}", reply.body);
}

async fn peeked(rig: &Rig) -> Value {
    rig.get("/_afterward/queues/jobs/messages").await.json()["messages"][0].clone()
}

#[tokio::test]
async fn it_is_in_the_jobs_status_and_the_peek_while_the_attempt_goes_on() {
    let rig = Rig::start().await;
    let url = rig.standard("jobs").await;
    let job = rig.post("/jobs", "{}").await.json();
    let message = rig.receive(&url).await.remove(0);
    assert_eq!(rig.status(&job).await.get("progress"), None, "nothing was told");
    assert_eq!(peeked(&rig).await.get("progress"), None);
    for (header, shown) in [
        ("0%2E4%20resized", json!({"fraction": 0.4, "text": "resized"})),
        ("0.5 na%C3%AFve", json!({"fraction": 0.5, "text": "naïve"})),
        // What is no progress extends the lease all the same, and leaves what was told.
        ("half of it", json!({"fraction": 0.5, "text": "naïve"})),
        ("1", json!({"fraction": 1.0, "text": ""})),
    ] {
        tell(&rig, &url, &message, header).await;
        let now = rig.status(&job).await;
        assert_eq!((&now["status"], &now["progress"]), (&json!("active"), &shown), "{header}");
        let now = peeked(&rig).await;
        assert_eq!((&now["state"], &now["progress"]), (&json!("leased"), &shown), "{header}");
        rig.pass(20);
    }
    // The last words extended the lease until then.
    rig.pass(9);
    assert_eq!(rig.status(&job).await["progress"]["fraction"], 1.0);
    rig.pass(2);
    let now = rig.status(&job).await;
    assert_eq!((&now["status"], now.get("progress")), (&json!("waiting"), None));
    assert_eq!(peeked(&rig).await.get("progress"), None);
    let stale = rig.change(&url, &message, 30, &[("x-afterward-progress", "0.9")]).await;
    assert_eq!(stale.status, 400, "who holds nothing is refused as without the header");

    let message = rig.receive(&url).await.remove(0);
    assert_eq!(rig.status(&job).await.get("progress"), None, "the next attempt begins with nothing");
    tell(&rig, &url, &message, "0.1 again").await;
    rig.call("DeleteMessage", json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]})).await;
    let now = rig.status(&job).await;
    assert_eq!((&now["status"], now.get("progress")), (&json!("succeeded"), None));
}

#[tokio::test]
async fn an_error_ends_it_and_counts_for_more_than_what_comes_with_it() {
    let rig = Rig::start().await;
    let url = rig.standard("jobs").await;
    let job = rig.post("/jobs", "{}").await.json();
    let message = rig.receive(&url).await.remove(0);
    tell(&rig, &url, &message, "0.4 resized").await;
    // Given back in ten seconds: until then nobody has it, though it is invisible.
    let headers = [("x-afterward-error", "no%20such%20image"), ("x-afterward-progress", "0.9 nearly")];
    assert_eq!(rig.change(&url, &message, 10, &headers).await.status, 200);
    let now = rig.status(&job).await;
    assert_eq!((&now["last_error"], now.get("progress")), (&json!("no such image"), None));
}

#[tokio::test]
async fn a_long_text_is_cut() {
    let rig = Rig::start().await;
    let url = rig.standard("jobs").await;
    let job = rig.post("/jobs", "{}").await.json();
    let message = rig.receive(&url).await.remove(0);
    tell(&rig, &url, &message, &format!("0.4 {}", "x".repeat(5000))).await;
    assert_eq!(rig.status(&job).await["progress"], json!({"fraction": 0.4, "text": "x".repeat(256)}));
}

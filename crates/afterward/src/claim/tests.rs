//! Payloads through stores, and what comes back.

use super::*;
use crate::{
    Message, Queue, Receive, Source,
    sqs::tests::{
        client,
        server::{Answer, Server, error, ok},
    },
};
use afterward_aws::{Incoming, sigv4::Verifier};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "report")]
struct Report {
    text: String,
}

fn report(bytes: usize) -> Report {
    Report { text: "ü".repeat(bytes / 2) }
}

/// A queue that keeps what it is sent, hands it out until it is deleted, and takes 2 KiB a message.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<BTreeMap<String, Value>>>);

impl Kept {
    async fn serve(&self) -> Server {
        let kept = self.clone();
        Server::ruled(move |asked| {
            let body: Value = serde_json::from_slice(asked.body()).unwrap();
            let mut messages = kept.0.lock().unwrap();
            match asked.headers()["x-amz-target"].to_str().unwrap() {
                "AmazonSQS.GetQueueAttributes" => ok(r#"{"Attributes":{"MaximumMessageSize":"2048"}}"#),
                "AmazonSQS.SendMessage" if body["MessageBody"].as_str().unwrap().contains("refuse me") => {
                    Answer::Reply(400, r#"{"__type":"InvalidMessageContents","message":"no"}"#.into())
                }
                "AmazonSQS.SendMessage" => {
                    let id = format!("m{}", messages.len());
                    let message = json!({"MessageId": id, "ReceiptHandle": id, "Body": body["MessageBody"], "MessageAttributes": body.get("MessageAttributes").cloned().unwrap_or(json!({}))});
                    messages.insert(id.clone(), message);
                    ok(&json!({"MessageId": id}).to_string())
                }
                "AmazonSQS.ReceiveMessage" => ok(&json!({"Messages": messages.values().collect::<Vec<_>>()}).to_string()),
                "AmazonSQS.DeleteMessage" => {
                    messages.remove(body["ReceiptHandle"].as_str().unwrap()).unwrap();
                    ok("{}")
                }
                _ => ok("{}"),
            }
        })
        .await
    }

    fn body(&self, id: &str) -> Value {
        serde_json::from_str(self.0.lock().unwrap()[id]["Body"].as_str().unwrap()).unwrap()
    }
}

fn jobs(server: &Server) -> Queue {
    Queue::with_client(client(&server.url()), "http://elsewhere/000000000000/jobs")
}

fn ask() -> Receive {
    Receive::new(10, Duration::ZERO, Duration::from_secs(60))
}

fn files(directory: &std::path::Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn a_large_payload_goes_through_files_and_is_removed_with_its_message() {
    let directory = tempfile::tempdir().unwrap();
    let store = directory.path().join("my claims");
    let kept = Kept::default();
    let server = kept.serve().await;
    let queue = jobs(&server).claim_check_at(&format!("file://{}", store.display()).replace(' ', "%20")).unwrap();
    let large = queue.enqueue(&report(100_000)).attribute("n", 1).await.unwrap();
    queue.enqueue(&report(1000)).await.unwrap();

    let body = kept.body(large.as_str());
    assert_eq!((&body["type"], &body["payload"]), (&json!("report"), &Value::Null), "anybody can read what it is");
    let at = &body["claimCheck"];
    assert_eq!(at["bytes"], 100_039);
    assert_eq!(files(&store).len(), 1, "the small one travels by itself");
    assert_eq!(at["url"], format!("file://{}/my%20claims/{}", directory.path().display(), files(&store)[0]));

    let deliveries = queue.receive(ask()).await.unwrap();
    let [large, small] = &deliveries[..] else { panic!() };
    assert_eq!((queue.is_whole(large), queue.is_whole(small)), (false, true));
    assert_eq!(queue.body(large).await.unwrap().unwrap().len(), 100_039);
    assert_eq!(queue.body(small).await.unwrap(), None);
    queue.change_visibility(&deliveries[0].receipt, Duration::from_secs(1), None).await.unwrap();
    assert_eq!(server.bodies().pop().unwrap()["ReceiptHandle"], "m0");
    for delivery in &deliveries {
        queue.delete(&delivery.receipt).await.unwrap();
    }
    assert!(files(&store).is_empty() && kept.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_message_that_is_refused_leaves_no_payload_behind() {
    let directory = tempfile::tempdir().unwrap();
    let server = Kept::default().serve().await;
    let queue = jobs(&server).claim_check_at(&format!("file://{}", directory.path().display())).unwrap();
    // Refused for its small body: the directory's name is in it.
    let refusing = directory.path().join("refuse me");
    let refused = queue.claim_check_at(&format!("file://{}", refusing.display()).replace(' ', "%20")).unwrap();
    let server_says = refused.enqueue(&report(100_000)).await;
    assert!(server_says.is_ok(), "an escaped name is not refused: {server_says:?}");
    assert_eq!(files(&refusing).len(), 1);

    struct Refused(Mutex<Vec<String>>);
    impl ClaimCheck for Arc<Refused> {
        fn url(&self) -> &str {
            "test://refuse me"
        }
        fn put<'a>(&'a self, key: &'a str, _: Bytes) -> Storing<'a, ()> {
            self.0.lock().unwrap().push(format!("put {key}"));
            Box::pin(async { Ok(()) })
        }
        fn get<'a>(&'a self, _: &'a str) -> Storing<'a, Option<Bytes>> {
            Box::pin(async { Ok(None) })
        }
        fn remove<'a>(&'a self, key: &'a str) -> Storing<'a, ()> {
            self.0.lock().unwrap().push(format!("remove {key}"));
            Box::pin(async { Ok(()) })
        }
    }
    let store = Arc::new(Refused(Mutex::default()));
    let queue = jobs(&server).claim_check(store.clone());
    queue.enqueue(&report(100_000)).await.unwrap_err();
    let done = store.0.lock().unwrap().clone();
    assert_eq!(done.len(), 2);
    assert_eq!(done[0].replace("put", "remove"), done[1]);
}

/// A store that remembers what is in it.
#[derive(Clone, Default)]
struct Remembering(Arc<Mutex<Vec<String>>>);

impl ClaimCheck for Remembering {
    fn url(&self) -> &str {
        "test://store"
    }
    fn put<'a>(&'a self, key: &'a str, _: Bytes) -> Storing<'a, ()> {
        self.0.lock().unwrap().push(key.to_owned());
        Box::pin(async { Ok(()) })
    }
    fn get<'a>(&'a self, _: &'a str) -> Storing<'a, Option<Bytes>> {
        Box::pin(async { Ok(None) })
    }
    fn remove<'a>(&'a self, key: &'a str) -> Storing<'a, ()> {
        self.0.lock().unwrap().retain(|kept| kept != key);
        Box::pin(async { Ok(()) })
    }
}

#[tokio::test]
async fn a_payload_stays_wherever_its_message_may_be_in_the_queue() {
    let refused = || error(400, "InvalidMessageContents", "no");
    let throttled = || error(400, "ThrottlingException", "slowly");
    for (story, sends, kept) in [
        ("refused", vec![refused()], false),
        (
            "stored by an attempt whose reply was lost, and then throttled",
            vec![Answer::HangUp, throttled(), throttled()],
            true,
        ),
        ("stored by an attempt whose reply was lost, and then refused", vec![Answer::HangUp, refused()], true),
        ("failed at, and then refused", vec![error(500, "InternalError", ""), refused()], true),
        ("throttled", vec![throttled(), throttled(), throttled()], true),
        ("taken without a word of its id", vec![ok("{}")], true),
        ("a reply that makes no sense", vec![ok("<html>")], true),
    ] {
        for together in [false, true] {
            let script = Mutex::new(sends.clone().into_iter());
            let server = Server::ruled(move |asked| match asked.headers()["x-amz-target"].to_str().unwrap() {
                "AmazonSQS.GetQueueAttributes" => ok(r#"{"Attributes":{"MaximumMessageSize":"2048"}}"#),
                _ => script.lock().unwrap().next().unwrap(),
            })
            .await;
            let store = Remembering::default();
            let queue = jobs(&server).claim_check(store.clone());
            if together {
                queue.enqueue_all([&report(10_000)]).await.remove(0).unwrap_err();
            } else {
                queue.enqueue(&report(10_000)).await.unwrap_err();
            }
            assert_eq!(store.0.lock().unwrap().len(), usize::from(kept), "{story}");
        }
    }
}

#[tokio::test]
async fn of_a_batch_that_is_not_told_of_in_full_the_payloads_stay() {
    let entry = |code: &str| json!({"Id": "0", "SenderFault": code != "InternalError", "Code": code});
    let (mut failing, refused) = (entry("InternalError"), entry("InvalidMessageContents"));
    failing["Id"] = json!("1");
    let replies = Mutex::new(
        vec![
            ok(&json!({"Successful": [], "Failed": [refused, failing]}).to_string()),
            // The one that it failed at goes again, alone.
            error(400, "InvalidMessageContents", "no"),
        ]
        .into_iter(),
    );
    let server = Server::ruled(move |asked| match asked.headers()["x-amz-target"].to_str().unwrap() {
        "AmazonSQS.GetQueueAttributes" => ok(r#"{"Attributes":{"MaximumMessageSize":"2048"}}"#),
        _ => replies.lock().unwrap().next().unwrap(),
    })
    .await;
    let store = Remembering::default();
    let queue = jobs(&server).claim_check(store.clone());
    let outcomes = queue.enqueue_all([&report(10_000), &report(20_000)]).await;
    assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
    assert_eq!(store.0.lock().unwrap().len(), 1, "of the one that was refused at once, it is removed");
}

#[tokio::test]
async fn a_queue_that_compares_contents_compares_those_of_large_messages() {
    for (name, by_content, dedup) in
        [("jobs.fifo", true, None), ("jobs.fifo", true, Some("mine")), ("jobs.fifo", false, None)]
    {
        let server = Server::ruled(move |asked| match asked.headers()["x-amz-target"].to_str().unwrap() {
            "AmazonSQS.GetQueueAttributes" => ok(&json!({"Attributes": {
                "MaximumMessageSize": "2048",
                "ContentBasedDeduplication": by_content.to_string(),
            }})
            .to_string()),
            _ => ok(r#"{"MessageId":"m"}"#),
        })
        .await;
        let queue = Queue::with_client(client(&server.url()), format!("http://elsewhere/000000000000/{name}"));
        let queue = queue.claim_check(Remembering::default());
        for bytes in [10_000, 10_000, 12_000] {
            let enqueue = queue.enqueue(&report(bytes)).group("g");
            match dedup {
                Some(id) => enqueue.dedup(id).await.unwrap(),
                None => enqueue.await.unwrap(),
            };
        }
        let sent = server.bodies().into_iter().filter(|body| body.get("MessageBody").is_some());
        let ids: Vec<Value> = sent.map(|body| body["MessageDeduplicationId"].clone()).collect();
        let of = |bytes| json!(sha256(crate::envelope::seal(&report(bytes)).unwrap().as_bytes()));
        let expected = match (by_content, dedup) {
            (_, Some(id)) => vec![json!(id); 3],
            (true, None) => vec![of(10_000), of(10_000), of(12_000)],
            (false, None) => vec![Value::Null; 3],
        };
        assert_eq!(ids, expected, "{name} {by_content} {dedup:?}");
    }
}

#[tokio::test]
async fn a_payload_that_is_gone_or_elsewhere_or_damaged_is_a_failure_with_its_reason() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}", directory.path().display());
    let kept = Kept::default();
    let server = kept.serve().await;
    let queue = jobs(&server).claim_check_at(&url).unwrap();
    for _ in 0..2 {
        queue.enqueue(&report(10_000)).await.unwrap();
    }
    let key = |id: &str| kept.body(id)["claimCheck"]["url"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    std::fs::remove_file(directory.path().join(key("m0"))).unwrap();
    std::fs::write(directory.path().join(key("m1")), "x".repeat(10_039)).unwrap();
    let outside = json!({"type": "report", "payload": null, "claimCheck": {"url": "file:///etc/hostname", "bytes": 1, "sha256": "x"}});
    let s3 = json!(["software.amazon.payloadoffloading.PayloadS3Pointer", {"s3BucketName": "other", "s3Key": "k"}]);
    for body in [outside, s3] {
        let send = sqs::SendMessageRequest {
            queue_url: queue.url().into(),
            message_body: body.to_string(),
            ..Default::default()
        };
        queue.client().send_message(send).await.unwrap();
    }

    let deliveries = queue.receive(ask()).await.unwrap();
    for (delivery, words) in deliveries.iter().zip([
        "is gone: the message was handled before",
        "has the SHA-256",
        "is at file:///etc/hostname, which is not in this worker's claim-check store",
        "is at s3://other/k, which is not in this worker's",
    ]) {
        let error = queue.body(delivery).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        // And nothing outside the store is removed with it.
        queue.delete(&delivery.receipt).await.unwrap();
    }
    assert!(std::path::Path::new("/etc/hostname").exists());

    // A worker that was given no store says what to do.
    let error = jobs(&server).body(&deliveries[0]).await.unwrap_err().to_string();
    assert!(error.contains("AFTERWARD_CLAIM_CHECK_URL"), "{error}");
}

/// Objects by PUT, GET and DELETE, whose requests must be signed for `s3`.
async fn objects(kept: Arc<Mutex<BTreeMap<String, Bytes>>>) -> Server {
    let verifier = Verifier::new([sqs::Credential {
        access_key_id: "AKTEST".into(),
        secret_access_key: "secret".into(),
        session_token: None,
    }]);
    Server::ruled(move |asked| {
        let incoming =
            Incoming { method: asked.method(), uri: asked.uri(), headers: asked.headers(), body: asked.body() };
        if let Err(error) = verifier.verify(&incoming, Some("s3"), sqs::service::now_ms()) {
            return Answer::Reply(
                403,
                format!("<Error><Code>SignatureDoesNotMatch</Code><Message>{error:?}</Message></Error>"),
            );
        }
        let mut kept = kept.lock().unwrap();
        let path = asked.uri().path().to_owned();
        match asked.method().as_str() {
            "PUT" => {
                kept.insert(path, asked.body().clone());
                ok("")
            }
            "GET" => match kept.get(&path) {
                Some(object) => ok(std::str::from_utf8(object).unwrap()),
                None => Answer::Reply(404, "<Error><Code>NoSuchKey</Code><Message>gone</Message></Error>".into()),
            },
            _ => {
                kept.remove(&path);
                Answer::Reply(204, String::new())
            }
        }
    })
    .await
}

fn object_store(client: &sqs::Client, server: &Server, url: &str, base: &str) -> object::ObjectStore {
    let endpoint = server.url().parse().unwrap();
    object::ObjectStore::at(client.beside("s3", endpoint).unwrap(), base.to_owned(), url.to_owned())
}

#[tokio::test]
async fn a_large_payload_goes_through_a_bucket_in_amazons_own_form() {
    let stored = Arc::new(Mutex::new(BTreeMap::new()));
    let store = objects(stored.clone()).await;
    let kept = Kept::default();
    let server = kept.serve().await;
    let queue = jobs(&server);
    let queue = queue.clone().claim_check(object_store(queue.client(), &store, "s3://bucket/pre", "/bucket/pre"));
    queue.enqueue(&report(5000)).attribute("n", 1).await.unwrap();

    let path = stored.lock().unwrap().keys().next().unwrap().clone();
    let body = kept.body("m0");
    assert_eq!(body[0], "software.amazon.payloadoffloading.PayloadS3Pointer");
    assert_eq!(
        (&body[1]["s3BucketName"], &body[1]["s3Key"]),
        (&json!("bucket"), &json!(path.trim_start_matches("/bucket/")))
    );
    let size = kept.0.lock().unwrap()["m0"]["MessageAttributes"]["ExtendedPayloadSize"].clone();
    assert_eq!(size, json!({"DataType": "Number", "StringValue": "5039"}));

    let [delivery] = &queue.receive(ask()).await.unwrap()[..] else { panic!() };
    assert_eq!(queue.body(delivery).await.unwrap().unwrap().len(), 5039);
    queue.delete(&delivery.receipt).await.unwrap();
    assert!(stored.lock().unwrap().is_empty());

    // What another program's extended client has sent: a plain name, which tells no digest.
    stored.lock().unwrap().insert("/bucket/pre/9b2c0f4e-0000".to_owned(), Bytes::from_static(b"{\"type\":\"report\"}"));
    let others = json!(["com.amazon.sqs.javamessaging.MessageS3Pointer", {"s3BucketName": "bucket", "s3Key": "pre/9b2c0f4e-0000"}]);
    let send = sqs::SendMessageRequest {
        queue_url: queue.url().into(),
        message_body: others.to_string(),
        ..Default::default()
    };
    queue.client().send_message(send).await.unwrap();
    let delivery = &queue.receive(ask()).await.unwrap()[0];
    assert_eq!(queue.body(delivery).await.unwrap().unwrap(), r#"{"type":"report"}"#);
}

#[tokio::test]
async fn a_store_that_refuses_is_told_and_nothing_is_sent() {
    let stored = Arc::default();
    let store = objects(stored).await;
    let kept = Kept::default();
    let server = kept.serve().await;
    // Unsigned: a plain server would take that, this one does not.
    let service = client(&server.url()).beside_with("s3", store.url().parse().unwrap(), sqs::Keys::None).unwrap();
    let queue =
        jobs(&server).claim_check(object::ObjectStore::at(service, "/b".to_owned(), format!("{}/b", store.url())));
    let error = queue.enqueue(&report(5000)).await.unwrap_err().to_string();
    assert!(
        error.contains("could not be stored, and nothing was sent") && error.contains("SignatureDoesNotMatch"),
        "{error}"
    );
    assert!(kept.0.lock().unwrap().is_empty());
}

#[tokio::test]
async fn without_a_store_what_no_queue_takes_is_refused_with_what_to_do() {
    let server = Kept::default().serve().await;
    let error = jobs(&server).enqueue(&report(1_100_000)).await.unwrap_err().to_string();
    assert!(error.contains("1100039 bytes") && error.contains("AFTERWARD_CLAIM_CHECK_URL"), "{error}");
}

//! What goes over the wire for a batch that the library keeps itself.

use super::*;

const TALLIES: &str = "http://elsewhere/000000000000/tallies.fifo";

#[derive(Serialize, Deserialize, Message)]
#[message(type = "import:done")]
struct ImportDone;

/// An endpoint that knows only SQS, takes everything but what `refuse` says, and hands out one job of a batch.
async fn endpoint(refuse: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static) -> Server {
    Server::ruled(move |asked| {
        if asked.uri().path() != "/" {
            return Answer::Reply(404, "not found".to_owned());
        }
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        if let Some(refusal) = refuse(action(asked), &body) {
            return refusal;
        }
        match (action(asked), body["Entries"].as_array()) {
            (_, Some(entries)) => {
                let taken =
                    entries.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
                ok(&json!({"Successful": taken.collect::<Vec<_>>()}).to_string())
            }
            ("SendMessage", None) => ok(r#"{"MessageId":"m"}"#),
            ("ReceiveMessage", None) => ok(&json!({"Messages": [{
                "MessageId": "m1", "ReceiptHandle": "r1", "Body": r#"{"type":"order:new","payload":{"id":1}}"#,
                "MessageAttributes": {
                    "afterward.batch": {"DataType": "String", "StringValue": "import 0123456789ab 7"},
                    "tenant": {"DataType": "String", "StringValue": "acme"},
                },
            }]})
            .to_string()),
            _ => ok("{}"),
        }
    })
    .await
}

fn action(asked: &http::Request<bytes::Bytes>) -> &str {
    asked.headers()["x-amz-target"].to_str().unwrap().trim_start_matches("AmazonSQS.")
}

fn tallied(server: &Server, name: &str) -> Queue {
    queue(server, name).tally(TALLIES).unwrap()
}

/// What was asked that changes anything: of which queue, and the messages or receipts.
fn changes(server: &Server) -> Vec<(String, String)> {
    let asked = server.asked().into_iter().filter(|asked| asked.uri().path() == "/");
    asked
        .filter(|asked| !matches!(action(asked), "GetQueueAttributes" | "ReceiveMessage"))
        .map(|asked| {
            let body: Value = serde_json::from_slice(asked.body()).unwrap();
            let queue = body["QueueUrl"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
            let entries = body["Entries"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
            let said = entries.iter().map(|entry| match queue == "tallies.fifo" {
                true => tally(entry),
                false => {
                    entry["ReceiptHandle"].as_str().map_or("job".to_owned(), |receipt| format!("delete {receipt}"))
                }
            });
            let said = said.collect::<Vec<_>>().join(", ");
            (queue, said)
        })
        .collect()
}

/// What a tally says, without its origins, which are random.
fn tally(entry: &Value) -> String {
    let said: Value = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(said["queue"], "jobs");
    let ranges = |of: &str| -> String {
        let origins = said[of].as_object().cloned().unwrap_or_default();
        origins.values().map(|ranges| format!(" {of} {}", ranges.as_str().unwrap())).collect()
    };
    let completions = said["completions"].as_object().map_or(0, serde_json::Map::len);
    let batch = entry["MessageGroupId"].as_str().unwrap();
    format!("{batch}:{}{} then {completions}", ranges("announced"), ranges("ended"))
}

fn told(said: &[(&str, &str)]) -> Vec<(String, String)> {
    said.iter().map(|(queue, said)| ((*queue).to_owned(), (*said).to_owned())).collect()
}

#[tokio::test]
async fn jobs_are_announced_before_they_are_sent_and_a_completion_waits_beside_them() {
    let server = endpoint(|_, _| None).await;
    let jobs = tallied(&server, "jobs");
    let import = jobs.batch("import");
    for outcome in import.enqueue_all(&[OrderNew { id: 1 }, OrderNew { id: 2 }]).await {
        outcome.unwrap();
    }
    import.enqueue(&OrderNew { id: 3 }).await.unwrap();
    let id = import.then(&ImportDone).delay(Duration::from_secs(60)).await.unwrap();
    import.then(&ImportDone).await.unwrap();
    // A new page: what the completions have told of is not told of again.
    import.enqueue(&OrderNew { id: 4 }).await.unwrap();
    import.then(&ImportDone).await.unwrap();
    assert_eq!(
        changes(&server),
        told(&[
            ("tallies.fifo", "import: announced 0-1 then 0"),
            ("jobs", "job, job"),
            ("tallies.fifo", "import: announced 2 then 0"),
            ("jobs", "job"),
            ("tallies.fifo", "import: announced 0-2 then 1"),
            ("tallies.fifo", "import: announced 0-2 then 1"),
            ("tallies.fifo", "import: announced 3 then 0"),
            ("jobs", "job"),
            ("tallies.fifo", "import: announced 3 then 1"),
        ])
    );
    let sent =
        server.bodies_of("/").into_iter().find(|body| body["QueueUrl"].as_str().unwrap().ends_with("/jobs")).unwrap();
    let key = sent["Entries"][1]["MessageAttributes"]["afterward.batch"]["StringValue"].as_str().unwrap();
    assert!(key.starts_with("import ") && key.ends_with(" 1"), "{key}");
    // The completion as it will be sent, under the id that was told.
    let bodies = server.bodies_of("/");
    let waiting = bodies.iter().filter_map(|body| serde_json::from_str::<Value>(body["MessageBody"].as_str()?).ok());
    let waiting = waiting.map(|tally| tally["completions"][id.as_str()].clone()).find(|one| !one.is_null()).unwrap();
    assert_eq!(waiting["DelaySeconds"], 60);
    assert_eq!(waiting["MessageAttributes"]["afterward.completes"]["StringValue"], "import");
    assert_eq!(waiting["MessageAttributes"]["afterward.id"]["StringValue"], id.as_str());
}

#[tokio::test]
async fn a_job_that_was_not_taken_is_taken_back_and_one_that_was_not_announced_is_not_sent() {
    let refusing = |queue: &'static str| {
        endpoint(move |action, body| {
            let is_it = action == "SendMessage" && body["QueueUrl"].as_str()?.ends_with(queue);
            (is_it && !body["MessageBody"].as_str()?.contains("ended")).then(|| error(403, "AccessDenied", "no"))
        })
    };
    let server = refusing("/jobs").await;
    tallied(&server, "jobs").batch("b").enqueue(&OrderNew { id: 1 }).await.unwrap_err();
    while changes(&server).len() < 3 {
        tokio::task::yield_now().await;
    }
    let expected = [("tallies.fifo", "b: announced 0 then 0"), ("jobs", "job"), ("tallies.fifo", "b: ended 0 then 0")];
    assert_eq!(changes(&server), told(&expected));

    let server = refusing("/tallies.fifo").await;
    let jobs = tallied(&server, "jobs");
    let error = jobs.batch("b").enqueue(&OrderNew { id: 1 }).await.unwrap_err();
    assert!(matches!(error, Error::Sqs(_)), "{error}");
    let others = [jobs.batch("b").enqueue(&OrderNew { id: 1 }), jobs.enqueue(&OrderNew { id: 2 })];
    let outcomes = jobs.enqueue_all(others).await;
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), [false, true]);
    assert_eq!(changes(&server).iter().filter(|(queue, _)| queue == "jobs").count(), 1);
}

#[tokio::test]
async fn a_jobs_end_is_told_before_it_is_deleted_and_else_it_stays() {
    let server = endpoint(|_, _| None).await;
    let jobs = tallied(&server, "jobs");
    let ask = Receive::new(1, Duration::ZERO, Duration::from_secs(60));
    let delivery = jobs.receive(ask).await.unwrap().remove(0);
    assert_eq!(delivery.batch.as_deref(), Some("import"));
    assert_eq!(delivery.attributes.keys().collect::<Vec<_>>(), ["tenant"], "a dead letter is none of the batch");
    // What its handler enqueues in the batch is told with its end; what others are told of is not.
    let (queue, receipt) = (jobs.clone(), delivery.receipt.clone());
    let handler = async move {
        tokio::task::yield_now().await;
        queue.batch("import").enqueue(&OrderNew { id: 2 }).await.unwrap();
        queue.batch("another").enqueue(&OrderNew { id: 3 }).await.unwrap();
    };
    tally::within(&receipt, Box::pin(handler)).await;
    jobs.delete(&receipt).await.unwrap();
    jobs.delete("r2").await.unwrap();
    assert_eq!(
        changes(&server),
        told(&[
            ("tallies.fifo", "import: announced 0 then 0"),
            ("jobs", "job"),
            ("tallies.fifo", "another: announced 0 then 0"),
            ("jobs", "job"),
            ("tallies.fifo", "import: announced 0 ended 7 then 0"),
            ("jobs", "delete r1"),
            ("jobs", "delete r2"),
        ])
    );

    let server = endpoint(|action, _| (action == "SendMessage").then(|| error(403, "AccessDenied", "no"))).await;
    let outcome = tallied(&server, "jobs").delete(&receipt).await;
    assert_eq!(kind(&outcome.unwrap_err()), "refused");
    assert!(changes(&server).iter().all(|(queue, _)| queue == "tallies.fifo"));
}

#[tokio::test]
async fn ends_that_are_told_at_the_same_time_share_a_tally() {
    let server = Server::ruled(|asked| match asked.uri().path() {
        "/" => Answer::Late(Duration::from_millis(20), 200, r#"{"MessageId":"m"}"#.into()),
        _ => Answer::Reply(404, "not found".to_owned()),
    })
    .await;
    let jobs = tallied(&server, "jobs");
    let ends: Vec<_> = (0..50)
        .map(|number| {
            let jobs = jobs.clone();
            tokio::spawn(async move { jobs.delete(&format!("member b 0123456789ab {number} r{number}")).await })
        })
        .collect();
    for end in ends {
        end.await.unwrap().unwrap();
    }
    let tallies: Vec<String> =
        changes(&server).into_iter().filter(|(queue, _)| queue == "tallies.fifo").map(|(_, said)| said).collect();
    assert!(tallies.len() <= 5, "{tallies:?}");
}

#[tokio::test]
async fn a_tally_queue_that_could_not_keep_a_batch_is_refused() {
    let server = endpoint(|action, _| {
        let policy = json!({"Attributes": {"RedrivePolicy": r#"{"maxReceiveCount":3}"#}}).to_string();
        (action == "GetQueueAttributes").then(|| ok(&policy))
    })
    .await;
    let error = queue(&server, "jobs").tally("tallies").unwrap_err().to_string();
    assert!(error.contains("`tallies` is no FIFO queue"), "{error}");
    let error = queue(&server, "jobs.fifo").tally("jobs.fifo").unwrap_err().to_string();
    assert!(error.contains("can't be its own tally queue"), "{error}");
    let error = tallied(&server, "jobs").batch("b").then(&ImportDone).await.unwrap_err().to_string();
    assert!(error.contains("has a redrive policy"), "{error}");
    assert_eq!(changes(&server), []);
    // Where there is none, both ways out are named.
    let error = queue(&server, "jobs").batch("b").then(&ImportDone).await.unwrap_err().to_string();
    assert!(error.contains("an Afterward server") && error.contains("AFTERWARD_TALLY_QUEUE_URL"), "{error}");
    let server = endpoint(|_, _| None).await;
    let long = OrderNewText { text: "x".repeat(70_000) };
    let error = tallied(&server, "jobs").batch("b").then(&long).await.unwrap_err().to_string();
    assert!(error.contains("65536 are the most"), "{error}");
}

#[derive(Serialize, Deserialize, Message)]
#[message(type = "long")]
struct OrderNewText {
    text: String,
}

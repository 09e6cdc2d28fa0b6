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
    assert!(["jobs", "jobs.fifo"].contains(&said["queue"].as_str().unwrap()));
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
        server.bodies_of("/").into_iter().find(|body| body["Entries"][0]["MessageAttributes"].is_object()).unwrap();
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
async fn a_job_whose_announcement_is_in_doubt_is_taken_back() {
    let server = endpoint(|action, body| {
        let is_it = action == "SendMessage" && body["MessageBody"].as_str()?.contains("announced");
        is_it.then_some(Answer::HangUp)
    })
    .await;
    tallied(&server, "jobs").batch("b").enqueue(&OrderNew { id: 1 }).await.unwrap_err();
    let is_taken_back = || changes(&server).contains(&("tallies.fifo".into(), "b: ended 0 then 0".into()));
    until(is_taken_back).await;
    assert!(changes(&server).iter().all(|(queue, _)| queue == "tallies.fifo"), "it is not sent");
}

/// Until something holds, which comes soon.
async fn until(holds: impl Fn() -> bool) {
    let waiting = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it never came");
}

#[tokio::test]
async fn what_dropped_callers_have_announced_is_sent_and_others_are_not_disturbed() {
    let server = Server::ruled(|asked| match asked.uri().path() {
        "/" => Answer::Late(Duration::from_millis(30), 200, r#"{"MessageId":"m"}"#.into()),
        _ => Answer::Reply(404, "not found".to_owned()),
    })
    .await;
    let batch = tallied(&server, "jobs").batch("b");
    let enqueue = |id: u32| {
        let batch = batch.clone();
        tokio::spawn(async move { batch.enqueue(&OrderNew { id }).await })
    };
    let sending: Vec<_> = (0..20).map(enqueue).collect();
    // Some wait for the call that tells of others, and one makes it: whichever.
    until(|| changes(&server).iter().any(|(queue, _)| queue == "tallies.fifo")).await;
    for (id, sending) in sending.into_iter().enumerate() {
        match id % 2 {
            0 => sending.abort(),
            _ => drop(sending.await.unwrap().expect("another one was dropped, not this one")),
        }
    }
    let jobs = || changes(&server).iter().filter(|(queue, _)| queue == "jobs").count();
    until(|| jobs() == 20).await;
}

#[tokio::test]
async fn what_does_not_fit_into_one_tally_is_told_in_several() {
    let server = endpoint(|_, _| None).await;
    let fifo = tallied(&server, "jobs.fifo");
    let batch = fifo.batch("b");
    let each = (0..9000).map(|id| batch.enqueue(&OrderNew { id }).group("g").dedup(id.to_string()));
    for outcome in batch.enqueue_all(each).await {
        outcome.unwrap();
    }
    let long = OrderNewText { text: "x".repeat(60_000) };
    let five = (0..5).map(|id| batch.then(&long).group("g").dedup(format!("done {id}")).into_future());
    for waiting in five.map(tokio::spawn).collect::<Vec<_>>() {
        // A space is not for an id.
        assert!(waiting.await.unwrap().unwrap_err().to_string().contains("would not take"));
    }
    let five: Vec<_> =
        (0..5).map(|id| tokio::spawn(batch.then(&long).group("g").dedup(id.to_string()).into_future())).collect();
    for waiting in five {
        waiting.await.unwrap().unwrap();
    }
    let tallies: Vec<Value> = server
        .bodies_of("/")
        .into_iter()
        .filter(|body| body["QueueUrl"].as_str().unwrap().ends_with("tallies.fifo"))
        .flat_map(|body| body["Entries"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]))
        .filter_map(|entry| entry["MessageBody"].as_str().map(str::to_owned))
        .inspect(|text| assert!(text.len() < 256 * 1024, "{} bytes", text.len()))
        .map(|text| serde_json::from_str(&text).unwrap())
        .collect();
    let ids: std::collections::BTreeSet<&String> =
        tallies.iter().filter_map(|tally| Some(tally["completions"].as_object()?.keys())).flatten().collect();
    assert_eq!(ids.len(), 5);
    // Whoever has a completion knows by it of all that was announced.
    let of = |tally: &Value, name: &str| tally[name].as_object().cloned().unwrap_or_default();
    for done in tallies.iter().filter(|tally| tally["completions"].is_object()) {
        let parts = of(done, "announced");
        let belongs = |tally: &&Value| of(tally, "ended").keys().any(|origin| parts.contains_key(origin));
        let told: std::collections::BTreeSet<String> = tallies
            .iter()
            .filter(belongs)
            .flat_map(|tally| of(tally, "announced").into_iter().map(|(id, _)| id))
            .collect();
        assert_eq!(told.iter().filter(|origin| origin.starts_with('=')).count(), 9000);
    }
}

#[tokio::test]
async fn a_job_of_a_fifo_queue_is_known_by_its_deduplication_id() {
    let server = endpoint(|_, _| None).await;
    let batch = tallied(&server, "jobs.fifo").batch("b");
    let order = OrderNew { id: 1 };
    batch.enqueue(&order).group("g").dedup("1").await.unwrap();
    batch.enqueue(&order).group("g").dedup("1").await.unwrap();
    batch.enqueue(&order).group("g").dedup("2").await.unwrap();
    batch.enqueue(&order).group("h").dedup("1").await.unwrap();
    batch.enqueue(&order).group("g").await.unwrap();
    batch.enqueue(&order).group("g").unique("key").await.unwrap();
    tallied(&server, "jobs.fifo").delete("member b =0123456789ab 1000000 r1").await.unwrap();
    let bodies = server.bodies_of("/");
    let told = bodies.iter().filter(|body| body["QueueUrl"].as_str().unwrap().ends_with("tallies.fifo"));
    let told: Vec<Value> = told.filter_map(|body| serde_json::from_str(body["MessageBody"].as_str()?).ok()).collect();
    let origins: Vec<&String> =
        told[..6].iter().map(|tally| tally["announced"].as_object().unwrap().keys().next().unwrap()).collect();
    assert_eq!(origins[0], origins[1]);
    assert_eq!(origins[1..].iter().collect::<std::collections::BTreeSet<_>>().len(), 5, "{origins:?}");
    // With it, those end that were announced while the queue took no other of the id.
    assert_eq!(told[6]["ended"], json!({"=0123456789ab": "970000-1330000"}));
}

#[tokio::test]
async fn what_an_attempt_announced_that_failed_is_forgotten() {
    let server = endpoint(|_, _| None).await;
    let jobs = tallied(&server, "jobs");
    let (queue, receipt) = (jobs.clone(), "member b 0123456789ab 7 r1");
    let handler = async move { drop(queue.batch("b").enqueue(&OrderNew { id: 2 }).await.unwrap()) };
    tally::within(receipt, Box::pin(handler)).await;
    // The lease is extended, and then the handler fails.
    jobs.change_visibility(receipt, Duration::from_secs(60), None).await.unwrap();
    jobs.change_visibility(receipt, Duration::from_secs(1), Some("out of paper")).await.unwrap();
    jobs.delete(receipt).await.unwrap();
    assert!(changes(&server).contains(&("tallies.fifo".into(), "b: ended 7 then 0".into())), "{:?}", changes(&server));
}

/// An endpoint with these tallies in the tally queue, as they were merged, and what else it answers.
async fn keeping(tallies: &[Value], refuse: impl Fn(&str, &Value) -> Option<Answer> + Send + Sync + 'static) -> Server {
    let message = |tally: &Value| {
        json!({"MessageId": "t", "ReceiptHandle": "t", "Body": tally.to_string(),
            "Attributes": {"MessageGroupId": "b", "ApproximateReceiveCount": "1"}})
    };
    let messages = json!({"Messages": tallies.iter().map(message).collect::<Vec<_>>()}).to_string();
    endpoint(move |action, body| {
        let refusal = refuse(action, body);
        refusal.or_else(|| (action == "ReceiveMessage").then(|| ok(&messages)))
    })
    .await
}

fn days_ago(days: u64) -> u64 {
    sqs::service::now_ms() - days * 86_400_000
}

#[tokio::test]
async fn a_completion_that_is_refused_for_good_does_not_hold_up_the_others() {
    let completion = |body: &str| json!({"QueueUrl": "", "MessageBody": body});
    let tally = json!({"queue": "jobs", "at_ms": days_ago(0), "merged": true,
        "completions": {"a": completion("refused"), "b": completion("taken"), "c": completion("later")}});
    let answer = |with_later: bool| {
        move |action: &str, body: &Value| match (action, body["MessageBody"].as_str()) {
            ("SendMessage", Some("refused")) => Some(error(400, "InvalidParameterValue", "no")),
            ("SendMessage", Some("later")) if with_later => Some(error(403, "AccessDenied", "not yet")),
            _ => None,
        }
    };
    let sent = |server: &Server| {
        let bodies = server.bodies_of("/");
        bodies.iter().filter_map(|body| body["MessageBody"].as_str().map(str::to_owned)).collect::<Vec<_>>()
    };
    let is_deleted = |server: &Server| server.bodies_of("/").iter().any(|body| body["ReceiptHandle"] == "t");

    let server = keeping(std::slice::from_ref(&tally), answer(false)).await;
    assert!(tallied(&server, "jobs").look_after_tallies().await.unwrap());
    assert_eq!((sent(&server), is_deleted(&server)), (vec!["refused".into(), "taken".into(), "later".into()], true));

    let server = keeping(&[tally], answer(true)).await;
    tallied(&server, "jobs").look_after_tallies().await.unwrap_err();
    assert_eq!((sent(&server).len(), is_deleted(&server)), (3, false), "that may be mended");
}

#[tokio::test]
async fn a_queue_that_does_not_say_how_long_it_keeps_jobs_is_taken_to_keep_them_for_long() {
    let tally = |days: u64| {
        json!({"queue": "jobs", "at_ms": days_ago(days), "merged": true, "announced": {"o": "0"},
            "completions": {"a": {"QueueUrl": "", "MessageBody": "done"}}})
    };
    let is_sent = |server: &Server| server.bodies_of("/").iter().any(|body| body["MessageBody"] == "done");
    for (days, expected) in [(5, false), (15, true)] {
        let server = keeping(&[tally(days)], |action, _| {
            (action == "GetQueueAttributes").then(|| error(403, "AccessDenied", "no"))
        })
        .await;
        tallied(&server, "jobs").look_after_tallies().await.unwrap();
        assert_eq!(is_sent(&server), expected, "after {days} days");
    }
    // Who fails to answer may have something to say.
    let server = keeping(&[tally(15)], |action, body| {
        let is_asked = action == "GetQueueAttributes" && body["QueueUrl"].as_str()?.ends_with("/jobs");
        is_asked.then_some(Answer::HangUp)
    })
    .await;
    tallied(&server, "jobs").look_after_tallies().await.unwrap_err();
    assert!(!is_sent(&server));
}

#[tokio::test]
async fn a_tally_queue_keeps_what_is_known_for_as_long_as_there_are_jobs() {
    for (jobs, kept, refused) in [("1209600", "345600", true), ("345600", "345600", false), ("60", "1209600", false)] {
        let server = endpoint(move |action, body| {
            let seconds = if body["QueueUrl"].as_str()?.ends_with("/jobs") { jobs } else { kept };
            let said = json!({"Attributes": {"MessageRetentionPeriod": seconds}}).to_string();
            (action == "GetQueueAttributes").then(|| ok(&said))
        })
        .await;
        let outcome = tallied(&server, "jobs").batch("b").enqueue(&OrderNew { id: 1 }).await;
        match outcome {
            Ok(_) => assert!(!refused, "{jobs} {kept}"),
            Err(error) => {
                assert!(refused && error.to_string().contains("MessageRetentionPeriod to 1209600"), "{error}")
            }
        }
        assert_eq!(changes(&server).is_empty(), refused);
    }
}

#[tokio::test]
async fn a_completion_that_the_queue_would_not_take_is_refused_at_once() {
    let server = endpoint(|_, _| None).await;
    let then = tallied(&server, "jobs").batch("b").then(&ImportDone);
    let error = then.group("two words").await.unwrap_err().to_string();
    assert!(error.contains("`jobs` would not take the message: a group is"), "{error}");
    assert_eq!(changes(&server), []);
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

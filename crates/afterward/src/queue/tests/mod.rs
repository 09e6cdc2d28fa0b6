//! A queue against a scripted server: what goes over the wire, and what comes of the answers.

mod batches;
mod completion;
mod enqueueing;
mod lists;
mod sending_on;
mod tags;
mod tallies;

use super::*;
use crate::sqs::tests::{
    client,
    server::{Answer, Server, error, ok},
};
use crate::{Attribute, Receive, Source, SourceError};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::time::{Duration, UNIX_EPOCH};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
struct OrderNew {
    id: u32,
}

/// One of many messages, as large as a test wants it.
#[derive(Serialize, Deserialize, Message)]
#[message(type = "numbered")]
struct Numbered {
    number: usize,
    text: String,
}

fn numbered(number: usize, bytes: usize) -> Numbered {
    Numbered { number, text: "x".repeat(bytes) }
}

/// The number in what is sent, or in the receipt of what is deleted.
fn number(entry: &Value) -> usize {
    match entry["MessageBody"].as_str() {
        Some(body) => {
            let body: Value = serde_json::from_str(body).unwrap();
            usize::try_from(body["payload"]["number"].as_u64().unwrap()).unwrap()
        }
        None => entry["ReceiptHandle"].as_str().unwrap().parse().unwrap(),
    }
}

/// What is said of a batch's entry that is taken.
fn taken_as(entry: &Value) -> Value {
    json!({"Id": entry["Id"], "MessageId": format!("m{}", number(entry)), "MD5OfMessageBody": ""})
}

fn queue(server: &Server, name: &str) -> Queue {
    Queue::with_client(client(&server.url()), format!("http://elsewhere/000000000000/{name}"))
}

#[test]
fn a_url_holds_all_that_a_queue_needs() {
    let queue = Queue::from_url("http://127.0.0.1:4599/000000000000/orders.fifo").unwrap();
    assert_eq!((queue.name(), queue.is_fifo()), ("orders.fifo", true));
    assert_eq!(queue.client().endpoint().as_str(), "http://127.0.0.1:4599");
    let error = Queue::from_url("orders.fifo").unwrap_err().to_string();
    assert!(error.contains("`orders.fifo` is not a queue's URL"), "{error}");
}

#[tokio::test]
async fn a_message_is_enqueued_and_its_id_returned() {
    let server = Server::scripted([ok(r#"{"MessageId":"m1"}"#)]).await;
    let id = queue(&server, "jobs").enqueue(&OrderNew { id: 7 }).delay(Duration::from_secs(60)).await.unwrap();
    assert_eq!(id.as_str(), "m1");
    let sent = &server.bodies()[0];
    assert_eq!(sent["MessageBody"], r#"{"type":"order:new","payload":{"id":7}}"#);
    assert_eq!(sent["DelaySeconds"], 60);
}

#[tokio::test]
async fn a_delay_beyond_all_schedules_is_refused_with_the_longest() {
    let server = Server::scripted([]).await;
    let order = queue(&server, "jobs");
    let year_2200 = UNIX_EPOCH + Duration::from_secs(7_258_118_400);
    for enqueue in
        [order.enqueue(&OrderNew { id: 7 }).delay(Duration::MAX), order.enqueue(&OrderNew { id: 7 }).at(year_2200)]
    {
        let told = enqueue.await.unwrap_err().to_string();
        assert!(told.contains("2199") && told.contains("the longest delay is 6"), "{told}");
    }
    assert!(server.asked().iter().all(|asked| asked.method() == "GET"), "only what time it is");
}

#[tokio::test]
async fn a_queue_is_found_by_name_or_made() {
    let url = json!({"QueueUrl": "http://elsewhere/000000000000/jobs.fifo"}).to_string();
    let missing = || error(400, "QueueDoesNotExist", "none");

    let server = Server::scripted([ok(&url)]).await;
    let queue = Queue::named("jobs.fifo").client(client(&server.url())).create_if_missing().await.unwrap();
    assert_eq!((queue.name(), queue.is_fifo(), server.asked().len()), ("jobs.fifo", true, 1));

    let server = Server::scripted([missing(), ok(&url)]).await;
    Queue::named("jobs.fifo").client(client(&server.url())).create_if_missing().await.unwrap();
    assert_eq!(server.bodies()[1], json!({"QueueName": "jobs.fifo", "Attributes": {"FifoQueue": "true"}}));

    let server = Server::scripted([missing()]).await;
    let error = Queue::named("jobs").client(client(&server.url())).await.unwrap_err();
    assert!(matches!(error, Error::Sqs(error) if error.is_queue_missing()));
}

#[tokio::test]
async fn a_missing_queue_is_told_with_where_it_was_looked_for() {
    let key = |id: &str| {
        let (access_key_id, secret_access_key) = (id.to_owned(), "secret".to_owned());
        sqs::Credential { access_key_id, secret_access_key, session_token: None }
    };
    for (id, account) in
        [("123456789012", "of account 123456789012"), ("AKID", "of the account of the access key AKID")]
    {
        let server = Server::ruled(|_| error(400, "QueueDoesNotExist", "none")).await;
        let client = sqs::Client::builder().endpoint(server.url()).region("eu-west-1").credentials(key(id));
        let told = Queue::named("jobs").client(client.build().unwrap()).await.unwrap_err().to_string();
        for part in ["`jobs`", &server.url(), "QueueDoesNotExist", "region eu-west-1", account, ".create_if_missing()"]
        {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_waited_for() {
    // Bound, so that the port is nobody else's, and not listening yet.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let look_up = |patience| Queue::named("jobs").client(client(&format!("http://{address}"))).patience(patience);
    let error = look_up(Duration::ZERO).await.unwrap_err().to_string();
    assert!(error.contains("no connection"), "{error}");
    let error = look_up(Duration::from_millis(1)).await.unwrap_err().to_string();
    assert!(error.contains("is the server running?"), "{error}");

    let mut waiting = tokio::spawn(Queue::named("jobs").client(client(&format!("http://{address}"))).into_future());
    // Longer than the client's own tries take.
    assert!(tokio::time::timeout(Duration::from_millis(500), &mut waiting).await.is_err());
    let (listener, url) = (socket.listen(16).unwrap(), json!({"QueueUrl": "http://elsewhere/1/jobs"}).to_string());
    Server::on(listener, move |_| ok(&url));
    assert_eq!(waiting.await.unwrap().unwrap().name(), "jobs");
}

#[tokio::test]
async fn a_server_that_is_not_well_yet_is_asked_again() {
    let starting = || error(503, "ServiceUnavailable", "starting");
    let found = || ok(r#"{"QueueUrl": "http://elsewhere/1/jobs"}"#);
    // The client's own three tries, and then the look-up's second.
    let server = Server::scripted([starting(), starting(), starting(), found()]).await;
    assert_eq!(Queue::named("jobs").client(client(&server.url())).await.unwrap().name(), "jobs");
    assert_eq!(server.asked().len(), 4);
    // What is refused is not waited for.
    let server = Server::scripted([error(403, "AccessDenied", "no")]).await;
    assert!(Queue::named("jobs").client(client(&server.url())).await.is_err());
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn a_fifo_message_that_can_not_be_told_from_others_is_refused_with_what_to_add() {
    let words =
        "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly";
    let server = Server::ruled(move |_| error(400, "InvalidParameterValue", words)).await;
    let told = queue(&server, "jobs.fifo").enqueue(&OrderNew { id: 7 }).group("g").await.unwrap_err().to_string();
    assert!(told.contains(words) && told.contains(".dedup(…)"), "{told}");
}

#[tokio::test]
async fn messages_arrive_with_all_that_is_known_of_them() {
    let reply = json!({"Messages": [
        {"MessageId": "m1", "ReceiptHandle": "r1", "Body": "b",
         "Attributes": {"ApproximateReceiveCount": "4", "SentTimestamp": "1700000000123", "MessageGroupId": "g"},
         "MessageAttributes": {"n": {"DataType": "Number", "StringValue": "5"}}},
        {"MessageId": "m2", "Body": "without a receipt"},
    ]});
    let server = Server::ruled(move |_| ok(&reply.to_string())).await;
    let ask = Receive::new(25, Duration::from_secs(60), Duration::from_millis(7_500));
    let deliveries = queue(&server, "jobs").receive(ask).await.unwrap();
    let [delivery] = &deliveries[..] else { panic!("{deliveries:?}") };
    assert_eq!((&*delivery.id, &*delivery.receipt, &*delivery.body), ("m1", "r1", "b"));
    assert_eq!((delivery.receive_count, delivery.group.as_deref(), delivery.ordered), (4, Some("g"), false));
    assert_eq!(delivery.sent_at, Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)));
    assert_eq!(delivery.attributes["n"], Attribute::from(5));

    let asked = &server.bodies()[0];
    assert_eq!((&asked["MaxNumberOfMessages"], &asked["WaitTimeSeconds"]), (&json!(10), &json!(20)));
    assert_eq!(asked["VisibilityTimeout"], 8);
    assert_eq!(asked["ReceiveRequestAttemptId"], Value::Null);

    let fifo = queue(&server, "jobs.fifo");
    assert!(fifo.receive(ask).await.unwrap()[0].ordered);
    fifo.receive(ask).await.unwrap();
    let ids: Vec<String> =
        server.bodies()[1..].iter().map(|body| body["ReceiveRequestAttemptId"].as_str().unwrap().to_owned()).collect();
    assert!(ids[0].len() == 32 && ids[0] != ids[1], "{ids:?}");
}

#[tokio::test]
async fn a_receive_asks_for_what_its_endpoint_knows() {
    let common = ["ApproximateReceiveCount", "ApproximateFirstReceiveTimestamp", "SentTimestamp", "MessageGroupId"];
    let ours = [&common[..], &["AfterwardBatch", "AfterwardAfter"]].concat();
    for (afterward, then) in [(false, &common[..]), (true, &ours[..])] {
        let server = Server::ruled(enqueueing::endpoint(afterward)).await;
        let jobs = queue(&server, "jobs");
        let ask = Receive::new(1, Duration::ZERO, Duration::from_secs(60));
        let mut asked = Vec::new();
        for _ in 0..2 {
            jobs.receive(ask).await.unwrap();
            let body = server.bodies_of("/").pop().unwrap();
            assert_eq!(body["AttributeNames"], body["MessageSystemAttributeNames"]);
            asked.push(body["AttributeNames"].clone());
            jobs.is_afterward().await.unwrap();
        }
        assert_eq!(asked, [json!(["All"]), json!(then)], "an unknown endpoint may know of batches");
    }
}

#[tokio::test]
async fn a_failure_is_told_in_a_header() {
    let server = Server::ruled(|_| ok("")).await;
    let jobs = queue(&server, "jobs");
    let long = "ü".repeat(600);
    for (error, header) in [
        (None, None),
        (Some("no paper: \"tray 2\"\n"), Some("no%20paper%3A%20%22tray%202%22%0A".to_owned())),
        (Some(&*long), Some("%C3%BC".repeat(512))),
    ] {
        jobs.change_visibility("r1", Duration::from_secs(5), error).await.unwrap();
        let asked = server.asked().pop().unwrap();
        let told = asked.headers().get(sqs::ERROR_HEADER).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(told, header);
        assert_eq!(server.bodies().pop().unwrap()["VisibilityTimeout"], 5);
    }
}

#[tokio::test]
async fn what_was_not_begun_is_handed_back_with_a_word_that_it_was_not() {
    let server = Server::ruled(|_| ok("")).await;
    let jobs = queue(&server, "jobs");
    jobs.hand_back("r1", Duration::from_secs(5)).await.unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.headers()["x-amz-target"], "AmazonSQS.ChangeMessageVisibility");
    assert_eq!(asked.headers()[sqs::UNBEGUN_HEADER], "true");
    assert_eq!(server.bodies().pop().unwrap()["VisibilityTimeout"], 5);
}

/// The kind of an error, by name.
fn kind(error: &SourceError) -> &'static str {
    match error {
        SourceError::Unavailable(_) => "unavailable",
        SourceError::LeaseLost(_) => "lease lost",
        SourceError::Refused(_) => "refused",
    }
}

#[tokio::test]
async fn answers_about_a_lease_tell_lost_from_away_from_refused() {
    for (answer, expected) in [
        (error(400, "ReceiptHandleIsInvalid", ""), "lease lost"),
        (error(400, "AWS.SimpleQueueService.MessageNotInflight", ""), "lease lost"),
        (error(400, "InvalidParameterValue", "The receipt handle has expired"), "lease lost"),
        (error(400, "InvalidParameterValueException", "The receipt handle has expired"), "lease lost"),
        (error(503, "ServiceUnavailable", ""), "unavailable"),
        (Answer::HangUp, "unavailable"),
        // What stands before the service, and may let the next call through.
        (Answer::Reply(404, "<html>default backend</html>".into()), "unavailable"),
        (Answer::Reply(200, "<html>hello</html>".into()), "unavailable"),
        (error(400, "QueueDoesNotExist", ""), "refused"),
        (error(403, "AccessDenied", ""), "refused"),
    ] {
        let server = Server::ruled(move |_| answer.clone()).await;
        let jobs = queue(&server, "jobs");
        let change = jobs.change_visibility("r", Duration::ZERO, None).await.unwrap_err();
        let delete = jobs.delete("r").await.unwrap_err();
        assert_eq!((kind(&change), kind(&delete)), (expected, expected), "{change} / {delete}");
    }
}

/// The receipts of a delete call, batch or not.
fn receipts(body: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    match body["Entries"].as_array() {
        Some(entries) => entries.iter().map(|entry| text(&entry["ReceiptHandle"])).collect(),
        None => vec![text(&body["ReceiptHandle"])],
    }
}

#[tokio::test]
async fn deletes_at_the_same_time_travel_together_and_each_once() {
    let server = Server::ruled(|_| Answer::Late(Duration::from_millis(20), 200, "{}".into())).await;
    let jobs = queue(&server, "jobs");
    let deletes: Vec<_> = (0..100)
        .map(|n| {
            let jobs = jobs.clone();
            tokio::spawn(async move { jobs.delete(&format!("r{n}")).await })
        })
        .collect();
    for delete in deletes {
        delete.await.unwrap().unwrap();
    }
    let calls: Vec<Vec<String>> = server.bodies().iter().map(receipts).collect();
    assert!(calls.len() <= 25 && calls.iter().all(|call| call.len() <= 10), "{calls:?}");
    let mut all = calls.concat();
    all.sort();
    let mut expected: Vec<String> = (0..100).map(|n| format!("r{n}")).collect();
    expected.sort();
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_delete_alone_goes_out_alone_and_at_once() {
    let server = Server::ruled(|_| ok("")).await;
    queue(&server, "jobs").delete("r1").await.unwrap();
    assert_eq!(server.asked()[0].headers()["x-amz-target"], "AmazonSQS.DeleteMessage");
}

#[tokio::test]
async fn each_delete_of_a_batch_has_its_own_outcome() {
    // Refuses every receipt that ends in 3 for good, and in 7 for now.
    let server = Server::ruled(|asked| {
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        let failed: Vec<Value> = body["Entries"]
            .as_array()
            .unwrap_or(&Vec::new())
            .iter()
            .filter_map(|entry| {
                let (id, receipt) = (&entry["Id"], entry["ReceiptHandle"].as_str()?);
                match receipt.chars().last()? {
                    '3' => {
                        Some(json!({"Id": id, "SenderFault": true, "Code": "ReceiptHandleIsInvalid", "Message": "bad"}))
                    }
                    '7' => Some(json!({"Id": id, "SenderFault": false, "Code": "InternalError"})),
                    _ => None,
                }
            })
            .collect();
        ok(&json!({"Successful": [], "Failed": failed}).to_string())
    })
    .await;
    let jobs = queue(&server, "jobs");
    let mut deletes = tokio::task::JoinSet::new();
    for n in 0..40 {
        let jobs = jobs.clone();
        deletes.spawn(async move { (n, jobs.delete(&format!("r{n}")).await) });
    }
    let alone: Vec<String> = deletes
        .join_all()
        .await
        .into_iter()
        .filter_map(|(n, outcome)| {
            let expected = match n % 10 {
                3 => Some("lease lost"),
                7 => Some("unavailable"),
                _ => None,
            };
            let told = outcome.as_ref().err().map(kind);
            // The server judges batches only; a delete that went alone succeeded.
            (told != expected).then(|| format!("r{n}"))
        })
        .collect();
    let calls: Vec<Vec<String>> = server.bodies().iter().map(receipts).collect();
    assert!(calls.iter().any(|call| call.len() == 10), "{calls:?}");
    for receipt in alone {
        assert!(calls.contains(&vec![receipt.clone()]), "{receipt} got another's outcome");
    }
}

#[tokio::test]
async fn a_delete_whose_caller_went_away_does_not_take_others_with_it() {
    let server = Server::ruled(|_| Answer::Late(Duration::from_millis(30), 200, "{}".into())).await;
    let jobs = queue(&server, "jobs");
    let delete = |n: usize| {
        let jobs = jobs.clone();
        tokio::spawn(async move { jobs.delete(&format!("r{n}")).await })
    };
    let deletes: Vec<_> = (0..40).map(delete).collect();
    // Until a call is under way: whichever.
    while server.asked().is_empty() {
        tokio::task::yield_now().await;
    }
    // Whichever of these makes a call for others is gone in the midst of it.
    let (gone, kept): (Vec<_>, Vec<_>) = deletes.into_iter().enumerate().partition(|(n, _)| n % 2 == 0);
    for (_, delete) in gone {
        delete.abort();
    }
    for (_, delete) in kept {
        delete.await.unwrap().unwrap();
    }
    let all = server.bodies().iter().map(receipts).collect::<Vec<_>>().concat();
    for n in (1..40).step_by(2) {
        assert!(all.contains(&format!("r{n}")), "r{n} was never deleted");
    }
}

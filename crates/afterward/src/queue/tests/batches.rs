//! Many messages in few calls, and what becomes of each.

use super::*;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// Answers a send, batch or not: `judge` says what is wrong with a message, by its number and how often it came before.
async fn judging(judge: impl Fn(usize, u32) -> Option<(bool, &'static str)> + Send + Sync + 'static) -> Server {
    let seen: Arc<Mutex<BTreeMap<usize, u32>>> = Arc::default();
    Server::ruled(move |asked| {
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        let verdict = |entry: &Value| {
            let number = number(entry);
            let mut seen = seen.lock().unwrap();
            let before = seen.entry(number).or_default();
            *before += 1;
            judge(number, *before - 1)
        };
        let Some(entries) = body["Entries"].as_array() else {
            return match verdict(&body) {
                None => ok(&id_of(&body)),
                Some((fault, code)) => error(if fault { 400 } else { 500 }, code, "no"),
            };
        };
        let (mut taken, mut failed) = (Vec::new(), Vec::new());
        for entry in entries {
            match verdict(entry) {
                None => taken.push(taken_as(entry)),
                Some((fault, code)) => {
                    failed.push(json!({"Id": entry["Id"], "SenderFault": fault, "Code": code, "Message": "no"}));
                }
            }
        }
        ok(&json!({"Successful": taken, "Failed": failed}).to_string())
    })
    .await
}

/// The answer to one message.
fn id_of(message: &Value) -> String {
    json!({"MessageId": format!("m{}", number(message))}).to_string()
}

/// The answer to a batch that is taken whole.
fn ids_of(entries: &[Value]) -> Answer {
    let taken: Vec<Value> = entries.iter().map(taken_as).collect();
    ok(&json!({"Successful": taken, "Failed": []}).to_string())
}

/// The numbers of the messages in each call.
fn calls(server: &Server) -> Vec<Vec<usize>> {
    server.bodies().iter().map(numbers).collect()
}

/// The numbers of a call's messages.
fn numbers(body: &Value) -> Vec<usize> {
    match body["Entries"].as_array() {
        Some(entries) => entries.iter().map(number).collect(),
        None => vec![number(body)],
    }
}

#[tokio::test]
async fn calls_take_ten_messages_and_a_mebibyte() {
    let server = judging(|_, _| None).await;
    let jobs = queue(&server, "jobs.fifo");
    let sizes = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 400_000, 400_000, 400_000, 1_048_000, 1];
    let messages: Vec<Numbered> = sizes.iter().enumerate().map(|(id, size)| numbered(id, *size)).collect();
    let outcomes = jobs.enqueue_all(messages.iter().map(|message| jobs.enqueue(message).group("g"))).await;
    let ids: Vec<String> = outcomes.into_iter().map(|outcome| outcome.unwrap().to_string()).collect();
    assert_eq!(ids, (0..16).map(|n| format!("m{n}")).collect::<Vec<_>>());
    assert_eq!(calls(&server), [(0..10).collect(), vec![10, 11, 12], vec![13], vec![14, 15]]);
}

#[tokio::test]
async fn each_message_has_its_own_outcome_and_what_the_service_failed_at_is_sent_again() {
    let server = judging(|number, before| match number {
        3 => Some((true, "InvalidMessageContents")),
        5 if before == 0 => Some((false, "InternalError")),
        7 => Some((false, "InternalError")),
        _ => None,
    })
    .await;
    let jobs = queue(&server, "jobs");
    let messages: Vec<Numbered> = (0..10).map(|id| numbered(id, 1)).collect();
    for (id, outcome) in jobs.enqueue_all(&messages).await.into_iter().enumerate() {
        match (id, outcome) {
            (3, Err(error)) => assert!(
                error.to_string().contains("`jobs`")
                    && error.to_string().contains("InvalidMessageContents (HTTP 400): no"),
                "{error}"
            ),
            (7, Err(error)) => assert!(error.to_string().contains("InternalError"), "{error}"),
            (_, outcome) => assert_eq!(outcome.unwrap().as_str(), format!("m{id}")),
        }
    }
    // One that is left alone is sent by itself, and that call is tried as any other.
    assert_eq!(calls(&server), [(0..10).collect(), vec![5, 7], vec![7], vec![7], vec![7]]);
}

#[tokio::test]
async fn on_a_fifo_queue_nothing_overtakes_a_message_that_was_not_taken() {
    let server = judging(|number, _| (number == 4).then_some((false, "InternalError"))).await;
    let jobs = queue(&server, "jobs.fifo");
    let messages: Vec<Numbered> = (0..25).map(|id| numbered(id, 1)).collect();
    let enqueues = messages.iter().map(|message| jobs.enqueue(message).group(format!("g{}", message.number % 2)));
    for (id, outcome) in jobs.enqueue_all(enqueues).await.into_iter().enumerate() {
        let expected = match id {
            4 => "InternalError",
            id if id > 9 && id % 2 == 0 => "in its group `g0` was not taken",
            _ => "",
        };
        assert_eq!(outcome.is_err(), !expected.is_empty(), "{id}");
        assert!(outcome.err().is_none_or(|error| error.to_string().contains(expected)), "{id}");
    }
    let later: Vec<usize> = calls(&server)[1..].concat();
    assert!(later.iter().all(|id| id % 2 == 1), "{later:?}");
}

#[tokio::test]
async fn a_service_that_takes_less_at_once_gets_less() {
    let server = Server::ruled(|asked| {
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        let Some(entries) = body["Entries"].as_array() else {
            return ok(&id_of(&body));
        };
        if asked.body().len() > 262_144 {
            return error(400, "AWS.SimpleQueueService.BatchRequestTooLong", "too long");
        }
        ids_of(entries)
    })
    .await;
    let jobs = queue(&server, "jobs.fifo");
    let messages: Vec<Numbered> = (0..10).map(|id| numbered(id, 60_000)).collect();
    let outcomes = jobs.enqueue_all(messages.iter().map(|message| jobs.enqueue(message).group("g"))).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    let taken: Vec<usize> = calls(&server).into_iter().filter(|call| call.len() < 5).flatten().collect();
    assert_eq!(taken, (0..10).collect::<Vec<_>>(), "each once, and in order");
}

#[tokio::test]
async fn a_call_that_fails_fails_for_all_of_its_messages() {
    let server = Server::ruled(|_| error(400, "QueueDoesNotExist", "none")).await;
    let jobs = queue(&server, "jobs");
    let messages: Vec<Numbered> = (0..12).map(|id| numbered(id, 1)).collect();
    let outcomes = jobs.enqueue_all(&messages).await;
    assert_eq!(outcomes.len(), 12);
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Err(Error::Sqs(error)) if error.is_queue_missing())));
    assert_eq!(server.bodies_of("/").len(), 2);
    assert!(jobs.enqueue_all(Vec::<Enqueue>::new()).await.is_empty());
}

#[tokio::test]
async fn a_message_for_another_queue_is_not_sent() {
    let server = judging(|_, _| None).await;
    let (jobs, others) = (queue(&server, "jobs"), queue(&server, "others"));
    let outcomes = jobs.enqueue_all([others.enqueue(&numbered(0, 1)), jobs.enqueue(&numbered(1, 1))]).await;
    assert!(outcomes[0].as_ref().unwrap_err().to_string().contains("for the queue `others`, not for `jobs`"));
    assert_eq!((outcomes[1].as_ref().unwrap().as_str(), calls(&server)), ("m1", vec![vec![1]]));
}

#[tokio::test]
async fn a_reply_about_messages_that_nobody_sent_means_nothing() {
    let taken = |id: &str| json!({"Id": id, "MessageId": format!("m{id}"), "MD5OfMessageBody": ""});
    let reply = json!({
        "Successful": [taken("0"), taken("7"), taken("18446744073709551615"), taken("x")],
        "Failed": [{"Id": "9", "SenderFault": true, "Code": "InvalidMessageContents"}],
    });
    let server = Server::ruled(move |_| ok(&reply.to_string())).await;
    let outcomes = queue(&server, "jobs").enqueue_all(&[numbered(0, 1), numbered(1, 1)]).await;
    assert_eq!(outcomes[0].as_ref().unwrap().as_str(), "m0");
    let error = outcomes[1].as_ref().unwrap_err().to_string();
    assert!(outcomes.len() == 2 && error.contains("does not say whether the message was taken"), "{error}");
}

#[tokio::test]
async fn on_a_fifo_queue_what_is_not_told_of_breaks_its_group_too() {
    let server = Server::ruled(|_| ok(r#"{"Successful":[],"Failed":[]}"#)).await;
    let jobs = queue(&server, "jobs.fifo");
    let messages: Vec<Numbered> = (0..12).map(|id| numbered(id, 1)).collect();
    let outcomes = jobs.enqueue_all(messages.iter().map(|message| jobs.enqueue(message).group("g"))).await;
    assert!(outcomes.iter().all(Result::is_err) && server.asked().len() == 1, "{outcomes:?}");
}

#[tokio::test]
async fn on_a_fifo_queue_unique_messages_keep_their_place_in_the_line() {
    let refused = Arc::new(Mutex::new(None));
    let judged = refused.clone();
    let server = Server::ruled(move |asked| {
        if asked.uri().path() == "/_afterward/clock" {
            return ok(r#"{"clock":"system","now":"","now_ms":1767225600000}"#);
        }
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        let Some(entries) = body["Entries"].as_array() else {
            let number = number(&body);
            if *judged.lock().unwrap() == Some(number) {
                return error(400, "InvalidMessageContents", "no");
            }
            // The earlier, the longer it takes: who does not wait for it goes first.
            let wait = Duration::from_millis(20_u64.saturating_sub(number as u64));
            return Answer::Late(wait, 200, id_of(&body));
        };
        ids_of(entries)
    })
    .await;
    let jobs = queue(&server, "jobs.fifo");
    let messages: Vec<Numbered> = (0..12).map(|id| numbered(id, 1)).collect();
    let hour = Duration::from_secs(3600);
    let enqueues = || {
        messages.iter().map(|message| {
            let enqueue = jobs.enqueue(message).group("g");
            if message.number % 3 == 2 { enqueue.unique("k").unique_for(hour) } else { enqueue }
        })
    };
    let sent = |from: usize| {
        let bodies: Vec<Value> =
            server.asked()[from..].iter().filter_map(|asked| serde_json::from_slice(asked.body()).ok()).collect();
        bodies.iter().flat_map(numbers).collect::<Vec<usize>>()
    };
    let outcomes = jobs.enqueue_all(enqueues()).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(sent(0), (0..12).collect::<Vec<_>>());

    // And none overtakes one that was not taken.
    *refused.lock().unwrap() = Some(5);
    let before = server.asked().len();
    let outcomes = jobs.enqueue_all(enqueues()).await;
    assert_eq!(outcomes.iter().map(Result::is_ok).collect::<Vec<_>>(), (0..12).map(|id| id < 5).collect::<Vec<_>>());
    assert_eq!(sent(before), (0..6).collect::<Vec<_>>());
}

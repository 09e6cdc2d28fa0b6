//! Lists of more than ten: on an Afterward server that says that it takes them, and nowhere else.

use super::*;
use std::collections::BTreeSet;

/// Who answers: what its page of the clock says, and how many entries it takes where it is asked for as many.
#[derive(Clone, Copy)]
struct House {
    clock: Option<&'static str>,
    takes: usize,
}

const AMAZON_LIKE: House = House { clock: None, takes: 10 };
const OURS: House = House { clock: Some(r#"{"clock":"system","now":"","now_ms":1,"entries":100}"#), takes: 100 };
/// One of before there was the header.
const OURS_OF_OLD: House = House { clock: Some(r#"{"clock":"system","now":"","now_ms":1}"#), takes: 10 };
/// One that was asked, and then replaced by one of before.
const OURS_TURNED_BACK: House = House { takes: 10, ..OURS };

/// What a list of one request was: the entries, or how many messages were asked for; and what the header said.
type List = (usize, Option<String>);

impl House {
    /// A server that refuses the entries whose numbers are in `refused`.
    async fn serving(self, refused: &'static [usize]) -> Server {
        Server::ruled(move |asked| self.answer(refused, asked)).await
    }

    /// One whose page of the clock is out of order.
    async fn failing(self) -> Server {
        Server::ruled(move |asked| match asked.uri().path() {
            "/_afterward/clock" => error(500, "InternalError", "no"),
            _ => self.answer(&[], asked),
        })
        .await
    }

    /// Refuses every list that is longer than was asked for or is taken.
    fn answer(self, refused: &[usize], asked: &http::Request<bytes::Bytes>) -> Answer {
        if asked.uri().path() == "/_afterward/clock" {
            return self.clock.map_or_else(|| error(404, "NotFound", "none"), ok);
        }
        let header = asked.headers().get(sqs::ENTRIES_HEADER).map(|value| value.to_str().unwrap().parse().unwrap());
        let most = header.unwrap_or(10).min(self.takes);
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        if body["MaxNumberOfMessages"].as_u64().is_some_and(|asked| asked > most as u64) {
            return error(400, "InvalidParameterValue", "Must be between 1 and 10, if provided.");
        }
        let Some(entries) = body["Entries"].as_array() else { return ok(&json!({"MessageId": "m"}).to_string()) };
        if entries.len() > most {
            return error(400, "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.");
        }
        let is_refused = |entry: &&Value| refused.contains(&number(entry));
        let (failed, taken): (Vec<_>, Vec<_>) = entries.iter().partition(is_refused);
        let failed = failed.iter().map(|entry| json!({"Id": entry["Id"], "SenderFault": true, "Code": "No"}));
        let taken = taken.into_iter().map(taken_as);
        ok(&json!({"Successful": taken.collect::<Vec<_>>(), "Failed": failed.collect::<Vec<_>>()}).to_string())
    }
}

/// The lists of all requests of an action.
fn lists(server: &Server, action: &str) -> Vec<List> {
    let of_action = |asked: &http::Request<_>| {
        asked.headers().get("x-amz-target").is_some_and(|target| target == format!("AmazonSQS.{action}").as_str())
    };
    let list = |asked: http::Request<bytes::Bytes>| {
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        let asked_for = body["MaxNumberOfMessages"].as_u64().map(|count| usize::try_from(count).unwrap());
        let count = body["Entries"].as_array().map(Vec::len).or(asked_for).unwrap_or(1);
        (count, asked.headers().get(sqs::ENTRIES_HEADER).map(|value| value.to_str().unwrap().to_owned()))
    };
    server.asked().into_iter().filter(of_action).map(list).collect()
}

fn plain(counts: &[usize]) -> Vec<List> {
    counts.iter().map(|count| (*count, None)).collect()
}

fn long(count: usize) -> List {
    (count, Some(count.to_string()))
}

fn in_any_order(mut lists: Vec<List>) -> Vec<List> {
    lists.sort();
    lists
}

#[tokio::test]
async fn sends_go_by_tens_but_where_a_server_says_that_it_takes_more() {
    let tens = || plain(&[5, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10]);
    for (house, name, expected) in [
        (AMAZON_LIKE, "jobs", tens()),
        (OURS_OF_OLD, "jobs", tens()),
        (OURS, "jobs", vec![long(25), long(100)]),
        // What is not taken can't keep back what is in the same call.
        (OURS, "jobs.fifo", tens()),
    ] {
        let server = house.serving(&[]).await;
        let jobs = queue(&server, name);
        let messages: Vec<Numbered> = (0..125).map(|number| numbered(number, 1)).collect();
        let group = |message| match jobs.is_fifo() {
            true => jobs.enqueue(message).group("g"),
            false => jobs.enqueue(message),
        };
        let outcomes = jobs.enqueue_all(messages.iter().map(group)).await;
        let ids: Vec<String> = outcomes.into_iter().map(|outcome| outcome.unwrap().to_string()).collect();
        assert_eq!(ids, (0..125).map(|number| format!("m{number}")).collect::<Vec<_>>());
        assert_eq!(in_any_order(lists(&server, "SendMessageBatch")), expected, "{name}");
    }
}

#[tokio::test]
async fn a_few_messages_are_sent_without_asking_who_answers() {
    let server = OURS.serving(&[]).await;
    let messages: Vec<Numbered> = (0..10).map(|number| numbered(number, 1)).collect();
    queue(&server, "jobs").enqueue_all(&messages).await;
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn each_of_a_long_list_has_its_own_outcome_at_its_place() {
    let server = OURS.serving(&[0, 41, 99]).await;
    let jobs = queue(&server, "jobs");
    let messages: Vec<Numbered> = (0..100).map(|number| numbered(number, 1)).collect();
    let refused = |failed: Vec<bool>| {
        let failed = failed.into_iter().enumerate().filter(|(_, failed)| *failed);
        failed.map(|(number, _)| number).collect::<Vec<_>>()
    };
    let outcomes = jobs.enqueue_all(&messages).await;
    assert_eq!(refused(outcomes.iter().map(Result::is_err).collect()), [0, 41, 99]);
    let outcomes = jobs.0.deletes.delete_all((0..100).map(|number| number.to_string()).collect()).await;
    assert_eq!(refused(outcomes.iter().map(Result::is_err).collect()), [0, 41, 99]);
    assert_eq!(
        (lists(&server, "SendMessageBatch"), lists(&server, "DeleteMessageBatch")),
        (vec![long(100)], vec![long(100)])
    );
}

#[tokio::test]
async fn a_long_list_holds_no_more_than_a_mebibyte() {
    let server = OURS.serving(&[]).await;
    let messages: Vec<Numbered> = (0..30).map(|number| numbered(number, 50_000)).collect();
    let outcomes = queue(&server, "jobs").enqueue_all(&messages).await;
    assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
    assert_eq!(in_any_order(lists(&server, "SendMessageBatch")), [(10, None), long(20)]);
}

#[tokio::test]
async fn a_receive_asks_for_as_many_as_its_server_hands_out() {
    for (house, name, limit, expected) in [
        (AMAZON_LIKE, "jobs", 10, plain(&[10, 3])),
        (OURS_OF_OLD, "jobs", 10, plain(&[10, 3])),
        (OURS, "jobs", 100, vec![long(80), (3, None)]),
        (OURS, "jobs.fifo", 10, plain(&[10, 3])),
    ] {
        let server = house.serving(&[]).await;
        let jobs = queue(&server, name);
        assert_eq!(jobs.receive_limit().await, limit, "{name}");
        for asked in [80, 3] {
            jobs.receive(Receive::new(asked, Duration::ZERO, Duration::from_secs(30))).await.unwrap();
        }
        assert_eq!(lists(&server, "ReceiveMessage"), expected, "{name}");
    }
}

#[tokio::test]
async fn a_server_that_was_replaced_by_an_older_one_gets_tens_again() {
    let receipts = || (0..25).map(|number| number.to_string()).collect::<Vec<_>>();
    let messages: Vec<Numbered> = (0..25).map(|number| numbered(number, 1)).collect();

    let server = OURS_TURNED_BACK.serving(&[7]).await;
    let jobs = queue(&server, "jobs");
    let outcomes = jobs.enqueue_all(&messages).await;
    let failed: BTreeSet<usize> = (0..25).filter(|number| outcomes[*number].is_err()).collect();
    assert_eq!(failed, BTreeSet::from([7]));
    jobs.enqueue_all(&messages).await;
    let sent = lists(&server, "SendMessageBatch");
    assert_eq!((sent.iter().filter(|list| **list == long(25)).count(), sent.len()), (1, 7), "{sent:?}");

    let server = OURS_TURNED_BACK.serving(&[7]).await;
    let jobs = queue(&server, "jobs");
    assert_eq!(jobs.receive_limit().await, 100);
    for _ in 0..2 {
        jobs.receive(Receive::new(80, Duration::ZERO, Duration::from_secs(30))).await.unwrap();
    }
    assert_eq!(lists(&server, "ReceiveMessage"), [long(80), (10, None), (10, None)]);

    let server = OURS_TURNED_BACK.serving(&[7]).await;
    let jobs = queue(&server, "jobs");
    jobs.receive_limit().await;
    let outcomes = jobs.0.deletes.delete_all(receipts()).await;
    let failed: BTreeSet<usize> = (0..25).filter(|number| outcomes[*number].is_err()).collect();
    assert_eq!(failed, BTreeSet::from([7]));
    assert_eq!(in_any_order(lists(&server, "DeleteMessageBatch")), [(5, None), (10, None), (10, None), long(25)]);
}

/// A server of ours that takes its time, so that others come meanwhile.
async fn patient(refused: &'static [usize]) -> Server {
    Server::ruled(move |asked| match OURS.answer(refused, asked) {
        Answer::Reply(status, body) => Answer::Late(Duration::from_millis(30), status, body),
        answer => answer,
    })
    .await
}

#[tokio::test]
async fn callers_who_send_at_the_same_time_share_calls_and_have_their_own_outcomes() {
    let server = patient(&[17, 42]).await;
    let jobs = queue(&server, "jobs");
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..12 {
        let jobs = jobs.clone();
        callers.spawn(async move {
            let messages: Vec<Numbered> = (0..5).map(|n| numbered(caller * 5 + n, 1)).collect();
            (caller, jobs.enqueue_all(&messages).await)
        });
    }
    let mut refused = BTreeSet::new();
    while let Some(ended) = callers.join_next().await {
        let (caller, outcomes) = ended.unwrap();
        assert_eq!(outcomes.len(), 5);
        for (n, outcome) in outcomes.into_iter().enumerate() {
            let number = caller * 5 + n;
            match outcome {
                Ok(id) => assert_eq!(id.as_str(), format!("m{number}")),
                Err(_) => assert!(refused.insert(number)),
            }
        }
    }
    assert_eq!(refused, BTreeSet::from([17, 42]));
    let sent = lists(&server, "SendMessageBatch");
    assert_eq!(sent.iter().map(|(count, _)| count).sum::<usize>(), 60, "{sent:?}");
    assert!(sent.len() <= 4 && sent.iter().any(|(count, _)| *count > 10), "{sent:?}");
}

#[tokio::test]
async fn elsewhere_every_caller_makes_its_own_calls() {
    for house in [AMAZON_LIKE, OURS_OF_OLD] {
        let server = house.serving(&[]).await;
        let jobs = queue(&server, "jobs");
        let mut callers = tokio::task::JoinSet::new();
        for caller in 0..12 {
            let jobs = jobs.clone();
            callers.spawn(async move { jobs.enqueue_all(&[numbered(caller, 1), numbered(caller + 50, 1)]).await });
        }
        assert!(callers.join_all().await.into_iter().flatten().all(|outcome| outcome.is_ok()));
        assert_eq!(lists(&server, "SendMessageBatch"), plain(&[2; 12]));
    }
}

#[tokio::test]
async fn what_callers_share_is_no_larger_than_a_mebibyte() {
    let server = patient(&[]).await;
    let jobs = queue(&server, "jobs");
    let mut callers = tokio::task::JoinSet::new();
    for caller in 0..6 {
        let jobs = jobs.clone();
        callers.spawn(async move {
            jobs.enqueue_all(&[numbered(caller * 2, 200_000), numbered(caller * 2 + 1, 200_000)]).await
        });
    }
    assert!(callers.join_all().await.into_iter().flatten().all(|outcome| outcome.is_ok()));
    let sent = lists(&server, "SendMessageBatch");
    assert!(sent.iter().all(|(count, _)| *count <= 4), "{sent:?}");
    assert_eq!(sent.iter().map(|(count, _)| count).sum::<usize>(), 12);
}

#[tokio::test]
async fn a_caller_that_is_dropped_keeps_nobody_waiting() {
    let server = patient(&[]).await;
    let jobs = queue(&server, "jobs");
    jobs.longest_list().await;
    let mut callers: Vec<_> = (0..8)
        .map(|caller| {
            let jobs = jobs.clone();
            tokio::spawn(async move { jobs.enqueue_all(&[numbered(caller, 1), numbered(caller + 50, 1)]).await })
        })
        .collect();
    while lists(&server, "SendMessageBatch").is_empty() {
        tokio::task::yield_now().await;
    }
    // Of those under way and of those that wait.
    for dropped in [1, 3, 5] {
        callers[dropped].abort();
    }
    let mut answered = 0;
    for caller in callers.drain(..) {
        if let Ok(outcomes) = caller.await {
            assert!(outcomes.iter().all(Result::is_ok), "{outcomes:?}");
            answered += 1;
        }
    }
    assert!(answered >= 5);
    // And whoever comes later is served.
    assert!(jobs.enqueue_all(&[numbered(99, 1)]).await[0].is_ok());
}

#[tokio::test]
async fn a_page_that_has_no_answer_is_not_asked_for_again_and_again() {
    let server = House { clock: None, takes: 10 }.failing().await;
    let jobs = queue(&server, "jobs");
    let messages: Vec<Numbered> = (0..12).map(|number| numbered(number, 1)).collect();
    for _ in 0..3 {
        assert!(jobs.enqueue_all(&messages).await.iter().all(Result::is_ok));
    }
    let looks = server.asked().iter().filter(|asked| asked.uri().path() == "/_afterward/clock").count();
    assert_eq!(looks, 3, "one question, tried three times");
    assert_eq!(in_any_order(lists(&server, "SendMessageBatch")), plain(&[2, 2, 2, 10, 10, 10]));
}

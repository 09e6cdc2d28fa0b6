//! What goes over the wire for a batch with a completion message, and what is refused before anything does.

use super::{enqueueing::endpoint, *};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "import:done")]
struct ImportDone;

/// The same endpoint, which takes whole batches, too.
fn taking(afterward: bool) -> impl Fn(&http::Request<bytes::Bytes>) -> Answer {
    let plain = endpoint(afterward);
    move |asked| {
        let body: Value = serde_json::from_slice(asked.body()).unwrap_or_default();
        let Some(entries) = body["Entries"].as_array() else { return plain(asked) };
        let taken = entries.iter().map(|entry| json!({"Id": entry["Id"], "MessageId": "m", "MD5OfMessageBody": ""}));
        ok(&json!({"Successful": taken.collect::<Vec<_>>()}).to_string())
    }
}

/// The bodies of what was sent, call by call, with the header that says what they have to do with a batch.
fn sends(server: &Server) -> Vec<(String, Vec<String>)> {
    let sent = server.asked().into_iter().filter(|asked| asked.uri().path() == "/");
    sent.map(|asked| {
        let tie = ["x-afterward-batch", "x-afterward-after"].into_iter().find_map(|name| {
            let id = asked.headers().get(name)?.to_str().unwrap();
            Some(format!("{}: {id}", name.trim_start_matches("x-afterward-")))
        });
        let body: Value = serde_json::from_slice(asked.body()).unwrap();
        let entries = body["Entries"].as_array().cloned().unwrap_or_else(|| vec![body.clone()]);
        let payload = |entry: &Value| {
            let sent: Value = serde_json::from_str(entry["MessageBody"].as_str().unwrap()).unwrap();
            sent["payload"]["id"].as_u64().map_or("done".to_owned(), |id| id.to_string())
        };
        (tie.unwrap_or_default(), entries.iter().map(payload).collect())
    })
    .collect()
}

fn told(tie: &str, bodies: &[&str]) -> (String, Vec<String>) {
    (tie.to_owned(), bodies.iter().map(ToString::to_string).collect())
}

#[tokio::test]
async fn jobs_of_a_batch_share_calls_with_their_like_and_in_order() {
    let server = Server::ruled(taking(true)).await;
    let jobs = queue(&server, "jobs.fifo");
    let import = jobs.batch("import-42");
    let in_group = |one: crate::Enqueue| one.group("g");
    let order = |id: u32| OrderNew { id };
    let mixed = [
        in_group(import.enqueue(&order(1))),
        in_group(import.enqueue(&order(2))),
        in_group(jobs.enqueue(&order(3))),
        in_group(jobs.batch("other").enqueue(&order(4))),
        in_group(import.then(&ImportDone)),
    ];
    for outcome in jobs.enqueue_all(mixed).await {
        outcome.unwrap();
    }
    assert_eq!(
        sends(&server),
        [
            told("batch: import-42", &["1", "2"]),
            told("", &["3"]),
            told("batch: other", &["4"]),
            told("after: import-42", &["done"]),
        ]
    );
}

#[tokio::test]
async fn whatever_is_enqueued_by_a_batch_is_of_it() {
    let server = Server::ruled(taking(true)).await;
    let jobs = queue(&server, "jobs");
    let (one, other) = (jobs.new_batch().unwrap(), jobs.new_batch().unwrap());
    assert!(one.id().len() == 32 && one.id() != other.id());
    one.enqueue(&OrderNew { id: 1 }).delay(Duration::from_secs(5)).await.unwrap();
    // Also what was made for the queue, or for another batch.
    for outcome in one.enqueue_all([jobs.enqueue(&OrderNew { id: 2 }), other.then(&OrderNew { id: 3 })]).await {
        outcome.unwrap();
    }
    one.then(&ImportDone).unique("import").await.unwrap();
    let (batch, after) = (format!("batch: {}", one.id()), format!("after: {}", one.id()));
    assert_eq!(sends(&server), [told(&batch, &["1"]), told(&batch, &["2", "3"]), told(&after, &["done"])]);
    assert!(server.asked().last().unwrap().headers().contains_key("x-afterward-unique"), "beside the other header");
}

#[tokio::test]
async fn what_would_not_be_kept_is_refused_before_anything_is_sent() {
    let server = Server::ruled(taking(false)).await;
    let jobs = queue(&server, "jobs");
    let import = jobs.batch("import-42");
    for error in [
        import.then(&ImportDone).await.unwrap_err(),
        import.enqueue(&OrderNew { id: 1 }).await.unwrap_err(),
        import.enqueue_all(&[OrderNew { id: 1 }]).await.remove(0).unwrap_err(),
    ] {
        let text = error.to_string();
        assert!(text.contains("`jobs` at") && text.contains("needs an Afterward server"), "{text}");
    }
    assert_eq!(sends(&server), []);

    let server = Server::ruled(taking(true)).await;
    let (jobs, fifo) = (queue(&server, "jobs"), queue(&server, "jobs.fifo"));
    let order = OrderNew { id: 1 };
    let second = Duration::from_secs(1);
    for (enqueue, words) in [
        (jobs.batch("a b").enqueue(&order), "the batch `a b`: a batch's name is 1 to 128 letters"),
        (jobs.batch("").then(&order), "the batch ``: "),
        (jobs.batch("b").enqueue(&order).delay(second * 901), "the batch would be over without it"),
        (jobs.batch("b").then(&order).delay(second * 901), "not wait for the batch"),
        (fifo.batch("b").enqueue(&order).group("g").delay(second), "the batch would be over without it"),
    ] {
        let text = enqueue.await.unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    }
    assert_eq!(sends(&server), []);
}

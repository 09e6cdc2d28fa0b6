use super::stage::message;
use super::*;
use crate::{Attribute, Raw};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "order:new")]
#[serde(rename_all = "camelCase")]
struct OrderNew {
    order_id: String,
}

#[derive(Serialize, Deserialize, Message)]
#[message(type = "tick")]
struct Tick;

#[tokio::test(start_paused = true)]
async fn each_message_goes_to_the_handler_of_its_type_and_is_deleted() {
    let stage = Stage::new([
        message("1", r#"{"type":"order:new","payload":{"orderId":"A"}}"#),
        message("2", r#"{"type":"tick"}"#),
        message("3", r#"{"payload":{"orderId":"B"},"type":"order:new"}"#),
    ]);
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (orders, ticks) = (seen.clone(), seen.clone());
    let worker = Worker::new(stage.clone())
        .on(move |order: OrderNew| {
            orders.lock().unwrap().push(order.order_id);
            async { Ok::<_, String>(()) }
        })
        .on(move |_: Tick, cx: Context| {
            ticks.lock().unwrap().push(format!("tick in {}", cx.queue()));
            async { Ok::<_, std::io::Error>(()) }
        });
    let summary = work(&stage, worker, 3).await.unwrap();
    assert_eq!(summary, Summary { succeeded: 3, ..Summary::default() });
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    assert_eq!(seen, ["A", "B", "tick in stage"]);
    assert_eq!(stage.deleted().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_handler_learns_all_about_its_delivery() {
    let mut delivery = message("m1", r#"{"type":"tick"}"#);
    delivery.receive_count = 3;
    delivery.sent_at = Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123));
    delivery.group = Some("g".into());
    delivery.attributes.insert("tenant".into(), Attribute::from("acme"));
    let stage = Stage::new([delivery]);
    let worker = Worker::new(stage.clone()).on(|_: Tick, cx: Context| async move {
        assert_eq!((cx.message_id(), cx.attempt(), cx.group()), ("m1", 3, Some("g")));
        assert_eq!(cx.sent_at(), Some(UNIX_EPOCH + Duration::from_millis(1_700_000_000_123)));
        assert_eq!(cx.attribute("tenant").and_then(Attribute::as_text), Some("acme"));
        assert_eq!((cx.body(), cx.cancellation()), (r#"{"type":"tick"}"#, None));
        Ok::<_, String>(())
    });
    assert_eq!(work(&stage, worker, 1).await.unwrap().succeeded, 1);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_handled_is_left_with_the_reason() {
    // Nobody's messages belong into a dead-letter queue; where there is none, they come back late.
    for (body, reason) in [
        (
            r#"{"type":"order:gone"}"#,
            "no handler for messages of type `order:gone` in this worker, which handles `fail`, `order:new`, `tick`",
        ),
        (r#"{"task":"x"}"#, "the body has no envelope"),
        ("hello", "the body has no envelope"),
        (
            r#"{"type":"order:new","payload":{"orderId":3}}"#,
            "the payload of this message of type `order:new` can't be read: invalid type: integer `3`, expected a string",
        ),
        (r#"{"type":"order:new"}"#, "this message of type `order:new` has no payload"),
        (r#"{"type":"fail","payload":0}"#, "out of paper"),
        (r#"{"type":"tick"}"#, "the handler panicked: clock is broken"),
    ] {
        let stage = Stage::new([message("1", body)]);
        let worker = Worker::new(stage.clone())
            .on(|_: OrderNew| async { Ok::<_, String>(()) })
            .on(|_: Tick| async {
                if stage::LEASE.is_zero() {
                    return Ok(());
                }
                panic!("clock is {}", "broken");
                #[allow(unreachable_code)] // tells the error type
                Err(String::new())
            })
            .on(fail);
        let summary = work(&stage, worker, 1).await.unwrap();
        assert_eq!(summary, Summary { failed: 1, ..Summary::default() }, "{body}");
        let deeds = stage.deeds();
        let [Deed::Changed { after_s, error: Some(error), .. }] = &deeds[..] else { panic!("{body}: {deeds:?}") };
        assert!(error.starts_with(reason), "{body}: {error}");
        let nobodys = reason.starts_with("no handler") || reason.contains("envelope");
        assert_eq!(*after_s, if nobodys { 900 } else { 30 }, "{body}");
    }
}

#[tokio::test(start_paused = true)]
async fn otherwise_takes_what_has_no_handler_of_its_own() {
    let bodies = [r#"{"task":"x","fail":true}"#, r#"{"type":"order:gone","payload":1}"#, "hello", r#"{"type":"tick"}"#];
    let stage = Stage::new(bodies.iter().map(|body| message(body, body)));
    let seen = Arc::new(Mutex::new(Vec::new()));
    let raws = seen.clone();
    let worker = Worker::new(stage.clone()).on(|_: Tick| async { Ok::<_, String>(()) }).otherwise(move |raw: Raw| {
        raws.lock().unwrap().push((raw.body, raw.message_type));
        async { Ok::<_, String>(()) }
    });
    assert_eq!(work(&stage, worker, 4).await.unwrap().succeeded, 4);
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let gone = (bodies[1].to_owned(), Some("order:gone".to_owned()));
    assert_eq!(seen, [("hello".to_owned(), None), (bodies[0].to_owned(), None), gone]);
}

#[tokio::test(start_paused = true)]
async fn a_worker_with_contradictory_handlers_does_not_start() {
    for (worker, words) in [
        (Worker::new(Stage::new([])), "without handlers"),
        (Worker::new(Stage::new([])).on(nap).on(fail).on(nap), "two handlers for messages of type `nap`"),
    ] {
        let error = worker.run().await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

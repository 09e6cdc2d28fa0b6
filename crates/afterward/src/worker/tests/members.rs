//! The second level of dispatch: by a member of the payload, and of Stripe's events by their kind.

use super::{stage::message, *};
use crate::{Cause, Raw, Retry, Router, State, Unknown, handler};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};

#[derive(Serialize, Deserialize, Message)]
#[message(type = "crm")]
struct Crm(Value);

#[derive(Deserialize)]
struct Opened {
    account: u32,
}

type Seen = Arc<Mutex<Vec<String>>>;

async fn opened(opened: Opened, cx: Context, State(seen): State<Seen>) -> Result<(), Cause> {
    seen.lock().unwrap().push(format!("opened {} by {}", opened.account, cx.message_id()));
    if opened.account == 7 {
        return Err(Retry::after(Duration::from_secs(9)).because("no room"))?;
    }
    Ok(())
}

async fn other(Crm(payload): Crm, State(seen): State<Seen>) {
    seen.lock().unwrap().push(format!("other {payload}"));
}

fn crm(id: &str, payload: Value) -> Delivery {
    message(id, &body("crm", payload))
}

fn seen_by(seen: &Seen) -> Vec<String> {
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    seen
}

#[tokio::test(start_paused = true)]
async fn each_message_goes_to_the_handler_of_its_member() {
    let stage = Stage::new([
        crm("1", json!({"account": 3, "kind": "opened"})),
        crm("2", json!({"kind": "opened", "account": 7})),
        crm("3", json!({"kind": "closed"})),
        crm("4", json!({"kind": "opened", "account": "x"})),
        crm("5", json!([])),
        message("7", r#"{"type":"crm","payload":{"kind":"opened","kind":"closed","account":4}}"#),
        message("6", r#"{"type":"crm","payload":{"\u006bind":"op\u0065ned","kind2":{},"account":4}}"#),
    ]);
    let seen = Seen::default();
    let router = Router::<Crm>::by("kind").on("opened", opened).otherwise(other);
    let worker = Worker::new(stage.clone()).on(router).state(seen.clone());
    let summary = work(&stage, worker, 7).await.unwrap();
    assert_eq!((summary.succeeded, summary.failed), (5, 2));
    assert_eq!(
        seen_by(&seen),
        [
            "opened 3 by 1",
            "opened 4 by 6",
            "opened 7 by 2",
            "other []",
            r#"other {"account":4,"kind":"closed"}"#,
            r#"other {"kind":"closed"}"#
        ]
    );
    let deeds = stage.deeds();
    assert!(deeds.contains(&changed("2", 0, 9, Some("no room"))), "{deeds:?}");
    let unreadable = "the payload of this message of type `crm` can't be read for its handler: invalid type";
    let left = |deed: &Deed| matches!(deed, Deed::Changed { id, error: Some(error), .. } if id == "4" && error.starts_with(unreadable));
    assert!(deeds.iter().any(left), "{deeds:?}");
}

#[tokio::test(start_paused = true)]
async fn what_has_no_handler_goes_by_the_policy() {
    let payloads = [json!({"kind": "gone"}), json!({"kind": 3}), json!({"account": 3}), json!(null)];
    for (policy, succeeded) in [(Unknown::DeadLetter, 0), (Unknown::Retry, 0), (Unknown::Ignore, 4)] {
        let stage = Stage::new(payloads.iter().enumerate().map(|(id, payload)| crm(&id.to_string(), payload.clone())));
        let router = Router::<Crm>::by("kind").on("opened", opened).unknown(policy);
        let worker = Worker::new(stage.clone()).on(router).state(Seen::default());
        let summary = work(&stage, worker, 4).await.unwrap();
        assert_eq!(summary.succeeded, succeeded, "{policy:?}");
        if policy == Unknown::Retry {
            let why = "no handler for `crm` messages whose `kind` is `gone`";
            assert!(stage.deeds().contains(&changed("0", 0, 30, Some(why))), "{:?}", stage.deeds());
            let why = "the payload of this message of type `crm` has no text `kind` to choose by";
            assert!(stage.deeds().contains(&changed("3", 0, 30, Some(why))), "{:?}", stage.deeds());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_router_that_makes_no_sense_does_not_start() {
    let router = || Router::<Crm>::by("kind");
    let with = |router: Router<Crm>| Worker::new(Stage::new([])).on(router);
    for (worker, words) in [
        (with(router()), "the handler of `crm`: a router without handlers"),
        (with(router().on("a", opened)), "the worker has no state of type"),
        (with(router().on("a", opened).on("a", opened)).state(Seen::default()), "two handlers for `kind` `a`"),
        (with(router().otherwise(handler(other).max_attempts(3))).state(Seen::default()), "set it around the router"),
    ] {
        let error = worker.run().await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_set_around_a_router_holds_for_all_of_it() {
    let stage = Stage::new([crm("1", json!({"kind": "nap", "nap": 60})), crm("2", json!({"kind": "nap", "nap": 1}))]);
    #[derive(Deserialize)]
    struct Nap {
        nap: u64,
    }
    let router = Router::<Crm>::by("kind").on("nap", |Nap { nap }: Nap| sleep(Duration::from_secs(nap)));
    let worker = Worker::new(stage.clone()).on(handler(router).timeout(Duration::from_secs(5)).concurrency(1));
    let summary = work(&stage, worker, 2).await.unwrap();
    assert_eq!((summary.succeeded, summary.failed), (1, 1));
    assert!(stage.deeds().contains(&deleted("2", 6)), "{:?}", stage.deeds());
}

/// Keeps what is logged as a warning by the router.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl tracing::Subscriber for Warnings {
    fn enabled(&self, metadata: &tracing::Metadata<'_>) -> bool {
        metadata.target().ends_with("dispatch")
    }

    fn event(&self, event: &tracing::Event<'_>) {
        struct Text<'a>(&'a mut String);
        impl tracing::field::Visit for Text<'_> {
            fn record_debug(&mut self, field: &tracing::field::Field, value: &dyn std::fmt::Debug) {
                if field.name() == "message" {
                    *self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = String::new();
        event.record(&mut Text(&mut text));
        self.0.lock().unwrap().push(text);
    }

    fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
        tracing::span::Id::from_u64(1)
    }

    fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
    fn enter(&self, _: &tracing::span::Id) {}
    fn exit(&self, _: &tracing::span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn what_is_ignored_is_told_once_by_name() {
    let warnings = Warnings::default();
    let _guard = tracing::subscriber::set_default(warnings.clone());
    let stage = Stage::new(["gone", "closed", "gone", "gone", "closed"].map(|kind| crm(kind, json!({ "kind": kind }))));
    let router = Router::<Crm>::by("kind").on("opened", opened).unknown(Unknown::Ignore);
    let worker = Worker::new(stage.clone()).on(router).state(Seen::default());
    assert_eq!(work(&stage, worker, 5).await.unwrap().succeeded, 5);
    let mut told = warnings.0.lock().unwrap().clone();
    told.sort();
    let line = |kind| {
        format!("no handler for `crm` messages whose `kind` is `{kind}`; such messages are ignored, which is said once")
    };
    assert_eq!(told, [line("closed"), line("gone")]);
}

#[cfg(feature = "stripe")]
mod stripe {
    use super::*;
    use crate::stripe::{self, CustomerSubscriptionDeleted, InvoicePaid, Webhook};

    fn event(id: &str, message_type: &str, event_type: &str, object: Value) -> Delivery {
        let event = json!({"id": id, "created": 1_700_000_000, "type": event_type, "data": {"object": object}});
        message(id, &body(message_type, event))
    }

    fn invoice() -> Value {
        json!({"id": "in_1", "customer": "cus_1", "currency": "eur", "amount_due": 5, "amount_paid": 5, "amount_remaining": 0})
    }

    async fn paid(event: InvoicePaid, cx: Context, State(seen): State<Seen>) {
        seen.lock().unwrap().push(format!("{} paid {} in {}", event.id, event.object.amount_paid, cx.queue()));
    }

    #[derive(Deserialize)]
    struct Mine {
        id: String,
    }

    async fn gone(event: CustomerSubscriptionDeleted<Mine>, State(seen): State<Seen>) -> Result<(), String> {
        seen.lock().unwrap().push(format!("{} of {} is gone", event.object.id, event.id));
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn events_go_to_the_handlers_of_their_kind_and_the_others_are_done_with() {
        let stage = Stage::new([
            event("evt_1", "stripe", "invoice.paid", invoice()),
            event("evt_2", "stripe", "customer.subscription.deleted", json!({"id": "sub_1"})),
            event("evt_3", "stripe", "charge.refunded", json!({})),
            event("evt_4", "stripe", "charge.refunded", json!({})),
            event("evt_5", "stripe", "invoice.paid", json!({"id": "in_2"})),
        ]);
        let seen = Seen::default();
        let router = stripe::Router::new().on::<InvoicePaid, _>(paid).on(gone);
        let worker = Worker::new(stage.clone()).on(router).state(seen.clone());
        let summary = work(&stage, worker, 5).await.unwrap();
        assert_eq!((summary.succeeded, summary.failed), (4, 1), "what an invoice lacks is a failure");
        assert_eq!(seen_by(&seen), ["evt_1 paid 5 in stage", "sub_1 of evt_2 is gone"]);
    }

    #[derive(Serialize, Deserialize, Message)]
    #[message(type = "letsgo:stripe")]
    struct LetsGoStripe(Value);

    #[tokio::test(start_paused = true)]
    async fn messages_of_another_type_and_the_rest_can_be_had_too() {
        let stage = Stage::new([
            event("evt_1", "letsgo:stripe", "invoice.paid", invoice()),
            event("evt_2", "stripe", "charge.refunded", json!({})),
        ]);
        let seen = Seen::default();
        let worker = Worker::new(stage.clone())
            .on(stripe::Router::<LetsGoStripe>::of().on(paid))
            .on(stripe::Router::new().on(gone).otherwise(|event: Webhook, State(seen): State<Seen>| async move {
                seen.lock().unwrap().push(event.event_type().unwrap_or_default());
            }))
            .otherwise(|_: Raw| async {})
            .state(seen.clone());
        assert_eq!(work(&stage, worker, 2).await.unwrap().succeeded, 2);
        assert_eq!(seen_by(&seen), ["charge.refunded", "evt_1 paid 5 in stage"]);
    }

    #[tokio::test(start_paused = true)]
    async fn two_handlers_of_a_kind_are_refused() {
        let router = stripe::Router::new().on(gone).on(gone);
        let error = Worker::new(Stage::new([])).on(router).state(Seen::default()).run().await.unwrap_err().to_string();
        assert!(error.contains("two handlers for `type` `customer.subscription.deleted`"), "{error}");
    }
}

use super::{signature::verify_at, *};
use hmac::{Hmac, Mac};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// The form that Stripe's documentation of the header gives, with the time and payload of its examples.
const TIME: &str = "1492774577";
const SECRET: &str = "whsec_test_secret";
const BODY: &[u8] = br#"{"id":"evt_1","object":"event","type":"invoice.paid"}"#;

fn signed(time: &str, body: &[u8], secret: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("{time}.").as_bytes());
    mac.update(body);
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn an_endpoint_without_a_secret_believes_nobody() {
    let header = format!("t={TIME},v1={}", signed(TIME, BODY, ""));
    let verdict = verify_at(&header, BODY, "", DEFAULT_TOLERANCE, Duration::from_secs(TIME.parse().unwrap()));
    assert_eq!(verdict, Err(SignatureError::NoSecret));
}

#[test]
fn a_request_is_believed_when_a_signature_fits_and_is_not_old() {
    let good = signed(TIME, BODY, SECRET);
    // As `openssl dgst -sha256 -hmac` has it.
    assert_eq!(good, "4d38cd5139c7f60e624bf8299775d217793a8e4af46b24f70e9099b0eafff76c");
    let other = signed(TIME, BODY, "whsec_other");
    let v0 = "6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39";
    let old = Err(SignatureError::Old { age: Duration::from_secs(301) });
    for (header, late_s, verdict) in [
        (format!("t={TIME},v1={good},v0={v0}"), 0, Ok(())),
        (format!("t={TIME},v1={good}"), 300, Ok(())),
        (format!("t={TIME},v1={good}"), 301, old),
        (format!("t={TIME}, v1={}", good.to_uppercase()), 0, Ok(())),
        // A secret is being rolled.
        (format!("t={TIME},v1={other},v1={good}"), 0, Ok(())),
        (format!("t={TIME},v1={other}"), 0, Err(SignatureError::Wrong)),
        (format!("t=1492774578,v1={good}"), 0, Err(SignatureError::Wrong)),
        (format!("t={TIME},v1={}", &good[1..]), 0, Err(SignatureError::Wrong)),
        (format!("t={TIME},v1={}", &good[2..]), 0, Err(SignatureError::Wrong)),
        (format!("t={TIME},v1="), 0, Err(SignatureError::Wrong)),
        (format!("t={TIME},v0={good}"), 0, Err(SignatureError::Malformed)),
        (format!("v1={good}"), 0, Err(SignatureError::Malformed)),
        (String::new(), 0, Err(SignatureError::Malformed)),
        ("nonsense".to_owned(), 0, Err(SignatureError::Malformed)),
    ] {
        let now = Duration::from_secs(TIME.parse::<u64>().unwrap() + late_s);
        assert_eq!(verify_at(&header, BODY, SECRET, Duration::from_secs(300), now), verdict, "{header}");
    }
    let changed = [BODY, b" "].concat();
    let header = format!("t={TIME},v1={good}");
    let at = Duration::from_secs(TIME.parse().unwrap());
    assert_eq!(verify_at(&header, &changed, SECRET, DEFAULT_TOLERANCE, at), Err(SignatureError::Wrong));
    // A clock behind Stripe's.
    assert_eq!(verify_at(&header, BODY, SECRET, DEFAULT_TOLERANCE, at - Duration::from_secs(900)), Ok(()));
    // Words of another time are not even signed wrongly.
    let soon = format!("t=soon,v1={}", signed("soon", BODY, SECRET));
    assert_eq!(verify_at(&soon, BODY, SECRET, DEFAULT_TOLERANCE, at), Err(SignatureError::Malformed));
}

#[test]
fn a_webhook_keeps_the_event_as_it_came() {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs().to_string();
    let body = br#"{ "type": "invoice.paid",  "amount": 1.10, "id": "evt_1" }"#;
    let header = |body| format!("t={now},v1={}", signed(&now, body, SECRET));
    let webhook = Webhook::verified(&header(body), body, SECRET).unwrap();
    assert_eq!(webhook.as_json().as_bytes(), body);
    assert_eq!((webhook.id().as_deref(), webhook.event_type().as_deref()), (Some("evt_1"), Some("invoice.paid")));
    let sealed = crate::envelope::seal(&webhook).unwrap();
    assert!(sealed.contains(r#""amount": 1.10"#), "{sealed}");
    for (body, words) in [(&b"hello"[..], "no event"), (b"{}", "missing field `id`"), (br#"{"id":"x"}"#, "`type`")] {
        let error = Webhook::verified(&header(body), body, SECRET).unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
    assert!(matches!(Webhook::verified("t=1,v1=00", body, SECRET), Err(WebhookError::Signature(_))));
}

fn event(event_type: &str, object: Value) -> Value {
    json!({
        "id": "evt_1", "object": "event", "api_version": "2023-10-16", "created": 1_700_000_000, "livemode": false,
        "type": event_type, "data": {"object": object}, "request": {"id": null}, "pending_webhooks": 1
    })
}

#[test]
fn there_are_24_kinds_each_with_its_own_name() {
    let names = BTreeSet::from_iter(LIFECYCLE.iter().copied());
    assert_eq!(names.len(), 24);
    let of = |start: &str| names.iter().filter(|name| name.starts_with(start)).count();
    let counts = ["customer.", "invoice.", "payment_intent.", "subscription_schedule."].map(of);
    assert_eq!(counts, [7, 8, 2, 7]);
}

#[test]
fn an_event_has_its_object_and_what_was_before() {
    let mut json =
        event("customer.subscription.updated", json!({"id": "sub_1", "customer": "cus_1", "status": "active"}));
    json["data"]["previous_attributes"] = json!({"status": "trialing"});
    json["account"] = json!("acct_1");
    let event: CustomerSubscriptionUpdated = serde_json::from_value(json.clone()).unwrap();
    assert_eq!((event.id.as_str(), event.created, event.livemode), ("evt_1", 1_700_000_000, false));
    assert_eq!((event.object.status.as_str(), event.account.as_deref()), ("active", Some("acct_1")));
    assert_eq!(event.previous_attributes.unwrap()["status"], "trialing");

    let raw: CustomerSubscriptionUpdated<Value> = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(raw.object["id"], "sub_1");
    let error = serde_json::from_value::<InvoicePaid<Value>>(json).unwrap_err().to_string();
    assert!(error.contains("`customer.subscription.updated` where `invoice.paid`"), "{error}");
}

#[test]
fn what_moved_between_api_versions_is_found_in_both_places() {
    let invoice = |more: Value| {
        let mut object = json!({
            "id": "in_1", "object": "invoice", "customer": "cus_1", "currency": "eur", "status": "paid",
            "amount_due": 1200, "amount_paid": 1200, "amount_remaining": 0, "metadata": null
        });
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        serde_json::from_value::<InvoicePaid>(event("invoice.paid", object)).unwrap().object
    };
    for (more, subscription) in [
        (json!({"subscription": "sub_1"}), Some("sub_1")),
        (json!({"subscription": {"id": "sub_1"}}), Some("sub_1")),
        (json!({"parent": {"subscription_details": {"subscription": "sub_1"}}}), Some("sub_1")),
        (json!({"subscription": null, "parent": {"subscription_details": {"subscription": "sub_2"}}}), Some("sub_2")),
        (json!({"subscription": null, "parent": null}), None),
        (json!({}), None),
    ] {
        assert_eq!(invoice(more.clone()).subscription(), subscription, "{more}");
    }
    assert_eq!(invoice(json!({"customer": {"id": "cus_9"}, "id": null})).customer.as_deref(), Some("cus_9"));

    let items = json!({"data": [
        {"price": {"id": "price_a"}, "current_period_end": 30}, {"price": {"id": "price_b"}, "current_period_end": 20}
    ]});
    for (more, end) in [
        (json!({"current_period_end": 10, "items": items}), Some(10)),
        (json!({"items": items}), Some(20)),
        (json!({}), None),
    ] {
        let mut object = json!({"id": "sub_1", "customer": "cus_1", "status": "active"});
        object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let subscription: Subscription = serde_json::from_value(object).unwrap();
        assert_eq!(subscription.current_period_end(), end, "{more}");
        let prices = if more.get("items").is_some() { vec!["price_a", "price_b"] } else { vec![] };
        assert_eq!(subscription.prices().collect::<Vec<_>>(), prices);
    }
}

#[test]
fn the_other_objects_are_read_with_what_else_they_have() {
    let customer: CustomerCreated = serde_json::from_value(event(
        "customer.created",
        json!({"id": "cus_1", "email": "ada@example.com", "metadata": {"tenant": "7"}, "balance": 0}),
    ))
    .unwrap();
    assert_eq!((customer.object.metadata["tenant"].as_str(), &customer.object.rest["balance"]), ("7", &json!(0)));
    let payment: PaymentIntentSucceeded = serde_json::from_value(event(
        "payment_intent.succeeded",
        json!({"id": "pi_1", "customer": null, "amount": 500, "amount_received": 500, "currency": "usd", "status": "succeeded"}),
    ))
    .unwrap();
    assert_eq!((payment.object.amount_received, payment.object.customer), (500, None));
    let schedule: SubscriptionScheduleReleased = serde_json::from_value(event(
        "subscription_schedule.released",
        json!({"id": "sub_sched_1", "customer": "cus_1", "released_subscription": "sub_1", "status": "released"}),
    ))
    .unwrap();
    assert_eq!(schedule.object.released_subscription.as_deref(), Some("sub_1"));
}

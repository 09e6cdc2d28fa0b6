//! The shop as its customers, Stripe and its team see it: the whole of it, with a broker in the process whose clock the tests
//! move.
//!
//! The stories in `anywhere` hold on every server of SQS, and play on the one that `AFTERWARD_TEST_URL` names, if it is set.
//! Those in `in_time` move the clock, which takes our broker.
#![allow(clippy::unwrap_used)] // clippy exempts tests, but not the functions they call

use afterward::{
    Queue, Summary, Token,
    access::Access,
    notify::{self, Digest},
    sqs::{self, CreateQueueRequest},
    testing::{self, Broker, Ending},
    token::Issuer,
};
use axum::{
    body::Bytes,
    http::{Method, Request, StatusCode, header},
};
use hmac::{Hmac, Mac};
use http_body_util::{BodyExt, Full};
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use serde_json::{Value, json};
use sha2::Sha256;
use shop::{
    api::{Api, Ledger},
    callback::Callback,
    settings,
    slack_stand_in::SlackStandIn,
    worker,
};
use shop_messages::{Contact, OrderFollowUp, OrderNew};
use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use tokio::net::{TcpListener, TcpSocket};

const STRIPE_SECRET: &str = "whsec_test";
const HOUR: Duration = Duration::from_secs(3600);

/// The shop, open.
struct Shop {
    /// None where the queues are somebody else's.
    broker: Option<Broker>,
    jobs: Queue,
    slack: SlackStandIn,
    url: String,
}

fn issuer() -> Issuer {
    Issuer::from_pem(include_str!("../development-issuer.pem")).unwrap()
}

/// Queues with a dead-letter queue, as `afterward serve` makes them, on a server that need not be ours.
async fn queue_at(address: String) -> Queue {
    static QUEUES: AtomicU32 = AtomicU32::new(0);
    let client = sqs::Client::builder().endpoint(address).build().unwrap();
    let name = format!("shop-{}-{}", std::process::id(), QUEUES.fetch_add(1, Ordering::Relaxed));
    let dead = Queue::named(format!("{name}-dlq")).client(client.clone()).create_if_missing().await.unwrap();
    let wanted =
        sqs::GetQueueAttributesRequest { queue_url: dead.url().to_owned(), attribute_names: vec!["QueueArn".into()] };
    let arn = &client.get_queue_attributes(wanted).await.unwrap().attributes["QueueArn"];
    let policy = json!({ "deadLetterTargetArn": arn, "maxReceiveCount": 3 }).to_string();
    let attributes = [("RedrivePolicy".to_owned(), policy)].into();
    let create = CreateQueueRequest { queue_name: name, attributes, ..CreateQueueRequest::default() };
    let url = client.create_queue(create).await.unwrap().queue_url.unwrap();
    Queue::with_client(client, url)
}

impl Shop {
    /// On the server that the environment names, else with a broker of its own.
    async fn open_anywhere() -> Shop {
        match std::env::var("AFTERWARD_TEST_URL") {
            Ok(address) => Shop::open_with(None, queue_at(address).await).await,
            Err(_) => Shop::open().await,
        }
    }

    async fn open() -> Shop {
        let broker = Broker::start().await;
        let jobs = broker.queue("jobs").await;
        Shop::open_with(Some(broker), jobs).await
    }

    async fn open_with(broker: Option<Broker>, jobs: Queue) -> Shop {
        let api = Api { queue: jobs.clone(), ledger: Ledger::default(), stripe_secret: STRIPE_SECRET.into() };
        let access = Access::to(settings::AUDIENCE).trust(issuer().jwks()).subject(settings::SUBJECT);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, api.router(access)).await });
        Shop { broker, jobs, slack: SlackStandIn::start(|_| {}).await.unwrap(), url }
    }

    /// The worker does what there is to do now.
    async fn work(&self) -> Summary {
        let api = Callback::new(&self.url, Token::new(issuer(), settings::AUDIENCE)).unwrap();
        let slack = notify::slack_at(self.slack.url()).unwrap();
        let failures = Digest::new(slack.clone());
        let worker = match self.broker {
            Some(_) => worker::worker(self.jobs.clone(), api, slack, &failures),
            // Elsewhere nobody could send the hourly report's ticks.
            None => worker::handlers(self.jobs.clone(), api, slack, &failures),
        };
        let summary = testing::drain(worker).await;
        failures.flush().await;
        summary
    }

    /// Time passes.
    async fn wait(&self, time: Duration) {
        self.broker.as_ref().expect("only our own broker's clock can be moved").advance(time).await;
    }

    async fn call(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> (StatusCode, Value) {
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
        let reply = client.request(request.body(Full::from(body.to_owned())).unwrap()).await.unwrap();
        let status = reply.status();
        let body = reply.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        self.call(Method::POST, path, &[(header::CONTENT_TYPE.as_str(), "application/json")], &body.to_string()).await
    }

    async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.call(Method::GET, path, &[], "").await
    }

    /// What Stripe would send, signed with this secret.
    async fn stripe(&self, event: Value, secret: &str) -> StatusCode {
        let (body, now) = (event.to_string(), SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs());
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(format!("{now}.{body}").as_bytes());
        let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        let headers = [("stripe-signature", &*format!("t={now},v1={signature}"))];
        self.call(Method::POST, "/v1/stripe", &headers, &body).await.0
    }

    /// Why jobs were given up: our server knows it, elsewhere the worker says so in an attribute.
    async fn dead_letters_errors(&self) -> Vec<String> {
        if self.broker.is_some() {
            let dead = testing::dead_letters(&self.jobs).await;
            return dead.into_iter().filter_map(|letter| letter.last_error).collect();
        }
        let dead = Queue::named(format!("{}-dlq", self.jobs.name())).client(self.jobs.client().clone()).await.unwrap();
        let receive = sqs::ReceiveMessageRequest {
            queue_url: dead.url().to_owned(),
            max_number_of_messages: Some(10),
            message_attribute_names: vec!["All".into()],
            ..sqs::ReceiveMessageRequest::default()
        };
        let received = dead.client().receive_message(receive).await.unwrap().messages;
        let error = |message: &sqs::Message| message.message_attributes["afterward.error"].string_value.clone();
        received.iter().filter_map(error).collect()
    }

    async fn order(&self) -> String {
        let basket = json!({ "email": "ada@example.com", "items": [{ "sku": "tea", "quantity": 2 }] });
        let (status, reply) = self.post("/v1/orders", basket).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{reply}");
        reply["orderId"].as_str().unwrap().to_owned()
    }
}

fn event(kind: &str, object: Value) -> Value {
    json!({ "id": "evt_1", "object": "event", "type": kind, "created": 1_767_225_600, "data": { "object": object } })
}

fn invoice(metadata: Value) -> Value {
    json!({
        "id": "in_1", "object": "invoice", "currency": "eur", "customer_email": "ada@example.com", "attempt_count": 1,
        "amount_due": 1200, "amount_paid": 1200, "amount_remaining": 0, "metadata": metadata,
    })
}

/// What holds on every server of SQS.
mod anywhere {
    use super::*;

    #[tokio::test]
    async fn the_contact_form_answers_at_once_and_the_team_reads_it_in_slack() {
        let shop = Shop::open_anywhere().await;
        let (status, _) =
            shop.post("/v1/contact", json!({ "email": "ada@example.com", "text": "Tea & <cakes>?" })).await;
        assert_eq!(status, StatusCode::ACCEPTED);
        assert_eq!(shop.work().await.succeeded, 1);
        assert_eq!(shop.slack.texts(), ["*ada@example.com* writes:\n> Tea &amp; &lt;cakes&gt;?"]);

        let (status, _) = shop.post("/v1/contact", json!({ "email": "nobody", "text": "" })).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        let (status, told) = shop.post("/v1/contact", json!({ "email": "ada@example.com" })).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(told["error"].as_str().is_some_and(|why| why.contains("text")), "{told}");
        assert_eq!(shop.work().await.succeeded, 0, "what can't be answered is not taken");
    }

    #[tokio::test]
    async fn an_order_is_placed_at_once_and_accepted_by_the_worker() {
        let shop = Shop::open_anywhere().await;
        let id = shop.order().await;
        let order = |status: &str| (StatusCode::OK, json!({ "email": "ada@example.com", "status": status }));
        assert_eq!(shop.get(&format!("/v1/orders/{id}")).await, order("placed"));
        assert_eq!(shop.work().await.succeeded, 1);
        assert_eq!(shop.get(&format!("/v1/orders/{id}")).await, order("accepted"));
    }

    #[tokio::test]
    async fn stripe_is_believed_by_its_signature_and_each_kind_of_event_has_its_handler() {
        let shop = Shop::open_anywhere().await;
        let id = shop.order().await;
        let paid = event("invoice.paid", invoice(json!({ "order_id": id })));
        assert_eq!(shop.stripe(paid.clone(), "whsec_guessed").await, StatusCode::BAD_REQUEST);
        for event in [
            paid,
            event("invoice.payment_failed", invoice(json!({}))),
            event("product.created", json!({ "id": "prod_1" })), // nobody's
            event("invoice.paid", invoice(json!({}))),           // of no order
        ] {
            assert_eq!(shop.stripe(event, STRIPE_SECRET).await, StatusCode::OK);
        }
        let summary = shop.work().await;
        assert_eq!((summary.succeeded, summary.dead_lettered), (4, 1));
        assert_eq!(shop.get(&format!("/v1/orders/{id}")).await.1["status"], "paid");
        assert!(shop.slack.texts().contains(&"ada@example.com could not pay 12.00 EUR".to_owned()));
        assert_eq!(shop.dead_letters_errors().await, ["the invoice in_1 has no order_id"]);
    }

    #[tokio::test]
    async fn only_the_worker_gets_past_the_internal_door() {
        let shop = Shop::open_anywhere().await;
        let id = shop.order().await;
        let path = format!("/internal/orders/{id}/paid");
        let bearer = |token: Token| token.bearer().unwrap().to_str().unwrap().to_owned();
        let somebody = bearer(Token::new(issuer(), settings::AUDIENCE).subject("somebody"));
        let elsewhere = bearer(Token::new(issuer(), "https://elsewhere.example.com"));
        let worker = bearer(Token::new(issuer(), settings::AUDIENCE));
        for (authorization, expected) in [
            (None, StatusCode::UNAUTHORIZED),
            (Some("Bearer guessed"), StatusCode::UNAUTHORIZED),
            (Some(&*elsewhere), StatusCode::UNAUTHORIZED),
            (Some(&*somebody), StatusCode::FORBIDDEN),
            (Some(&*worker), StatusCode::NO_CONTENT),
        ] {
            let headers: Vec<(&str, &str)> = authorization.map(|value| ("authorization", value)).into_iter().collect();
            assert_eq!(shop.call(Method::POST, &path, &headers, "").await.0, expected, "{authorization:?}");
        }
    }
}

/// What takes our own broker, whose clock is moved.
mod in_time {
    use super::*;

    #[tokio::test]
    async fn an_order_is_followed_up_in_two_days() {
        let shop = Shop::open().await;
        let id = shop.order().await;
        testing::assert_enqueued::<OrderNew>(&shop.jobs, |order| order.order_id == id).await;
        let now = shop.broker.as_ref().unwrap().now();
        assert_eq!(shop.work().await.succeeded, 1);

        let follow_up = testing::assert_enqueued::<OrderFollowUp>(&shop.jobs, |order| order.order_id == id).await;
        let wait = follow_up.delayed_until().unwrap().duration_since(now).unwrap();
        assert!(wait.abs_diff(worker::FOLLOW_UP_AFTER) <= Duration::from_secs(1), "{wait:?}");
        let asked = format!("Time to ask ada@example.com about {id}");
        for (passing, is_asked) in [(worker::FOLLOW_UP_AFTER - HOUR, false), (HOUR + Duration::from_secs(1), true)] {
            shop.wait(passing).await;
            shop.work().await; // the hourly reports, too
            assert_eq!(shop.slack.texts().contains(&asked), is_asked);
        }
        testing::assert_empty(&shop.jobs).await;
    }

    #[tokio::test]
    async fn there_is_a_report_each_hour() {
        let shop = Shop::open().await;
        shop.order().await;
        // Each worker that starts makes sure of the schedule; there is still one.
        for _ in 0..3 {
            shop.work().await;
        }
        for hours in 1..=3 {
            shop.wait(HOUR).await;
            shop.work().await;
            assert_eq!(shop.slack.texts().len(), hours, "{:?}", shop.slack.texts());
        }
        assert_eq!(shop.slack.texts()[0], "1 orders so far, 0 of them paid");
    }
}

#[tokio::test]
async fn while_slack_is_away_the_contact_form_waits_for_its_next_attempt() {
    // A port that is taken, and that nobody listens on.
    let nobody = TcpSocket::new_v4().unwrap();
    nobody.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = format!("http://{}/", nobody.local_addr().unwrap());
    let slack = notify::slack_at(&url).unwrap().on_failure(notify::OnFailure::Fail);
    let contact = Contact { email: "ada@example.com".into(), text: "Hello".into() };
    let tried = testing::job(&contact).state(slack).run(worker::contact).await;
    assert!(matches!(tried.ending(), Ending::Retry { after: None, .. }), "{tried:?}");
    assert!(tried.assert_retries().starts_with("a notice could not be delivered"), "{tried:?}");
}

//! A gateway that listens, and short words for what clients do.

use afterward_broker::{Broker, ManualClock};
use afterward_gateway::{Gateway, Jobs, Limits, Listening, Settings};
use afterward_log::memory::{Fencing, MemoryLog};
use afterward_names::{AccountId, QueueAddress, Region};
use afterward_scheduler::{HttpTargets, Runner};
use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};

/// When the tests begin.
pub(crate) const START_MS: u64 = 1_700_000_000_000;

/// A server. Callers of [`Rig::call`] are unsigned, in the default account and region.
pub(crate) struct Rig {
    pub(crate) address: SocketAddr,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) broker: Broker,
    pub(crate) log: Arc<MemoryLog>,
    pub(crate) listening: Listening,
}

/// A reply, read.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        credentials: Vec::new(),
        cooldowns: false,
        jobs: Jobs {
            queue: QueueAddress {
                account: AccountId::DEFAULT,
                region: Region::default(),
                name: "jobs".parse().unwrap(),
            },
            delay_ms: None,
            cors_origins: Vec::new(),
            public: false,
        },
        limits: Limits::default(),
        threads: 2,
        clock: None,
        runner: None,
    }
}

impl Rig {
    pub(crate) async fn start() -> Rig {
        Rig::with(settings()).await
    }

    /// One whose clients may move its clock.
    pub(crate) async fn with_movable_clock() -> Rig {
        Rig::with(Settings { clock: Some(Arc::new(ManualClock::at(START_MS))), ..settings() }).await
    }

    /// The same, where schedules are run.
    pub(crate) async fn that_runs_schedules() -> Rig {
        Rig::reaching(HttpTargets::Any).await
    }

    /// The same, with HTTP targets that reach so far.
    pub(crate) async fn reaching(targets: HttpTargets) -> Rig {
        let clock = Some(Arc::new(ManualClock::at(START_MS)));
        Rig::made(Settings { clock, ..settings() }, |broker| Some(Runner::start(broker, targets))).await
    }

    pub(crate) async fn with(settings: Settings) -> Rig {
        Rig::made(settings, |_| None).await
    }

    async fn made(settings: Settings, runner: impl FnOnce(Broker) -> Option<Runner>) -> Rig {
        let log = Arc::new(MemoryLog::new(Fencing::ByStore));
        let clock = settings.clock.clone().unwrap_or_else(|| Arc::new(ManualClock::at(START_MS)));
        let broker = Broker::open(log.clone(), clock.clone(), afterward_broker::Settings::default()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let settings = Settings { runner: runner(broker.clone()), ..settings };
        let listening = Gateway::new(broker.clone(), settings).listen(listener).unwrap();
        Rig { address: listening.address(), clock, broker, log, listening }
    }

    /// A second door to the same broker, with the usual settings.
    pub(crate) async fn another_door(&self) -> Rig {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let listening = Gateway::new(self.broker.clone(), settings()).listen(listener).unwrap();
        let (clock, broker, log) = (self.clock.clone(), self.broker.clone(), self.log.clone());
        Rig { address: listening.address(), clock, broker, log, listening }
    }

    /// Moves the broker's time.
    pub(crate) fn pass(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// A request on a connection of its own.
    pub(crate) async fn send(&self, request: Request<Bytes>) -> Reply {
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
        let connection = tokio::spawn(connection);
        let response = sender.send_request(request.map(Full::new)).await.unwrap();
        drop(sender);
        let reply = read(response).await;
        connection.abort();
        reply
    }

    /// A request with the address of this server as its host.
    pub(crate) fn request(&self, method: &str, path: &str) -> http::request::Builder {
        Request::builder().method(method).uri(path).header("host", self.address.to_string())
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send(self.request("GET", path).body(Bytes::new()).unwrap()).await
    }

    pub(crate) async fn post(&self, path: &str, body: impl Into<Bytes>) -> Reply {
        self.send(self.request("POST", path).body(body.into()).unwrap()).await
    }

    /// An SQS call in JSON.
    pub(crate) async fn json(&self, action: &str, body: &Value) -> Reply {
        self.json_with(action, body, &[]).await
    }

    /// The same with headers of ours.
    pub(crate) async fn json_with(&self, action: &str, body: &Value, headers: &[(&str, &str)]) -> Reply {
        let request =
            headers.iter().fold(self.json_request(action, body), |to, (name, value)| to.header(*name, *value));
        self.send(request.body(body.to_string().into()).unwrap()).await
    }

    /// A SendMessage with headers of ours; to a FIFO queue, in one group.
    pub(crate) async fn send_message(&self, url: &str, body: &str, headers: &[(&str, &str)]) -> Reply {
        let mut request = json!({"QueueUrl": url, "MessageBody": body});
        if url.ends_with(".fifo") {
            request["MessageGroupId"] = json!("g");
        }
        self.json_with("SendMessage", &request, headers).await
    }

    /// A ChangeMessageVisibility with headers of ours.
    pub(crate) async fn change(&self, url: &str, message: &Value, seconds: u64, headers: &[(&str, &str)]) -> Reply {
        let request = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"], "VisibilityTimeout": seconds});
        self.json_with("ChangeMessageVisibility", &request, headers).await
    }

    /// A job's status.
    pub(crate) async fn status(&self, job: &Value) -> Value {
        let reply = self.get(&format!("/jobs/{}", job["id"].as_str().unwrap())).await;
        assert_eq!(reply.status, 200, "{}", reply.body);
        reply.json()
    }

    pub(crate) fn json_request(&self, action: &str, _body: &Value) -> http::request::Builder {
        self.request("POST", "/")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{action}"))
    }

    /// The same, which has to succeed.
    pub(crate) async fn call(&self, action: &str, body: Value) -> Value {
        let reply = self.json(action, &body).await;
        assert_eq!(reply.status, 200, "{action} {body}: {}", reply.body);
        if reply.body.is_empty() { Value::Null } else { reply.json() }
    }

    /// A Query call by POST; `form` is what a client puts into the body.
    pub(crate) async fn query(&self, path: &str, form: &str) -> Reply {
        let request = self.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(form.to_owned().into()).unwrap()).await
    }

    /// Creates a queue and gives its URL.
    pub(crate) async fn queue(&self, name: &str, attributes: Value) -> String {
        let created = self.call("CreateQueue", json!({"QueueName": name, "Attributes": attributes})).await;
        created["QueueUrl"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn standard(&self, name: &str) -> String {
        self.queue(name, json!({})).await
    }

    pub(crate) async fn fifo(&self, name: &str) -> String {
        self.queue(name, json!({"FifoQueue": "true", "ContentBasedDeduplication": "true"})).await
    }

    /// Receives up to ten messages with all their attributes.
    pub(crate) async fn receive(&self, url: &str) -> Vec<Value> {
        let request = json!({"QueueUrl": url, "MaxNumberOfMessages": 10, "AttributeNames": ["All"],
            "MessageAttributeNames": ["All"]});
        let received = self.call("ReceiveMessage", request).await;
        received["Messages"].as_array().cloned().unwrap_or_default()
    }

    /// An attribute of a queue.
    pub(crate) async fn attribute(&self, url: &str, name: &str) -> Value {
        let request = json!({"QueueUrl": url, "AttributeNames": [name]});
        self.call("GetQueueAttributes", request).await["Attributes"][name].clone()
    }
}

pub(crate) async fn read(response: Response<hyper::body::Incoming>) -> Reply {
    let (head, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Reply { status: head.status.as_u16(), headers: head.headers, body: String::from_utf8(body.to_vec()).unwrap() }
}

/// The `Authorization` header of somebody who says who they are; the signature is nonsense.
pub(crate) fn authorization(access_key_id: &str, region: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential={access_key_id}/20260101/{region}/sqs/aws4_request, SignedHeaders=host, \
         Signature={}",
        "0".repeat(64)
    )
}

/// Waits until a condition comes true, for at most a minute.
pub(crate) async fn until<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    for _ in 0..12_000 {
        if condition().await {
            return;
        }
        // Between two looks at the condition.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("never came true: {what}");
}

/// The status as a number, for tables.
pub(crate) const fn status(code: StatusCode) -> u16 {
    code.as_u16()
}

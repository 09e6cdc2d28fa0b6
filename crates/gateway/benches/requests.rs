//! What a request costs from parsed HTTP to the broker and back, without sockets and without a disk.
//!
//! `cargo bench -p afterward-gateway --bench requests -- [CALL] [COUNT]` makes COUNT calls, 64 at a time on one thread,
//! over a log in memory, and says how much CPU time that thread took for one; without CALL, it does so for each of them.
//! Time on a machine with other things to do is a rough measure. Exact ones, on the binary that cargo names:
//!
//! - instructions: `valgrind --tool=callgrind --collect-atstart=no --toggle-collect='requests::measured' BINARY CALL COUNT`,
//!   divided by COUNT (valgrind knows no SHA instructions, so that hashes cost more there than they do);
//! - allocations: with `--zero-before='requests::measured' --dump-after='requests::measured'` instead, for
//!   `--toggle-collect` leaves out costs and yet counts calls before and after. In the file whose name ends in `.1`,
//!   `callgrind_annotate --tree=caller --inclusive=yes --threshold=100` has the callers of `malloc`, `calloc` and `realloc`
//!   with the numbers of their calls, all threads together; the sum of the three, divided by COUNT.
#![allow(clippy::print_stdout)] // figures are what it is for
#![allow(clippy::unwrap_used)] // there is nobody to tell but who runs it

use afterward_aws::sigv4::{self, Signer};
use afterward_broker::{Broker, Clock, SystemClock};
use afterward_gateway::{Credential, Gateway, Jobs, Limits, Settings};
use afterward_log::memory::{Fencing, MemoryLog};
use afterward_names::{AccountId, QueueAddress, Region};
use bytes::Bytes;
use http::{Method, Request, Response};
use serde_json::{Value, json};
use std::{collections::VecDeque, fs, sync::Arc};
use tokio::{runtime::Runtime, task::JoinSet};

const QUEUE: &str = "http://127.0.0.1:4566/000000000000/jobs";
const CALLS: [&str; 8] =
    ["send", "send-signed", "send-query", "send-batch", "receive", "receive-batch", "delete", "delete-batch"];
/// As many callers as connections in the figures of BENCHMARKS.md.
const CALLERS: usize = 64;
/// Few enough for their messages to be received, as they mostly are, before the broker has let go of them.
const DEFAULT_COUNT: usize = 4_000;

fn main() {
    // `cargo bench` adds an option of its own.
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with("--"));
    let calls = words.next().map_or(CALLS.map(String::from).to_vec(), |call| vec![call]);
    let count = words.next().map_or(DEFAULT_COUNT, |count| count.parse().unwrap());
    for call in calls {
        let rig = Rig::new(call == "send-signed");
        let requests = rig.requests(&call, count);
        let before_ns = thread_cpu_ns();
        measured(&rig, requests);
        println!("{call:13} {:8.0} ns of CPU a call", (thread_cpu_ns() - before_ns) as f64 / count as f64);
    }
}

/// Makes all calls. All that is done in here counts.
#[inline(never)]
fn measured(rig: &Rig, requests: Vec<Request<Bytes>>) {
    rig.answer(requests, |response| assert_eq!(response.status(), 200, "{response:?}"));
}

/// A gateway with a queue.
struct Rig {
    gateway: Gateway,
    runtime: Runtime,
    signer: Option<Signer>,
}

impl Rig {
    fn new(signed: bool) -> Rig {
        let credential = Credential {
            access_key_id: "AKIDEXAMPLE".to_owned(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned(),
            account: None,
        };
        let signer = signed.then(|| {
            let credential = sigv4::Credential {
                access_key_id: credential.access_key_id.clone(),
                secret_access_key: credential.secret_access_key.clone(),
                session_token: None,
            };
            Signer::new(credential, "us-east-1", "sqs")
        });
        let log = Arc::new(MemoryLog::new(Fencing::ByStore));
        let broker = Broker::open(log, Arc::new(SystemClock), afterward_broker::Settings::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let credentials = if signed { vec![credential] } else { Vec::new() };
        let rig = Rig { gateway: Gateway::new(broker, settings(credentials)), runtime, signer };
        let _created = rig.read("CreateQueue", &[json!({"QueueName": "jobs"})]);
        rig
    }

    /// A call in JSON, with the headers that an SDK sends.
    fn json(&self, action: &str, body: &Value) -> Request<Bytes> {
        let mut request = Request::builder()
            .method(Method::POST)
            .uri("/")
            .header("host", "127.0.0.1:4566")
            .header("user-agent", "aws-sdk-rust/1.3.3 os/linux lang/rust/1.80.0")
            .header("content-type", "application/x-amz-json-1.0")
            .header("x-amz-target", format!("AmazonSQS.{action}"))
            .header("amz-sdk-request", "attempt=1; max=3")
            .header("amz-sdk-invocation-id", "0d5b8a9e-7f0c-4a1d-8f0e-3a0f3a8f1c2d");
        let body = Bytes::from(body.to_string());
        let headers = request.headers_mut().unwrap();
        match &self.signer {
            Some(signer) => signer.sign(&Method::POST, &"/".parse().unwrap(), headers, &body, SystemClock.now_ms()),
            None => {
                let authorization = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/sqs/aws4_request, \
                    SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=\
                    a76c5e6d504e6db03a4f830441365af5d30f1c2b83df344574c79e3097447f3c";
                headers.insert("authorization", authorization.parse().unwrap());
                headers.insert("x-amz-date", "20260101T000000Z".parse().unwrap());
            }
        }
        headers.insert("content-length", body.len().into());
        request.body(body).unwrap()
    }

    /// Makes the calls, [`CALLERS`] at a time.
    fn answer(&self, requests: Vec<Request<Bytes>>, with: impl Fn(Response<Bytes>) + Clone + 'static) {
        let mut shares: Vec<VecDeque<Request<Bytes>>> = (0..CALLERS).map(|_| VecDeque::new()).collect();
        for (number, request) in requests.into_iter().enumerate() {
            shares[number % CALLERS].push_back(request);
        }
        let local = tokio::task::LocalSet::new();
        local.block_on(&self.runtime, async {
            let mut callers = JoinSet::new();
            for share in shares {
                let (gateway, with) = (self.gateway.clone(), with.clone());
                callers.spawn_local(async move {
                    for request in share {
                        with(gateway.handle(request).await);
                    }
                });
            }
            while let Some(ended) = callers.join_next().await {
                ended.unwrap();
            }
        });
    }

    /// The results of these calls.
    fn read(&self, action: &str, bodies: &[Value]) -> Vec<Value> {
        let requests = bodies.iter().map(|body| self.json(action, body)).collect();
        let (results, all) = std::sync::mpsc::channel();
        self.answer(requests, move |response| {
            results.send(serde_json::from_slice(response.body()).unwrap()).unwrap();
        });
        all.into_iter().collect()
    }

    /// `count` requests of a kind, and the messages that they are about.
    fn requests(&self, call: &str, count: usize) -> Vec<Request<Bytes>> {
        let text = "0123456789abcdef".repeat(16);
        let one = json!({"QueueUrl": QUEUE, "MessageBody": text});
        let entries: Vec<_> = (0..10).map(|id| json!({"Id": id.to_string(), "MessageBody": text})).collect();
        let ten = json!({"QueueUrl": QUEUE, "Entries": entries});
        let fill = |batches| self.read("SendMessageBatch", &vec![ten.clone(); batches]);
        let few = |max| json!({"QueueUrl": QUEUE, "MaxNumberOfMessages": max, "VisibilityTimeout": 43200});
        match call {
            "send" | "send-signed" => (0..count).map(|_| self.json("SendMessage", &one)).collect(),
            "send-query" => (0..count).map(|_| query(&text)).collect(),
            "send-batch" => (0..count).map(|_| self.json("SendMessageBatch", &ten)).collect(),
            "receive" | "receive-batch" => {
                let max = if call == "receive" { 1 } else { 10 };
                let _sent = fill((count * max).div_ceil(10));
                (0..count).map(|_| self.json("ReceiveMessage", &few(max))).collect()
            }
            "delete" | "delete-batch" => {
                let _sent = fill(count);
                let received = self.read("ReceiveMessage", &vec![few(10); count]);
                let messages = received.iter().map(|received| received["Messages"].as_array().unwrap().as_slice());
                messages.map(|messages| self.delete(call, messages)).collect()
            }
            other => panic!("there is no call {other}; there are {CALLS:?}"),
        }
    }

    fn delete(&self, call: &str, messages: &[Value]) -> Request<Bytes> {
        if call == "delete" {
            let body = json!({"QueueUrl": QUEUE, "ReceiptHandle": messages[0]["ReceiptHandle"]});
            return self.json("DeleteMessage", &body);
        }
        let entry =
            |(id, message): (usize, &Value)| json!({"Id": id.to_string(), "ReceiptHandle": message["ReceiptHandle"]});
        let entries: Vec<_> = messages.iter().enumerate().map(entry).collect();
        self.json("DeleteMessageBatch", &json!({"QueueUrl": QUEUE, "Entries": entries}))
    }
}

/// SendMessage as SDKs sent it when they spoke Query.
fn query(text: &str) -> Request<Bytes> {
    let queue = QUEUE.replace(':', "%3A").replace('/', "%2F");
    let form = format!("Action=SendMessage&Version=2012-11-05&QueueUrl={queue}&MessageBody={text}");
    Request::builder()
        .method(Method::POST)
        .uri("/")
        .header("host", "127.0.0.1:4566")
        .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
        .header("content-length", form.len())
        .body(form.into())
        .unwrap()
}

fn settings(credentials: Vec<Credential>) -> Settings {
    let queue =
        QueueAddress { account: AccountId::DEFAULT, region: Region::default(), name: "front-door".parse().unwrap() };
    Settings {
        credentials,
        cooldowns: false,
        jobs: Jobs { queue, delay_ms: None, cors_origins: Vec::new(), public: false },
        limits: Limits::default(),
        threads: 1,
        clock: None,
        runner: None,
    }
}

/// What the calling thread has run so far; where the system does not say, 0.
fn thread_cpu_ns() -> u64 {
    let said = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    said.split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0)
}

//! The whole way in: requests as text, one after the other, against a gateway over a broker in memory.
//!
//! So every grammar is reached where it is used: queue URLs and ARNs, attributes and policies, redrive policies, message
//! attributes, batches, receipt handles (`{receipt}` stands for the last one given out), `/jobs` and `/_afterward`.
//!
//! - Nothing is our fault: no answer is an `InternalFailure`, none is 503, and each is well-formed in its protocol.
//! - The same requests, at a gateway that asks for signatures, get nothing but what is open to everybody: the seeds have
//!   no signature of its key.

use crate::{
    memory,
    request::{Request, part, split},
    sqs_query::well_formed,
};
use afterward_broker::{Broker, ManualClock};
use afterward_gateway::{Credential, Gateway, Jobs, Limits, Settings};
use afterward_log::memory::{Fencing, MemoryLog};
use afterward_names::{AccountId, QueueAddress, Region};
use bytes::Bytes;
use http::{Response, header::CONTENT_TYPE};
use std::{cell::RefCell, sync::Arc, time::Duration};
use tokio::runtime::{Builder, Runtime};

const START_MS: u64 = 1_700_000_000_000;
const MOST_REQUESTS: usize = 24;
/// Stands for the last receipt handle.
const RECEIPT: &[u8] = b"{receipt}";

thread_local! {
    static RUNTIME: Runtime = Builder::new_current_thread().build().expect("a runtime without IO");
    /// Nothing comes past its door, so it serves all inputs.
    static LOCKED: Stage = Stage::new(vec![Credential {
        access_key_id: "LOCKED".to_owned(),
        secret_access_key: "nobody signs with this".to_owned(),
        account: None,
    }]);
}

/// Any bytes.
pub fn run(input: &[u8]) {
    let requests: Vec<&[u8]> = split(input).into_iter().take(MOST_REQUESTS).collect();
    if requests.first().is_none_or(|first| Request::read(first).is_none()) {
        return;
    }
    LOCKED.with(|locked| requests.iter().for_each(|text| locked.refuses(text)));
    let open = Stage::new(Vec::new());
    memory::within((16 << 20) + 256 * input.len(), || requests.iter().for_each(|text| open.answers(text)));
}

/// A gateway, and what its clients remember.
struct Stage {
    gateway: Gateway,
    clock: Arc<ManualClock>,
    receipt: RefCell<Vec<u8>>,
}

impl Stage {
    fn new(credentials: Vec<Credential>) -> Stage {
        let clock = Arc::new(ManualClock::at(START_MS));
        let log = Arc::new(MemoryLog::new(Fencing::ByStore));
        let broker = Broker::open(log, clock.clone(), afterward_broker::Settings::default()).expect("a new log opens");
        // Nobody moves the clock while a receive waits.
        broker.end_waits();
        let queue = QueueAddress {
            account: AccountId::DEFAULT,
            region: Region::default(),
            name: "jobs".parse().expect("a queue's name"),
        };
        let jobs =
            Jobs { queue, delay_ms: None, cors_origins: vec!["https://pages.example".to_owned()], public: false };
        let settings = Settings {
            credentials,
            cooldowns: true,
            jobs,
            limits: Limits::default(),
            threads: 1,
            clock: Some(clock.clone()),
            runner: None,
        };
        Stage { gateway: Gateway::new(broker, settings), clock, receipt: RefCell::default() }
    }

    fn handle(&self, request: Request) -> Response<Bytes> {
        let mut incoming = http::Request::new(Bytes::from(request.body));
        *incoming.method_mut() = request.method;
        *incoming.uri_mut() = request.uri;
        *incoming.headers_mut() = request.headers;
        RUNTIME.with(|runtime| runtime.block_on(self.gateway.handle(incoming)))
    }

    fn refuses(&self, text: &[u8]) {
        let Some(request) = Request::read(text) else { return };
        let path = request.uri.path().to_owned();
        let is_open = matches!(path.as_str(), "/_afterward/health" | "/_afterward/ready" | "/_afterward/metrics");
        let is_preflight = request.method == http::Method::OPTIONS && path.starts_with("/jobs");
        let is_head = request.method == http::Method::HEAD;
        let response = self.handle(request);
        let is_welcome = path == "/" && (is_head || response.body().starts_with(b"Afterward, a durable queue server"));
        let is_let_in = response.status().is_success();
        assert!(!is_let_in || is_open || is_preflight || is_welcome, "{path}: {response:?}");
    }

    fn answers(&self, text: &[u8]) {
        // A second between two requests, so that leases and delays end within an input.
        self.clock.advance(Duration::from_secs(1));
        let filled = self.filled(text);
        let Some(request) = Request::read(&filled) else { return };
        let is_head = request.method == http::Method::HEAD;
        let response = self.handle(request);
        let body = response.body();
        assert!(response.status().as_u16() < 500 || response.status().as_u16() == 501, "our fault: {response:?}");
        match content_type(&response) {
            kind if kind.contains("json") && !(is_head && body.is_empty()) => {
                let read: Result<serde_json::Value, _> = serde_json::from_slice(body);
                assert!(read.is_ok() || body.is_empty(), "no JSON: {response:?}");
            }
            kind if kind.contains("xml") => well_formed(body),
            _ => {}
        }
        self.remember(body);
    }

    fn filled(&self, text: &[u8]) -> Vec<u8> {
        let mut filled = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = part(rest, RECEIPT) {
            filled.extend_from_slice(before);
            filled.extend_from_slice(&self.receipt.borrow());
            rest = after;
        }
        filled.extend_from_slice(rest);
        filled
    }

    fn remember(&self, body: &[u8]) {
        for (mark, end) in [(&b"\"ReceiptHandle\":\""[..], &b"\""[..]), (b"<ReceiptHandle>", b"<")] {
            if let Some((handle, _)) = part(body, mark).and_then(|(_, rest)| part(rest, end)) {
                self.receipt.replace(handle.to_vec());
            }
        }
    }
}

fn content_type(response: &Response<Bytes>) -> &str {
    response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

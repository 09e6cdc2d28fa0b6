//! Sends that are made, and signed or not, before the measurement, so that this costs the generator nothing while it
//! shares its cores with the server.

use crate::{ledger::Ledger, shapes, sqs::Queue};
use afterward_aws::sigv4::Signer;
use http::{HeaderMap, HeaderValue, Method, Uri};
use std::{
    net::SocketAddr,
    time::{SystemTime, UNIX_EPOCH},
};

/// Requests, each of one message. A signature is good for fifteen minutes.
#[derive(Debug)]
pub struct Presigned(Vec<(u32, Vec<u8>)>);

impl Presigned {
    /// Makes requests of `count` messages to `queue`; without a signer nothing in them says who calls.
    pub fn new(
        address: SocketAddr,
        queue: &Queue,
        signer: Option<&Signer>,
        count: usize,
        ledger: &mut Ledger,
    ) -> Presigned {
        let host = address.to_string();
        let mut body = ledger.bodies().template().to_vec();
        let request = |_| {
            let number = ledger.take_number();
            ledger.bodies().number(&mut body, number);
            let json = shapes::send(&queue.url, &String::from_utf8_lossy(&body), false);
            (number, encode(&headers(signer, &host, json.as_bytes()), json.as_bytes()))
        };
        Presigned((0..count).map(request).collect())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// One of them, counting round and round: its message's number and its bytes.
    pub fn get(&self, at: usize) -> (u32, &[u8]) {
        let (number, request) = &self.0[at % self.0.len()];
        (*number, request)
    }
}

/// The headers of a send of `json` but for its length.
pub(crate) fn headers(signer: Option<&Signer>, host: &str, json: &[u8]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut insert = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    insert("host", host);
    insert("content-type", "application/x-amz-json-1.0");
    insert("x-amz-target", "AmazonSQS.SendMessage");
    if let Some(signer) = signer {
        signer.sign(&Method::POST, &Uri::from_static("/"), &mut headers, json, now_ms());
    }
    headers
}

/// The time, as signatures want it.
pub(crate) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn encode(headers: &HeaderMap, json: &[u8]) -> Vec<u8> {
    let mut request = b"POST / HTTP/1.1\r\n".to_vec();
    for (name, value) in headers {
        request.extend_from_slice(name.as_str().as_bytes());
        request.extend_from_slice(b": ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(format!("content-length: {}\r\n\r\n", json.len()).as_bytes());
    request.extend_from_slice(json);
    request
}

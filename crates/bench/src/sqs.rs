//! An SQS client for measuring: requests are bytes made ahead, in which only numbers and receipt handles change.

use crate::{
    http::{CallError, Connection},
    ledger::Ledger,
    shapes,
};
use std::{cell::RefCell, net::SocketAddr};
use thiserror::Error;

/// Why an action failed.
#[derive(Debug, Error)]
pub enum ActionError {
    /// No answer came.
    #[error("{action}: {error}")]
    Call {
        /// Which action.
        action: &'static str,
        /// Why.
        error: CallError,
    },
    /// The answer says no.
    #[error("{action}: status {status}: {text}")]
    Status {
        /// Which action.
        action: &'static str,
        /// The HTTP status.
        status: u16,
        /// The beginning of the answer.
        text: String,
    },
    /// The answer is not what the action answers.
    #[error("{action}: {error} in {text}")]
    Shape {
        /// Which action.
        action: &'static str,
        /// What is wrong with it.
        error: serde_json::Error,
        /// The beginning of the answer.
        text: String,
    },
}

/// A message that was received.
#[derive(Debug)]
pub struct Delivered {
    /// Its number, if it is one of the run's.
    pub number: Option<u32>,
    /// Its receipt handle.
    pub receipt: String,
}

/// What a server's acknowledgement of a send is held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Each message has its own MD5 and id.
    Broker,
    /// The same answer every time, from the bare HTTP server: it is read and the MD5 computed all the same, so that the
    /// generator costs as much as with a broker.
    Canned,
}

/// One connection's client of one queue.
#[derive(Debug)]
pub struct Client {
    connection: Connection,
    host: String,
    queue_url: String,
    send: Template,
    batch: Template,
    receive: Vec<u8>,
    request: Vec<u8>,
    /// A JSON body while its length is not known yet.
    json: Vec<u8>,
}

/// A request with places for bodies.
#[derive(Debug, Default)]
struct Template {
    bytes: Vec<u8>,
    /// Where the bodies begin.
    places: Vec<usize>,
    group_places: Vec<usize>,
    groups: u32,
}

/// A queue, by its URL, and what is sent to it.
#[derive(Debug, Clone)]
pub struct Queue {
    /// The URL that the server gave.
    pub url: String,
    /// How many message groups: 0 is a standard queue.
    pub groups: u32,
}

/// How many messages a batch has.
pub const BATCH: usize = 10;

/// Formed as a signature, for servers that look for one: it names an account and a region.
const UNSIGNED: &str = "x-amz-date: 20260101T000000Z\r\nauthorization: AWS4-HMAC-SHA256 \
    Credential=bench/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, \
    Signature=0000000000000000000000000000000000000000000000000000000000000000\r\n";

/// The bytes of a request, without a signature that anybody could verify.
pub(crate) fn encode(host: &str, action: &str, json: &[u8], out: &mut Vec<u8>) {
    out.clear();
    out.extend_from_slice(b"POST / HTTP/1.1\r\nhost: ");
    out.extend_from_slice(host.as_bytes());
    out.extend_from_slice(b"\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: AmazonSQS.");
    out.extend_from_slice(action.as_bytes());
    out.extend_from_slice(b"\r\n");
    out.extend_from_slice(UNSIGNED.as_bytes());
    out.extend_from_slice(format!("content-length: {}\r\n\r\n", json.len()).as_bytes());
    out.extend_from_slice(json);
}

impl Client {
    /// A client of `queue` at `address`; `ledger` says what the bodies are.
    pub fn new(address: SocketAddr, queue: &Queue, ledger: &Ledger) -> Client {
        let host = address.to_string();
        let body = String::from_utf8_lossy(ledger.bodies().template()).into_owned();
        let grouped = queue.groups > 0;
        let one = shapes::send(&queue.url, &body, grouped);
        let ten = shapes::send_batch(&queue.url, &body, grouped, BATCH);
        let send = Template::new(&host, "SendMessage", &one, &body, queue.groups);
        let batch = Template::new(&host, "SendMessageBatch", &ten, &body, queue.groups);
        let mut client = Client {
            connection: Connection::new(address),
            host,
            queue_url: queue.url.clone(),
            send,
            batch,
            receive: Vec::new(),
            request: Vec::new(),
            json: Vec::new(),
        };
        client.receives(BATCH, 0, None);
        client
    }

    /// Says how `receive` receives from now on. Without `visibility_s` messages are hidden for the queue's own time.
    pub fn receives(&mut self, max: usize, wait_s: u32, visibility_s: Option<u32>) {
        let json = shapes::receive(&self.queue_url, max, wait_s, visibility_s);
        encode(&self.host, "ReceiveMessage", json.as_bytes(), &mut self.receive);
    }

    /// Sends one message; its number.
    ///
    /// # Errors
    /// See [`ActionError`].
    pub async fn send(&mut self, ledger: &RefCell<Ledger>, expect: Expect) -> Result<u32, ActionError> {
        let number = self.send.fill(&mut ledger.borrow_mut())[0];
        let reply = call(&mut self.connection, "SendMessage", &self.send.bytes).await?;
        let sent: shapes::Sent<'_> = parse("SendMessage", reply)?;
        let mut ledger = ledger.borrow_mut();
        match expect {
            Expect::Broker => ledger.acknowledged(number, &sent.id, &sent.md5),
            Expect::Canned => {
                std::hint::black_box(ledger.bodies().md5(number));
                if &*sent.md5 != shapes::CANNED_MD5 {
                    ledger.failed("the bare server answered something else");
                }
            }
        }
        Ok(number)
    }

    /// Sends a batch of ten; how many of them were acknowledged.
    ///
    /// # Errors
    /// See [`ActionError`].
    pub async fn send_batch(&mut self, ledger: &RefCell<Ledger>) -> Result<usize, ActionError> {
        const ACTION: &str = "SendMessageBatch";
        let numbers = self.batch.fill(&mut ledger.borrow_mut());
        let reply = call(&mut self.connection, ACTION, &self.batch.bytes).await?;
        let sent: shapes::SentBatch<'_> = parse(ACTION, reply)?;
        let mut ledger = ledger.borrow_mut();
        let mut taken = 0;
        for entry in &sent.successful {
            match entry.entry.parse().ok().and_then(|at: usize| numbers.get(at)) {
                Some(number) => ledger.acknowledged(*number, &entry.id, &entry.md5),
                None => ledger.failed(format!("{ACTION} acknowledged the entry {:?}, which was not sent", entry.entry)),
            }
            taken += 1;
        }
        if taken < BATCH {
            ledger.failed(format!("{ACTION} took {taken} of {BATCH} entries: {}", excerpt(reply)));
        }
        Ok(taken)
    }

    /// Receives as [`Client::receives`] said, and enters what came into the ledger.
    ///
    /// # Errors
    /// See [`ActionError`].
    pub async fn receive(
        &mut self,
        ledger: &RefCell<Ledger>,
        delivered: &mut Vec<Delivered>,
    ) -> Result<(), ActionError> {
        delivered.clear();
        let reply = call(&mut self.connection, "ReceiveMessage", &self.receive).await?;
        let received: shapes::Received<'_> = parse("ReceiveMessage", reply)?;
        let mut ledger = ledger.borrow_mut();
        for message in received.messages.iter().flatten() {
            let number = ledger.received(message.body.as_bytes(), Some(&message.md5));
            delivered.push(Delivered { number, receipt: message.receipt.clone().into_owned() });
        }
        Ok(())
    }

    /// Deletes one message.
    ///
    /// # Errors
    /// See [`ActionError`].
    pub async fn delete(&mut self, receipt: &str) -> Result<(), ActionError> {
        shapes::delete(&self.queue_url, receipt, &mut self.json);
        encode(&self.host, "DeleteMessage", &self.json, &mut self.request);
        call(&mut self.connection, "DeleteMessage", &self.request).await?;
        Ok(())
    }

    /// Deletes up to ten messages; what the server did not delete is entered as a failure.
    ///
    /// # Errors
    /// See [`ActionError`].
    pub async fn delete_batch(&mut self, ledger: &RefCell<Ledger>, delivered: &[Delivered]) -> Result<(), ActionError> {
        const ACTION: &str = "DeleteMessageBatch";
        let receipts = delivered.iter().map(|message| message.receipt.as_str());
        shapes::delete_batch(&self.queue_url, receipts, &mut self.json);
        encode(&self.host, ACTION, &self.json, &mut self.request);
        let reply = call(&mut self.connection, ACTION, &self.request).await?;
        let deleted: shapes::Deleted = parse(ACTION, reply)?;
        if deleted.successful.len() != delivered.len() {
            let text = excerpt(reply);
            ledger.borrow_mut().failed(format!("{ACTION} deleted too few of {}: {text}", delivered.len()));
        }
        Ok(())
    }

    /// Sends a request that was made ahead.
    ///
    /// # Errors
    /// See [`ActionError`].
    pub async fn send_ahead(
        &mut self,
        ledger: &RefCell<Ledger>,
        number: u32,
        request: &[u8],
    ) -> Result<(), ActionError> {
        let reply = call(&mut self.connection, "SendMessage", request).await?;
        let sent: shapes::Sent<'_> = parse("SendMessage", reply)?;
        ledger.borrow_mut().acknowledged(number, &sent.id, &sent.md5);
        Ok(())
    }
}

impl Template {
    fn new(host: &str, action: &str, json: &str, body: &str, groups: u32) -> Template {
        let mut bytes = Vec::new();
        encode(host, action, json.as_bytes(), &mut bytes);
        let places = memchr::memmem::find_iter(&bytes, body).collect();
        let group_places = memchr::memmem::find_iter(&bytes, shapes::GROUP).collect();
        Template { bytes, places, group_places, groups }
    }

    /// Gives every body its own number, and its group by that number.
    fn fill(&mut self, ledger: &mut Ledger) -> [u32; BATCH] {
        let mut numbers = [0; BATCH];
        for (place, number) in self.places.iter().zip(&mut numbers) {
            *number = ledger.take_number();
            let bodies = ledger.bodies();
            bodies.number(&mut self.bytes[*place..*place + bodies.bytes()], *number);
        }
        for (place, number) in self.group_places.iter().zip(&numbers) {
            let place = &mut self.bytes[*place..*place + shapes::GROUP.len()];
            let group = format!("group-{:08}", number % self.groups.max(1));
            place.copy_from_slice(group.as_bytes());
        }
        numbers
    }
}

/// An action that is not measured: its JSON in, the answer's JSON out.
///
/// # Errors
/// See [`ActionError`].
pub async fn act(
    address: SocketAddr,
    action: &'static str,
    json: &serde_json::Value,
) -> Result<serde_json::Value, ActionError> {
    let mut request = Vec::new();
    encode(&address.to_string(), action, json.to_string().as_bytes(), &mut request);
    let mut connection = Connection::new(address);
    let body = call(&mut connection, action, &request).await?;
    if body.is_empty() { Ok(serde_json::Value::Null) } else { parse(action, body) }
}

/// Creates a queue.
///
/// # Errors
/// See [`ActionError`].
pub async fn create_queue(address: SocketAddr, name: &str, attributes: &[(&str, &str)]) -> Result<Queue, ActionError> {
    let attributes: serde_json::Map<String, serde_json::Value> =
        attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).into())).collect();
    let json = serde_json::json!({ "QueueName": name, "Attributes": attributes });
    let created = act(address, "CreateQueue", &json).await?;
    Ok(Queue { url: created["QueueUrl"].as_str().unwrap_or_default().to_owned(), groups: 0 })
}

async fn call<'a>(
    connection: &'a mut Connection,
    action: &'static str,
    request: &[u8],
) -> Result<&'a [u8], ActionError> {
    let reply = connection.call(request).await.map_err(|error| ActionError::Call { action, error })?;
    match reply.status {
        200 => Ok(reply.body),
        status => Err(ActionError::Status { action, status, text: excerpt(reply.body) }),
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(action: &'static str, body: &'a [u8]) -> Result<T, ActionError> {
    serde_json::from_slice(body).map_err(|error| ActionError::Shape { action, error, text: excerpt(body) })
}

fn excerpt(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned()
}

//! Moving a message to the dead-letter queue before the queue itself would, and with the reason.
//!
//! An Afterward server does that in one step, told by a header of ChangeMessageVisibility. Elsewhere the message is sent to the
//! dead-letter queue and then deleted, in this order, so that a crash in between doubles it rather than losing it. Where the
//! dead-letter queue is a FIFO queue, it takes only one of the two.

use super::{
    Queue, receipt,
    source::{error_header, of_lease, of_queue},
    ticks::of_call,
};
use crate::{Attribute, DeadLetter, Delivery, Redrive, SourceError, sqs};
use http::{HeaderName, HeaderValue};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Asks an Afterward server to move a message to the dead-letter queue instead of making it visible.
const DEAD_LETTER_HEADER: HeaderName = HeaderName::from_static("x-afterward-dead-letter");
/// What a message can carry.
const MOST_ATTRIBUTES: usize = 10;
/// The longest error text that travels with a message, cut at a character.
const LONGEST_ERROR_BYTES: usize = 1024;
/// As many letters as may be between their two steps at a time.
const MOST_SENT_LETTERS: usize = 256;

/// The receipts whose messages are in the dead-letter queue and are not deleted yet. Who settles a message tries again while
/// the service is away, and then only the second step is missing. By receipt and not by id: a message that was redriven from
/// there may well keep its id, and go there once more.
#[derive(Default)]
pub(super) struct SentLetters(Mutex<VecDeque<String>>);

impl SentLetters {
    fn has(&self, receipt: &str) -> bool {
        self.receipts().iter().any(|sent| sent == receipt)
    }

    fn keep(&self, receipt: &str) {
        let mut receipts = self.receipts();
        // The oldest are those that nobody came back for.
        if receipts.len() >= MOST_SENT_LETTERS {
            receipts.pop_front();
        }
        receipts.push_back(receipt.to_owned());
    }

    fn forget(&self, receipt: &str) {
        self.receipts().retain(|sent| sent != receipt);
    }

    fn receipts(&self) -> MutexGuard<'_, VecDeque<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    /// The redrive policy, where the queue has one.
    pub(super) async fn redrive_policy(&self) -> Result<Option<Redrive>, SourceError> {
        let request = sqs::GetQueueAttributesRequest {
            queue_url: self.url().to_owned(),
            attribute_names: vec!["RedrivePolicy".to_owned()],
        };
        let attributes = self.client().get_queue_attributes(request).await.map_err(of_queue)?.attributes;
        Ok(attributes.get("RedrivePolicy").and_then(|text| policy(text)))
    }

    /// Moves a message there.
    pub(super) async fn move_to_dead_letters(&self, letter: &DeadLetter<'_>) -> Result<(), SourceError> {
        let (handle, _) = receipt::parts(&letter.delivery.receipt);
        if self.is_afterward().await.map_err(of_call)? {
            return self.move_in_one_step(handle, letter.error).await;
        }
        if !self.0.letters.has(handle) {
            self.send_to_dead_letters(letter).await?;
            self.0.letters.keep(handle);
        }
        self.tell_end(&letter.delivery.receipt).await?;
        // What a claim check has in a store stays there: the dead-letter queue's message needs it.
        let outcome = self.0.deletes.delete(handle).await;
        if !matches!(outcome, Err(SourceError::Unavailable(_))) {
            self.0.letters.forget(handle);
        }
        outcome
    }

    async fn move_in_one_step(&self, handle: &str, error: &str) -> Result<(), SourceError> {
        let request = sqs::Request::ChangeMessageVisibility(sqs::ChangeMessageVisibilityRequest {
            queue_url: self.url().to_owned(),
            receipt_handle: handle.to_owned(),
            visibility_timeout: 0,
        });
        let mut headers = error_header(error);
        headers.insert(DEAD_LETTER_HEADER, HeaderValue::from_static("true"));
        self.client().call(&request, headers).await.map(drop).map_err(|error| of_lease(&error))
    }

    async fn send_to_dead_letters(&self, letter: &DeadLetter<'_>) -> Result<(), SourceError> {
        let url = self.dead_letter_url(letter.redrive).await?;
        let own = reasons(letter, Queue::name(self));
        let request = |attributes| copy(letter, url.clone(), attributes);
        match self.client().send_message(request(with(letter.delivery, own))).await {
            Ok(_) => Ok(()),
            // Perhaps it has become too long with the reason, which is logged as well.
            Err(error) if error.is_invalid_value() => {
                let sent = self.client().send_message(request(with(letter.delivery, []))).await;
                sent.map(drop).map_err(of_queue)
            }
            Err(error) => Err(of_queue(error)),
        }
    }

    async fn dead_letter_url(&self, redrive: &Redrive) -> Result<String, SourceError> {
        let request = sqs::GetQueueUrlRequest {
            queue_name: redrive.dead_letter_queue().to_owned(),
            // arn:aws:sqs:REGION:ACCOUNT:NAME
            queue_owner_aws_account_id: redrive.dead_letter_target_arn.split(':').nth(4).map(str::to_owned),
        };
        let url = self.client().get_queue_url(request).await.map_err(of_queue)?.queue_url;
        url.ok_or_else(|| SourceError::Refused("the service did not say the dead-letter queue's URL".into()))
    }
}

/// What the attribute `RedrivePolicy` says. Amazon gives the count as a number, or as text where it was set so.
fn policy(text: &str) -> Option<Redrive> {
    let policy: serde_json::Value = serde_json::from_str(text).ok()?;
    let count = &policy["maxReceiveCount"];
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok())?;
    Some(Redrive::new(policy["deadLetterTargetArn"].as_str()?, u32::try_from(count).ok()?))
}

/// What is said of a message that came to this: the most important first.
fn reasons(letter: &DeadLetter<'_>, queue: &str) -> [(&'static str, Attribute); 4] {
    let error = &letter.error[..letter.error.floor_char_boundary(LONGEST_ERROR_BYTES)];
    // SQS takes no empty attributes, and no control characters but these.
    let error: String = error.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t' | '\r')).collect();
    let error = if error.is_empty() { "(no error text)".to_owned() } else { error };
    [
        ("afterward.error", error.into()),
        ("afterward.attempts", letter.delivery.receive_count.into()),
        ("afterward.queue", queue.into()),
        ("afterward.message_id", letter.delivery.id.clone().into()),
    ]
}

/// The message's own attributes, and of these as many as there is room for.
fn with(delivery: &Delivery, own: impl IntoIterator<Item = (&'static str, Attribute)>) -> BTreeMap<String, Attribute> {
    let mut attributes = delivery.attributes.clone();
    for (name, value) in own {
        if attributes.len() < MOST_ATTRIBUTES || attributes.contains_key(name) {
            attributes.insert(name.to_owned(), value);
        }
    }
    attributes
}

/// The message as it is sent to the dead-letter queue. It keeps its group; the one deduplication id that it has everywhere is
/// the service's id, so that it arrives once though it be sent twice. The id that we call it by would not do: it stays the same
/// when the message is redriven, and failing once more soon after, it would be taken for the letter that was there before.
fn copy(
    letter: &DeadLetter<'_>,
    queue_url: String,
    attributes: BTreeMap<String, Attribute>,
) -> sqs::SendMessageRequest {
    let delivery = letter.delivery;
    let to_fifo = letter.redrive.dead_letter_queue().ends_with(".fifo");
    let service_id = delivery.service_id.as_ref().unwrap_or(&delivery.id);
    sqs::SendMessageRequest {
        queue_url,
        message_body: delivery.body.clone(),
        message_attributes: attributes.into_iter().map(|(name, value)| (name, value.into_wire())).collect(),
        message_group_id: delivery.group.clone().or_else(|| to_fifo.then(|| delivery.id.clone())),
        message_deduplication_id: to_fifo.then(|| service_id.clone()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sqs::tests::{
        client,
        server::{Server, error, ok},
    };

    #[test]
    fn a_redrive_policy_is_read_as_the_services_write_it() {
        let arn = "arn:aws:sqs:us-east-1:000000000000:dead";
        for (text, count) in [
            (format!(r#"{{"deadLetterTargetArn":"{arn}","maxReceiveCount":3}}"#), Some(3)),
            (format!(r#"{{"maxReceiveCount":"5","deadLetterTargetArn":"{arn}"}}"#), Some(5)),
            (r#"{"maxReceiveCount":5}"#.to_owned(), None),
            (String::new(), None),
        ] {
            let expected = count.map(|count| Redrive::new(arn, count));
            assert_eq!(policy(&text), expected, "{text}");
        }
        assert_eq!(Redrive::new(arn, 1).dead_letter_queue(), "dead");
    }

    #[test]
    fn a_letter_keeps_what_the_message_had_and_says_why_as_far_as_there_is_room() {
        let redrive = Redrive::new("arn:aws:sqs:us-east-1:000000000000:dead.fifo", 3);
        for (own, names) in [
            (0, &["afterward.attempts", "afterward.error", "afterward.message_id", "afterward.queue"][..]),
            (8, &["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "afterward.attempts", "afterward.error"]),
            (10, &["a0", "a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9"]),
        ] {
            let mut delivery = Delivery::new("m1", "r1", "b");
            delivery.group = Some("g".into());
            delivery.attributes = (0..own).map(|n| (format!("a{n}"), Attribute::from(n))).collect();
            let letter = DeadLetter::new(&delivery, "no\u{0} paper", &redrive);
            let sent = copy(&letter, "url".into(), with(&delivery, reasons(&letter, "jobs")));
            assert_eq!(sent.message_attributes.keys().collect::<Vec<_>>(), names);
            assert_eq!(
                (sent.message_group_id.as_deref(), sent.message_deduplication_id.as_deref()),
                (Some("g"), Some("m1"))
            );
            if let Some(error) = sent.message_attributes.get("afterward.error") {
                assert_eq!(error.string_value.as_deref(), Some("no paper"));
            }
        }
    }

    #[tokio::test]
    async fn of_a_message_that_waited_each_sending_has_a_letter_of_its_own() {
        let server = Server::ruled(|asked| match &*target(asked) {
            "AmazonSQS.ReceiveMessage" => ok(r#"{"Messages":[{"MessageId":"m2","ReceiptHandle":"r","Body":"b",
                "Attributes":{"MessageGroupId":"g"},
                "MessageAttributes":{"afterward.id":{"DataType":"String","StringValue":"m1"}}}]}"#),
            _ => error(404, "NotFound", "not here"),
        })
        .await;
        let jobs = Queue::with_client(client(&server.url()), "http://elsewhere/123456789012/jobs.fifo");
        let ask = crate::Receive::new(1, std::time::Duration::ZERO, std::time::Duration::from_secs(30));
        let delivery = crate::Source::receive(&jobs, ask).await.unwrap().remove(0);
        let redrive = Redrive::new("arn:aws:sqs:us-east-1:000000000000:dead.fifo", 3);
        let sent = copy(&DeadLetter::new(&delivery, "no paper", &redrive), "url".into(), BTreeMap::new());
        assert_eq!((&*delivery.id, sent.message_deduplication_id.as_deref()), ("m1", Some("m2")));
    }

    /// A delivery that failed, and the queue's policy.
    fn failed() -> (Delivery, Redrive) {
        let mut delivery = Delivery::new("m1", "r1", "b");
        delivery.attributes.insert("tenant".into(), "acme".into());
        (delivery, Redrive::new("arn:aws:sqs:us-east-1:123456789012:dead", 3))
    }

    fn target(asked: &http::Request<bytes::Bytes>) -> String {
        let target = asked.headers().get("x-amz-target").map(|target| target.to_str().unwrap());
        target.map_or_else(|| asked.uri().path().to_owned(), str::to_owned)
    }

    #[tokio::test]
    async fn elsewhere_it_is_moved_in_two_steps_and_deleted_only_when_it_was_sent() {
        for (send, steps, moved) in [
            (ok(r#"{"MessageId":"m2"}"#), &["SendMessage", "DeleteMessage"][..], true),
            (error(403, "AccessDenied", "no"), &["SendMessage"], false),
            (error(400, "InvalidParameterValue", "too long"), &["SendMessage", "SendMessage"], false),
        ] {
            let server = Server::ruled(move |asked| match &*target(asked) {
                "AmazonSQS.GetQueueUrl" => ok(r#"{"QueueUrl":"http://elsewhere/123456789012/dead"}"#),
                "AmazonSQS.SendMessage" => send.clone(),
                "AmazonSQS.DeleteMessage" => ok(""),
                _ => error(404, "NotFound", "not here"),
            })
            .await;
            let jobs = Queue::with_client(client(&server.url()), "http://elsewhere/123456789012/jobs");
            let (delivery, redrive) = failed();
            let outcome = jobs.move_to_dead_letters(&DeadLetter::new(&delivery, "no paper", &redrive)).await;
            assert_eq!(outcome.is_ok(), moved, "{outcome:?}");
            let asked = server.asked();
            let took: Vec<String> =
                asked.iter().map(target).filter_map(|of| Some(of.split_once('.')?.1.to_owned())).collect();
            assert_eq!(took[took.len() - steps.len()..], *steps, "{took:?}");
            let sent = asked.iter().find(|asked| target(asked) == "AmazonSQS.SendMessage").unwrap();
            let sent: serde_json::Value = serde_json::from_slice(sent.body()).unwrap();
            assert_eq!(
                (&sent["QueueUrl"], &sent["MessageBody"]),
                (&"http://elsewhere/123456789012/dead".into(), &"b".into())
            );
            let attribute = |name: &str| sent["MessageAttributes"][name]["StringValue"].as_str().unwrap().to_owned();
            assert_eq!((attribute("tenant"), attribute("afterward.error")), ("acme".into(), "no paper".into()));
        }
    }

    #[tokio::test]
    async fn however_often_its_deletion_is_tried_it_is_sent_once_in_a_lease() {
        let deletes = Mutex::new(0);
        let server = Server::ruled(move |asked| match &*target(asked) {
            "AmazonSQS.GetQueueUrl" => ok(r#"{"QueueUrl":"http://elsewhere/123456789012/dead"}"#),
            "AmazonSQS.SendMessage" => ok(r#"{"MessageId":"m2"}"#),
            "AmazonSQS.DeleteMessage" => {
                let mut deletes = deletes.lock().unwrap();
                *deletes += 1;
                // Away for two rounds of three tries.
                if *deletes <= 6 { error(503, "ServiceUnavailable", "away") } else { ok("") }
            }
            _ => error(404, "NotFound", "not here"),
        })
        .await;
        let jobs = Queue::with_client(client(&server.url()), "http://elsewhere/123456789012/jobs");
        let (mut delivery, redrive) = failed();
        let sends = || server.asked().iter().filter(|asked| target(asked) == "AmazonSQS.SendMessage").count();
        for round in 1..=3 {
            let outcome = jobs.move_to_dead_letters(&DeadLetter::new(&delivery, "no paper", &redrive)).await;
            assert_eq!((outcome.is_ok(), sends()), (round == 3, 1), "{outcome:?}");
        }
        // Another lease, as of one that was redriven: it keeps its id, and goes there once more.
        delivery.receipt = "r2".to_owned();
        jobs.move_to_dead_letters(&DeadLetter::new(&delivery, "no paper", &redrive)).await.unwrap();
        assert_eq!(sends(), 2);
    }

    #[tokio::test]
    async fn an_afterward_server_moves_it_in_one() {
        let server = Server::ruled(|asked| match asked.uri().path() {
            "/_afterward/clock" => ok(r#"{"clock":"system","now":"2026-01-01T00:00:00.000Z","now_ms":1767225600000}"#),
            _ => ok(""),
        })
        .await;
        let jobs = Queue::with_client(client(&server.url()), "http://elsewhere/000000000000/jobs");
        let (delivery, redrive) = failed();
        jobs.move_to_dead_letters(&DeadLetter::new(&delivery, "no paper", &redrive)).await.unwrap();
        let asked = server.asked().pop().unwrap();
        assert_eq!(target(&asked), "AmazonSQS.ChangeMessageVisibility");
        let told = |name: &str| asked.headers()[name].to_str().unwrap().to_owned();
        assert_eq!((told("x-afterward-dead-letter"), told("x-afterward-error")), ("true".into(), "no%20paper".into()));
    }
}

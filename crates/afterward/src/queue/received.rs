//! A message as a receive brings it, as far as the library looks at it.
//!
//! Each message of a busy queue is read as one of these: what nobody here asks for (the MD5s, which HTTP and TLS make needless)
//! is passed over, and what a service says beside the message has a place for each of its names.

use crate::sqs;
use serde::{Deserialize, Deserializer, de};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// The result of a `ReceiveMessage`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct ReceivedAll {
    #[serde(default)]
    pub(super) messages: Vec<Received>,
}

/// One message.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Received {
    pub(super) message_id: Option<String>,
    pub(super) receipt_handle: Option<String>,
    pub(super) body: Option<String>,
    #[serde(default)]
    pub(super) attributes: SystemAttributes,
    #[serde(default)]
    pub(super) message_attributes: BTreeMap<String, sqs::MessageAttributeValue>,
}

/// What the service says of it. Numbers come as texts; one that can't be read counts as not said.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct SystemAttributes {
    #[serde(deserialize_with = "number")]
    pub(super) approximate_receive_count: Option<u32>,
    /// In milliseconds since 1970, as the other times.
    #[serde(deserialize_with = "number")]
    pub(super) approximate_first_receive_timestamp: Option<u64>,
    #[serde(deserialize_with = "number")]
    pub(super) sent_timestamp: Option<u64>,
    pub(super) message_group_id: Option<String>,
    pub(super) afterward_batch: Option<String>,
    pub(super) afterward_after: Option<String>,
}

/// Reads a number out of a text, without a copy of the text.
pub(super) fn number<'de, D: Deserializer<'de>, N: FromStr>(deserializer: D) -> Result<Option<N>, D::Error> {
    struct Digits<N>(std::marker::PhantomData<N>);

    impl<N: FromStr> de::Visitor<'_> for Digits<N> {
        type Value = Option<N>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a string")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<N>, E> {
            Ok(text.parse().ok())
        }
    }

    deserializer.deserialize_str(Digits(std::marker::PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_is_read_and_what_it_says_beside_is_passed_over() {
        let reply = r#"{"Messages":[
            {"MessageId":"m","ReceiptHandle":"r","MD5OfBody":"5d","Body":"a \"b\"","Attributes":{"SenderId":"x",
             "ApproximateReceiveCount":"2","ApproximateFirstReceiveTimestamp":"17","SentTimestamp":"soon",
             "MessageGroupId":"g","AfterwardBatch":"b","AfterwardAfter":"c"},
             "MessageAttributes":{"n":{"DataType":"Number","StringValue":"1"}}},
            {"Body":null}],"More":1}"#;
        let ReceivedAll { messages } = serde_json::from_str(reply).unwrap();
        let [all, none] = &messages[..] else { panic!("{messages:?}") };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!((&all.message_id, &all.receipt_handle, &all.body), (&text("m"), &text("r"), &text("a \"b\"")));
        let said = &all.attributes;
        let times = (said.approximate_first_receive_timestamp, said.sent_timestamp);
        assert_eq!((said.approximate_receive_count, times), (Some(2), (Some(17), None)));
        let names = (&said.message_group_id, &said.afterward_batch, &said.afterward_after);
        assert_eq!(names, (&text("g"), &text("b"), &text("c")));
        assert_eq!(all.message_attributes["n"].string_value, text("1"));
        assert!(none.message_id.is_none() && none.body.is_none() && none.attributes.sent_timestamp.is_none());
        assert!(serde_json::from_str::<ReceivedAll>("{}").unwrap().messages.is_empty());
        assert!(serde_json::from_str::<ReceivedAll>(r#"{"Messages":[{"Attributes":{"SentTimestamp":1}}]}"#).is_err());
    }
}

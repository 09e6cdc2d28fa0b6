//! How a typed message is written as a body: `{"type":"order:new","payload":{…}}`.
//!
//! This is the shape that JavaScript producers of LetsGo write. A body of another shape is not an error here: it is a
//! message without an envelope, for [`Worker::otherwise`](crate::Worker::otherwise).

use crate::Message;
use afterward_names::message_text::first_forbidden;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::{borrow::Cow, ops::Range};

#[derive(Serialize)]
struct Written<'a, M> {
    #[serde(rename = "type")]
    message_type: &'static str,
    payload: &'a M,
}

/// The body of a message.
pub(crate) fn seal<M: Message>(message: &M) -> Result<String, serde_json::Error> {
    let body = serde_json::to_string(&Written { message_type: M::TYPE, payload: message })?;
    Ok(if first_forbidden(&body).is_some() { escaped(&body) } else { body })
}

/// The same JSON without the two characters that no message may have and JSON may. They stand nowhere but in strings.
fn escaped(body: &str) -> String {
    body.replace('\u{fffe}', "\\ufffe").replace('\u{ffff}', "\\uffff")
}

/// A body that has an envelope: its type, and its payload as yet unread.
#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow, rename = "type")]
    pub(crate) message_type: Cow<'a, str>,
    #[serde(borrow, default)]
    payload: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Opens a body; `None` where it is no JSON object with a `type` that is a string. Members beside `type` and
    /// `payload` are left alone.
    pub(crate) fn open(body: &'a str) -> Option<Envelope<'a>> {
        // serde would take an array for a struct as well.
        if !body.trim_start().starts_with('{') {
            return None;
        }
        serde_json::from_str(body).ok()
    }

    /// Where the payload stands in the body that this envelope was opened from.
    pub(crate) fn payload_in(&self, body: &'a str) -> Option<Range<usize>> {
        let payload = self.payload?.get();
        let start = (payload.as_ptr() as usize).checked_sub(body.as_ptr() as usize)?;
        body.get(start..start + payload.len()).is_some().then(|| start..start + payload.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads the payload; one that is absent counts as `null`.
    fn read<M: Message>(body: &str) -> Result<M, serde_json::Error> {
        let payload = Envelope::open(body).unwrap().payload_in(body);
        serde_json::from_str(payload.map_or("null", |range| &body[range]))
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
    #[message(type = "order:new")]
    #[serde(rename_all = "camelCase")]
    struct OrderNew {
        order_id: String,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize, Message)]
    #[message(type = "tick")]
    struct Tick;

    #[test]
    fn a_body_is_what_javascript_writes() {
        let body = seal(&OrderNew { order_id: "123".into() }).unwrap();
        assert_eq!(body, r#"{"type":"order:new","payload":{"orderId":"123"}}"#);
        assert_eq!(seal(&Tick).unwrap(), r#"{"type":"tick","payload":null}"#);
    }

    #[test]
    fn what_was_sealed_opens_again() {
        let order = OrderNew { order_id: "\"ü\" \u{1F980}\n".into() };
        let body = seal(&order).unwrap();
        let envelope = Envelope::open(&body).unwrap();
        assert_eq!((&*envelope.message_type, read::<OrderNew>(&body).unwrap()), ("order:new", order));
    }

    #[test]
    fn members_may_stand_in_any_order_with_others_beside_them() {
        for body in [
            r#"{"payload":{"orderId":"1","more":[]},"id":7,"type":"order:new"}"#,
            " {\n\"type\": \"order\\u003anew\", \"payload\": {\"orderId\": \"1\"}}\n",
        ] {
            let envelope = Envelope::open(body).unwrap();
            assert_eq!(envelope.message_type, "order:new");
            assert_eq!(read::<OrderNew>(body).unwrap(), OrderNew { order_id: "1".into() });
        }
    }

    #[test]
    fn an_absent_payload_is_null() {
        let body = r#"{"type":"tick"}"#;
        assert_eq!(Envelope::open(body).unwrap().payload_in(body), None);
        assert_eq!(read::<Tick>(body).unwrap(), Tick);
        assert!(read::<OrderNew>(body).is_err());
    }

    #[test]
    fn no_text_makes_a_body_that_queues_refuse() {
        let order_id: String =
            ('\0'..=' ').chain(['"', '\\', '\u{7f}', '\u{fffd}', '\u{fffe}', '\u{ffff}', '\u{10ffff}']).collect();
        let order = OrderNew { order_id: format!("{order_id}\\\u{ffff}") };
        let body = seal(&order).unwrap();
        assert_eq!(first_forbidden(&body), None, "{body}");
        assert_eq!(read::<OrderNew>(&body).unwrap(), order);
    }

    #[test]
    fn bodies_of_other_shapes_have_no_envelope() {
        for body in
            ["", "hello", "3", "null", "[]", r#"["a",{}]"#, "{}", r#"{"task":"x"}"#, r#"{"type":3}"#, r#"{"type":"a""#]
        {
            assert!(Envelope::open(body).is_none(), "{body}");
        }
    }
}

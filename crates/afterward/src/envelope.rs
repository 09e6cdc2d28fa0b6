//! How a typed message is written as a body: `{"type":"order:new","payload":{…}}`.
//!
//! This is the shape that JavaScript producers of LetsGo write. A body of another shape is not an error here: it is a
//! message without an envelope, for [`Worker::otherwise`](crate::Worker::otherwise).

use crate::Message;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

#[derive(Serialize)]
struct Written<'a, M> {
    #[serde(rename = "type")]
    message_type: &'static str,
    payload: &'a M,
}

/// The body of a message.
pub(crate) fn seal<M: Message>(message: &M) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Written { message_type: M::TYPE, payload: message })
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

    /// Reads the payload. One that is absent counts as `null`, for `JSON.stringify` drops what is undefined.
    pub(crate) fn read<M: Message>(&self) -> Result<M, serde_json::Error> {
        serde_json::from_str(self.payload.map_or("null", RawValue::get))
    }

    /// Whether there is a payload at all.
    pub(crate) fn has_payload(&self) -> bool {
        self.payload.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!((&*envelope.message_type, envelope.read::<OrderNew>().unwrap()), ("order:new", order));
    }

    #[test]
    fn members_may_stand_in_any_order_with_others_beside_them() {
        for body in [
            r#"{"payload":{"orderId":"1","more":[]},"id":7,"type":"order:new"}"#,
            " {\n\"type\": \"order\\u003anew\", \"payload\": {\"orderId\": \"1\"}}\n",
        ] {
            let envelope = Envelope::open(body).unwrap();
            assert_eq!(envelope.message_type, "order:new");
            assert_eq!(envelope.read::<OrderNew>().unwrap(), OrderNew { order_id: "1".into() });
        }
    }

    #[test]
    fn an_absent_payload_is_null() {
        let envelope = Envelope::open(r#"{"type":"tick"}"#).unwrap();
        assert!(!envelope.has_payload());
        assert_eq!(envelope.read::<Tick>().unwrap(), Tick);
        assert!(envelope.read::<OrderNew>().is_err());
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

//! Message attributes: from AWS's shape to what is kept. Their rules are in `afterward_names::message_text`.

use super::characters::refused;
use afterward_aws::{Error, sqs::MessageAttributeValue};
use afterward_broker::{Attribute, AttributeValue};
use afterward_names::{
    limits,
    message_text::{GivenValue, check_attribute, check_system_attribute},
};
use bytes::Bytes;
use std::collections::BTreeMap;

/// Message attributes by their names, as a request has them.
pub(super) type Given = BTreeMap<String, MessageAttributeValue>;

/// What attributes count for in a message's size: names, types and values.
pub(super) fn size_bytes(attributes: &Given) -> usize {
    let value = |attribute: &MessageAttributeValue| {
        attribute.string_value.as_ref().map_or(0, String::len)
            + attribute.binary_value.as_ref().map_or(0, |blob| blob.0.len())
    };
    attributes.iter().map(|(name, attribute)| name.len() + attribute.data_type.len() + value(attribute)).sum()
}

/// The attributes, checked.
pub(super) fn checked(attributes: Given) -> Result<Vec<Attribute>, Error> {
    if attributes.len() > limits::MESSAGE_ATTRIBUTES {
        return Err(Error::invalid_parameter_value(format!(
            "Number of message attributes [{}] exceeds the allowed maximum [{}].",
            attributes.len(),
            limits::MESSAGE_ATTRIBUTES
        )));
    }
    attributes.into_iter().map(|(name, value)| attribute(name, value)).collect()
}

/// The `AWSTraceHeader`, the one system attribute that a sender may give.
pub(super) fn trace_header(attributes: Given) -> Result<Option<Box<str>>, Error> {
    let mut header = None;
    for (name, value) in attributes {
        refuse_lists(&value)?;
        check_system_attribute(&name, given(&value)).map_err(refused)?;
        header = value.string_value;
    }
    Ok(header.map(Into::into))
}

fn attribute(name: String, value: MessageAttributeValue) -> Result<Attribute, Error> {
    refuse_lists(&value)?;
    check_attribute(&name, given(&value)).map_err(refused)?;
    let data_type = value.data_type.into();
    let value = match (value.string_value, value.binary_value) {
        (Some(text), _) => AttributeValue::String(text.into()),
        (None, blob) => AttributeValue::Binary(Bytes::from(blob.unwrap_or_default().0)),
    };
    Ok(Attribute { name: name.into(), data_type, value })
}

fn given(value: &MessageAttributeValue) -> GivenValue<'_> {
    let binary = value.binary_value.as_ref().map(|blob| blob.0.as_slice());
    GivenValue { data_type: &value.data_type, string: value.string_value.as_deref(), binary }
}

fn refuse_lists(value: &MessageAttributeValue) -> Result<(), Error> {
    match value.string_list_values.is_empty() && value.binary_list_values.is_empty() {
        true => Ok(()),
        false => Err(Error::invalid_parameter_value(
            "Message attribute list values in SendMessage operation are not supported.",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use afterward_aws::sqs::Blob;

    fn string(data_type: &str, text: &str) -> MessageAttributeValue {
        MessageAttributeValue {
            data_type: data_type.into(),
            string_value: Some(text.into()),
            ..MessageAttributeValue::default()
        }
    }

    fn binary(data_type: &str, bytes: &[u8]) -> MessageAttributeValue {
        MessageAttributeValue {
            data_type: data_type.into(),
            binary_value: Some(Blob(bytes.to_vec())),
            ..MessageAttributeValue::default()
        }
    }

    #[test]
    fn names_types_and_values_follow_the_guide() {
        for (name, value, says) in [
            ("a", string("String", "x"), None),
            ("a.b-c_9", string("String.label", "x"), None),
            ("a", string("Number", "-1.5e3"), None),
            ("a", string("Number.int", "7"), None),
            ("a", binary("Binary.png", b"\0"), None),
            ("", string("String", "x"), Some("1 to 256 characters long")),
            ("a b", string("String", "x"), Some("can contain A-Z")),
            (".a", string("String", "x"), Some("period")),
            ("a.", string("String", "x"), Some("period")),
            ("a..b", string("String", "x"), Some("period")),
            ("AWS.a", string("String", "x"), Some("reserved")),
            ("amazon.a", string("String", "x"), Some("reserved")),
            ("awsome", string("String", "x"), None),
            ("a", string("", "x"), Some("non-empty message attribute type")),
            ("a", string("Text", "x"), Some("supported type prefixes")),
            ("a", string("Stringy", "x"), Some("supported type prefixes")),
            ("a", string("string", "x"), Some("supported type prefixes")),
            ("a", string("String", ""), Some("non-empty message attribute value for message attribute type 'String'")),
            ("a", binary("Binary", b""), Some("non-empty message attribute value for message attribute type 'Binary'")),
            ("a", MessageAttributeValue { data_type: "String".into(), ..Default::default() }, Some("non-empty")),
            ("a", binary("String", b"x"), Some("must use field 'String'")),
            ("a", string("Binary", "x"), Some("must use field 'Binary'")),
            ("a", string("String", "\0"), Some("Invalid binary character '#x0'")),
            ("a", string("Number", "one"), Some("to a number")),
        ] {
            let outcome = checked(BTreeMap::from([(name.to_string(), value.clone())]));
            match says {
                None => assert!(outcome.is_ok(), "{name} {value:?}: {outcome:?}"),
                Some(says) => {
                    let error = outcome.unwrap_err();
                    assert!(error.message.contains(says), "{name} {value:?}: {error}");
                }
            }
        }
    }

    #[test]
    fn ten_attributes_fit_and_eleven_do_not() {
        let attributes = |count| (0..count).map(|n| (format!("a{n}"), string("String", "x"))).collect::<Given>();
        assert_eq!(checked(attributes(10)).unwrap().len(), 10);
        let error = checked(attributes(11)).unwrap_err();
        assert_eq!(error.message, "Number of message attributes [11] exceeds the allowed maximum [10].");
    }

    #[test]
    fn only_the_trace_header_may_be_a_system_attribute() {
        let header = |name: &str, value| trace_header(BTreeMap::from([(name.to_string(), value)]));
        assert_eq!(header("AWSTraceHeader", string("String", "Root=1-2")).unwrap().as_deref(), Some("Root=1-2"));
        assert!(header("SenderId", string("String", "x")).is_err());
        assert!(header("AWSTraceHeader", string("Number", "1")).is_err());
        assert!(header("AWSTraceHeader", string("String", "")).is_err());
        assert_eq!(trace_header(Given::new()).unwrap(), None);
    }

    #[test]
    fn names_types_and_values_count_for_the_size() {
        let attributes =
            BTreeMap::from([("ab".into(), string("String", "xyz")), ("c".into(), binary("Binary", b"12"))]);
        assert_eq!(size_bytes(&attributes), 2 + 6 + 3 + 1 + 6 + 2);
    }
}

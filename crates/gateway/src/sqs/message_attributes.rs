//! The rules of message attributes.
//!
//! Source: SQS developer guide, "Amazon SQS message metadata"; SQS API reference, `MessageAttributeValue`. The words are
//! the service's.

use super::characters;
use afterward_aws::{Error, sqs::MessageAttributeValue};
use afterward_broker::{Attribute, AttributeValue};
use afterward_names::limits;
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
pub(super) fn trace_header(mut attributes: Given) -> Result<Option<Box<str>>, Error> {
    let header = attributes.remove("AWSTraceHeader");
    if let Some(name) = attributes.keys().next() {
        return Err(Error::invalid_parameter_value(format!(
            "Message system attribute name '{name}' is invalid: only AWSTraceHeader can be sent."
        )));
    }
    let Some(header) = header else { return Ok(None) };
    if header.data_type != "String" {
        return Err(Error::invalid_parameter_value(
            "The message system attribute 'AWSTraceHeader' has an invalid message attribute type, the set of supported \
             type prefixes is String.",
        ));
    }
    match value("AWSTraceHeader", header, Kind::String)? {
        AttributeValue::String(text) => Ok(Some(text)),
        AttributeValue::Binary(_) => Ok(None),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    String,
    Number,
    Binary,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::String => "String",
            Kind::Number => "Number",
            Kind::Binary => "Binary",
        }
    }
}

fn attribute(name: String, given: MessageAttributeValue) -> Result<Attribute, Error> {
    check_name(&name)?;
    let kind = kind(&name, &given.data_type)?;
    let data_type = given.data_type.as_str().into();
    let value = value(&name, given, kind)?;
    if let (Kind::Number, AttributeValue::String(text)) = (kind, &value) {
        check_number(&name, text)?;
    }
    Ok(Attribute { name: name.into(), data_type, value })
}

fn check_name(name: &str) -> Result<(), Error> {
    let invalid = |why: &str| {
        Err(Error::invalid_parameter_value(format!("The message attribute name '{name}' is invalid. {why}")))
    };
    if name.is_empty() || name.len() > 256 {
        return invalid("Attribute name must be 1 to 256 characters long.");
    }
    if !name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.')) {
        return invalid(
            "Attribute name can contain A-Z, a-z, 0-9, underscore (_), hyphen (-), and period (.) characters.",
        );
    }
    if name.starts_with('.') || name.ends_with('.') || name.contains("..") {
        return invalid("Attribute name can not start or end with a period (.), nor have periods in succession.");
    }
    let lower = name.to_ascii_lowercase();
    if lower.starts_with("aws.") || lower.starts_with("amazon.") {
        return invalid("Attribute name can not start with the reserved prefixes AWS. and Amazon.");
    }
    Ok(())
}

/// The kind that a data type begins with: `Number`, or `Number.price` with a label.
fn kind(name: &str, data_type: &str) -> Result<Kind, Error> {
    if data_type.is_empty() {
        return Err(Error::invalid_parameter_value(format!(
            "The message attribute '{name}' must contain non-empty message attribute type."
        )));
    }
    let (prefix, label) = data_type.split_once('.').map_or((data_type, None), |(prefix, label)| (prefix, Some(label)));
    let kind = [Kind::String, Kind::Number, Kind::Binary].into_iter().find(|kind| kind.name() == prefix);
    let fits = data_type.len() <= 256 && characters::first_forbidden(data_type).is_none() && label != Some("");
    kind.filter(|_| fits).ok_or_else(|| {
        Error::invalid_parameter_value(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes \
             is Binary, Number, and String."
        ))
    })
}

fn value(name: &str, given: MessageAttributeValue, kind: Kind) -> Result<AttributeValue, Error> {
    if !given.string_list_values.is_empty() || !given.binary_list_values.is_empty() {
        return Err(Error::invalid_parameter_value(
            "Message attribute list values in SendMessage operation are not supported.",
        ));
    }
    let empty = || {
        Error::invalid_parameter_value(format!(
            "The message attribute '{name}' must contain non-empty message attribute value for message attribute type \
             '{}'.",
            kind.name()
        ))
    };
    let mixed = || {
        Error::invalid_parameter_value(format!(
            "The message attribute '{name}' with type '{}' must use field '{}'.",
            kind.name(),
            if kind == Kind::Binary { "Binary" } else { "String" }
        ))
    };
    match (kind, given.string_value, given.binary_value) {
        (_, None, None) => Err(empty()),
        (_, Some(_), Some(_)) | (Kind::Binary, Some(_), None) | (Kind::String | Kind::Number, None, Some(_)) => {
            Err(mixed())
        }
        (Kind::Binary, None, Some(blob)) if blob.0.is_empty() => Err(empty()),
        (Kind::Binary, None, Some(blob)) => Ok(AttributeValue::Binary(Bytes::from(blob.0))),
        (_, Some(text), None) if text.is_empty() => Err(empty()),
        (_, Some(text), None) => match characters::first_forbidden(&text) {
            Some(c) => Err(characters::forbidden(c, &format!("the message attribute '{name}'"))),
            None => Ok(AttributeValue::String(text.into())),
        },
    }
}

/// Numbers have at most 38 digits, and are 0 or between 10^-128 and 10^126 in size, both included.
fn check_number(name: &str, text: &str) -> Result<(), Error> {
    if is_number(text) {
        return Ok(());
    }
    Err(Error::invalid_parameter_value(format!("Can't cast the value of message attribute '{name}' to a number.")))
}

fn is_number(text: &str) -> bool {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let exponent: i32 = match exponent.map(str::parse).transpose() {
        Ok(exponent) => exponent.unwrap_or(0),
        Err(_) => return false,
    };
    let digits = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = || whole.bytes().chain(fraction.bytes());
    if all().next().is_none() || !all().all(|b| b.is_ascii_digit()) {
        return false;
    }
    let leading_zeros = all().take_while(|b| *b == b'0').count();
    let significant = all().count() - leading_zeros;
    if significant == 0 {
        return true;
    }
    // The power of ten at or just below the number's size.
    let magnitude = whole.len() as i64 - leading_zeros as i64 - 1 + i64::from(exponent);
    let trailing_zeros = all().rev().take_while(|b| *b == b'0').count();
    let telling_digits = significant - trailing_zeros.min(significant);
    let is_power_of_ten = telling_digits == 1 && all().nth(leading_zeros) == Some(b'1');
    telling_digits <= 38 && magnitude >= -128 && (magnitude < 126 || magnitude == 126 && is_power_of_ten)
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
    fn numbers_have_38_digits_and_a_bounded_size() {
        let digits = "9".repeat(38);
        let too_many = "9".repeat(39);
        for good in [
            "0",
            "-0.0",
            "0e999",
            "+1",
            ".5",
            "5.",
            "1e126",
            "-1E126",
            "9.9e125",
            "1e-128",
            "-0.01e-126",
            "10e125",
            &digits,
            "000123",
            "1.50",
        ] {
            assert!(is_number(good), "{good}");
        }
        for bad in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "0x10",
            "1 ",
            "NaN",
            "1e127",
            "2e126",
            "-1e127",
            "1e-129",
            "9e-129",
            "1e99999999999",
            &too_many,
        ] {
            assert!(!is_number(bad), "{bad}");
        }
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

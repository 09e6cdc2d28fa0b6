//! Message attributes: names and typed values that travel beside a body.

use crate::sqs::{Blob, MessageAttributeValue};

/// The value of a message attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attribute {
    /// Text: SQS's `String`.
    Text(String),
    /// A number as its digits, up to 38 of them: SQS's `Number`.
    Number(String),
    /// Bytes: SQS's `Binary`.
    Bytes(Vec<u8>),
}

impl Attribute {
    /// The text, where it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Attribute::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn into_wire(self) -> MessageAttributeValue {
        let (data_type, string_value, binary_value) = match self {
            Attribute::Text(text) => ("String", Some(text), None),
            Attribute::Number(digits) => ("Number", Some(digits), None),
            Attribute::Bytes(bytes) => ("Binary", None, Some(Blob(bytes))),
        };
        MessageAttributeValue {
            data_type: data_type.to_owned(),
            string_value,
            binary_value,
            ..MessageAttributeValue::default()
        }
    }

    /// `None` where the value does not fit its data type. Custom labels (`Number.float`) are dropped.
    pub(crate) fn from_wire(value: MessageAttributeValue) -> Option<Attribute> {
        match value.data_type.split('.').next()? {
            "String" => value.string_value.map(Attribute::Text),
            "Number" => value.string_value.map(Attribute::Number),
            "Binary" => value.binary_value.map(|Blob(bytes)| Attribute::Bytes(bytes)),
            _ => None,
        }
    }
}

impl From<&str> for Attribute {
    fn from(text: &str) -> Attribute {
        Attribute::Text(text.to_owned())
    }
}

impl From<String> for Attribute {
    fn from(text: String) -> Attribute {
        Attribute::Text(text)
    }
}

impl From<Vec<u8>> for Attribute {
    fn from(bytes: Vec<u8>) -> Attribute {
        Attribute::Bytes(bytes)
    }
}

impl From<&[u8]> for Attribute {
    fn from(bytes: &[u8]) -> Attribute {
        Attribute::Bytes(bytes.to_vec())
    }
}

macro_rules! from_numbers {
    ($($number:ty)*) => {$(
        impl From<$number> for Attribute {
            fn from(number: $number) -> Attribute {
                Attribute::Number(number.to_string())
            }
        }
    )*};
}

from_numbers! { i8 i16 i32 i64 u8 u16 u32 u64 isize usize }

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_survive_the_wire() {
        for attribute in [Attribute::from("ü"), Attribute::from(-7), Attribute::from(vec![0_u8, 255])] {
            assert_eq!(Attribute::from_wire(attribute.clone().into_wire()), Some(attribute));
        }
    }

    #[test]
    fn labels_are_dropped_and_misfits_too() {
        let value = |data_type: &str, text: Option<&str>| MessageAttributeValue {
            data_type: data_type.to_owned(),
            string_value: text.map(str::to_owned),
            ..MessageAttributeValue::default()
        };
        assert_eq!(Attribute::from_wire(value("Number.float", Some("1.5"))), Some(Attribute::Number("1.5".into())));
        assert_eq!(Attribute::from_wire(value("Binary", Some("x"))), None);
        assert_eq!(Attribute::from_wire(value("", Some("x"))), None);
    }
}

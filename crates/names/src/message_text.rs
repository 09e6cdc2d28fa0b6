//! What a message's texts and attributes may be.
//!
//! The rules are checked by whoever takes messages in, and the words are the service's. Sources: SQS API reference,
//! SendMessage and `MessageAttributeValue`; SQS developer guide, "Amazon SQS message metadata".

use thiserror::Error;

/// An attribute's value as it was given. Exactly one of the two is right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenValue<'a> {
    /// `String`, `Number` or `Binary`, perhaps with `.label`.
    pub data_type: &'a str,
    /// Of strings and numbers.
    pub string: Option<&'a str>,
    /// Of binary values.
    pub binary: Option<&'a [u8]>,
}

/// Why a message can't be taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NotAMessage {
    /// A character that no message may have.
    #[error(
        "Invalid binary character '#x{:x}' was found in {place}, the set of allowed characters is #x9 | #xA | #xD | \
         #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF",
        u32::from(*.character)
    )]
    Character {
        /// Which.
        character: char,
        /// Where.
        place: String,
    },
    /// An attribute is none.
    #[error("{0}")]
    Attribute(String),
}

/// The first character that no message may have. Allowed are, as in XML 1.0, `#x9 | #xA | #xD | #x20 to #xD7FF |
/// #xE000 to #xFFFD | #x10000 to #x10FFFF`.
pub fn first_forbidden(text: &str) -> Option<char> {
    // All that is forbidden has a byte below 0x20, or, as U+FFFE and U+FFFF, begins with 0xEF: most texts have neither,
    // and looking at bytes is quick.
    let suspicious = |b: u8| (b < 0x20) & (b != b'\t') & (b != b'\n') & (b != b'\r') | (b == 0xef);
    // Looked at in blocks, without a stop in the midst of one: then the compiler looks at many bytes at a time.
    let among = |block: &[u8]| block.iter().fold(false, |any, &b| any | suspicious(b));
    let (blocks, rest) = text.as_bytes().as_chunks::<64>();
    if !blocks.iter().any(|block| among(block)) && !among(rest) {
        return None;
    }
    text.chars().find(|c| matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}'))
}

/// Checks a text for characters that no message may have; `place` says whose it is.
///
/// # Errors
/// [`NotAMessage::Character`].
pub fn check_characters(text: &str, place: &str) -> Result<(), NotAMessage> {
    match first_forbidden(text) {
        Some(character) => Err(NotAMessage::Character { character, place: place.to_owned() }),
        None => Ok(()),
    }
}

/// Checks a message attribute.
///
/// # Errors
/// [`NotAMessage`].
pub fn check_attribute(name: &str, given: GivenValue<'_>) -> Result<(), NotAMessage> {
    check_name(name)?;
    let kind = kind(name, given.data_type)?;
    check_value(name, kind, given)?;
    match given.string {
        Some(text) if kind == Kind::Number && !is_number(text) => {
            Err(attribute(format!("Can't cast the value of message attribute '{name}' to a number.")))
        }
        _ => Ok(()),
    }
}

/// Checks the one system attribute that a sender may give, or refuses another.
///
/// # Errors
/// [`NotAMessage`].
pub fn check_system_attribute(name: &str, given: GivenValue<'_>) -> Result<(), NotAMessage> {
    if name != "AWSTraceHeader" {
        let why = format!("Message system attribute name '{name}' is invalid: only AWSTraceHeader can be sent.");
        return Err(attribute(why));
    }
    if given.data_type != "String" {
        let why = "The message system attribute 'AWSTraceHeader' has an invalid message attribute type, the set of \
                   supported type prefixes is String.";
        return Err(attribute(why.to_owned()));
    }
    check_value(name, Kind::String, given)
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

fn attribute(why: String) -> NotAMessage {
    NotAMessage::Attribute(why)
}

fn check_name(name: &str) -> Result<(), NotAMessage> {
    let invalid = |why: &str| Err(attribute(format!("The message attribute name '{name}' is invalid. {why}")));
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
fn kind(name: &str, data_type: &str) -> Result<Kind, NotAMessage> {
    if data_type.is_empty() {
        return Err(attribute(format!(
            "The message attribute '{name}' must contain non-empty message attribute type."
        )));
    }
    let (prefix, label) = data_type.split_once('.').map_or((data_type, None), |(prefix, label)| (prefix, Some(label)));
    let kind = [Kind::String, Kind::Number, Kind::Binary].into_iter().find(|kind| kind.name() == prefix);
    let fits = data_type.len() <= 256 && first_forbidden(data_type).is_none() && label != Some("");
    kind.filter(|_| fits).ok_or_else(|| {
        attribute(format!(
            "The message attribute '{name}' has an invalid message attribute type, the set of supported type prefixes \
             is Binary, Number, and String."
        ))
    })
}

fn check_value(name: &str, kind: Kind, given: GivenValue<'_>) -> Result<(), NotAMessage> {
    let wrong = match (kind, given.string, given.binary) {
        (Kind::Binary, None, Some(bytes)) if !bytes.is_empty() => return Ok(()),
        (Kind::String | Kind::Number, Some(text), None) if !text.is_empty() => {
            return check_characters(text, &format!("the message attribute '{name}'"));
        }
        (Kind::Binary, Some(_), _) => "must use field 'Binary'",
        (Kind::String | Kind::Number, _, Some(_)) => "must use field 'String'",
        _ => {
            return Err(attribute(format!(
                "The message attribute '{name}' must contain non-empty message attribute value for message attribute \
                 type '{}'.",
                kind.name()
            )));
        }
    };
    Err(attribute(format!("The message attribute '{name}' with type '{}' {wrong}.", kind.name())))
}

/// Numbers have at most 38 digits, and are 0 or between 10^-128 and 10^126 in size, both included.
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
mod tests;

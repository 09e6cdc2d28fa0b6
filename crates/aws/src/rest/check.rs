//! What the model does not allow, in the words of the framework under AWS's services.
//!
//! Types come first, and the first that is wrong is all that is said (`SerializationException`). Then all limits are
//! looked at, and everything that breaks one is said at once (`ValidationException`).

use super::{Member, Shape, Text};
use crate::{Code, Error};
use serde_json::{Map, Value};

/// How many of a request's faults are said.
const MOST_FAULTS: usize = 10;
/// How much of a value is shown.
const MOST_SHOWN: usize = 256;

/// Whether the members are as the model has them.
///
/// # Errors
/// `SerializationException`, `ValidationException`.
pub(super) fn check(members: &[Member], input: &Map<String, Value>) -> Result<(), Error> {
    let mut faults = Faults::default();
    faults.structure(members, input, "")?;
    match faults.count {
        0 => Ok(()),
        count => {
            let noun = if count == 1 { "error" } else { "errors" };
            let message = format!("{count} validation {noun} detected: {}", faults.said.join("; "));
            Err(Error::new(Code::Validation, message))
        }
    }
}

#[derive(Default)]
struct Faults {
    count: usize,
    said: Vec<String>,
}

impl Faults {
    fn add(&mut self, value: Option<&str>, at: &str, must: &str) {
        self.count += 1;
        if self.said.len() < MOST_FAULTS {
            let value = value.map_or_else(|| "null".to_owned(), |value| format!("'{}'", shown(value)));
            self.said.push(format!("Value {value} at '{at}' failed to satisfy constraint: Member must {must}"));
        }
    }

    fn structure(&mut self, members: &[Member], input: &Map<String, Value>, at: &str) -> Result<(), Error> {
        for member in members {
            let at = path(at, member.name);
            match input.get(member.name) {
                Some(value) => self.value(member.shape, value, &at)?,
                None if member.required => self.add(None, &at, "not be null"),
                None => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, shape: &Shape, value: &Value, at: &str) -> Result<(), Error> {
        match (shape, value) {
            (Shape::Text(text), Value::String(value)) => self.text(text, value, at),
            (Shape::Choice(choices), Value::String(value)) => {
                if !choices.contains(&value.as_str()) {
                    self.add(Some(value), at, &format!("satisfy enum value set: [{}]", choices.join(", ")));
                }
            }
            (Shape::Integer(least, most), Value::Number(number)) => match number.as_i64() {
                Some(number) if number < *least => {
                    self.add(Some(&number.to_string()), at, &format!("have value greater than or equal to {least}"));
                }
                Some(number) if number > *most => {
                    self.add(Some(&number.to_string()), at, &format!("have value less than or equal to {most}"));
                }
                Some(_) => {}
                None => return Err(conversion("DECIMAL_VALUE", "an Integer", at)),
            },
            (Shape::List(shape, most), Value::Array(values)) => {
                if values.len() > *most {
                    let size = format!("[{} members]", values.len());
                    self.add(Some(&size), at, &format!("have length less than or equal to {most}"));
                    // Nobody is told more of it, however long it is.
                    return Ok(());
                }
                for (number, value) in values.iter().enumerate() {
                    self.value(shape, value, &format!("{at}.{}.member", number + 1))?;
                }
            }
            (Shape::Structure(members), Value::Object(value)) => self.structure(members, value, at)?,
            (Shape::Time, Value::Number(_)) | (Shape::Unread, Value::Object(_)) => {}
            (shape, value) => return Err(conversion(kind(value), expected(shape), at)),
        }
        Ok(())
    }

    fn text(&mut self, text: &Text, value: &str, at: &str) {
        let length = value.chars().count();
        if length < text.least {
            self.add(Some(value), at, &format!("have length greater than or equal to {}", text.least));
        }
        if length > text.most {
            self.add(Some(value), at, &format!("have length less than or equal to {}", text.most));
        }
        if let Some(pattern) = text.pattern
            && !(pattern.matches)(value)
        {
            self.add(Some(value), at, &format!("satisfy regular expression pattern: {}", pattern.text));
        }
    }
}

/// `target.roleArn`: AWS writes members' names with a small letter first.
fn path(at: &str, name: &str) -> String {
    let mut path = String::with_capacity(at.len() + name.len() + 1);
    if !at.is_empty() {
        path.push_str(at);
        path.push('.');
    }
    let mut letters = name.chars();
    path.extend(letters.next().map(|first| first.to_ascii_lowercase()));
    path.push_str(letters.as_str());
    path
}

fn shown(value: &str) -> String {
    let end = value.floor_char_boundary(MOST_SHOWN);
    if end < value.len() { format!("{}…", &value[..end]) } else { value.to_owned() }
}

fn conversion(found: &str, expected: &str, at: &str) -> Error {
    Error::serialization(format!("{found} can not be converted to {expected} at '{at}'"))
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "NULL_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        Value::Array(_) => "START_ARRAY",
        Value::Object(_) => "START_OBJECT",
    }
}

fn expected(shape: &Shape) -> &'static str {
    match shape {
        Shape::Text(_) | Shape::Choice(_) => "a String",
        Shape::Integer(..) => "an Integer",
        Shape::Time => "a Timestamp",
        Shape::List(..) => "a List",
        Shape::Structure(_) | Shape::Unread => "a Structure",
    }
}

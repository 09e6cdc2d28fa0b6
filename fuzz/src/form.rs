//! A request in JSON, written as a Query form: what an old SDK would send for the same call.

use serde_json::Value;
use std::fmt::Write as _;

/// The members that are maps: their entries are numbered pairs of `Name` and `Value` in a form.
const MAPS: &[&str] = &["Attributes", "MessageAttributes", "MessageSystemAttributes", "Tags", "tags"];

/// A form, and how many parameters it has.
#[derive(Debug, Default)]
pub struct Form {
    /// `Action=…&a=b`.
    pub text: String,
    /// How many.
    pub parameters: usize,
}

impl Form {
    /// The form of an action's request.
    pub fn of(action: &str, members: &Value) -> Form {
        let mut form = Form::default();
        form.add("Action", action);
        form.members("", members);
        form
    }

    fn members(&mut self, prefix: &str, members: &Value) {
        for (name, value) in members.as_object().into_iter().flatten() {
            let key = format!("{prefix}{name}");
            match value {
                Value::Object(entries) if MAPS.contains(&name.as_str()) => {
                    for (number, (name, value)) in entries.iter().enumerate() {
                        let entry = format!("{key}.{}", number + 1);
                        self.add(&format!("{entry}.Name"), name);
                        self.value(&format!("{entry}.Value"), value);
                    }
                }
                other => self.value(&key, other),
            }
        }
    }

    fn value(&mut self, key: &str, value: &Value) {
        match value {
            Value::String(text) => self.add(key, text),
            Value::Number(number) => self.add(key, &number.to_string()),
            Value::Bool(flag) => self.add(key, &flag.to_string()),
            Value::Array(elements) => {
                for (number, element) in elements.iter().enumerate() {
                    self.value(&format!("{key}.{}", number + 1), element);
                }
            }
            Value::Object(_) => self.members(&format!("{key}."), value),
            Value::Null => {}
        }
    }

    fn add(&mut self, key: &str, value: &str) {
        let and = if self.text.is_empty() { "" } else { "&" };
        self.text.push_str(and);
        self.text.push_str(key);
        self.text.push('=');
        for byte in value.bytes() {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => self.text.push(char::from(byte)),
                b' ' => self.text.push('+'),
                byte => {
                    let _infallible = write!(self.text, "%{byte:02X}");
                }
            }
        }
        self.parameters += 1;
    }
}

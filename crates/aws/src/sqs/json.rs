//! AWS JSON 1.0, both ways.
//!
//! A member that is `null` counts as absent. Unknown members are passed over. Numbers are numbers: SQS refuses a string in
//! their place, and so does this.

mod lists;
mod results;

pub use lists::{delete_batch_json, send_batch_json};

use super::{Action, Message, Request, Response, TARGET_HEADER, TARGET_PREFIX};
use crate::{Code, Error, Incoming, RemoteError};
use serde::de::DeserializeOwned;
use serde_json::{Value, de::StrRead, error::Category};

/// Reads a request.
pub(super) fn parse(incoming: &Incoming<'_>) -> Result<Request, Error> {
    let action = action(incoming)?;
    // A body left out means no members, as an empty query does.
    let body = if incoming.body.is_empty() { b"{}" } else { incoming.body };
    if body.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::serialization("Start of structure or map found where not expected."));
    }
    read(action, body).or_else(|error| match without_nulls(body) {
        Some(value) => Request::deserialize(action, value).map_err(|error| explain(&error)),
        None => Err(explain(&error)),
    })
}

fn action(incoming: &Incoming<'_>) -> Result<Action, Error> {
    let target = incoming.headers.get(TARGET_HEADER).map_or(&b""[..], |value| value.as_bytes());
    let target = String::from_utf8_lossy(target);
    match target.strip_prefix(TARGET_PREFIX) {
        Some(name) => Action::named(name).ok_or_else(|| Error::invalid_action(name)),
        None => Err(Error::unknown_target(&target)),
    }
}

fn read(action: Action, body: &[u8]) -> Result<Request, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let request = Request::deserialize(action, &mut deserializer)?;
    deserializer.end()?;
    Ok(request)
}

/// The body without members that are null, if it has any: looked for only where a request could not be read.
fn without_nulls(body: &[u8]) -> Option<Value> {
    let mut value = serde_json::from_slice(body).ok()?;
    (strip_nulls(&mut value) > 0).then_some(value)
}

fn strip_nulls(value: &mut Value) -> usize {
    match value {
        Value::Object(members) => {
            let before = members.len();
            members.retain(|_, member| !member.is_null());
            before - members.len() + members.values_mut().map(strip_nulls).sum::<usize>()
        }
        Value::Array(elements) => elements.iter_mut().map(strip_nulls).sum(),
        _ => 0,
    }
}

/// AWS's error for what serde says. Its text is all that serde gives; what isn't recognised is passed on as it is.
fn explain(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    if error.classify() != Category::Data {
        return Error::serialization(format!("The request body is not valid JSON: {text}."));
    }
    let quoted = |text: &str| text.split('`').nth(1).map(str::to_owned);
    if text.starts_with("missing field")
        && let Some(member) = quoted(&text)
    {
        return Error::missing_parameter(&member);
    }
    match conversion(&text) {
        Some(message) => Error::serialization(message),
        None => Error::serialization(format!("The request body does not fit its action: {text}.")),
    }
}

/// "STRING_VALUE can not be converted to an Integer", for what serde calls an invalid type.
fn conversion(text: &str) -> Option<String> {
    let (found, expected) = text.strip_prefix("invalid type: ")?.split_once(", expected ")?;
    let found = match found.split([' ', '`']).next()? {
        "string" => "STRING_VALUE",
        "integer" => "NUMBER_VALUE",
        "floating" => "DECIMAL_VALUE",
        "boolean" if found.contains("true") => "TRUE_VALUE",
        "boolean" => "FALSE_VALUE",
        "map" => "START_OBJECT",
        "sequence" => "START_ARRAY",
        "null" => "NULL_VALUE",
        _ => return None,
    };
    let expected = match expected.split(" at line").next()? {
        "i64" => "an Integer",
        "a boolean" => "a Boolean",
        "a string" | "a borrowed string" | "string" => "a String",
        "a sequence" => "a List",
        "a map" => "a Map",
        _ => "a Structure",
    };
    Some(format!("{found} can not be converted to {expected}"))
}

/// A result as JSON.
pub(super) fn body(response: &Response) -> Vec<u8> {
    let mut body = Vec::with_capacity(size(response));
    if !results::write(&mut body, response) {
        write(&mut body, |out| response.serialize(out));
    }
    body
}

/// Large enough for most results, so that the buffer never grows on the way.
fn size(response: &Response) -> usize {
    let message = |message: &Message| 640 + message.body.as_ref().map_or(0, |body| body.len() * 9 / 8);
    256 + match response {
        Response::ReceiveMessage(result) => result.messages.iter().map(message).sum(),
        Response::SendMessageBatch(result) => 256 * result.successful.len(),
        _ => 0,
    }
}

/// Our shapes are strings, numbers, lists and maps with text keys, and memory takes all of it: there is no way to fail.
fn write<'a>(
    out: &'a mut Vec<u8>,
    serialize: impl FnOnce(&mut serde_json::Serializer<&'a mut Vec<u8>>) -> Result<(), serde_json::Error>,
) {
    let outcome = serialize(&mut serde_json::Serializer::new(out));
    debug_assert!(outcome.is_ok(), "{outcome:?}");
}

/// An error as JSON.
pub(super) fn error_body(error: &Error) -> Vec<u8> {
    serde_json::json!({ "__type": error.code.json_type(), "message": error.message }).to_string().into_bytes()
}

/// A request as a client sends it: the action (`X-Amz-Target: AmazonSQS.<action>`) and the JSON body.
pub fn request_json(request: &Request) -> (&'static str, Vec<u8>) {
    let mut body = Vec::with_capacity(256);
    write(&mut body, |out| request.serialize(out));
    (request.action().name(), body)
}

/// The reply to a client's `action`.
///
/// # Errors
/// What the service says went wrong, by the name in JSON ([`Code::shape`]); or, with the code `UnreadableReply`, that
/// the reply is not one of SQS's: a proxy's, perhaps.
pub fn response_json(action: &str, status: u16, body: &[u8]) -> Result<Response, RemoteError> {
    let Some(known) = Action::named(action) else {
        return Err(unreadable(status, format!("{action} is no action of SQS")));
    };
    reply(action, status, body, |deserializer| Response::deserialize(known, deserializer))
}

/// The reply to a client's `action`, of which only what `T` names is kept: most of what SQS tells of a message or an entry,
/// a caller has no use for.
///
/// # Errors
/// Those of [`response_json`].
pub fn result_json<T: DeserializeOwned>(action: &str, status: u16, body: &[u8]) -> Result<T, RemoteError> {
    reply(action, status, body, |deserializer| T::deserialize(deserializer))
}

fn reply<'de, T>(
    action: &str,
    status: u16,
    body: &'de [u8],
    read: impl FnOnce(&mut serde_json::Deserializer<StrRead<'de>>) -> Result<T, serde_json::Error>,
) -> Result<T, RemoteError> {
    if !(200..300).contains(&status) {
        return Err(remote_error(status, body));
    }
    // Looked at once for all of its texts.
    let body = std::str::from_utf8(body)
        .map_err(|error| unreadable(status, format!("the reply to {action} can't be read: {error}")))?;
    let mut deserializer = serde_json::Deserializer::from_str(if body.is_empty() { "{}" } else { body });
    read(&mut deserializer)
        .and_then(|result| deserializer.end().map(|()| result))
        .map_err(|error| unreadable(status, format!("the reply to {action} can't be read: {error}")))
}

fn remote_error(status: u16, body: &[u8]) -> RemoteError {
    let members: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |names: &[&str]| names.iter().find_map(|name| members.get(name)?.as_str());
    let Some(kind) = text(&["__type", "code", "Code"]) else {
        let start = String::from_utf8_lossy(body.get(..200).unwrap_or(body)).trim().to_owned();
        return unreadable(status, format!("HTTP {status}, and not in SQS's words: {start:?}"));
    };
    let code = kind.rsplit('#').next().unwrap_or(kind).to_owned();
    RemoteError { code, message: text(&["message", "Message"]).unwrap_or_default().to_owned(), status }
}

fn unreadable(status: u16, message: String) -> RemoteError {
    RemoteError { code: "UnreadableReply".to_owned(), message, status }
}

impl RemoteError {
    /// The catalogue's code of this name, if it is one.
    pub fn known(&self) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.shape() == self.code)
    }
}

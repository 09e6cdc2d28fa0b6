//! Members in the path, the query string and the body, both ways.

use super::{Member, Operation, Place, Shape, check::check, percent};
use crate::{Error, Incoming};
use http::Method;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// The longest body that is read: a value that is parsed takes many times the memory of its text.
const MOST_BODY_BYTES: usize = 2 << 20;
/// More parameters than any action has.
const MOST_PARAMETERS: usize = 1000;

/// Reads the input of `operation`, whose path the request has.
///
/// # Errors
/// `SerializationException`, `ValidationException`, and `RequestEntityTooLarge` beyond 2 MiB.
pub(crate) fn read<T: DeserializeOwned>(operation: &Operation, incoming: &Incoming<'_>) -> Result<T, Error> {
    let mut input = body(operation, incoming.body)?;
    let label = incoming.uri.path().strip_prefix(operation.path).unwrap_or_default();
    for member in operation.input {
        let value = match member.place {
            Place::Body => None,
            Place::Label => Some(Value::String(percent::decode_path(label))),
            Place::Query(name) => query_member(member, name, incoming.uri.query().unwrap_or_default())?,
        };
        if let Some(value) = value {
            input.insert(member.name.to_owned(), value);
        }
    }
    check(operation.input, &input)?;
    serde_json::from_value(Value::Object(input)).map_err(|error| {
        // The model has been kept, so this is a difference between it and our shapes.
        Error::serialization(format!("The request body does not fit its action: {error}."))
    })
}

/// The members of the body, without those that are null or stand elsewhere.
fn body(operation: &Operation, body: &[u8]) -> Result<Map<String, Value>, Error> {
    let has_body = operation.input.iter().any(|member| member.place == Place::Body);
    if !has_body || body.is_empty() {
        return Ok(Map::new());
    }
    if body.len() > MOST_BODY_BYTES {
        return Err(Error::request_entity_too_large(MOST_BODY_BYTES));
    }
    let value: Value = serde_json::from_slice(body)
        .map_err(|error| Error::serialization(format!("The request body is not valid JSON: {error}.")))?;
    let Value::Object(mut members) = value else {
        return Err(Error::serialization("Start of structure or map found where not expected."));
    };
    let in_body = |name: &str| operation.input.iter().any(|known| known.name == name && known.place == Place::Body);
    members.retain(|name, _| in_body(name));
    strip_nulls(&mut members);
    Ok(members)
}

fn strip_nulls(members: &mut Map<String, Value>) {
    members.retain(|_, value| !value.is_null());
    for value in members.values_mut() {
        match value {
            Value::Object(members) => strip_nulls(members),
            Value::Array(values) => values.iter_mut().filter_map(Value::as_object_mut).for_each(strip_nulls),
            _ => {}
        }
    }
}

fn query_member(member: &Member, name: &str, query: &str) -> Result<Option<Value>, Error> {
    let pairs = query.split('&').take(MOST_PARAMETERS).map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    let mut values = pairs.filter(|(known, _)| percent::decode_query(known) == name).map(|(_, value)| value);
    if let Shape::List(..) = member.shape {
        let values: Vec<Value> = values.map(|value| Value::String(percent::decode_query(value))).collect();
        return Ok((!values.is_empty()).then_some(Value::Array(values)));
    }
    let Some(text) = values.next().map(percent::decode_query) else { return Ok(None) };
    match member.shape {
        Shape::Integer(..) => match text.parse::<i64>() {
            Ok(number) => Ok(Some(number.into())),
            Err(_) => Err(Error::serialization(format!("STRING_VALUE can not be converted to an Integer at '{name}'"))),
        },
        _ => Ok(Some(Value::String(text))),
    }
}

/// A request as a client sends it: the method, the path with its query string, and the body.
pub(crate) fn write(operation: &Operation, input: &impl Serialize) -> (Method, String, Vec<u8>) {
    // Our shapes are structs of texts, numbers and lists, which always can be written.
    let mut members = match serde_json::to_value(input) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let mut path = operation.path.to_owned();
    let mut query = String::new();
    for member in operation.input {
        if member.place == Place::Body {
            continue;
        }
        match (member.place, members.remove(member.name)) {
            (Place::Label, Some(value)) => path.push_str(&percent::encode(&text(&value))),
            (Place::Query(name), Some(Value::Array(values))) => {
                values.iter().for_each(|value| parameter(&mut query, name, value));
            }
            (Place::Query(name), Some(value)) => parameter(&mut query, name, &value),
            _ => {}
        }
    }
    if !query.is_empty() {
        path = format!("{path}?{query}");
    }
    let has_body = operation.input.iter().any(|member| member.place == Place::Body);
    let body = if has_body { Value::Object(members).to_string().into_bytes() } else { Vec::new() };
    (operation.method.clone(), path, body)
}

fn parameter(query: &mut String, name: &str, value: &Value) {
    if !query.is_empty() {
        query.push('&');
    }
    query.push_str(&percent::encode(name));
    query.push('=');
    query.push_str(&percent::encode(&text(value)));
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

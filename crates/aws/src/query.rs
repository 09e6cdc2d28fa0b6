//! Query's parameters: a form's `a.b.1.c=value` pairs as a tree.
//!
//! Knows AWS's conventions for lists (`Name.1`, `Name.member.1`, or bare `Name` for one) and maps (`Name.1.Name` and
//! `Name.1.Value`, `Name.entry.1.key` and `Name.entry.1.value`), but no service's parameters. Nodes are consumed as they
//! are read, so that a value is copied at most once.

use crate::{Code, Error, Incoming};
use std::{borrow::Cow, collections::BTreeMap};

/// More than any action has: a batch of ten with ten attributes each needs some 500.
const MOST_PARAMETERS: usize = 4096;
/// `SendMessageBatchRequestEntry.1.MessageAttribute.1.Value.StringValue` has six. What is longer stays one segment.
const MOST_SEGMENTS: usize = 8;

/// What stands at, and under, one name.
#[derive(Debug, Default)]
pub(crate) struct Node<'a> {
    value: Option<Cow<'a, str>>,
    children: BTreeMap<Cow<'a, str>, Node<'a>>,
    /// The list and number this node is in, for error messages.
    of: Option<(&'static str, u32)>,
}

/// The parameters of a request: those of its URI and those of its body; the body's win.
pub(crate) fn parameters<'a>(incoming: &Incoming<'a>) -> Result<Node<'a>, Error> {
    let mut root = Node::default();
    let mut count = 0;
    for (key, value) in pairs(incoming) {
        count += 1;
        if count > MOST_PARAMETERS {
            let message = format!("The request has more than {MOST_PARAMETERS} parameters.");
            return Err(Error::new(Code::MalformedQueryString, message));
        }
        root.insert(decode(key)?, decode(value)?);
    }
    Ok(root)
}

/// The `Action` of a request, as far as it can be read.
pub(crate) fn action<'a>(incoming: &Incoming<'a>) -> Option<Cow<'a, str>> {
    pairs(incoming).find(|(key, _)| *key == b"Action").and_then(|(_, value)| decode(value).ok())
}

fn pairs<'a>(incoming: &Incoming<'a>) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
    let query = incoming.uri.query().unwrap_or_default().as_bytes();
    // A body of another type is not a form, whatever bytes are in it. Clients that send none mean a form.
    let is_form = match incoming.headers.get(http::header::CONTENT_TYPE) {
        Some(value) => {
            let essence = value.as_bytes().split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
            essence.eq_ignore_ascii_case(b"application/x-www-form-urlencoded")
        }
        None => true,
    };
    let form = if is_form { incoming.body } else { &[] };
    split(query).chain(split(form))
}

fn split(form: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    form.split(|&b| b == b'&').filter(|pair| !pair.is_empty()).map(|pair| match memchr::memchr(b'=', pair) {
        Some(at) => (&pair[..at], &pair[at + 1..]),
        None => (pair, &[][..]),
    })
}

/// Undoes `application/x-www-form-urlencoded`.
fn decode(raw: &[u8]) -> Result<Cow<'_, str>, Error> {
    let malformed = || Error::new(Code::MalformedQueryString, "The query string contains a syntax error.");
    let Some(first) = memchr::memchr2(b'%', b'+', raw) else {
        return std::str::from_utf8(raw).map(Cow::Borrowed).map_err(|_| malformed());
    };
    let mut decoded = Vec::with_capacity(raw.len());
    decoded.extend_from_slice(&raw[..first]);
    let mut rest = &raw[first..];
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (&[high, low], after) = after.split_first_chunk().ok_or_else(malformed)?;
                rest = after;
                let digit = |b: u8| char::from(b).to_digit(16).ok_or_else(malformed);
                (digit(high)? << 4 | digit(low)?) as u8
            }
            byte => byte,
        });
    }
    String::from_utf8(decoded).map(Cow::Owned).map_err(|_| malformed())
}

impl<'a> Node<'a> {
    fn insert(&mut self, key: Cow<'a, str>, value: Cow<'a, str>) {
        let mut node = self;
        match key {
            Cow::Borrowed(key) => {
                for segment in key.splitn(MOST_SEGMENTS, '.') {
                    node = node.children.entry(Cow::Borrowed(segment)).or_default();
                }
            }
            Cow::Owned(key) => {
                for segment in key.splitn(MOST_SEGMENTS, '.') {
                    node = node.children.entry(Cow::Owned(segment.to_owned())).or_default();
                }
            }
        }
        node.value = Some(value);
    }

    fn take_first(&mut self, names: &[&str]) -> Option<Node<'a>> {
        names.iter().find_map(|name| self.children.remove(*name))
    }

    /// The text of a parameter.
    pub(crate) fn text(&mut self, name: &str) -> Option<String> {
        self.children.remove(name)?.value.map(Cow::into_owned)
    }

    /// The text of a parameter that has to be there.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, Error> {
        self.text(name).ok_or_else(|| self.missing(name))
    }

    /// That a parameter is missing here.
    pub(crate) fn missing(&self, name: &str) -> Error {
        match self.of {
            Some((list, number)) => Error::missing_parameter(&format!("{list}.{number}.{name}")),
            None => Error::missing_parameter(name),
        }
    }

    /// The number a parameter has. An empty one counts as absent.
    pub(crate) fn integer(&mut self, name: &str) -> Result<Option<i64>, Error> {
        match self.text(name).as_deref().map(str::trim) {
            None | Some("") => Ok(None),
            Some(text) => match text.parse() {
                Ok(number) => Ok(Some(number)),
                Err(_) => Err(Error::invalid_value(text, name, "Must be an integer.")),
            },
        }
    }

    /// The elements of the list by one of these names, the official one first, in the order of their numbers.
    pub(crate) fn list(&mut self, names: &'static [&'static str]) -> Vec<Node<'a>> {
        let Some(mut list) = self.take_first(names) else { return Vec::new() };
        if let Some(inner) = list.take_first(&["member", "entry"]) {
            list = inner;
        }
        let mut numbered: Vec<(u32, Node<'a>)> = Vec::new();
        // `Name=` alone is how SDKs write an empty list; an empty element has its number.
        let value = list.value.filter(|value| !value.is_empty());
        let mut rest = Node { value, ..Node::default() };
        for (key, node) in list.children {
            match key.parse() {
                Ok(number) => numbered.push((number, node)),
                Err(_) => {
                    rest.children.insert(key, node);
                }
            }
        }
        // AWS's older examples leave the number of a single element out.
        if numbered.is_empty() && (rest.value.is_some() || !rest.children.is_empty()) {
            numbered.push((1, rest));
        }
        numbered.sort_by_key(|(number, _)| *number);
        let name = names.first().copied().unwrap_or_default();
        numbered.into_iter().map(|(number, node)| Node { of: Some((name, number)), ..node }).collect()
    }

    /// The texts of the list by one of these names.
    pub(crate) fn texts(&mut self, names: &'static [&'static str]) -> Vec<String> {
        self.list(names).into_iter().filter_map(|node| node.value).map(Cow::into_owned).collect()
    }

    /// The entries of the map by one of these names. Of a key that comes twice, the later entry stays.
    pub(crate) fn map<V>(
        &mut self,
        names: &'static [&'static str],
        mut read: impl FnMut(Node<'a>) -> Result<V, Error>,
    ) -> Result<BTreeMap<String, V>, Error> {
        let mut map = BTreeMap::new();
        for mut entry in self.list(names) {
            let key = entry.take_first(&["Name", "Key", "key"]).and_then(|key| key.value);
            let key = key.ok_or_else(|| entry.missing("Name"))?.into_owned();
            let value = entry.take_first(&["Value", "value"]).unwrap_or_default();
            map.insert(key, read(value)?);
        }
        Ok(map)
    }

    /// The map by one of these names, of texts. A value left out is empty.
    pub(crate) fn text_map(&mut self, names: &'static [&'static str]) -> Result<BTreeMap<String, String>, Error> {
        self.map(names, |value| Ok(value.value.map(Cow::into_owned).unwrap_or_default()))
    }
}

#[cfg(test)]
#[path = "query/tests.rs"]
mod tests;

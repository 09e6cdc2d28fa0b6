//! Which messages a peek shows, and how much of them.

use super::failure::{AdminError, invalid};
use crate::parameters::Parameters;
use afterward_broker::{
    Attribute, AttributeValue, Content,
    machine::{Cursor, Standing},
};
use memchr::memmem;
use std::str::FromStr;

const KNOWN: [&str; 8] = ["limit", "cursor", "text", "attribute", "state", "max_body_bytes", "account", "region"];

/// A peek's parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter {
    /// How many messages at most.
    pub(super) limit: usize,
    /// Where to go on.
    pub(super) after: Option<Cursor>,
    /// How much of each body.
    pub(super) max_body_bytes: usize,
    state: Option<Which>,
    text: Option<String>,
    attributes: Vec<(String, String)>,
}

/// A [`Standing`] without its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Ready,
    Delayed,
    Leased,
    BehindGroup,
    Held,
}

impl Filter {
    pub(super) fn of(parameters: &Parameters) -> Result<Filter, AdminError> {
        if let Some(unknown) = parameters.unknown(&KNOWN) {
            return Err(invalid(format!("There is no parameter `{unknown}`. There are {}.", KNOWN.join(", "))));
        }
        let limit = number(parameters, "limit")?.unwrap_or(10);
        if !(1..=100).contains(&limit) {
            return Err(invalid("limit is a whole number from 1 to 100."));
        }
        Ok(Filter {
            limit,
            after: parameters.get("cursor").map(read_cursor).transpose()?,
            max_body_bytes: number(parameters, "max_body_bytes")?.unwrap_or(usize::MAX),
            state: parameters.get("state").map(which).transpose()?,
            text: parameters.get("text").filter(|text| !text.is_empty()).map(String::from),
            attributes: parameters.all("attribute").map(pair).collect::<Result<_, _>>()?,
        })
    }

    /// Whether a message that stands so may be shown.
    pub(super) fn wants(&self, standing: Standing) -> bool {
        let stands = match standing {
            Standing::Ready => Which::Ready,
            Standing::Delayed { .. } => Which::Delayed,
            Standing::Leased { .. } => Which::Leased,
            Standing::BehindGroup => Which::BehindGroup,
            Standing::Held => Which::Held,
        };
        self.state.is_none_or(|wanted| wanted == stands)
    }

    /// Whether a message with that content is shown: it has the text in its body, and all the attributes. The search takes
    /// time by the length of the body, whatever the text is.
    pub(super) fn shows(&self, content: &Content) -> bool {
        let has_text = self.text.as_ref().is_none_or(|text| memmem::find(&content.body, text.as_bytes()).is_some());
        has_text
            && self
                .attributes
                .iter()
                .all(|(name, value)| content.attributes.iter().any(|attribute| is(attribute, name, value)))
    }
}

fn is(attribute: &Attribute, name: &str, value: &str) -> bool {
    &*attribute.name == name && matches!(&attribute.value, AttributeValue::String(text) if &**text == value)
}

fn number<T: FromStr>(parameters: &Parameters, name: &str) -> Result<Option<T>, AdminError> {
    let parsed = parameters.get(name).map(str::parse).transpose();
    parsed.map_err(|_| invalid(format!("{name} is a whole number.")))
}

fn which(text: &str) -> Result<Which, AdminError> {
    match text {
        "ready" => Ok(Which::Ready),
        "delayed" => Ok(Which::Delayed),
        "leased" => Ok(Which::Leased),
        "behind_group" => Ok(Which::BehindGroup),
        "held" => Ok(Which::Held),
        _ => Err(invalid("state is ready, delayed, leased, behind_group or held.")),
    }
}

fn pair(text: &str) -> Result<(String, String), AdminError> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.into(), value.into())),
        _ => Err(invalid("attribute reads NAME=VALUE.")),
    }
}

/// A place in a queue as text.
pub(super) fn write_cursor(cursor: Cursor) -> String {
    format!("{}-{}", cursor.sent_ms, cursor.slot)
}

fn read_cursor(text: &str) -> Result<Cursor, AdminError> {
    let cursor = text
        .split_once('-')
        .and_then(|(sent_ms, slot)| Some(Cursor { sent_ms: sent_ms.parse().ok()?, slot: slot.parse().ok()? }));
    cursor.ok_or_else(|| invalid("cursor is what a reply's next_cursor says."))
}

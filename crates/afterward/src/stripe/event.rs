//! One event of Stripe's: what happened, and the object as it was then.

use super::Kind;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use serde_json::{Map, Value};
use std::{fmt, marker::PhantomData};

/// An event of kind `K` about an `Object`; its names with the kind filled in are [`InvoicePaid`](super::InvoicePaid) and
/// so on.
///
/// For a kind that has no name here, make one:
///
/// ```
/// use afterward::stripe::{Event, Kind};
///
/// struct Refunded;
/// impl Kind for Refunded {
///     const TYPE: &'static str = "charge.refunded";
/// }
///
/// async fn refunded(event: Event<Refunded, serde_json::Value>) {
///     println!("{} was refunded", event.object["id"]);
/// }
/// ```
#[non_exhaustive]
pub struct Event<K, Object> {
    /// The event's id, `evt_…`: the same each time that Stripe sends it.
    pub id: String,
    /// When it happened, in seconds since 1970.
    pub created: i64,
    /// Whether it is about real money.
    pub livemode: bool,
    /// The API version in whose shape the object is.
    pub api_version: Option<String>,
    /// The connected account that it is about, if any.
    pub account: Option<String>,
    /// The object as it was when this happened: `data.object`.
    pub object: Object,
    /// What was otherwise before, in `…updated` events: `data.previous_attributes`.
    pub previous_attributes: Option<Map<String, Value>>,
    kind: PhantomData<fn() -> K>,
}

#[derive(Deserialize)]
struct Wire<Object> {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
    created: i64,
    #[serde(default)]
    livemode: bool,
    #[serde(default)]
    api_version: Option<String>,
    #[serde(default)]
    account: Option<String>,
    data: Data<Object>,
}

#[derive(Deserialize)]
struct Data<Object> {
    object: Object,
    #[serde(default)]
    previous_attributes: Option<Map<String, Value>>,
}

impl<'de, K: Kind, Object: DeserializeOwned> Deserialize<'de> for Event<K, Object> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Event<K, Object>, D::Error> {
        let wire: Wire<Object> = Wire::deserialize(deserializer)?;
        if wire.event_type != K::TYPE {
            let why = format!("an event of type `{}` where `{}` was expected", wire.event_type, K::TYPE);
            return Err(D::Error::custom(why));
        }
        Ok(Event {
            id: wire.id,
            created: wire.created,
            livemode: wire.livemode,
            api_version: wire.api_version,
            account: wire.account,
            object: wire.data.object,
            previous_attributes: wire.data.previous_attributes,
            kind: PhantomData,
        })
    }
}

impl<K: Kind, Object: fmt::Debug> fmt::Debug for Event<K, Object> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("type", &K::TYPE)
            .field("id", &self.id)
            .field("created", &self.created)
            .field("livemode", &self.livemode)
            .field("object", &self.object)
            .finish_non_exhaustive()
    }
}

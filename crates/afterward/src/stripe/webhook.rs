//! Stripe's event as a message.

use super::signature::{DEFAULT_TOLERANCE, SignatureError, verify};
use crate::Message;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::value::RawValue;
use thiserror::Error;

/// An event of Stripe's as it came, as the payload of messages of type `stripe`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Webhook(Box<RawValue>);

impl Message for Webhook {
    const TYPE: &'static str = "stripe";
}

/// Why a webhook request is not taken. Answer it with 400.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// It did not come from Stripe.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is signed, and no event.
    #[error("the body is no event of Stripe's: {0}")]
    Body(#[from] serde_json::Error),
}

/// What every event has.
#[derive(Deserialize)]
struct Head {
    id: String,
    #[serde(rename = "type")]
    event_type: String,
}

impl Webhook {
    /// The event in a webhook request, if that came from Stripe within the last five minutes: see [`verify`].
    ///
    /// # Errors
    /// It did not, or is no event.
    pub fn verified(signature: &str, body: &[u8], secret: &str) -> Result<Webhook, WebhookError> {
        verify(signature, body, secret, DEFAULT_TOLERANCE)?;
        Webhook::from_body(body)
    }

    /// The event in a webhook request whose signature was verified elsewhere.
    ///
    /// # Errors
    /// It is no event.
    pub fn from_body(body: &[u8]) -> Result<Webhook, WebhookError> {
        let event = Webhook(serde_json::from_slice(body)?);
        event.head()?;
        Ok(event)
    }

    /// The event's id, `evt_…`: the same each time that Stripe sends it.
    pub fn id(&self) -> Option<String> {
        Some(self.head().ok()?.id)
    }

    /// What kind of event it is, such as `invoice.paid`.
    pub fn event_type(&self) -> Option<String> {
        Some(self.head().ok()?.event_type)
    }

    /// The event as JSON.
    pub fn as_json(&self) -> &str {
        self.0.get()
    }

    /// Reads the event.
    ///
    /// # Errors
    /// It is not of this shape.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_str(self.0.get())
    }

    fn head(&self) -> Result<Head, serde_json::Error> {
        serde_json::from_str(self.0.get())
    }
}

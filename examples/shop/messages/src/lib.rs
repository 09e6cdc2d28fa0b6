//! The shop's work, as messages: what its API puts into the queue, and its worker takes out.
//!
//! A crate of its own, so that both sides have the same types and neither needs the other. The names are what is on the wire
//! and stay, whatever becomes of the Rust types; fields that are added later need a `#[serde(default)]`, because messages
//! from before may still wait.
//!
//! Stripe's events are `afterward::stripe::Webhook`.

use afterward::Message;
use serde::{Deserialize, Serialize};

/// Somebody has written to the shop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(type = "contact")]
#[serde(rename_all = "camelCase")]
pub struct Contact {
    /// Who.
    pub email: String,
    /// What they wrote.
    pub text: String,
}

/// Somebody has ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(type = "order:new")]
#[serde(rename_all = "camelCase")]
pub struct OrderNew {
    /// The API's id of the order.
    pub order_id: String,
    /// Who.
    pub email: String,
    /// What.
    pub items: Vec<Item>,
}

/// A line of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Item {
    /// What.
    pub sku: String,
    /// How many.
    pub quantity: u32,
}

/// Two days later, somebody is asked how they like it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Message)]
#[message(type = "order:follow-up")]
#[serde(rename_all = "camelCase")]
pub struct OrderFollowUp {
    /// The API's id of the order.
    pub order_id: String,
    /// Who.
    pub email: String,
}

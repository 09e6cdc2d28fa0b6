//! Stripe's events as work: the webhook's route verifies and enqueues them, a worker routes them by their type.
//!
//! ```no_run
//! use afterward::{Cause, Context, Queue, Worker, stripe};
//! use afterward::stripe::{CustomerSubscriptionDeleted, InvoicePaid};
//!
//! async fn paid(event: InvoicePaid, cx: Context) -> Result<(), Cause> {
//!     let invoice = event.object;
//!     println!("{:?} paid {} {}", invoice.customer, invoice.amount_paid, invoice.currency);
//!     Ok(())
//! }
//!
//! async fn gone(event: CustomerSubscriptionDeleted) {
//!     println!("{} has left", event.object.customer);
//! }
//!
//! # async fn example(queue: Queue) -> Result<(), afterward::Error> {
//! Worker::new(queue).on(stripe::Router::new().on(paid).on(gone)).run().await?;
//! # Ok(())
//! # }
//! ```
//!
//! And in the route that Stripe calls (`body` is the request's body as it came, byte for byte):
//!
//! ```no_run
//! use afterward::{Cause, Queue, stripe::Webhook};
//!
//! # async fn webhook(queue: &Queue, signature: &str, body: &[u8]) -> Result<(), Cause> {
//! let secret = std::env::var("STRIPE_WEBHOOK_SECRET")?;
//! let event = Webhook::verified(signature, body, &secret)?; // else answer 400
//! queue.enqueue(&event).await?; // and then 2xx
//! # Ok(())
//! # }
//! ```
//!
//! Stripe may deliver an event more than once, and in any order; on a FIFO queue the event's [id](Webhook::id) makes a
//! deduplication id.
//!
//! # Whose types
//!
//! The objects in events have small types of ours ([`Invoice`], [`Subscription`] and so on): the fields that handlers of a
//! subscription's life ask for, and the whole rest as JSON. They keep their shape over Stripe's API versions where that can be
//! done, and build in no time; the crates with all of Stripe's types are hundreds of thousands of generated lines. Who has one
//! of those names its type instead, or one of their own: every event takes any type that reads JSON.
//!
//! ```
//! # use serde::Deserialize;
//! # #[derive(Deserialize)] struct MyInvoice { id: String }
//! use afterward::stripe::InvoicePaid;
//!
//! async fn paid(event: InvoicePaid<MyInvoice>) { /* or a type of a Stripe crate */ }
//! ```

mod event;
mod kinds;
mod objects;
mod router;
mod signature;
mod webhook;

pub use event::Event;
pub use kinds::*;
pub use objects::{Customer, Invoice, PaymentIntent, Subscription, SubscriptionSchedule};
pub use router::Router;
pub use signature::{DEFAULT_TOLERANCE, SignatureError, verify};
pub use webhook::{Webhook, WebhookError};

#[cfg(test)]
mod tests;

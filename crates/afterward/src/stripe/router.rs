//! The second level of dispatch for Stripe's events.

use super::{Event, Kind, Webhook};
use crate::{
    Handler, Job, Message, Unknown,
    source::Cause,
    worker::{
        Setup, States,
        dispatch::{self, ByMember},
    },
};
use serde::de::DeserializeOwned;

/// A handler of Stripe's events that passes each to the handler of its kind, which its first argument names. The others are
/// done with: each kind without a handler is logged once, by name. (Stripe sends what is ticked where the webhook is set
/// up; [`LIFECYCLE`](super::LIFECYCLE) has the names.)
///
/// It takes messages of type `stripe` ([`Webhook`]), or with [`of`](Router::of) those of any type whose payload is Stripe's
/// event.
#[derive(Debug)]
pub struct Router<M = Webhook>(dispatch::Router<M>);

impl Router<Webhook> {
    /// A router without handlers.
    #[must_use]
    pub fn new() -> Router<Webhook> {
        Router::of()
    }
}

impl Default for Router<Webhook> {
    fn default() -> Router<Webhook> {
        Router::new()
    }
}

impl<M: Message> Router<M> {
    /// A router for messages of another type, such as those of a LetsGo application's API:
    ///
    /// ```
    /// use afterward::{Message, stripe::{self, InvoicePaid}};
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize, Message)]
    /// #[message(type = "letsgo:stripe")]
    /// struct LetsGoStripe(serde_json::Value);
    ///
    /// async fn paid(event: InvoicePaid) {}
    /// let router = stripe::Router::<LetsGoStripe>::of().on(paid);
    /// ```
    #[must_use]
    pub fn of() -> Router<M> {
        Router(dispatch::Router::by("type").unknown(Unknown::Ignore))
    }

    /// Adds the handler of a kind of event: `on(paid)`, or with the kind named, `on::<InvoicePaid, _>(paid)`.
    #[must_use]
    pub fn on<E: Routed, A: 'static>(self, handler: impl Handler<E, A>) -> Router<M> {
        Router(self.0.on(E::TYPE, handler))
    }

    /// Sets the handler of all other kinds; it takes the whole message.
    #[must_use]
    pub fn otherwise<A: 'static>(self, handler: impl Handler<M, A>) -> Router<M> {
        Router(self.0.otherwise(handler))
    }

    /// What becomes of events without a handler. Unless set, they are ignored, and each kind is logged once.
    #[must_use]
    pub fn unknown(self, then: Unknown) -> Router<M> {
        Router(self.0.unknown(then))
    }
}

#[diagnostic::do_not_recommend]
impl<M: Message> Handler<M, ByMember> for Router<M> {
    fn handle(&self, input: M, job: Job) -> impl Future<Output = Result<(), Cause>> + Send {
        self.0.handle(input, job)
    }

    fn lacks(&self, states: &States) -> Option<String> {
        self.0.lacks(states)
    }

    fn set_up(&mut self, setup: &mut Setup) {
        self.0.set_up(setup);
    }
}

/// An [`Event`] of any kind about any object.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event of Stripe's",
    label = "not an event",
    note = "a handler of Stripe's events takes `stripe::InvoicePaid` or another of `stripe`'s events as its first argument, or `stripe::Event<K, Object>`"
)]
pub trait Routed: DeserializeOwned + Send + 'static {
    /// Stripe's name of its kind.
    const TYPE: &'static str;
}

impl<K: Kind, Object: DeserializeOwned + Send + 'static> Routed for Event<K, Object> {
    const TYPE: &'static str = K::TYPE;
}

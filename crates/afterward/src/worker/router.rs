//! Which handler a message goes to.

use super::{Context, Handler, Raw};
use crate::{Delivery, Message, envelope::Envelope, message::checked_type, source::Cause};
use std::{collections::BTreeMap, future::ready, marker::PhantomData, pin::Pin};

type Running<'a> = Pin<Box<dyn Future<Output = Result<(), Cause>> + Send + 'a>>;

/// Handlers by message type, and one for everything else.
#[derive(Default)]
pub(super) struct Router {
    typed: BTreeMap<&'static str, Box<dyn Typed>>,
    otherwise: Option<Box<dyn Untyped>>,
    /// A type that was given two handlers.
    twice: Option<&'static str>,
}

/// A handler of one message type, whatever that type is.
trait Typed: Send + Sync {
    fn run(&self, envelope: &Envelope<'_>, context: Context) -> Running<'_>;
}

/// A handler of bodies.
trait Untyped: Send + Sync {
    fn run(&self, raw: Raw, context: Context) -> Running<'_>;
}

/// A handler together with the types that its implementation of [`Handler`] hangs on.
struct Of<H, Input, Arguments>(H, PhantomData<fn(Input, Arguments)>);

impl<M: Message, A: 'static, H: Handler<M, A>> Typed for Of<H, M, A> {
    fn run(&self, envelope: &Envelope<'_>, context: Context) -> Running<'_> {
        match envelope.read::<M>() {
            Ok(message) => Box::pin(self.0.handle(message, context)),
            Err(error) => Box::pin(ready(Err(unreadable::<M>(envelope, &error).into()))),
        }
    }
}

impl<A: 'static, H: Handler<Raw, A>> Untyped for Of<H, Raw, A> {
    fn run(&self, raw: Raw, context: Context) -> Running<'_> {
        Box::pin(self.0.handle(raw, context))
    }
}

fn unreadable<M: Message>(envelope: &Envelope<'_>, error: &serde_json::Error) -> String {
    if envelope.has_payload() {
        format!("the payload of this message of type `{}` can't be read: {error}", M::TYPE)
    } else {
        format!("this message of type `{}` has no payload: {error}", M::TYPE)
    }
}

impl Router {
    pub(super) fn on<M: Message, A: 'static>(&mut self, handler: impl Handler<M, A>) {
        let message_type = const { checked_type::<M>() };
        if self.typed.insert(message_type, Box::new(Of(handler, PhantomData))).is_some() {
            self.twice = Some(message_type);
        }
    }

    pub(super) fn otherwise<A: 'static>(&mut self, handler: impl Handler<Raw, A>) {
        self.otherwise = Some(Box::new(Of(handler, PhantomData)));
    }

    /// What is wrong with these handlers, if anything.
    pub(super) fn defect(&self) -> Option<String> {
        if let Some(name) = self.twice {
            return Some(format!("two handlers for messages of type `{name}`: a type has one"));
        }
        let empty = self.typed.is_empty() && self.otherwise.is_none();
        empty.then(|| "a worker without handlers: add .on(handler)".to_owned())
    }

    /// Runs the handler that a delivery is for.
    pub(super) async fn dispatch(&self, delivery: &Delivery, context: Context) -> Result<(), Cause> {
        let envelope = Envelope::open(&delivery.body);
        let message_type = envelope.as_ref().map(|envelope| &*envelope.message_type);
        tracing::Span::current().record("message_type", message_type);
        let typed = message_type.and_then(|name| self.typed.get(name));
        let running = match (typed, &envelope, &self.otherwise) {
            (Some(handler), Some(envelope), _) => handler.run(envelope, context),
            (_, _, Some(handler)) => {
                let message_type = message_type.map(str::to_owned);
                handler.run(Raw { body: delivery.body.clone(), message_type }, context)
            }
            _ => return Err(self.nobody(message_type).into()),
        };
        running.await
    }

    fn nobody(&self, message_type: Option<&str>) -> String {
        let known: Vec<String> = self.typed.keys().map(|name| format!("`{name}`")).collect();
        let known = known.join(", ");
        match message_type {
            Some(name) => format!("no handler for messages of type `{name}` in this worker, which handles {known}"),
            None => format!(
                "the body has no envelope ({{\"type\":…,\"payload\":…}}), and this worker handles only messages of type {known}"
            ),
        }
    }
}

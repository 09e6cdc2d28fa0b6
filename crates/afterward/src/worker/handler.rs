//! What can handle messages: async functions of one or two arguments.

use super::Context;
use crate::source::Cause;

/// An async function that handles messages: `async fn(T) -> Result<(), E>` or `async fn(T, Context) -> Result<(), E>`,
/// also as a closure.
///
/// `T` is a [`Message`](crate::Message) for [`Worker::on`](crate::Worker::on) and [`Raw`](crate::Raw) for
/// [`Worker::otherwise`](crate::Worker::otherwise). `E` is whatever `?` turns into a `Box<dyn Error + Send + Sync>`:
/// any error type, `anyhow::Error`, `String`, `&str`. Not to be implemented by hand.
#[diagnostic::on_unimplemented(
    message = "this is no handler of messages",
    label = "not a handler",
    note = "a handler is an `async fn(T) -> Result<(), E>` or an `async fn(T, Context) -> Result<(), E>` whose future is `Send`",
    note = "`T` is a `Message` in `.on(…)` and `Raw` in `.otherwise(…)`; `E` converts into `Box<dyn Error + Send + Sync>`"
)]
pub trait Handler<Input, Arguments>: Send + Sync + 'static {
    /// Handles one message.
    #[doc(hidden)]
    fn handle(&self, input: Input, context: Context) -> impl Future<Output = Result<(), Cause>> + Send;
}

impl<F, Running, Input, E> Handler<Input, (Input,)> for F
where
    F: Fn(Input) -> Running + Send + Sync + 'static,
    Running: Future<Output = Result<(), E>> + Send,
    E: Into<Cause>,
{
    fn handle(&self, input: Input, _: Context) -> impl Future<Output = Result<(), Cause>> + Send {
        let running = self(input);
        async move { running.await.map_err(Into::into) }
    }
}

impl<F, Running, Input, E> Handler<Input, (Input, Context)> for F
where
    F: Fn(Input, Context) -> Running + Send + Sync + 'static,
    Running: Future<Output = Result<(), E>> + Send,
    E: Into<Cause>,
{
    fn handle(&self, input: Input, context: Context) -> impl Future<Output = Result<(), Cause>> + Send {
        let running = self(input, context);
        async move { running.await.map_err(Into::into) }
    }
}

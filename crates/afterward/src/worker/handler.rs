//! What can handle messages: async functions of a message and further arguments.

use super::{FromJob, Job, Outcome, extract::States, handling::Setup};
use crate::{Message, Raw, source::Cause, worker::hand::Hand};

/// An async function that handles messages, also as a closure. Its first argument is the message, all further ones are
/// extractors ([`FromJob`]):
///
/// ```
/// # use afterward::{Cause, Context, Message, State};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Clone)] struct Pool;
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "order:new")] struct OrderNew;
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "order:paid")] struct OrderPaid;
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "tick")] struct Tick;
/// async fn order_new(order: OrderNew) -> Result<(), std::io::Error> { Ok(()) }
/// async fn order_paid(order: OrderPaid, cx: Context, State(pool): State<Pool>) -> Result<(), Cause> { Ok(()) }
/// async fn tick(_: Tick) {}
/// ```
///
/// The message is a [`Message`] for [`Worker::on`](crate::Worker::on) and [`Raw`] for
/// [`Worker::otherwise`](crate::Worker::otherwise). What handlers may return says [`Outcome`]. How they are run, retried and
/// limited is set around them: [`handler`](crate::handler()). Where a function is not taken and it is hard to see why,
/// [`#[debug_handler]`](macro@crate::debug_handler) on it says so. Not to be implemented by hand.
#[diagnostic::on_unimplemented(
    message = "this is no handler of messages",
    label = "not a handler",
    note = "a handler is an async function: its first argument is what it handles (a `Message` in `.on(…)`, `Raw` in `.otherwise(…)`, `Tick` in `.every(…)` and `.cron(…)`), up to eight extractors follow (`Context`, `State<T>`, …), and it returns `()` or a `Result<(), E>`",
    note = "put `#[afterward::debug_handler]` on the function, and the compiler points at what is wrong"
)]
pub trait Handler<Input, Arguments>: Send + Sync + 'static {
    /// Handles one message.
    #[doc(hidden)]
    fn handle(&self, input: Input, job: Job) -> impl Future<Output = Result<(), Cause>> + Send;

    /// What its arguments need and a worker with these states lacks.
    #[doc(hidden)]
    fn lacks(&self, _: &States) -> Option<String> {
        None
    }

    /// What the compiler calls it.
    #[doc(hidden)]
    fn type_name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Says how it is to be run.
    #[doc(hidden)]
    fn set_up(&mut self, _: &mut Setup) {}
}

macro_rules! handlers {
    ($($argument:ident $value:ident),*) => {
        impl<F, Running, Input, $($argument),*> Handler<Input, (Input, $($argument,)*)> for F
        where
            F: Fn(Input, $($argument),*) -> Running + Send + Sync + 'static,
            Running: Future<Output: Outcome> + Send,
            Input: Send,
            $($argument: FromJob + Send,)*
        {
            #[allow(unused_variables)] // by the handler of a message alone
            async fn handle(&self, input: Input, job: Job) -> Result<(), Cause> {
                $(let $value = $argument::from_job(&job).await.map_err(Into::into)?;)*
                self(input, $($value),*).await.into_result()
            }

            #[allow(unused_variables)] // by the handler of a message alone
            fn lacks(&self, states: &States) -> Option<String> {
                $(if let Some(lacking) = $argument::lacks(states) { return Some(lacking); })*
                None
            }
        }
    };
}

handlers! {}
handlers! { A a }
handlers! { A a, B b }
handlers! { A a, B b, C c }
handlers! { A a, B b, C c, D d }
handlers! { A a, B b, C c, D d, E e }
handlers! { A a, B b, C c, D d, E e, G g }
handlers! { A a, B b, C c, D d, E e, G g, H h }
handlers! { A a, B b, C c, D d, E e, G g, H h, I i }

/// What a handler's first argument may be: a [`Message`], [`Raw`], or a [`Tick`](crate::Tick).
pub trait Input: Send + Sized + 'static {
    /// Reads it out of what was delivered.
    #[doc(hidden)]
    fn read(job: &Job) -> Result<Self, Cause>;

    #[doc(hidden)]
    fn peek(hand: &Peek<'_>) -> Option<Self>;

    /// Why no worker would hand this message to a handler of these, if none would.
    #[doc(hidden)]
    fn mismatch(_: &Peek<'_>) -> Option<String> {
        None
    }
}

/// Why a message is none of the type `wanted`, if it isn't.
pub(super) fn not_of_type(hand: &Peek<'_>, wanted: &str) -> Option<String> {
    match hand.0.message_type() {
        Some(name) if name == wanted => None,
        Some(name) => Some(format!("it is of type `{name}`, and the handler is for `{wanted}`")),
        None => Some(format!(
            "its body has no envelope ({{\"type\":…,\"payload\":…}}), and the handler is for messages of type `{wanted}`"
        )),
    }
}

/// A message that no attempt has begun at.
#[doc(hidden)]
pub struct Peek<'a>(pub(super) &'a Hand);

impl<M: Message> Input for M {
    fn read(job: &Job) -> Result<M, Cause> {
        let payload = job.context().hand().payload();
        // One that is absent counts as `null`, for `JSON.stringify` drops what is undefined.
        serde_json::from_str(payload.unwrap_or("null")).map_err(|error| {
            let name = M::TYPE;
            match payload {
                Some(_) => format!("the payload of this message of type `{name}` can't be read: {error}").into(),
                None => format!("this message of type `{name}` has no payload: {error}").into(),
            }
        })
    }

    fn peek(hand: &Peek<'_>) -> Option<M> {
        serde_json::from_str(hand.0.payload().unwrap_or("null")).ok()
    }

    fn mismatch(hand: &Peek<'_>) -> Option<String> {
        not_of_type(hand, M::TYPE)
    }
}

impl Input for Raw {
    fn read(job: &Job) -> Result<Raw, Cause> {
        Ok(Raw::of(job.context().hand()))
    }

    fn peek(hand: &Peek<'_>) -> Option<Raw> {
        Some(Raw::of(hand.0))
    }
}

//! What `#[debug_handler]` asks the compiler about a handler, one question for each of its parts. Not for use by hand.

use crate::{FromJob, Outcome, Raw, Tick};
use serde::de::DeserializeOwned;

/// A handler's first argument: a message, a part of one that a router passes on, [`Raw`] or [`Tick`].
#[diagnostic::on_unimplemented(
    message = "a handler can't take `{Self}` as its first argument",
    label = "not a message",
    note = "what it handles comes first: a type with #[derive(Serialize, Deserialize, Message)], `Raw` or `Tick`; all else comes after it"
)]
pub trait Handled {}

impl<T: DeserializeOwned + Send + 'static> Handled for T {}
impl Handled for Raw {}
impl Handled for Tick {}

/// Its first argument is something to handle.
pub fn handles<T: Handled>() {}

/// A further argument is an extractor.
pub fn extracts<T: FromJob + Send>() {}

/// What it comes to is an outcome.
pub fn returns<T: Outcome>() {}

/// Its future can go from thread to thread.
pub fn is_sent<T: Send>(_: T) {}

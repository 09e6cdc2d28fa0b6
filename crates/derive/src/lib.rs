//! `#[derive(Message)]` of the crate `afterward`.
//!
//! The macro reads one attribute, `#[message(type = "…")]`, and writes one `impl`. It knows nothing of payloads: those are
//! serde's.

mod message;

use proc_macro::TokenStream;

/// Makes a serde type a message: `#[message(type = "order:new")]` names its type on the wire.
///
/// ```
/// use afterward::Message;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(type = "order:new")]
/// struct OrderNew {
///     order_id: String,
/// }
/// assert_eq!(OrderNew::TYPE, "order:new");
/// ```
///
/// There is no default for the type, the Rust name least of all: messages that wait in a queue, and programs in other
/// languages, hold it, so that renaming a Rust type must not change it.
///
/// ```compile_fail
/// # use afterward::Message;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, Message)]
/// struct OrderNew {} // error: a message needs a type name
/// ```
///
/// Types that start with `afterward:` are Afterward's own.
///
/// ```compile_fail
/// # use afterward::Message;
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(type = "afterward:order")] // error: names that start with `afterward:` are reserved
/// struct OrderNew {}
/// ```
#[proc_macro_derive(Message, attributes(message))]
pub fn derive_message(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as syn::DeriveInput);
    message::expand(&input).unwrap_or_else(syn::Error::into_compile_error).into()
}

//! `#[derive(Message)]` and `#[debug_handler]` of the crate `afterward`.
//!
//! The one reads one attribute, `#[message(type = "…")]`, and writes one `impl`; it knows nothing of payloads: those are
//! serde's. The other leaves a function as it is, and asks the compiler about its parts.

mod handler;
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

/// Says what is wrong with a handler that `Worker::on` does not take.
///
/// Of a function that is no handler, the compiler says there only that it is none. With this attribute it points at the
/// argument, the return type or the value held across an `.await` that is to blame. The function stays as it is; take the
/// attribute off again, or leave it.
///
/// ```
/// # use afterward::{Context, Message};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "order:new")] struct OrderNew { order_id: String }
/// #[afterward::debug_handler]
/// async fn order_new(order: OrderNew, cx: Context) -> Result<(), String> {
///     println!("{}, attempt {}", order.order_id, cx.attempt());
///     Ok(())
/// }
/// ```
///
/// ```compile_fail
/// # use afterward::Message;
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize, Message)] #[message(type = "order:new")] struct OrderNew { order_id: String }
/// # struct Database;
/// #[afterward::debug_handler]
/// async fn order_new(order: OrderNew, db: Database) {} // error: a handler can't take `Database` as an argument
/// ```
///
/// Handlers with generic parameters are looked at only from outside.
#[proc_macro_attribute]
pub fn debug_handler(_: TokenStream, item: TokenStream) -> TokenStream {
    handler::expand(item.into()).into()
}

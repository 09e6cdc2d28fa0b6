//! What a message is to this library: a serde type with a name.

use serde::{Serialize, de::DeserializeOwned};

/// A type of work: what is sent as the payload, under the name [`TYPE`](Message::TYPE), to the handler of that name.
///
/// Derive it:
///
/// ```
/// use afterward::Message;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Message)]
/// #[message(type = "order:new")]
/// #[serde(rename_all = "camelCase")]
/// struct OrderNew {
///     order_id: String,
///     customer_id: String,
/// }
/// ```
///
/// On the wire this is `{"type":"order:new","payload":{"orderId":"…","customerId":"…"}}`, which programs in any language
/// can write and read.
///
/// The name is part of the wire, so there is no default for it; names that start with `afterward:` are Afterward's own,
/// and don't compile:
///
/// ```compile_fail
/// # use serde::{Deserialize, Serialize};
/// #[derive(Serialize, Deserialize)]
/// struct Sneaky;
///
/// impl afterward::Message for Sneaky {
///     const TYPE: &'static str = "afterward:sneaky";
/// }
///
/// fn send(queue: &afterward::Queue) {
///     let _ = queue.enqueue(&Sneaky); // error: evaluation of `checked_type::<Sneaky>` failed
/// }
/// # fn main() { let _ = send as fn(&afterward::Queue); }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a message",
    label = "not a message",
    note = "derive it: #[derive(serde::Serialize, serde::Deserialize, afterward::Message)] #[message(type = \"…\")]",
    note = "a handler of `Raw` goes into `.otherwise(…)`, one of `Tick` into `.every(…)` or `.cron(…)`"
)]
pub trait Message: Serialize + DeserializeOwned + Send + 'static {
    /// The name on the wire, such as `order:new`. Never change it while messages of it wait.
    const TYPE: &'static str;
}

/// A message's type name, checked while compiling for types that implement [`Message`] by hand.
pub(crate) const fn checked_type<M: Message>() -> &'static str {
    let name = M::TYPE;
    assert!(!name.is_empty(), "a message's TYPE can't be empty");
    assert!(!is_reserved(name), "types that start with `afterward:` are reserved for Afterward's own messages");
    name
}

const fn is_reserved(name: &str) -> bool {
    const PREFIX: &[u8] = b"afterward:";
    let name = name.as_bytes();
    if name.len() < PREFIX.len() {
        return false;
    }
    let mut at = 0;
    while at < PREFIX.len() {
        if name[at] != PREFIX[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_prefix_is_reserved() {
        for (name, reserved) in [
            ("afterward:", true),
            ("afterward:tick", true),
            ("afterward", false),
            ("afterwards:x", false),
            ("order:afterward:x", false),
            ("", false),
        ] {
            assert_eq!(is_reserved(name), reserved, "{name}");
        }
    }
}

//! A delivery's receipt: the service's handle and, for a message whose payload is in a store, the payload's key before it, so
//! that the payload goes with the message.

use crate::claim::Key;

/// What a receipt with a key starts with. No service's handle has a space.
const MARK: &str = "claim ";

/// The receipt of a message with this handle.
pub(super) fn with_claim(handle: String, key: Option<&Key>) -> String {
    match key {
        Some(key) => format!("{MARK}{key} {handle}"),
        None => handle,
    }
}

/// The service's handle, and the key of the payload that goes with the message.
pub(super) fn parts(receipt: &str) -> (&str, Option<Key>) {
    let marked = receipt.strip_prefix(MARK).and_then(|rest| rest.split_once(' '));
    match marked.and_then(|(key, handle)| Some((handle, Key::parse(key)?))) {
        Some((handle, key)) => (handle, Some(key)),
        None => (receipt, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_comes_apart_as_it_was_put_together() {
        let key = Key::parse("k-1");
        for key in [None, key] {
            let receipt = with_claim("AQEB/handle+==".to_owned(), key.as_ref());
            assert_eq!(parts(&receipt), ("AQEB/handle+==", key));
        }
    }
}

//! A delivery's receipt: the service's handle, before it the payload's key, for a message whose payload is in a store, and before
//! that the job's, for one of a batch that is kept by tallies: so the payload goes with the message, and its end is told.

use super::tally::Member;
use crate::claim::Key;

/// What a receipt with a key starts with. No service's handle has a space.
const MARK: &str = "claim ";
/// What a receipt with a job's key starts with, which is three words.
const MEMBER_MARK: &str = "member ";

/// The receipt of a message with this handle.
pub(super) fn with_claim(handle: String, key: Option<&Key>) -> String {
    match key {
        Some(key) => format!("{MARK}{key} {handle}"),
        None => handle,
    }
}

/// This receipt for a job of a batch.
pub(super) fn with_member(receipt: String, member: Option<&Member>) -> String {
    match member {
        Some(member) => format!("{MEMBER_MARK}{member} {receipt}"),
        None => receipt,
    }
}

/// Whether it is the receipt of a job of a batch.
pub(super) fn has_member(receipt: &str) -> bool {
    receipt.starts_with(MEMBER_MARK)
}

/// The key of the job, where it is one of a batch, and the rest.
fn split_member(receipt: &str) -> Option<(&str, &str)> {
    let marked = receipt.strip_prefix(MEMBER_MARK)?;
    let (end, _) = marked.match_indices(' ').nth(2)?;
    Some((&marked[..end], &marked[end + 1..]))
}

/// Which job of which batch the message is.
pub(super) fn member(receipt: &str) -> Option<Member> {
    split_member(receipt)?.0.parse().ok()
}

/// The service's handle, and the key of the payload that goes with the message.
pub(super) fn parts(receipt: &str) -> (&str, Option<Key>) {
    let receipt = split_member(receipt).map_or(receipt, |(_, rest)| rest);
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
        let job: Member = "import-42 0123456789ab 7".parse().unwrap();
        for (key, job) in [(None, None), (key.clone(), None), (None, Some(&job)), (key, Some(&job))] {
            let receipt = with_member(with_claim("AQEB/handle+==".to_owned(), key.as_ref()), job);
            assert_eq!(parts(&receipt), ("AQEB/handle+==", key));
            assert_eq!((member(&receipt).as_ref(), has_member(&receipt)), (job, job.is_some()));
        }
    }
}

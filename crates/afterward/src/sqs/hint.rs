//! What to do about an error whose words leave a person alone.

use super::Error;

/// What an error says beside the service's words.
pub(super) fn hint_for(error: &Error) -> Option<&'static str> {
    if error.is_refused_connection() && error.endpoint().is_loopback() {
        return Some("; is the server running? `afterward serve` starts one");
    }
    // The code stands for much else, so the words tell.
    let text = error.message().filter(|_| error.is_invalid_value())?;
    if text.contains("ContentBasedDeduplication enabled") && text.contains("MessageDeduplicationId provided") {
        return Some(
            " (add .dedup(…) or .unique(…) to the message, or set the queue's attribute ContentBasedDeduplication to true)",
        );
    }
    text.contains("must be shorter than").then_some(
        " (that is the queue's attribute MaximumMessageSize: raise it, or name a store for what is larger, by \
         AFTERWARD_CLAIM_CHECK_URL or Queue::claim_check_at)",
    )
}

//! Longer lists: our extension of ReceiveMessage and of the three batch actions.
//!
//! The header `x-afterward-entries: N` asks that the list of this one request may hold up to N entries (11 to 100), where SQS
//! has ten at most: the entries of a batch, or the messages of a receive. Without it all is as on AWS. A batch of messages is
//! no larger than ever, a mebibyte in all, and a receive adds nothing to ten messages or more once they are larger than that.
//!
//! Amazon ignores the header and refuses the list, so a client has to know whom it speaks to: `GET /_afterward/clock` says
//! as `entries` how many a server takes.

use super::call::Call;
use afterward_aws::Error;
use afterward_names::limits::{BATCH_ENTRIES, LONG_BATCH_ENTRIES};

const ENTRIES: &str = "x-afterward-entries";

/// How many entries the list of this request may have, or how many messages it may ask for.
pub(super) fn most(call: &Call<'_>) -> Result<usize, Error> {
    let Some(asked) = call.header(ENTRIES) else { return Ok(BATCH_ENTRIES) };
    let asked = asked.to_str().ok().and_then(|text| text.parse().ok());
    asked.filter(|asked| (BATCH_ENTRIES + 1..=LONG_BATCH_ENTRIES).contains(asked)).ok_or_else(|| {
        let least = BATCH_ENTRIES + 1;
        Error::invalid_parameter_value(format!(
            "The header {ENTRIES} is a whole number from {least} to {LONG_BATCH_ENTRIES}."
        ))
    })
}

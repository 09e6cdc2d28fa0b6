//! What all batches have in common: their entries' ids, their number, and failures of single entries.

use afterward_aws::{Code, Error, Fault, sqs::BatchResultErrorEntry};
use afterward_names::limits;

/// Checks a batch's ids: one to ten of them, each well formed, no two alike. `entry` is what AWS calls an entry.
pub(super) fn check<'a>(ids: impl ExactSizeIterator<Item = &'a str>, entry: &str) -> Result<(), Error> {
    let count = ids.len();
    if count == 0 {
        let message = format!("There should be at least one {entry} in the request.");
        return Err(Error::new(Code::EmptyBatchRequest, message));
    }
    if count > limits::BATCH_ENTRIES {
        let message =
            format!("Maximum number of entries per request are {}. You have sent {count}.", limits::BATCH_ENTRIES);
        return Err(Error::new(Code::TooManyEntriesInBatchRequest, message));
    }
    // So few are sooner compared than hashed.
    let mut seen = [""; limits::BATCH_ENTRIES];
    for (number, id) in ids.enumerate() {
        if !is_id(id) {
            let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be \
                           at most 80 letters long.";
            return Err(Error::new(Code::InvalidBatchEntryId, message));
        }
        if seen[..number].contains(&id) {
            return Err(Error::new(Code::BatchEntryIdsNotDistinct, format!("Id {id} repeated.")));
        }
        seen[number] = id;
    }
    Ok(())
}

fn is_id(text: &str) -> bool {
    (1..=80).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

/// The entries of a batch that failed.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<BatchResultErrorEntry>);

impl Failures {
    pub(super) fn push(&mut self, id: String, error: Error) {
        self.0.push(BatchResultErrorEntry {
            id,
            sender_fault: error.code.fault() == Fault::Sender,
            code: error.code.query_code().into(),
            message: Some(error.message),
        });
    }

    pub(super) fn into_entries(self) -> Vec<BatchResultErrorEntry> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_has_one_to_ten_entries_with_ids_of_their_own() {
        let eleven: Vec<String> = (0..11).map(|n| n.to_string()).collect();
        let eleven: Vec<&str> = eleven.iter().map(String::as_str).collect();
        let long = "x".repeat(81);
        for (ids, code) in [
            (vec!["a", "B-_9"], None),
            (eleven[..10].to_vec(), None),
            (vec![], Some(Code::EmptyBatchRequest)),
            (eleven.clone(), Some(Code::TooManyEntriesInBatchRequest)),
            (vec!["a", "a"], Some(Code::BatchEntryIdsNotDistinct)),
            (vec![""], Some(Code::InvalidBatchEntryId)),
            (vec!["a.b"], Some(Code::InvalidBatchEntryId)),
            (vec![&long], Some(Code::InvalidBatchEntryId)),
        ] {
            let outcome = check(ids.iter().copied(), "Entry");
            assert_eq!(outcome.err().map(|error| error.code), code, "{ids:?}");
        }
    }
}

//! What all batches have in common: their entries' ids, their number, and failures of single entries.

use afterward_aws::{Code, Error, Fault, sqs::BatchResultErrorEntry};
use afterward_names::limits;
use std::collections::HashSet;

/// Checks a batch's ids: one to `most` of them, each well formed, no two alike. `entry` is what AWS calls an entry.
pub(super) fn check<'a>(ids: impl ExactSizeIterator<Item = &'a str>, most: usize, entry: &str) -> Result<(), Error> {
    let count = ids.len();
    if count == 0 {
        let message = format!("There should be at least one {entry} in the request.");
        return Err(Error::new(Code::EmptyBatchRequest, message));
    }
    if count > most {
        let message = format!("Maximum number of entries per request are {most}. You have sent {count}.");
        return Err(Error::new(Code::TooManyEntriesInBatchRequest, message));
    }
    if count > limits::BATCH_ENTRIES { check_many(ids) } else { check_few(ids) }
}

/// So few are sooner compared than hashed.
fn check_few<'a>(ids: impl Iterator<Item = &'a str>) -> Result<(), Error> {
    let mut seen = [""; limits::BATCH_ENTRIES];
    for (number, id) in ids.enumerate() {
        check_id(id, seen[..number].contains(&id))?;
        seen[number] = id;
    }
    Ok(())
}

fn check_many<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), Error> {
    let mut seen = HashSet::with_capacity(ids.len());
    ids.into_iter().try_for_each(|id| check_id(id, !seen.insert(id)))
}

fn check_id(id: &str, seen: bool) -> Result<(), Error> {
    if !is_id(id) {
        let message = "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be \
                           at most 80 letters long.";
        return Err(Error::new(Code::InvalidBatchEntryId, message));
    }
    if seen {
        return Err(Error::new(Code::BatchEntryIdsNotDistinct, format!("Id {id} repeated.")));
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
    fn a_batch_has_one_to_so_many_entries_with_ids_of_their_own() {
        let many: Vec<String> = (0..101).map(|n| n.to_string()).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        let with = |last: &'static str| [&many[..50], &[last]].concat();
        let long = "x".repeat(81);
        for (ids, most, code) in [
            (vec!["a", "B-_9"], 10, None),
            (many[..10].to_vec(), 10, None),
            (many[..11].to_vec(), 11, None),
            (many[..100].to_vec(), 100, None),
            (vec![], 10, Some(Code::EmptyBatchRequest)),
            (vec![], 100, Some(Code::EmptyBatchRequest)),
            (many[..11].to_vec(), 10, Some(Code::TooManyEntriesInBatchRequest)),
            (many.clone(), 100, Some(Code::TooManyEntriesInBatchRequest)),
            (vec!["a", "a"], 10, Some(Code::BatchEntryIdsNotDistinct)),
            (with("49"), 100, Some(Code::BatchEntryIdsNotDistinct)),
            (vec![""], 10, Some(Code::InvalidBatchEntryId)),
            (vec!["a.b"], 10, Some(Code::InvalidBatchEntryId)),
            (with("a.b"), 100, Some(Code::InvalidBatchEntryId)),
            (vec![&long], 10, Some(Code::InvalidBatchEntryId)),
        ] {
            let outcome = check(ids.iter().copied(), most, "Entry");
            assert_eq!(outcome.err().map(|error| error.code), code, "{ids:?}");
        }
    }
}

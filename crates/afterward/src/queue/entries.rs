//! What became of the entries of a list that travelled in one call, as far as somebody asks: an entry's id is its place in the list.

use super::received::number;
use crate::sqs::BatchResultErrorEntry;
use serde::Deserialize;

/// What became of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Refusals {
    pub(super) failed: Vec<BatchResultErrorEntry>,
}

/// What became of a list of messages.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Sent {
    pub(super) successful: Vec<Taken>,
    pub(super) failed: Vec<BatchResultErrorEntry>,
}

/// A message that was taken.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Taken {
    /// Its place in the list; `None` for what is none.
    #[serde(deserialize_with = "number")]
    pub(super) id: Option<usize>,
    pub(super) message_id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_outcomes_what_is_asked_for_is_read() {
        let failed = r#"{"Id":"1","SenderFault":true,"Code":"C"}"#;
        let taken = r#"{"Id":"0","MessageId":"m","MD5OfMessageBody":"5d"},{"Id":"x","MessageId":"n"}"#;
        let reply = format!(r#"{{"Successful":[{taken}],"Failed":[{failed}]}}"#);
        let sent: Sent = serde_json::from_str(&reply).unwrap();
        let taken: Vec<_> = sent.successful.iter().map(|one| (one.id, one.message_id.as_str())).collect();
        assert_eq!((taken, sent.failed[0].id.as_str()), (vec![(Some(0), "m"), (None, "n")], "1"));
        assert_eq!(serde_json::from_str::<Refusals>(&reply).unwrap().failed, sent.failed);
        assert!(serde_json::from_str::<Refusals>("{}").unwrap().failed.is_empty());
    }
}

//! The handles of message move tasks.

use afterward_names::QueueArn;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

/// A move task, as its handle names it: by its number and its source, base64 of JSON, as AWS's handles are.
///
/// A handle is no secret and no permission: who cancels has to own the source, and the task has to be one of the
/// source's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MoveHandle {
    pub(super) task: u64,
    pub(super) source: QueueArn,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    task_id: String,
    source_arn: String,
}

impl MoveHandle {
    pub(super) fn into_text(self) -> String {
        let written = Written { task_id: self.task.to_string(), source_arn: self.source.to_string() };
        STANDARD.encode(serde_json::to_vec(&written).unwrap_or_default())
    }

    pub(super) fn read(text: &str) -> Option<MoveHandle> {
        let bytes = STANDARD.decode(text).ok()?;
        let written: Written = serde_json::from_slice(&bytes).ok()?;
        Some(MoveHandle { task: written.task_id.parse().ok()?, source: written.source_arn.parse().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_reads_back_and_nonsense_does_not() {
        let source: QueueArn = "arn:aws:sqs:us-east-1:000000000000:dead".parse().unwrap();
        let handle = MoveHandle { task: 7, source };
        assert_eq!(MoveHandle::read(&handle.clone().into_text()), Some(handle));
        for bad in ["", "x", "e30=", "eyJ0YXNrSWQiOiJ4Iiwic291cmNlQXJuIjoieSJ9"] {
            assert_eq!(MoveHandle::read(bad), None, "{bad}");
        }
    }
}

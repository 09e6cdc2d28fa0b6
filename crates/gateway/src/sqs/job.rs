//! Jobs: our extension of SendMessage and SendMessageBatch.
//!
//! Of a message sent with the header `x-afterward-job: true`, `GET /jobs/ID` still tells after its end, as of those that came by
//! `POST /jobs`; of any other it tells while the message is there. Of a SendMessageBatch, it holds for all entries. The end of
//! each such message is kept in memory for a while, and so that is asked for. Amazon ignores the header.

use super::call::Call;
use afterward_aws::Error;

const JOB: &str = "x-afterward-job";

/// Whether the messages of this send are jobs.
pub(super) fn asked(call: &Call<'_>) -> Result<bool, Error> {
    match call.header(JOB).map(|value| value.as_bytes()) {
        None | Some(b"false") => Ok(false),
        Some(b"true") => Ok(true),
        Some(_) => Err(Error::invalid_parameter_value(format!("The header {JOB} is true or false."))),
    }
}

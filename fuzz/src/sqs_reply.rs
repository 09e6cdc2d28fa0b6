//! Replies as the crate `afterward` reads them: action and status on the first line, the body behind it.
//!
//! A client is no safer from its server, or what stands before it, than a server from its clients.

use crate::{memory, request::part};
use afterward_aws::{
    Protocol,
    sqs::{render, response_json},
};

/// Any bytes.
pub fn run(input: &[u8]) {
    let (head, body) = part(input, b"\n").unwrap_or((input, b""));
    let Ok(head) = std::str::from_utf8(head) else { return };
    let (action, status) = head.split_once(' ').unwrap_or((head, "200"));
    let Ok(status) = status.parse() else { return };
    let read = memory::within((1 << 20) + 64 * body.len(), || response_json(action, status, body));
    match read {
        Ok(response) => {
            let written = render(Protocol::Json, "id", &Ok(response.clone()));
            let again = response_json(action, 200, written.body());
            assert_eq!(again, Ok(response.clone()), "read, written and read again");
            crate::sqs_query::well_formed(render(Protocol::Query, "id", &Ok(response)).body());
        }
        Err(refusal) => {
            let _ = refusal.known();
            assert_eq!(refusal.status, status);
        }
    }
}

//! STS on the wire: `GetCallerIdentity`, in Query and XML.

use crate::{Error, Incoming};
use bytes::Bytes;
use http::Response;

/// The one request there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GetCallerIdentity;

/// Who called.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // AWS's members
pub struct CallerIdentity {
    pub account: String,
    pub arn: String,
    pub user_id: String,
}

/// Reads the request. `InvalidAction` for any other action.
pub fn parse(incoming: &Incoming<'_>) -> Result<GetCallerIdentity, Error> {
    let _ = incoming;
    Ok(GetCallerIdentity)
}

/// Writes the reply.
pub fn render(request_id: &str, outcome: &Result<CallerIdentity, Error>) -> Response<Bytes> {
    let _ = (request_id, outcome);
    Response::new(Bytes::new())
}

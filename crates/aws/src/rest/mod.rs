//! rest-json: the action is a method and a path, members stand in the path, in the query string and in a JSON body.
//!
//! What an action looks like is data ([`Operation`]), transcribed from the service's model; this module reads and writes
//! requests by it and says, in AWS's words, what of them the model does not allow. It knows no service.
//!
//! A member that is `null` counts as absent; unknown members are passed over.

mod bind;
mod check;
mod percent;
mod reply;
mod schema;

pub(crate) use bind::{read, write};
pub(crate) use reply::{error, error_code, reply};
pub(crate) use schema::{Member, Operation, Pattern, Place, Shape, Text};

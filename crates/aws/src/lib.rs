//! The AWS wire: signatures, protocols, errors, typed requests and results.

pub mod sqs;

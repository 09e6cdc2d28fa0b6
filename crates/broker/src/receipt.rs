//! Receipt handles: a lease, signed.

use afterward_machine::LeaseRef;
use thiserror::Error;

/// Makes and reads receipt handles with the partition's secret.
#[derive(Clone)]
pub struct Receipts {}

/// The text is not a receipt handle that this partition gave out.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the receipt handle was not given out by this server")]
pub struct NotAReceiptHandle;

#[allow(clippy::todo, unused_variables, missing_docs)]
impl Receipts {
    pub fn new(secret: &[u8; 32]) -> Receipts {
        todo!()
    }

    /// The handle for a lease.
    pub fn handle(&self, lease: LeaseRef) -> String {
        todo!()
    }

    /// The lease that a handle stands for, if this partition signed it.
    ///
    /// # Errors
    /// [`NotAReceiptHandle`].
    pub fn lease(&self, handle: &str) -> Result<LeaseRef, NotAReceiptHandle> {
        todo!()
    }
}

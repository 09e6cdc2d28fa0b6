//! The stories are in `tests/`; this crate exists to have Amazon's SDK as a dependency outside the product's workspace.

//! The benchmark of `cargo xtask bench`: the rows of `BENCHMARKS.md`.
//!
//! One thread drives everything and checks what it gets; a figure whose messages were not all acknowledged, delivered
//! once and whole is not shown. Ratios are taken between runs that alternate within minutes, because absolute figures
//! of a shared machine can't be compared. See `BENCHMARKS.md` for what is measured how.
//!
//! It knows the server only through HTTP and `/proc`, but for the signer that it makes signed requests with.

pub mod beanstalk;
pub mod body;
pub mod canned;
pub mod flame;
pub mod flush;
pub mod folder;
pub mod hello;
pub mod host;
pub mod http;
pub mod lab;
pub mod latency;
pub mod ledger;
pub mod load;
pub mod machine;
pub mod meter;
pub mod peers;
pub mod presign;
pub mod report;
pub mod rows;
mod shapes;
pub mod slices;
pub mod spread;
pub mod sqs;
pub mod trouble;
pub mod working;

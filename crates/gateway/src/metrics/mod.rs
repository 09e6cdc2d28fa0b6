//! What the server counts, and how it is told to Prometheus.

mod counters;
mod exposition;
mod process;
mod text;

pub(crate) use counters::{Counters, Outcome};
pub(crate) use exposition::{Scrapes, exposition};

//! A server: settings, wiring, the order of starting and stopping.
//!
//! [`Server::start`] opens the data directory, replays its log, and only then listens: a server that answers has all
//! its state. [`Running::stop`] goes the other way round: stop accepting, end the long polls, let requests finish,
//! flush, close. The command line, the demo, tests and programs that embed a server all use these two.
//!
//! This crate knows nothing of AWS's shapes or of the log's bytes.

mod clock;
pub mod config;
mod jobs;
mod open_files;
mod running;
mod signal;
mod start;

pub use config::{Config, ConfigError, Sources};
pub use running::{Running, Stopped};
pub use signal::{Signals, serve_until_signal};
pub use start::{Server, StartError};

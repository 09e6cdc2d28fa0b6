//! HTTP in front of the broker: one module per service, one file per action or small family of actions.
//!
//! A request is parsed (`aws`), its caller identified, its queue found; what it asks for is checked by AWS's rules and
//! said to the broker in the broker's words; the broker's reply, or refusal, is written in the caller's protocol. The
//! services: `sqs`, `scheduler`, `sts`, `jobs` (the front door) and `admin`.
//!
//! Invariants:
//! - with credentials configured, nothing but health, readiness, metrics and a front door made public is answered to a
//!   caller whose signature was not verified;
//! - with none configured, nothing but health, readiness and metrics is answered to a foreign page in a browser, unless
//!   its origin may call the front door;
//! - a caller who signs sees the queues and schedules of their account and region, and no others;
//! - a success is said only after the broker said it, so what is acknowledged is durable.
//!
//! This crate knows nothing of the log, of files, or of how time is kept.

mod admin;
mod browser;
mod caller;
mod digest;
mod gateway;
mod http;
mod jobs;
mod metrics;
mod parameters;
mod pending_calls;
mod progress;
mod queue_url;
mod reply;
mod request_id;
mod route;
mod scheduler;
mod settings;
mod sqs;
mod sts;
mod time;

pub use self::http::Listening;
pub use gateway::Gateway;
pub use settings::{Credential, Jobs, Limits, Settings};
pub use time::parse_rfc3339;

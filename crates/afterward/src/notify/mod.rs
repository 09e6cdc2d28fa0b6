//! Notices for people: to Slack, or to any webhook, from handlers and about what a worker has trouble with.
//!
//! ```no_run
//! use afterward::{Cause, Message, Queue, State, Worker, notify::{self, Digest, Notifier}};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize, Message)] #[message(type = "signup")] struct Signup { email: String }
//!
//! async fn signup(signup: Signup, State(slack): State<Notifier>) -> Result<(), Cause> {
//!     slack.send(&format!("{} signed up", notify::escaped(&signup.email))).await?;
//!     Ok(())
//! }
//!
//! # async fn example(queue: Queue) -> Result<(), Box<dyn std::error::Error>> {
//! let slack = notify::slack()?; // the incoming webhook in SLACK_URL; without it, nothing is sent
//! let digest = Digest::new(slack.clone());
//! Worker::new(queue).on(signup).state(slack).on_event(digest.hook()).run().await?;
//! digest.flush().await; // what was still gathered
//! # Ok(())
//! # }
//! ```
//!
//! A [`Digest`] says what a worker's [events](crate::Event) come to, at most once a minute: a burst of failures is one
//! message.

mod digest;
mod notifier;
mod runs;
mod tally;

pub use digest::Digest;
pub use notifier::{Notifier, NotifyError, OnFailure, escaped, slack, slack_at, webhook};

#[cfg(test)]
mod tests;

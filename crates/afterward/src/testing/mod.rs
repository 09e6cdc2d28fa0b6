//! For tests: a real broker in the process with a clock that the test moves, assertions about what was enqueued, and
//! handlers tried without any broker.
//!
//! ```toml
//! [dev-dependencies]
//! afterward = { version = "0.1", features = ["testing"] }
//! ```
//!
//! A test of what a program enqueues and of what becomes of it:
//!
//! ```
//! use afterward::{Context, Message, Worker, testing::{self, Broker}};
//! use serde::{Deserialize, Serialize};
//! use std::time::Duration;
//!
//! #[derive(Debug, Serialize, Deserialize, Message)]
//! #[message(type = "order:new")]
//! struct OrderNew { number: u32 }
//!
//! async fn order_new(order: OrderNew, cx: Context) -> Result<(), String> {
//!     if order.number == 0 { Err("there is no order 0".to_owned()) } else { Ok(()) }
//! }
//!
//! # async fn test() -> Result<(), afterward::Error> {
//! let broker = Broker::start().await;
//! let jobs = broker.queue("jobs").await;
//!
//! jobs.enqueue(&OrderNew { number: 7 }).delay(Duration::from_secs(3600)).await?;
//! testing::assert_enqueued::<OrderNew>(&jobs, |order| order.number == 7).await;
//!
//! // Nothing can be handled yet; in an hour it can.
//! assert_eq!(testing::drain(Worker::new(jobs.clone()).on(order_new)).await.succeeded, 0);
//! broker.advance(Duration::from_secs(3600)).await;
//! assert_eq!(testing::drain(Worker::new(jobs.clone()).on(order_new)).await.succeeded, 1);
//! testing::assert_empty(&jobs).await;
//!
//! // What fails at each of its three attempts is a dead letter.
//! jobs.enqueue(&OrderNew { number: 0 }).await?;
//! testing::drain(Worker::new(jobs.clone()).on(order_new).retry(Duration::ZERO)).await;
//! let dead = testing::dead_letters(&jobs).await;
//! assert_eq!(dead[0].last_error.as_deref(), Some("there is no order 0"));
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test()).unwrap();
//! ```
//!
//! [`Broker`] is the server itself, on a free port of this machine, its data in a temporary directory: what a test sees is
//! what happens in production. Only its clock stands still until [`Broker::advance`] moves it, so delays, leases, retries,
//! schedules and retention are tested without waiting. Each test has a broker of its own; one takes a few milliseconds.
//!
//! A handler alone is tried with [`job`]:
//!
//! ```
//! # use afterward::{Message, testing};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize, Message)] #[message(type = "order:new")] struct OrderNew { number: u32 }
//! # async fn order_new(order: OrderNew) -> Result<(), String> { Err(format!("there is no order {}", order.number)) }
//! # async fn test() {
//! let tried = testing::job(&OrderNew { number: 0 }).attempt(3).run(order_new).await;
//! assert_eq!(tried.error(), Some("there is no order 0"));
//! # }
//! # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test());
//! ```
//!
//! All of this panics where it can't go on, with what is the matter: in a test, that is the answer.

mod assertions;
mod broker;
mod contents;
mod new_queue;
mod schedules;
mod time;

pub use crate::worker::trial::{Ending, Trial, Tried, context, job, raw};
pub use assertions::{assert_empty, assert_enqueued, assert_not_enqueued};
pub use broker::{Broker, drain};
pub use contents::{Enqueued, Standing, dead_letters, enqueued, everything};
pub use new_queue::NewQueue;
